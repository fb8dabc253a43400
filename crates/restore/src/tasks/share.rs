//! Share: the snapshot can be restored from the other accounts. What RDS lets nobody share is
//! copied first, and the copy is shared.

use serde::{Deserialize, Serialize};
use trapheus_rds::{
    AccountId, Arn, Class, CopySnapshot, Rds, Snapshot, SnapshotRef, SnapshotStatus,
};

use super::context::Context;
use crate::error::{ErrorName, TaskError};
use crate::marks::{Marks, Role, marks};
use crate::plan::Plan;
use crate::targets::{CopyPlan, SharingPlan};

/// The snapshot that the other accounts and Regions are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// Its ARN.
    pub arn: Arn,
    /// The accounts that it is shared with until all have it.
    pub with: Vec<AccountId>,
}

pub(super) async fn run(context: &Context) -> Result<Shared, TaskError> {
    let plan = context.plan();
    let sharing = sharing(plan)?;
    let source = planned(context).await?;
    let snapshot = match &sharing.copy {
        Some(copy) => make_copy(context, &context.rds, copy, &source.arn).await?,
        None => source,
    };
    let missing = not_yet(context, &snapshot, sharing).await?;
    if !missing.is_empty() {
        let shared = context.rds.share(&snapshot, &missing).await;
        shared.map_err(|error| explain(error.into(), &snapshot))?;
        if !not_yet(context, &snapshot, sharing).await?.is_empty() {
            return Err(TaskError::in_progress(format!("sharing {}", snapshot.id)));
        }
    }
    Ok(Shared {
        arn: snapshot.arn,
        with: sharing.with.clone(),
    })
}

pub(super) fn sharing(plan: &Plan) -> Result<&SharingPlan, TaskError> {
    let missing = || TaskError::new(ErrorName::Internal, "the plan does not say how to share");
    plan.sharing.as_ref().ok_or_else(missing)
}

/// The snapshot that the plan names, if it still is the one that was seen then.
async fn planned(context: &Context) -> Result<Snapshot, TaskError> {
    let asked = context.plan().snapshot.as_ref();
    let asked =
        asked.ok_or_else(|| TaskError::new(ErrorName::Internal, "the plan names no snapshot"))?;
    let found = context.rds.snapshot(context.plan().kind, &asked.id).await?;
    let found = found.ok_or_else(|| {
        let message = format!("the snapshot {} does not exist any more", asked.id);
        TaskError::new(ErrorName::NotFound, message)
    })?;
    let is_the_same = asked.arn.as_ref().is_none_or(|arn| *arn == found.arn)
        && asked.created_at == found.created_at
        && asked.source_resource_id == found.source_resource;
    if is_the_same {
        return Ok(found);
    }
    let message = format!("{} is another snapshot than the planned one", asked.id);
    Err(TaskError::new(ErrorName::IdentityMismatch, message))
}

async fn not_yet(
    context: &Context,
    snapshot: &Snapshot,
    sharing: &SharingPlan,
) -> Result<Vec<AccountId>, TaskError> {
    if sharing.with.is_empty() {
        return Ok(Vec::new());
    }
    let known = context.rds.shared_with(snapshot).await?;
    let is_missing = |account: &&AccountId| !known.iter().any(|known| known == account.as_str());
    Ok(sharing.with.iter().filter(is_missing).cloned().collect())
}

/// What RDS refuses to share is mostly encrypted with a key that it keeps for itself.
fn explain(error: TaskError, snapshot: &Snapshot) -> TaskError {
    match (error.name, &snapshot.kms_key_id) {
        (ErrorName::Invalid | ErrorName::Denied, Some(key)) => error.with_remedy([format!(
            "if {key} is the account's own key for RDS (aws/rds), AWS lets nobody share what it encrypts: \
             name a key of yours, and a copy under it is shared: \"shareKmsKeyId\": \"…\""
        )]),
        _ => error,
    }
}

/// Sees to it that a copy is complete, in whatever account and Region a door leads to.
pub(super) async fn make_copy(
    context: &Context,
    rds: &Rds,
    copy: &CopyPlan,
    of: &Arn,
) -> Result<Snapshot, TaskError> {
    let plan = context.plan();
    let waiting = || TaskError::in_progress(format!("copying {of} as {}", copy.id));
    if let Some(found) = look_at_copy(context, rds, copy).await? {
        return complete(found).map_err(|error| error.unwrap_or_else(waiting));
    }
    let request = CopySnapshot {
        of: plan.kind,
        source: of.clone(),
        id: copy.id.clone(),
        kms_key_id: copy.kms_key_id.clone(),
        option_group: copy.option_group.clone(),
        tags: marks(&plan.execution, &plan.identifier, Role::Copy),
    };
    match rds.copy_snapshot(&request).await {
        Ok(_) => {}
        // Our own first attempt whose answer was lost, or somebody else's: the next look tells.
        Err(error) if error.class == Class::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let made = context.soon(|| async {
        let Some(found) = look_at_copy(context, rds, copy).await? else {
            return Ok(None);
        };
        match complete(found) {
            Ok(found) => Ok(Some(found)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    });
    made.await?.ok_or_else(waiting)
}

/// A copy that is complete; `None` for one that is still being made.
fn complete(found: Snapshot) -> Result<Snapshot, Option<TaskError>> {
    match &found.status {
        SnapshotStatus::Available => Ok(found),
        SnapshotStatus::Creating => Err(None),
        SnapshotStatus::Unusable(status) => {
            let message = format!("the copy {} is {status}", found.id);
            Err(Some(TaskError::new(ErrorName::SnapshotFailed, message)))
        }
    }
}

/// Sees this execution's copy. Another's is an error.
pub(super) async fn look_at_copy(
    context: &Context,
    rds: &Rds,
    copy: &CopyPlan,
) -> Result<Option<Snapshot>, TaskError> {
    let plan = context.plan();
    let id = SnapshotRef::from(copy.id.clone());
    let Some(found) = rds.snapshot(plan.kind, &id).await? else {
        return Ok(None);
    };
    if Marks(&found.tags).are_of(&plan.execution, Role::Copy) {
        return Ok(Some(found));
    }
    let message = format!("a snapshot {id} appeared that this execution did not make");
    Err(TaskError::new(ErrorName::ForeignName, message))
}
