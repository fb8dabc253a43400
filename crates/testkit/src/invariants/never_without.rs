//! Never without a database: data goes only when something better is known to serve.
//!
//! - An original is deleted only while the database that was restored in its place, and verified,
//!   is seen answering at the name.
//! - What an execution made is deleted only if no client has written to it.
//! - A database that was not verified is not sent to the name.
//! - No write that a client was promised vanishes from a database that exists.

use trapheus_local::observe::{Asked, Change, Subject};
use trapheus_restore::Plan;

use super::memory::{Execution, Memory, Relation};

pub(super) fn check_request(
    memory: &Memory,
    execution: &Execution,
    request: &Asked<'_>,
) -> Option<String> {
    let plan = execution.plan.as_deref()?;
    let id = request.subjects.iter().find_map(|subject| match subject {
        Subject::Database(id) => Some(id.as_str()),
        Subject::Snapshot(_) => None,
    })?;
    match request.action {
        "DeleteDBInstance" | "DeleteDBCluster" => check_deletion(memory, execution, plan, id),
        "ModifyDBInstance" | "ModifyDBCluster" => {
            check_rename(memory, execution, plan, request, id)
        }
        _ => None,
    }
}

fn check_deletion(memory: &Memory, execution: &Execution, plan: &Plan, id: &str) -> Option<String> {
    let holder = memory.databases.get(memory.holder_of_data(id))?;
    let name = &memory.databases.get(id)?.name;
    let by = &execution.id;
    let target = plan.names.target.as_str();
    let mut held = memory.held_since(execution.is_cluster(), target, execution.task_began);
    let found = match memory.relation(execution, id) {
        Relation::Made if holder.writes > 0 => {
            format!("which clients have written to {} times", holder.writes)
        }
        Relation::Original if !execution.is_verified => "before anything was verified".to_owned(),
        Relation::Original => {
            let is_replaced = held.any(|held| {
                let answering = held.answering.as_deref();
                answering.is_some_and(|id| memory.relation(execution, id) == Relation::Made)
            });
            if is_replaced {
                return None;
            }
            format!("and nothing that it made answers at {target}")
        }
        Relation::Kept
            if held.all(|held| held.answering.as_deref().is_none_or(|one| one == id)) =>
        {
            format!("and nothing else answers at {target}")
        }
        Relation::Made | Relation::Kept | Relation::Stranger => return None,
    };
    Some(format!("{by} deletes {name} ({id}), {found}"))
}

fn check_rename(
    memory: &Memory,
    execution: &Execution,
    plan: &Plan,
    request: &Asked<'_>,
    id: &str,
) -> Option<String> {
    let new = ["NewDBInstanceIdentifier", "NewDBClusterIdentifier"];
    let to = new.iter().find_map(|parameter| request.get(parameter))?;
    let is_promoted = execution.state == "Promote"
        && to == plan.names.target.as_str()
        && memory.relation(execution, id) == Relation::Made;
    let is_wrong = is_promoted && !execution.is_verified;
    is_wrong.then(|| format!("{} names {id} {to}, which was not verified", execution.id))
}

/// No write that was promised may be missing.
pub(super) fn check_promises(memory: &Memory, change: &Change<'_>) -> Option<String> {
    change.databases().find_map(|touched| {
        let now = touched.now?;
        let known = memory.databases.get(now.resource_id())?;
        let writes = change.view.writes(&now)?;
        (writes < known.promised).then(|| {
            format!(
                "{} ({}) has {writes} writes, and clients were promised {}",
                known.name,
                now.resource_id(),
                known.promised
            )
        })
    })
}
