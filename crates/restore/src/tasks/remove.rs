//! Deleting a database that is known to be ours to delete: protection off, delete, wait.
//!
//! Who may be deleted is the caller's decision; that it is this very database, and not another
//! one that has got its name, is checked by the door to RDS.

use serde_json::Value;
use trapheus_rds::{Class, Database, FinalSnapshot, Settings};

use super::context::Context;
use crate::blueprint::row;
use crate::error::{ErrorName, TaskError};
use crate::input::AutomatedBackups;
use crate::plan::Retirement;

/// What becomes of a database whose deletion is refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfRefused {
    /// It was protected before, and is again: a failure must not leave it worse off. That it was
    /// can't be seen any more once an earlier attempt has taken the protection off.
    ProtectAgain,
    /// It stays as it is.
    Leave,
}

/// What stays of a database that never served: nothing.
pub(super) const NOTHING: Retirement = Retirement {
    final_snapshot: None,
    automated_backups: AutomatedBackups::Delete,
};

/// Makes it so that the database is gone.
pub(super) async fn remove(
    context: &Context,
    instance: &Database,
    keeping: &Retirement,
    if_refused: IfRefused,
) -> Result<(), TaskError> {
    let waiting = || TaskError::in_progress(format!("deleting {}", instance.identifier));
    if instance.status.is_deleting() {
        return Err(waiting());
    }
    if instance.deletion_protection {
        unprotect(context, instance).await?;
    }
    match delete(context, instance, keeping).await {
        Err(error) if !error.name.is_passing() && error.name != ErrorName::IdentityMismatch => {
            return Err(refused(context, instance, if_refused, error).await);
        }
        answer => answer?,
    }
    let gone = context.soon(|| async {
        let found = context.by_resource(&instance.resource_id).await?;
        Ok(found.is_none().then_some(()))
    });
    gone.await?.ok_or_else(waiting)
}

/// Takes the protection off and sees it gone: until then RDS refuses the deletion for good.
async fn unprotect(context: &Context, instance: &Database) -> Result<(), TaskError> {
    protect(context, instance, false).await?;
    let unprotected = context.soon(|| async {
        let found = context.by_resource(&instance.resource_id).await?;
        Ok(found
            .is_none_or(|found| !found.deletion_protection && found.unsettled().is_none())
            .then_some(()))
    });
    let waiting = format!("taking the deletion protection off {}", instance.identifier);
    unprotected
        .await?
        .ok_or_else(|| TaskError::in_progress(waiting))
}

async fn delete(
    context: &Context,
    instance: &Database,
    keeping: &Retirement,
) -> Result<(), TaskError> {
    let snapshot = match &keeping.final_snapshot {
        Some(id) if instance.status.forbids_final_snapshot() => {
            let message = format!(
                "the final snapshot {id} can't be made, because {} is {}; it is not deleted",
                instance.identifier, instance.status
            );
            return Err(TaskError::new(ErrorName::SnapshotFailed, message));
        }
        Some(id) => FinalSnapshot::Create(id.clone()),
        None => FinalSnapshot::Skip,
    };
    let backups = match keeping.automated_backups {
        AutomatedBackups::Keep => trapheus_rds::AutomatedBackups::Keep,
        AutomatedBackups::Delete => trapheus_rds::AutomatedBackups::Delete,
    };
    match context
        .rds
        .delete(&instance.identified(), &snapshot, backups)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if error.class == Class::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn refused(
    context: &Context,
    instance: &Database,
    if_refused: IfRefused,
    mut error: TaskError,
) -> TaskError {
    let protected = match if_refused {
        IfRefused::ProtectAgain => protect(context, instance, true).await,
        IfRefused::Leave => Ok(()),
    };
    if let Err(unprotected) = protected {
        let message = format!(
            "{}; and its deletion protection could not be put back: {}",
            error.cause.text(),
            unprotected.cause.text()
        );
        error.cause.message = Some(message);
    }
    error
}

/// Switches the protection from deletion on or off.
pub(super) async fn protect(
    context: &Context,
    instance: &Database,
    protection: bool,
) -> Result<(), TaskError> {
    let settings: Settings = [(row("DeletionProtection").name, Value::Bool(protection))].into();
    context
        .rds
        .modify(&instance.identified(), &settings)
        .await?;
    Ok(())
}
