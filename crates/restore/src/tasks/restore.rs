//! Restore: the restored database exists under its own name with everything that a restore
//! request can set, and is available, with all its members where it is a cluster.
//!
//! RDS gives a name once, so the request is also the lock between two executions for one target:
//! the second one finds the other's mark and stops. It is recognised by the mark, not by the
//! answer: a process that dies between the request and its answer finds its own database next time.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use trapheus_rds::{
    Arn, Class, Database, DbIdentifier, PointInTimeSource, ResourceId, RestoreFrom, StatusClass,
    Way,
};

use super::context::Context;
use super::members;
use crate::error::{ErrorName, TaskError};
use crate::input::Strategy;
use crate::marks::{Marks, Role, marks};
use crate::plan::{PointInTimePlan, SnapshotPlan};

/// A database may be seen before its tags are.
pub(super) const TAGS_FOLLOW_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// The restored database, under its own name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// What it is called now.
    pub identifier: DbIdentifier,
    /// Its identity: what every later task means by "the restored database".
    pub resource_id: ResourceId,
    /// Its ARN under this name.
    pub arn: Arn,
}

pub(super) async fn run(context: &Context) -> Result<Restored, TaskError> {
    let known = match poll(context).await? {
        Some(restored) => Some(restored),
        None => look(context).await?,
    };
    let ready = match known {
        Some(restored) => Some(restored),
        None => {
            check_the_original(context).await?;
            request(context).await?;
            let is_waited_for =
                |restored: &Database| restored.status.class() != StatusClass::Transient;
            let made = context.soon(|| async { Ok(look(context).await?.filter(is_waited_for)) });
            made.await?
        }
    };
    let Some(restored) = ready else {
        let waiting = format!("creating {}", context.plan().names.restored);
        return Err(TaskError::in_progress(waiting));
    };
    let restored = when_available(context, restored).await?;
    context
        .make_so(|| members::make_members(context, &restored))
        .await?;
    context.acquaintances.forget(context.plan().owner());
    Ok(Restored {
        identifier: restored.identifier,
        resource_id: restored.resource_id,
        arn: restored.arn,
    })
}

/// Sees the restored database on a page that other executions share, if this process has met it.
async fn poll(context: &Context) -> Result<Option<Database>, TaskError> {
    let Some(id) = context.acquaintances.recall(context.plan().owner()) else {
        return Ok(None);
    };
    let restored = context.rds.poll_database(context.plan().kind, &id).await?;
    Ok(restored.filter(|restored| restored.identifier == context.plan().names.restored))
}

/// Sees this execution's restored database. Another's is an error.
async fn look(context: &Context) -> Result<Option<Database>, TaskError> {
    let plan = context.plan();
    let Some(holder) = context
        .rds
        .database(plan.kind, &plan.names.restored)
        .await?
    else {
        return Ok(None);
    };
    if Marks(&holder.tags).are_of(context.plan().owner(), Role::Restored) {
        context
            .acquaintances
            .meet(context.plan().owner(), &holder.resource_id);
        return Ok(Some(holder));
    }
    let is_young = context.now().duration_since(context.entered()) < TAGS_FOLLOW_WITHIN;
    if is_young && Marks(&holder.tags).owner().is_none() {
        let waiting = format!("waiting until {} shows whose it is", holder.identifier);
        return Err(TaskError::in_progress(waiting));
    }
    Err(foreign(&holder))
}

/// Passes a database that is being made on when it serves.
pub(super) async fn when_available(
    context: &Context,
    made: Database,
) -> Result<Database, TaskError> {
    match made.status.class() {
        StatusClass::Failed => Err(failed(context, &made).await),
        StatusClass::Steady if made.status.is_serving() => Ok(made),
        StatusClass::Steady | StatusClass::Transient => {
            let waiting = format!("{} is {}", made.identifier, made.status);
            Err(TaskError::in_progress(waiting).at_percent(made.percent))
        }
    }
}

/// Nothing is begun unless the original is where the plan, or our own mark, says.
async fn check_the_original(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    let Some(planned) = &plan.original else {
        return check_the_names_are_free(context).await;
    };
    let original = context.original().await?.ok_or_else(|| {
        let message = format!(
            "{} ({}) does not exist any more",
            plan.identifier, planned.resource_id
        );
        TaskError::new(ErrorName::NotFound, message)
    })?;
    let is_ours = Marks(&original.tags).are_of(plan.owner(), Role::Original);
    let is_anothers = Marks(&original.tags).is(Role::Original) && !is_ours;
    if is_anothers {
        let owner = Marks(&original.tags).owner().unwrap_or("unknown");
        let message = format!(
            "another execution, {owner}, is restoring {}",
            plan.identifier
        );
        return Err(TaskError::new(ErrorName::ForeignName, message));
    }
    let (name, is_marked) = match plan.strategy {
        Strategy::Swap => (&plan.names.target, true),
        Strategy::InPlace => (&plan.names.aside, is_ours),
    };
    if original.identifier == *name && is_marked {
        return Ok(());
    }
    let message = format!(
        "the original is called {} and not {name}, as planned",
        original.identifier
    );
    Err(TaskError::new(ErrorName::IdentityMismatch, message))
}

