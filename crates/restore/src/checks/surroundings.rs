//! Checks of what the restored database will need beside the snapshot: groups, the version,
//! room in the account. A server that can't answer one leaves it open, which is a warning.

use std::collections::BTreeSet;

use serde_json::Value;
use trapheus_rds::{Database, Error, Kind, Quota, Rds};

use super::Check;
use crate::blueprint::Blueprint;
use crate::input::Task;
use crate::plan::{Plan, SnapshotPlan};

/// Groups that RDS provides always exist.
const DEFAULT_PREFIX: &str = "default";

/// A group that a database refers to by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Parameter,
    ClusterParameter,
    Option,
    Subnet,
}

impl Group {
    /// All groups, with the attributes that hold their names.
    const ALL: [(Group, &'static str); 4] = [
        (Group::Parameter, "DBParameterGroupName"),
        (Group::ClusterParameter, "DBClusterParameterGroupName"),
        (Group::Option, "OptionGroupName"),
        (Group::Subnet, "DBSubnetGroupName"),
    ];

    async fn check(self, rds: &Rds, name: &str) -> Check {
        let (what, answer) = match self {
            Group::Parameter => ("parameter group", rds.parameter_group_exists(name).await),
            Group::ClusterParameter => (
                "cluster parameter group",
                rds.cluster_parameter_group_exists(name).await,
            ),
            Group::Option => ("option group", rds.option_group_exists(name).await),
            Group::Subnet => ("subnet group", rds.subnet_group_exists(name).await),
        };
        exists(what, name, answer)
    }
}

/// Whether everything that the original and its parts refer to still exists.
pub(crate) async fn groups(rds: &Rds, plan: &Plan) -> Vec<Check> {
    let parts = plan.parts.iter().map(|part| &part.blueprint);
    let blueprints: Vec<&Blueprint> = parts.chain([&plan.blueprint]).collect();
    let mut named = BTreeSet::new();
    for (group, attribute) in Group::ALL {
        let values = blueprints
            .iter()
            .filter_map(|one| one.settings.get(attribute));
        let names = values.filter_map(Value::as_str);
        // A subnet group of that name is as mortal as others.
        let can_go = |name: &&str| group == Group::Subnet || !name.starts_with(DEFAULT_PREFIX);
        named.extend(names.filter(can_go).map(|name| (group, name)));
    }
    let mut checks = Vec::new();
    for (group, name) in named {
        checks.push(group.check(rds, name).await);
    }
    checks
}

fn exists(what: &str, name: &str, answer: Result<bool, Error>) -> Check {
    match answer {
        Ok(true) => Check::pass(what, name),
        Ok(false) => Check::fail(what, format!("{name} does not exist any more")),
        Err(error) => open(what, &error),
    }
}

/// Whether RDS still offers the version that the snapshot has.
pub(crate) async fn version(rds: &Rds, engine: &str, version: &str) -> Check {
    const NAME: &str = "engine version offered";
    match rds.engine_version_is_offered(engine, version).await {
        Ok(true) => Check::pass(NAME, format!("{engine} {version}")),
        Ok(false) => {
            let detail = format!(
                "RDS does not list {engine} {version} any more; it may upgrade the restored database"
            );
            Check::warn(NAME, detail)
        }
        Err(error) => open(NAME, &error),
    }
}

/// Whether a blue/green deployment would rename the target itself.
pub(crate) async fn blue_green(rds: &Rds, target: &Database) -> Check {
    const NAME: &str = "blue/green deployment";
    match rds.blue_green_deployments_of(&target.arn).await {
        Ok(names) if names.is_empty() => Check::pass(NAME, "none"),
        Ok(names) => {
            let detail = format!(
                "{} renames the target itself: finish or delete it first",
                names.join(", ")
            );
            Check::fail(NAME, detail)
        }
        Err(error) => open(NAME, &error),
    }
}

/// Which names of Route 53 point at the target. They stay as they are, and so does what they
/// point at; who can't be asked is none the worse.
pub(crate) async fn names(rds: &Rds, target: &Database) -> Option<Check> {
    const NAME: &str = "names that point at it";
    let writer = target.endpoint.as_ref().map(|endpoint| &endpoint.address);
    let addresses: Vec<String> = writer
        .into_iter()
        .chain(&target.reader_endpoint)
        .cloned()
        .collect();
    let found = rds.names_pointing_at(&addresses).await.ok()?;
    let names: Vec<String> = found.iter().map(ToString::to_string).collect();
    Some(if names.is_empty() {
        Check::pass(NAME, "none in Route 53")
    } else {
        let detail = format!(
            "{}: they go on, because the endpoint's own name stays",
            names.join(", ")
        );
        Check::pass(NAME, detail)
    })
}

/// What the restore uses of the account's quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs(Vec<(&'static str, i64)>);

impl Needs {
    /// What a plan uses.
    pub(crate) fn of(plan: &Plan) -> Self {
        let makes = |snapshot: &SnapshotPlan| i64::from(snapshot.create);
        let snapshots = plan.snapshot.as_ref().map_or(0, makes);
        let parts = i64::try_from(plan.parts.len()).unwrap_or(i64::MAX);
        let gib = |blueprint: &Blueprint| {
            let gib = blueprint.settings.get("AllocatedStorage");
            gib.and_then(Value::as_i64).unwrap_or(0)
        };
        let mut needs = match plan.kind {
            Kind::Instance => vec![("ManualSnapshots", snapshots)],
            Kind::Cluster => vec![("ManualClusterSnapshots", snapshots)],
        };
        if plan.task == Task::CreateSnapshotOnly {
            return Self(needs);
        }
        match plan.kind {
            Kind::Instance => {
                let replicas = plan.parts.iter().map(|part| gib(&part.blueprint));
                let storage: i64 = replicas.chain([gib(&plan.blueprint)]).sum();
                needs.extend([("DBInstances", parts + 1), ("AllocatedStorage", storage)]);
            }
            Kind::Cluster => needs.extend([("DBClusters", 1), ("DBInstances", parts)]),
        }
        Self(needs)
    }
}

/// Whether the account has room for it.
pub(crate) async fn quotas(rds: &Rds, needs: Needs) -> Vec<Check> {
    let quotas = match rds.quotas().await {
        Ok(quotas) => quotas,
        Err(error) => return vec![open("quotas", &error)],
    };
    let needed = needs.0.into_iter().filter(|(_, needed)| *needed > 0);
    needed
        .filter_map(|(name, needed)| room(&quotas, name, needed))
        .collect()
}

fn room(quotas: &[Quota], name: &str, needed: i64) -> Option<Check> {
    let quota = quotas.iter().find(|quota| quota.name == name)?;
    let check = format!("quota {name}");
    let detail = format!("{needed} needed, {} of {} left", quota.left(), quota.max);
    Some(if quota.left() >= needed {
        Check::pass(&check, detail)
    } else {
        Check::fail(&check, detail)
    })
}

/// A check that nobody could make.
fn open(name: &str, error: &Error) -> Check {
    Check::warn(name, format!("could not be checked: {error}"))
}
