//! Deleting a database that is known to be ours to delete: protection off, delete, wait.
//!
//! Who may be deleted is the caller's decision; that it is this very database, and not another
//! one that has got its name, is checked by the door to RDS.

use serde_json::Value;
use trapheus_rds::{Class, FinalSnapshot, Instance, Settings, SnapshotId};

use super::context::{Context, identified};
use crate::blueprint::row;
use crate::error::{ErrorName, TaskError};

/// Makes it so that the database is gone.
pub(super) async fn remove(
    context: &Context,
    instance: &Instance,
    final_snapshot: Option<&SnapshotId>,
) -> Result<(), TaskError> {
    let waiting = || TaskError::in_progress(format!("deleting {}", instance.identifier));
    if !instance.status.is_deleting() {
        if instance.deletion_protection {
            protect(context, instance, false).await?;
        }
        delete(context, instance, final_snapshot).await?;
    }
    let gone = context.soon(|| async {
        let found = context.by_resource(&instance.resource_id).await?;
        Ok(found.is_none().then_some(()))
    });
    gone.await?.ok_or_else(waiting)
}

async fn delete(
    context: &Context,
    instance: &Instance,
    final_snapshot: Option<&SnapshotId>,
) -> Result<(), TaskError> {
    let how = match final_snapshot {
        Some(id) if !instance.status.forbids_final_snapshot() => FinalSnapshot::Create(id.clone()),
        Some(_) | None => FinalSnapshot::Skip,
    };
    match context
        .rds
        .delete_instance(&identified(instance), &how)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if error.class == Class::NotFound => Ok(()),
        Err(error) => {
            let error = TaskError::from(error);
            let is_final = !error.name.is_passing();
            // What was protected and stays is protected again.
            if is_final && instance.deletion_protection && error.name != ErrorName::IdentityMismatch
            {
                protect(context, instance, true).await?;
            }
            Err(error)
        }
    }
}

async fn protect(
    context: &Context,
    instance: &Instance,
    protection: bool,
) -> Result<(), TaskError> {
    let settings: Settings = [(row("DeletionProtection").name, Value::Bool(protection))].into();
    context
        .rds
        .modify_instance(&identified(instance), &settings)
        .await?;
    Ok(())
}