/// A target that was missing when the plan was made may have been in the middle of a rename.
async fn check_the_names_are_free(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    for name in [&plan.names.target, &plan.names.aside] {
        if let Some(holder) = context.rds.database(plan.kind, name).await? {
            let message = format!(
                "there was no database {} when the plan was made, and now {} is {name}",
                plan.identifier, holder.resource_id
            );
            return Err(TaskError::new(ErrorName::IdentityMismatch, message));
        }
    }
    Ok(())
}

async fn request(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    let origin = match (&plan.point_in_time, &plan.snapshot) {
        (Some(asked), _) => point_in_time(context, asked).await?,
        (None, Some(asked)) => snapshot(context, asked).await?,
        (None, None) => {
            let message = "the plan does not say where the data comes from";
            return Err(TaskError::new(ErrorName::Internal, message));
        }
    };
    let mut tags = plan.blueprint.tags.clone();
    tags.extend(marks(plan.owner(), &plan.identifier, Role::Restored));
    let settings = plan
        .blueprint
        .for_restore(origin.way, origin.needed_gib, &origin.written_by);
    let request = trapheus_rds::Restore {
        kind: plan.kind,
        identifier: plan.names.restored.clone(),
        settings,
        from: origin.from,
        tags,
    };
    match context.rds.restore(&request).await {
        Ok(_) => Ok(()),
        // Our own first attempt whose answer was lost, or another execution: the next look tells.
        Err(error) if error.class == Class::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What a restore is made from.
struct Origin {
    /// The request that takes it.
    way: Way,
    from: RestoreFrom,
    /// The storage that it needs.
    needed_gib: Option<u64>,
    /// The version of the engine that wrote the data.
    written_by: String,
}

async fn snapshot(context: &Context, asked: &SnapshotPlan) -> Result<Origin, TaskError> {
    let found = context.rds.snapshot(context.plan().kind, &asked.id).await?;
    let snapshot = found.ok_or_else(|| {
        let message = format!("the snapshot {} does not exist", asked.id);
        TaskError::new(ErrorName::NotFound, message)
    })?;
    let needed = snapshot.allocated_storage_gib.map(i32::unsigned_abs);
    Ok(Origin {
        way: Way::Restore,
        from: RestoreFrom::Snapshot(asked.id.clone()),
        needed_gib: needed.map(u64::from),
        written_by: snapshot.engine_version,
    })
}

/// The source is found by its identity: `in_place` has renamed it when it is the original, and
/// somebody may have deleted it since the plan.
async fn point_in_time(context: &Context, asked: &PointInTimePlan) -> Result<Origin, TaskError> {
    let id = &asked.source_resource_id;
    let source = match context.by_resource(id).await? {
        Some(living) => PointInTimeSource::Live(living.identified()),
        None => PointInTimeSource::Retained(id.clone()),
    };
    Ok(Origin {
        way: Way::RestoreToPointInTime,
        from: RestoreFrom::PointInTime {
            source,
            at: asked.at,
        },
        needed_gib: asked.allocated_storage_gib,
        written_by: asked.engine_version.clone(),
    })
}

async fn failed(context: &Context, restored: &Database) -> TaskError {
    let events = context
        .rds
        .events(restored.kind, &restored.identifier, context.entered())
        .await;
    let told: Vec<String> = events
        .unwrap_or_default()
        .into_iter()
        .map(|event| event.message)
        .collect();
    let because = if told.is_empty() {
        String::new()
    } else {
        format!(": {}", told.join("; "))
    };
    let message = format!("{} is {}{because}", restored.identifier, restored.status);
    TaskError::new(ErrorName::RestoreFailed, message)
}

/// The refusal to touch what has the restored database's name and another mark.
pub(super) fn foreign(holder: &Database) -> TaskError {
    let marks = Marks(&holder.tags);
    let whose = match (marks.owner(), marks.target()) {
        (Some(owner), Some(target)) => {
            format!("of another execution, {owner}, which restores {target}")
        }
        (Some(owner), None) => format!("of another execution, {owner}"),
        (None, _) => "that Trapheus did not make".to_owned(),
    };
    let message = format!(
        "the name {} belongs to a database {whose}; it is not touched",
        holder.identifier
    );
    TaskError::new(ErrorName::ForeignName, message)
}
