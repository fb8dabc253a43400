//! Truth: an execution says that it has succeeded if and only if what it restored, from the data
//! that was asked for, answers at the name; and whatever is left over, it lists.

use trapheus_asl::Status;
use trapheus_local::observe::Asked;
use trapheus_restore::{Plan, Summary, Task};

use super::memory::{Execution, Known, Maker, Memory, Relation};

/// Whether the restore is made from the data of the source that the input names.
pub(super) fn check_request(
    memory: &Memory,
    execution: &Execution,
    request: &Asked<'_>,
) -> Option<String> {
    let parameter = match request.action {
        "RestoreDBInstanceFromDBSnapshot" => "DBSnapshotIdentifier",
        "RestoreDBClusterFromSnapshot" => "SnapshotIdentifier",
        _ => return None,
    };
    let text = |key: &str| execution.input.get(key).and_then(|value| value.as_str());
    let name = request.get(parameter)?;
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    let source = text("sourceIdentifier").or_else(|| text("identifier"))?;
    let mut all = memory.snapshots.values();
    let snapshot = all.find(|snapshot| snapshot.name == name && snapshot.gone.is_none())?;
    let is_cluster = execution.is_cluster();
    let mut held = memory.held_since(is_cluster, source, execution.began);
    let is_of_the_source = snapshot.source_name.eq_ignore_ascii_case(source)
        || held.any(|held| held.by.as_deref() == Some(&snapshot.source));
    (!is_of_the_source).then(|| {
        format!(
            "{} restores the snapshot {name} of {}, and was asked for data of {source}",
            execution.id, snapshot.source_name
        )
    })
}

pub(super) fn check_end(
    memory: &Memory,
    execution: &Execution,
    summary: &Summary,
) -> Option<String> {
    let plan = execution.plan.as_deref()?;
    let is_excused = memory.person_came > execution.began || memory.is_another_at_work(execution);
    if is_excused || execution.was_aborted() {
        return None;
    }
    let has_succeeded = matches!(execution.ended, Some(Status::Succeeded { .. }));
    let told = match (plan.task, has_succeeded) {
        (Task::DbRestore | Task::CreateSnapshot, true) => {
            check_success(memory, execution, plan, summary)
        }
        (Task::DbRestore | Task::CreateSnapshot, false) if !execution.calls_for_a_person() => {
            check_failure(memory, execution, plan)
        }
        (Task::CreateSnapshotOnly, true) => check_snapshot(memory, execution),
        (Task::Rollback, true) => check_rollback(memory, execution, plan),
        _ => None,
    };
    told.or_else(|| litter(memory, execution, plan, summary))
        .map(|what| {
            format!(
                "{} ended with {:?}, and {what}",
                execution.id, summary.status
            )
        })
}

fn check_success(
    memory: &Memory,
    execution: &Execution,
    plan: &Plan,
    summary: &Summary,
) -> Option<String> {
    let target = plan.names.target.as_str();
    let answering = memory.answering(execution.is_cluster(), target);
    let is_restored = answering.is_some_and(|id| memory.relation(execution, id) == Relation::Made);
    if !is_restored {
        return Some(format!("{answering:?} answers at {target}"));
    }
    let original = plan.original.as_ref()?.resource_id.as_str();
    let known = memory.databases.get(original)?;
    let stays = !known.is_gone && !known.is_deleting;
    (stays && summary.left_over.is_empty())
        .then(|| format!("{} ({original}) is left over, and not listed", known.name))
}

fn check_failure(memory: &Memory, execution: &Execution, plan: &Plan) -> Option<String> {
    if execution.has_retired {
        return Some("it has deleted of the original".to_owned());
    }
    let target = plan.names.target.as_str();
    let answering = memory.answering(execution.is_cluster(), target)?;
    let original = plan.original.as_ref()?.resource_id.as_str();
    (answering != original).then(|| format!("{answering} answers at {target}"))
}

fn check_snapshot(memory: &Memory, execution: &Execution) -> Option<String> {
    let mut all = memory.snapshots.values();
    let is_made = all.any(|snapshot| {
        snapshot.maker == Maker::Execution(execution.id.clone())
            && snapshot.is_available
            && snapshot.gone.is_none()
    });
    (!is_made).then(|| "there is no snapshot of it that can be restored".to_owned())
}

fn check_rollback(memory: &Memory, execution: &Execution, plan: &Plan) -> Option<String> {
    let original = plan.original.as_ref()?.resource_id.as_str();
    let target = plan.names.target.as_str();
    let answering = memory.answering(execution.is_cluster(), target);
    (answering != Some(original)).then(|| format!("{answering:?} answers at {target}"))
}

/// No litter: what an execution made, or the one that it undoes, either belongs to what answers
/// at the name, or is going, or is listed.
fn litter(
    memory: &Memory,
    execution: &Execution,
    plan: &Plan,
    summary: &Summary,
) -> Option<String> {
    if execution.calls_for_a_person() {
        return None;
    }
    let answering = memory.answering(execution.is_cluster(), plan.names.target.as_str());
    let serves = |id: &str, known: &Known| {
        let around = [Some(id), known.cluster.as_deref(), known.source.as_deref()];
        answering.is_some() && around.contains(&answering)
    };
    let is_named = |known: &Known| {
        let mut told = summary.left_over.iter().chain(&summary.warnings);
        told.any(|line| line.contains(&known.name))
    };
    // Members come and go with their cluster.
    let is_listed = |known: &Known| {
        let cluster = known
            .cluster
            .as_ref()
            .and_then(|id| memory.databases.get(id));
        is_named(known) || cluster.is_some_and(is_named)
    };
    let (id, known) = memory.databases.iter().find(|(id, known)| {
        let is_there = !known.is_gone && !known.is_deleting;
        let is_made = memory.relation(execution, id) == Relation::Made;
        is_there && is_made && !serves(id, known) && !is_listed(known)
    })?;
    Some(format!("{} ({id}) is litter", known.name))
}
