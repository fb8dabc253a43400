//! The commands that a person types when the name could not be given back: exact and in order.
//! Where it is not known how far a roll-back came, the first commands find out, and the others say
//! when they are to be typed: a rename away from the target's name is harmless only while the
//! original is not there.
//!
//! Members are renamed before their cluster, because RDS renames none while the cluster is being
//! renamed. A part that already has the name is refused, which changes nothing.

use trapheus_rds::{DbIdentifier, Kind};

use crate::names::Names;
use crate::plan::{Original, Plan};

/// Brings the original back to the target's name.
pub(crate) fn bring_back(plan: &Plan) -> Vec<String> {
    let mut commands = renames(plan, |names| (&names.aside, &names.target));
    commands.extend(custom_endpoints(plan));
    commands
}

/// Takes the restored database from the target's name, then brings the original back.
pub(crate) fn swap_back(plan: &Plan) -> Vec<String> {
    let mut commands: Vec<String> = plan
        .custom_endpoints
        .iter()
        .map(|endpoint| {
            let id = &endpoint.identifier;
            format!("aws rds delete-db-cluster-endpoint --db-cluster-endpoint-identifier {id}")
        })
        .collect();
    commands.extend(renames(plan, |names| (&names.target, &names.kept)));
    commands.extend(bring_back(plan));
    commands
}

/// Puts the restored database behind the name, when there is no original any more.
pub(crate) fn promote(plan: &Plan) -> Vec<String> {
    let mut commands = renames(plan, |names| (&names.restored, &names.target));
    commands.extend(custom_endpoints(plan));
    commands
}

/// Looks at what has the target's name and at what the execution made beside it.
pub(crate) fn compare(plan: &Plan) -> Vec<String> {
    let names = [&plan.names.target, &plan.names.restored, &plan.names.kept];
    let show = |name: &DbIdentifier| match plan.kind {
        Kind::Instance => {
            format!("aws rds describe-db-instances --db-instance-identifier {name}")
        }
        Kind::Cluster => format!("aws rds describe-db-clusters --db-cluster-identifier {name}"),
    };
    names.map(show).into()
}

/// Looks for the databases of an execution, wherever they are.
pub(crate) fn find(plan: &Plan) -> Vec<String> {
    let list = |originals: Vec<&Original>| {
        let ids = originals
            .iter()
            .map(|original| original.resource_id.as_str());
        ids.collect::<Vec<&str>>().join(",")
    };
    let mut instances: Vec<&Original> = Vec::new();
    let mut commands = Vec::new();
    match (plan.kind, &plan.original) {
        (Kind::Instance, original) => instances.extend(original),
        (Kind::Cluster, Some(original)) => commands.push(format!(
            "aws rds describe-db-clusters --filters Name=db-cluster-resource-id,Values={} --query 'DBClusters[].[DBClusterIdentifier,Status,DbClusterResourceId]'",
            original.resource_id
        )),
        (Kind::Cluster, None) => {}
    }
    instances.extend(plan.parts.iter().filter_map(|part| part.original.as_ref()));
    if !instances.is_empty() {
        commands.push(format!(
            "aws rds describe-db-instances --filters Name=dbi-resource-id,Values={} --query 'DBInstances[].[DBInstanceIdentifier,DBInstanceStatus,DbiResourceId]'",
            list(instances)
        ));
    }
    commands
}

/// Brings the original back from a name that somebody gave it.
pub(crate) fn elsewhere(plan: &Plan, name: &str) -> Vec<String> {
    match name.parse() {
        Ok(name) => vec![rename(plan.kind, &name, &plan.names.target)],
        Err(_) => find(plan),
    }
}

/// Brings back a part of the original whose name a stranger has had.
pub(crate) fn bring_back_part(plan: &Plan, name: &str) -> Vec<String> {
    let parts = plan.parts.iter().map(|part| &part.names);
    parts
        .filter(|names| names.target.as_str() == name)
        .map(|names| rename(Kind::Instance, &names.aside, &names.target))
        .collect()
}

/// Everything that a roll-back does, for when it can't be known how far it came.
pub(crate) fn by_hand(plan: &Plan) -> Vec<String> {
    let mut commands = find(plan);
    if let Some(original) = plan.original_id() {
        commands.push(format!(
            "# only if {original} is not {} already:",
            plan.names.target
        ));
    }
    commands.extend(swap_back(plan));
    commands
}

/// Renames everything that the plan names, the database itself last.
fn renames<'a>(
    plan: &'a Plan,
    way: impl Fn(&'a Names) -> (&'a DbIdentifier, &'a DbIdentifier),
) -> Vec<String> {
    let parts = plan.parts.iter().rev();
    let parts = parts.map(|part| (Kind::Instance, &part.names));
    parts
        .chain([(plan.kind, &plan.names)])
        .map(|(kind, names)| {
            let (from, to) = way(names);
            rename(kind, from, to)
        })
        .collect()
}

/// Renames a database, at once.
fn rename(kind: Kind, from: &DbIdentifier, to: &DbIdentifier) -> String {
    match kind {
        Kind::Instance => format!(
            "aws rds modify-db-instance --db-instance-identifier {from} --new-db-instance-identifier {to} --apply-immediately"
        ),
        Kind::Cluster => format!(
            "aws rds modify-db-cluster --db-cluster-identifier {from} --new-db-cluster-identifier {to} --apply-immediately"
        ),
    }
}

/// Makes the custom endpoints of the cluster that has the target's name.
fn custom_endpoints(plan: &Plan) -> impl Iterator<Item = String> {
    plan.custom_endpoints.iter().map(|endpoint| {
        let members = |option: &str, members: &[DbIdentifier]| match members {
            [] => String::new(),
            members => {
                let names: Vec<&str> = members.iter().map(DbIdentifier::as_str).collect();
                format!(" --{option} {}", names.join(" "))
            }
        };
        format!(
            "aws rds create-db-cluster-endpoint --db-cluster-identifier {} --db-cluster-endpoint-identifier {} --endpoint-type {}{}{}",
            plan.names.target,
            endpoint.identifier,
            endpoint.kind,
            members("static-members", &endpoint.static_members),
            members("excluded-members", &endpoint.excluded_members),
        )
    })
}
