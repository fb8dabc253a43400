//! Where the databases of an execution are when it is reported on: what answers at the name, what
//! is kept aside, and where to look when it isn't known.

use jiff::SignedDuration;
use trapheus_rds::{DbIdentifier, Endpoint, ResourceId};

use crate::alert::Whereabouts;
use crate::input::Task;
use crate::plan::Plan;
use crate::record::Record;
use crate::tasks::{Promoted, RolledBack};

/// Where the databases are, the one at the target's name first.
pub(crate) fn of(record: &Record) -> Vec<Whereabouts> {
    let Some(plan) = record.plan.as_deref() else {
        return Vec::new();
    };
    match (&record.rolled_back, &record.promoted) {
        (Some(rolled_back), _) => after_roll_back(plan, rolled_back),
        _ if record.roll_back_error.is_some() => somewhere(plan, record),
        (None, Some(promoted)) => after_promote(plan, record, promoted),
        _ if plan.task == Task::Rollback && !record.was_refused() => somewhere(plan, record),
        (None, None) => untouched(plan),
    }
}

/// Where they are looked for while an execution is at work on them.
pub(crate) fn during(plan: &Plan, restored: Option<&ResourceId>) -> Vec<Whereabouts> {
    let names = &plan.names;
    let mut found = original(
        plan,
        &names.target,
        format!("the original, at this name or at {}", names.aside),
    );
    found.extend(restored.map(|id| {
        let what = format!("the restored database, at this name or at {}", names.target);
        place(&names.restored, Some(id), None, what)
    }));
    found
}

fn after_roll_back(plan: &Plan, rolled_back: &RolledBack) -> Vec<Whereabouts> {
    let target = &plan.names.target;
    let serves = rolled_back.serving.as_ref();
    let mut found: Vec<Whereabouts> = serves
        .map(|id| match Some(id) == plan.original_id() {
            true => place(target, Some(id), endpoint(plan), "the original, as before"),
            false => place(target, Some(id), endpoint(plan), "the restored database"),
        })
        .into_iter()
        .collect();
    found.extend(rolled_back.kept.as_ref().map(|kept| {
        let what = "the restored database, kept because clients may have written to it";
        place(&kept.identifier, Some(&kept.resource_id), None, what)
    }));
    found
}

fn after_promote(plan: &Plan, record: &Record, promoted: &Promoted) -> Vec<Whereabouts> {
    let at = Some(promoted.endpoint.clone());
    let mut found = vec![place(
        &promoted.identifier,
        Some(&promoted.resource_id),
        at,
        "the restored database",
    )];
    let fate = match (
        &record.left_over,
        &record.retired,
        plan.keep_original_seconds,
    ) {
        (Some(_), _, _) => "the original, which could not be deleted".to_owned(),
        (None, Some(_), _) => return found,
        (None, None, 0) => "the original, which is deleted now".to_owned(),
        (None, None, seconds) => {
            let kept = i64::try_from(seconds).map(SignedDuration::from_secs);
            let until = kept
                .ok()
                .and_then(|kept| promoted.serving_since.checked_add(kept).ok());
            match until {
                Some(until) => format!("the original, kept until {until:.0}"),
                None => "the original, kept".to_owned(),
            }
        }
    };
    found.extend(original(plan, &plan.names.aside, fate));
    found
}

/// A roll-back that failed may have come to any point.
fn somewhere(plan: &Plan, record: &Record) -> Vec<Whereabouts> {
    let undone = plan.rollback.as_ref();
    let restored = match &record.restored {
        Some(restored) => Some(&restored.resource_id),
        None => undone.and_then(|undone| undone.restored_resource_id.as_ref()),
    };
    during(plan, restored)
}

fn untouched(plan: &Plan) -> Vec<Whereabouts> {
    if plan.rollback.is_some() {
        return original(plan, &plan.names.aside, "the kept original, as before");
    }
    let mut found = original(plan, &plan.names.target, "not touched");
    for database in &mut found {
        database.endpoint = endpoint(plan);
    }
    found
}

fn original(plan: &Plan, at: &DbIdentifier, what: impl Into<String>) -> Vec<Whereabouts> {
    let id = plan.original_id();
    id.map(|id| place(at, Some(id), None, what))
        .into_iter()
        .collect()
}

/// Where clients have always reached the target: the endpoint goes with the name.
fn endpoint(plan: &Plan) -> Option<Endpoint> {
    plan.original.as_ref()?.endpoint.clone()
}

fn place(
    identifier: &DbIdentifier,
    resource_id: Option<&ResourceId>,
    endpoint: Option<Endpoint>,
    what: impl Into<String>,
) -> Whereabouts {
    Whereabouts {
        identifier: identifier.clone(),
        resource_id: resource_id.cloned(),
        endpoint,
        what: what.into(),
    }
}
