//! The name comes back: whatever an execution meets, something answers at the name when it ends,
//! unless it ends by calling for a person, or a person has meddled.

use trapheus_asl::Status;

use super::memory::{Execution, Memory};

pub(super) fn check_end(memory: &Memory, execution: &Execution) -> Option<String> {
    let plan = execution.plan.as_deref()?;
    let name = plan.names.target.as_str();
    let is_cluster = execution.is_cluster();
    let is_answered = memory.answering(is_cluster, name).is_some();
    let before = memory.held_since(is_cluster, name, execution.began).next();
    let was_answered = before.is_some_and(|held| held.answering.is_some());
    let has_succeeded = matches!(execution.ended, Some(Status::Succeeded { .. }));
    let is_owed = was_answered || (has_succeeded && execution.is_about_the_name());
    let is_excused = memory.person_came > execution.began
        || memory.is_another_at_work(execution)
        || execution.calls_for_a_person()
        || execution.was_aborted();
    (is_owed && !is_answered && !is_excused)
        .then(|| format!("{} has ended and nothing answers at {name}", execution.id))
}
