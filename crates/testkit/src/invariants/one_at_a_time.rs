//! One at a time: while an execution is at work on a target, no other one changes its databases.
//!
//! Who keeps its original, or deletes it, is through with the target. Marks are how executions find out about each
//! other, and snapshots are nobody's work on a database; neither counts.

use trapheus_local::observe::{Asked, Subject};

use super::memory::{Execution, Memory};

pub(super) fn check_request(
    memory: &Memory,
    execution: &Execution,
    request: &Asked<'_>,
) -> Option<String> {
    let other = memory.other_at_work(execution)?;
    is_a_change(request).then(|| {
        format!(
            "{} sends {} while {} is at work on the same target",
            execution.id, request.action, other.id
        )
    })
}

/// Whether a request changes a database, or makes one.
pub(super) fn is_a_change(request: &Asked<'_>) -> bool {
    let is_mark =
        request.action.ends_with("TagsToResource") || request.action.ends_with("TagsFromResource");
    let is_about_snapshots =
        request.action.ends_with("Snapshot") && !request.action.starts_with("Restore");
    let makes = request.action.starts_with("Restore") || request.action.starts_with("CreateDB");
    let subjects = request.subjects.iter();
    let changes = subjects.filter(|subject| matches!(subject, Subject::Database(_)));
    !is_mark && !is_about_snapshots && (makes || changes.count() > 0)
}
