//! Checks of the target itself: what it is, how it stands, and what hangs on it that a restored
//! database would not have.

use serde_json::Value;
use trapheus_rds::{AttributeClass, Database, attributes};

use super::Check;

/// What other calls than a restore and a modify set, and what is no concern of this check all the
/// same: the order of upgrades is a policy that comes back with the tags, and a cluster's members
/// and custom endpoints are made again.
const HARMLESS: [&str; 3] = ["UpgradeRolloutOrder", "DBClusterMembers", "CustomEndpoints"];

/// Whether the target can be snapshotted and renamed now.
pub(crate) fn status(target: &Database) -> Check {
    let detail = format!("{} is {}", target.identifier, target.status);
    if target.status.is_serving() {
        return Check::pass("status", detail);
    }
    Check::fail("status", format!("{detail}; it must be available"))
}

/// Replicas stay with the renamed original and go with it; those of the same Region are made again.
pub(crate) fn replicas(target: &Database) -> Check {
    const NAME: &str = "read replicas";
    if let Some(source) = &target.replica_source {
        let detail = format!(
            "{} is a replica of {source}, and a restored database is none: restore {source}, whose replicas \
             are made again, or promote {} first",
            target.identifier, target.identifier
        );
        return Check::fail(NAME, detail);
    }
    // Those in other Regions have an ARN for a name, and a check of their own.
    let here = target
        .replicas
        .iter()
        .filter(|name| !name.starts_with("arn:"));
    let here: Vec<&str> = here.map(String::as_str).collect();
    match here.as_slice() {
        [] => Check::pass(NAME, "none"),
        here => Check::pass(
            NAME,
            format!(
                "{} will be made again from the restored database",
                here.join(", ")
            ),
        ),
    }
}

/// What only other calls can attach would be lost silently.
pub(crate) fn attachments(target: &Database, allow_lost: &[String]) -> Vec<Check> {
    const NAME: &str = "attachments";
    let mut checks = Vec::new();
    for row in attributes(target.subject()) {
        let name = row.name.as_str();
        let AttributeClass::OtherApi(operation) = row.class else {
            continue;
        };
        let Some(value) = target
            .settings
            .get(name)
            .filter(|value| is_attached(name, value))
        else {
            continue;
        };
        let is_allowed = allow_lost.iter().any(|allowed| allowed == name);
        checks.push(if is_allowed {
            Check::warn(
                NAME,
                format!("{name} ({value}) will be lost, as the input allows"),
            )
        } else {
            let detail = format!(
                "{name} ({value}) would be lost: {operation} isn't called yet; to go on without, \
                 name it in the input: \"allowLost\": [\"{name}\"]"
            );
            Check::fail(NAME, detail)
        });
    }
    if checks.is_empty() {
        checks.push(Check::pass(NAME, "none that a restore would lose"));
    }
    checks
}

fn is_attached(name: &str, value: &Value) -> bool {
    // Replicas have a check of their own; a stream that is stopped is none, and neither is what
    // is switched off.
    let is_replica = name.starts_with("ReadReplica");
    let is_stopped = name.starts_with("ActivityStream")
        && value.as_str().is_some_and(|text| text.starts_with("stop"));
    !is_replica && !is_stopped && *value != Value::Bool(false) && !HARMLESS.contains(&name)
}

/// Deletion protection comes back and doesn't stop the original's deletion.
pub(crate) fn deletion_protection(target: &Database) -> Check {
    let detail = if target.deletion_protection {
        "on; the restored database gets it too, and the original's is taken off when it is deleted"
    } else {
        "off"
    };
    Check::pass("deletion protection", detail)
}

/// Policies that name the old identity stop matching.
pub(crate) fn identity(target: &Database) -> Option<Check> {
    let uses_iam =
        target.settings.get("IAMDatabaseAuthenticationEnabled") == Some(&Value::Bool(true));
    let detail = format!(
        "the restored database has a new resource id: IAM policies for database users that name {} must be changed",
        target.resource_id
    );
    uses_iam.then(|| Check::warn("identity", detail))
}
