//! Snapshot: the new snapshot is available; older ones that nobody asked to keep go only then.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trapheus_rds::{
    Arn, Class, Identified, Snapshot, SnapshotId, SnapshotKind, SnapshotRef, SnapshotStatus,
};

use super::context::Context;
use super::plan::target::capture;
use crate::error::{ErrorName, TaskError};
use crate::marks::{Marks, Role, marks};
use crate::names;
use crate::plan::SnapshotPlan;
use crate::saved::{BlueprintError, SavedBlueprint};

/// The snapshot that an execution made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshotted {
    /// Its identifier.
    pub id: SnapshotRef,
    /// Its ARN.
    pub arn: Arn,
    /// The instant of its data.
    pub created_at: Option<Timestamp>,
    /// Older snapshots that it replaces.
    pub replaced: Vec<SnapshotRef>,
    /// Older snapshots that should have gone and did not, with the reason.
    pub left_over: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Result<Snapshotted, TaskError> {
    let asked = context.plan().snapshot.as_ref().ok_or_else(|| {
        TaskError::new(ErrorName::Internal, "the plan has no snapshot to be made")
    })?;
    let snapshot = match look(context, asked).await? {
        Some(snapshot) => snapshot,
        None => create(context, asked).await?,
    };
    let kept = keep_blueprint(context, asked, &snapshot).await?;
    let SnapshotRefs {
        replaced,
        mut left_over,
    } = replace_older(context, asked, &snapshot).await?;
    left_over.extend(kept.err().map(|error| error.to_string()));
    Ok(Snapshotted {
        id: snapshot.id,
        arn: snapshot.arn,
        created_at: snapshot.created_at,
        replaced,
        left_over,
    })
}

/// Sees the snapshot: `None` when there is none, and an error until it can be used.
async fn look(context: &Context, asked: &SnapshotPlan) -> Result<Option<Snapshot>, TaskError> {
    let Some(snapshot) = context.rds.snapshot(context.plan().kind, &asked.id).await? else {
        return Ok(None);
    };
    if !Marks(&snapshot.tags).are_of(context.plan().owner(), Role::Snapshot) {
        let message = format!(
            "a snapshot {} appeared that this execution did not make",
            asked.id
        );
        return Err(TaskError::new(ErrorName::ForeignName, message));
    }
    match &snapshot.status {
        SnapshotStatus::Available => Ok(Some(snapshot)),
        SnapshotStatus::Creating => {
            let waiting = format!("making the snapshot {}", asked.id);
            Err(TaskError::in_progress(waiting).at_percent(snapshot.percent))
        }
        SnapshotStatus::Unusable(status) => {
            let message = format!("the snapshot {} is {status}", asked.id);
            Err(TaskError::new(ErrorName::SnapshotFailed, message))
        }
    }
}

/// Keeps the configuration of its database with a snapshot, which holds hardly any of it. One that
/// can't be kept spoils no snapshot; it is reported.
async fn keep_blueprint(
    context: &Context,
    asked: &SnapshotPlan,
    snapshot: &Snapshot,
) -> Result<Result<(), BlueprintError>, TaskError> {
    let Some(id) = &asked.source_resource_id else {
        return Ok(Ok(()));
    };
    let kept = context.blueprints.of(&snapshot.arn).await;
    if kept.is_ok_and(|kept| kept.is_some_and(|kept| kept.resource_id == *id)) {
        return Ok(Ok(()));
    }
    let Some(source) = context.by_resource(id).await? else {
        return Ok(Ok(()));
    };
    let captured = capture(&context.rds, &source, context.now()).await?;
    let blueprint = SavedBlueprint::of(captured, &source, context.now());
    Ok(context.blueprints.keep(&snapshot.arn, &blueprint).await)
}

async fn create(context: &Context, asked: &SnapshotPlan) -> Result<Snapshot, TaskError> {
    if !asked.create {
        let message = format!("the snapshot {} was to exist already", asked.id);
        return Err(TaskError::new(ErrorName::Internal, message));
    }
    let id: SnapshotId = asked.id.as_manual().ok_or_else(|| {
        TaskError::new(
            ErrorName::Internal,
            "a snapshot is made under a name of its own",
        )
    })?;
    let resource = asked.source_resource_id.clone().ok_or_else(|| {
        TaskError::new(
            ErrorName::Internal,
            "the plan does not say which database is snapshotted",
        )
    })?;
    let source = Identified {
        kind: context.plan().kind,
        name: asked.source.clone(),
        resource,
    };
    let plan = context.plan();
    let tags = marks(plan.owner(), &plan.identifier, Role::Snapshot);
    match context.rds.create_snapshot(&source, &id, &tags).await {
        Ok(_) => {}
        // Our own first attempt whose answer was lost, or somebody else's: the next look tells.
        Err(error) if error.class == Class::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let waiting = || TaskError::in_progress(format!("making the snapshot {id}"));
    let made = context.soon(|| async {
        match look(context, asked).await {
            Err(error) if error.name == ErrorName::InProgress => Ok(None),
            other => other,
        }
    });
    made.await?.ok_or_else(waiting)
}

#[derive(Default)]
struct SnapshotRefs {
    replaced: Vec<SnapshotRef>,
    left_over: Vec<String>,
}

/// Deletes what is beyond the number to be kept. That the new one is available has been seen.
async fn replace_older(
    context: &Context,
    asked: &SnapshotPlan,
    new: &Snapshot,
) -> Result<SnapshotRefs, TaskError> {
    let mut older = context
        .rds
        .snapshots_of(context.plan().kind, &asked.source)
        .await?;
    older.retain(|snapshot| is_replaceable(snapshot, new));
    older.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.created_at));
    let kept = usize::try_from(asked.keep.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut done = SnapshotRefs::default();
    for snapshot in older.into_iter().skip(kept) {
        match context
            .rds
            .delete_snapshot(&snapshot)
            .await
            .map_err(TaskError::from)
        {
            Ok(()) => {
                let forgotten = context.blueprints.forget(&snapshot.arn).await;
                done.left_over
                    .extend(forgotten.err().map(|error| error.to_string()));
                done.replaced.push(snapshot.id);
            }
            Err(error) if error.name == ErrorName::NotFound => done.replaced.push(snapshot.id),
            // Trying again can help; what is in the way for good is reported, not fatal.
            Err(error) if matches!(error.name, ErrorName::Throttled | ErrorName::Unavailable) => {
                return Err(error);
            }
            Err(error) => {
                done.left_over
                    .push(format!("snapshot {}: {}", snapshot.id, error.cause.text()))
            }
        }
    }
    Ok(done)
}

/// Whether a snapshot may go now that there is a newer one, `new`: those that Trapheus made of this
/// name, as the user asked for; of those that only have the fixed name, which may be somebody's,
/// the ones of the very same database. What is still being made has no time yet.
fn is_replaceable(snapshot: &Snapshot, new: &Snapshot) -> bool {
    let is_made_by_us = Marks(&snapshot.tags).is(Role::Snapshot);
    let has_the_fixed_name = snapshot.id == names::fixed_snapshot(new.of, &new.source).into();
    let is_of_the_same_database =
        snapshot.source_resource.is_some() && snapshot.source_resource == new.source_resource;
    let is_older = match snapshot.created_at {
        Some(created_at) => Some(created_at) < new.created_at,
        None => snapshot.status != SnapshotStatus::Creating,
    };
    snapshot.id != new.id
        && is_older
        && snapshot.kind == SnapshotKind::Manual
        && (is_made_by_us || (has_the_fixed_name && is_of_the_same_database))
}
