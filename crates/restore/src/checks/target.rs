//! Checks of the target itself: what it is, how it stands, and what hangs on it that a restored
//! database would not have.

use trapheus_rds::{AttributeClass, Database, attributes};

use super::Check;
use crate::tasks::attachments;

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

/// What other calls than a restore and a modify have attached: it is attached again, or it would
/// be lost silently.
pub(crate) fn attachments(target: &Database, allow_lost: &[String]) -> Vec<Check> {
    const NAME: &str = "attachments";
    let (mut checks, mut attached) = (Vec::new(), Vec::new());
    for row in attributes(target.subject()) {
        let name = row.name.as_str();
        let (AttributeClass::OtherApi(operation), Some(value)) =
            (row.class, target.settings.get(name))
        else {
            continue;
        };
        if attachments::is_attached(name, value) {
            attached.push(name);
        }
        if attachments::keeps(name, value) {
            continue;
        }
        let is_allowed = allow_lost.iter().any(|allowed| allowed == name);
        checks.push(if is_allowed {
            Check::warn(
                NAME,
                format!("{name} ({value}) will be lost, as the input allows"),
            )
        } else {
            let detail = format!(
                "{name} ({value}) would be lost: nothing calls {operation}; to go on without, \
                 name it in the input: \"allowLost\": [\"{name}\"]"
            );
            Check::fail(NAME, detail)
        });
    }
    if !attached.is_empty() {
        let detail = format!("{}: attached again", attached.join(", "));
        checks.push(Check::pass(NAME, detail));
    }
    if checks.is_empty() {
        checks.push(Check::pass(NAME, "none that a restore would lose"));
    }
    checks
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
