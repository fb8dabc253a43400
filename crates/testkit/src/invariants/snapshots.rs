//! Snapshots are replaced, never removed first: an execution deletes one only while a newer one
//! of the same database, which it made itself, can be restored.

use trapheus_local::observe::{Asked, Subject};

use super::memory::{Execution, KnownSnapshot, Maker, Memory};

pub(super) fn check_request(
    memory: &Memory,
    execution: &Execution,
    request: &Asked<'_>,
) -> Option<String> {
    if !matches!(
        request.action,
        "DeleteDBSnapshot" | "DeleteDBClusterSnapshot"
    ) {
        return None;
    }
    let arn = request.subjects.iter().find_map(|subject| match subject {
        Subject::Snapshot(arn) => Some(arn),
        Subject::Database(_) => None,
    })?;
    let old = memory.snapshots.get(arn)?;
    let replaces = |new: &KnownSnapshot| {
        let is_there = new.gone.is_none_or(|gone| gone > execution.task_began);
        let is_of_the_same = new.source == old.source || new.source_name == old.source_name;
        let is_its_own = new.maker == Maker::Execution(execution.id.clone());
        new.name != old.name && new.is_available && is_there && is_of_the_same && is_its_own
    };
    let newer = memory.snapshots.values();
    let mut newer = newer.filter(|new| new.begun_at >= old.begun_at && replaces(new));
    let found = match newer.next() {
        None => "and no newer one of that database is available",
        Some(new) if !old.is_ours && old.source != new.source => "which is somebody else's",
        Some(_) => return None,
    };
    Some(format!(
        "{} deletes the snapshot {}, {found}",
        execution.id, old.name
    ))
}
