//! The commands that a person types when the name could not be given back: exact and in order.
//! Where it is not known how far a roll-back came, the first command finds out, and the others say
//! when they are to be typed: a rename away from the target's name is harmless only while the
//! original is not there.

use trapheus_rds::DbIdentifier;

use crate::plan::Plan;

/// Brings the original back to the target's name.
pub(crate) fn bring_back(plan: &Plan) -> Vec<String> {
    vec![rename(&plan.names.aside, &plan.names.target)]
}

/// Takes the restored database from the target's name, then brings the original back.
pub(crate) fn swap_back(plan: &Plan) -> Vec<String> {
    vec![
        rename(&plan.names.target, &plan.names.kept),
        rename(&plan.names.aside, &plan.names.target),
    ]
}

/// Puts the restored database behind the name, when there is no original any more.
pub(crate) fn promote(plan: &Plan) -> Vec<String> {
    vec![rename(&plan.names.restored, &plan.names.target)]
}

/// Looks for the databases of an execution, wherever they are.
pub(crate) fn find(plan: &Plan) -> Vec<String> {
    vec![format!(
        "aws rds describe-db-instances --filters Name=dbi-resource-id,Values={} --query 'DBInstances[].[DBInstanceIdentifier,DBInstanceStatus,DbiResourceId]'",
        plan.original.resource_id
    )]
}

/// Renames a database, at once.
pub(crate) fn rename(from: &DbIdentifier, to: &DbIdentifier) -> String {
    format!(
        "aws rds modify-db-instance --db-instance-identifier {from} --new-db-instance-identifier {to} --apply-immediately"
    )
}

/// Brings the original back from a name that somebody gave it.
pub(crate) fn elsewhere(plan: &Plan, name: &str) -> Vec<String> {
    match name.parse() {
        Ok(name) => vec![rename(&name, &plan.names.target)],
        Err(_) => find(plan),
    }
}

/// Everything that a roll-back does, for when it can't be known how far it came.
pub(crate) fn by_hand(plan: &Plan) -> Vec<String> {
    let names = &plan.names;
    let original = &plan.original.resource_id;
    let mut commands = find(plan);
    commands.push(format!(
        "# only if {original} is not {} already:",
        names.target
    ));
    commands.extend(swap_back(plan));
    commands
}
