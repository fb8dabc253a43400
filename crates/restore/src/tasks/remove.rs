//! Deleting a database that is known to be ours to delete, with its members and its replicas:
//! protection off, delete, wait.
//!
//! Who may be deleted is the caller's decision; that it is this very database, and not another
//! one that has got its name, is checked by the door to RDS.
//!
//! A cluster is asked for before its members: RDS refuses what has members, but says first
//! whether it is protected, or may not be deleted at all. So nothing is taken from a cluster
//! that would stay.

use serde_json::Value;
use trapheus_rds::{Class, Database, DbIdentifier, FinalSnapshot, Settings};

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

/// Makes it so that the database is gone, and its replicas before it: those that lose their
/// source would live on by themselves.
pub(super) async fn remove(
    context: &Context,
    database: &Database,
    replicas: &[Database],
    keeping: &Retirement,
    if_refused: IfRefused,
) -> Result<(), TaskError> {
    for replica in replicas {
        let of_replica = Retirement {
            final_snapshot: None,
            ..keeping.clone()
        };
        remove_one(context, replica, &of_replica, IfRefused::Leave).await?;
    }
    remove_one(context, database, keeping, if_refused).await
}

async fn remove_one(
    context: &Context,
    database: &Database,
    keeping: &Retirement,
    if_refused: IfRefused,
) -> Result<(), TaskError> {
    let waiting = || TaskError::in_progress(format!("deleting {}", database.identifier));
    if database.status.is_deleting() {
        return Err(waiting());
    }
    if database.deletion_protection {
        unprotect(context, database).await?;
    }
    match delete(context, database, keeping).await {
        Err(error) if !error.name.is_passing() && error.name != ErrorName::IdentityMismatch => {
            return Err(refused(context, database, if_refused, error).await);
        }
        answer => answer?,
    }
    let gone = context.soon(|| async {
        let found = look_again(context, database).await?;
        Ok(found.is_none().then_some(()))
    });
    gone.await?.ok_or_else(waiting)
}

async fn look_again(context: &Context, seen: &Database) -> Result<Option<Database>, TaskError> {
    let found = context
        .rds
        .database_by_resource(seen.kind, &seen.resource_id);
    Ok(found.await?)
}

/// Takes the protection off and sees it gone: until then RDS refuses the deletion for good.
pub(super) async fn unprotect(context: &Context, database: &Database) -> Result<(), TaskError> {
    protect(context, database, false).await?;
    let unprotected = context.soon(|| async {
        let found = look_again(context, database).await?;
        Ok(found
            .is_none_or(|found| !found.deletion_protection && found.unsettled().is_none())
            .then_some(()))
    });
    let waiting = format!("taking the deletion protection off {}", database.identifier);
    unprotected
        .await?
        .ok_or_else(|| TaskError::in_progress(waiting))
}

async fn delete(
    context: &Context,
    database: &Database,
    keeping: &Retirement,
) -> Result<(), TaskError> {
    let snapshot = match &keeping.final_snapshot {
        Some(id) if database.status.forbids_final_snapshot() => {
            let message = format!(
                "the final snapshot {id} can't be made, because {} is {}; it is not deleted",
                database.identifier, database.status
            );
            return Err(TaskError::new(ErrorName::SnapshotFailed, message));
        }
        Some(id) => FinalSnapshot::Create(id.clone()),
        None => FinalSnapshot::Skip,
    };
    let answer = ask(context, database, &snapshot, keeping).await;
    let has_members = !database.members.is_empty() && !database.is_multi_az_cluster();
    match answer {
        Err(error) if error.name == ErrorName::InProgress && has_members => {
            see_that_it_can_be_made(context, database, &snapshot).await?;
            for member in members(context, database).await? {
                ask(context, &member, &FinalSnapshot::Skip, keeping).await?;
            }
            ask(context, database, &snapshot, keeping).await
        }
        answer => answer,
    }
}

/// RDS looks at the final snapshot's name only when the cluster has no members any more.
async fn see_that_it_can_be_made(
    context: &Context,
    cluster: &Database,
    snapshot: &FinalSnapshot,
) -> Result<(), TaskError> {
    let FinalSnapshot::Create(id) = snapshot else {
        return Ok(());
    };
    let id = id.clone().into();
    let holder = context.rds.snapshot(cluster.kind, &id).await?;
    if holder.is_none() {
        return Ok(());
    }
    let message = format!(
        "the final snapshot {id} can't be made, because there is one of this name; {} is not deleted",
        cluster.identifier
    );
    Err(TaskError::new(ErrorName::SnapshotFailed, message))
}

/// The members that are not on their way out, the writer last: none of the others has to take
/// its place. Which they are says the cluster, found by its identity: a member shows its cluster's
/// name only, and another cluster may have got that meanwhile.
async fn members(context: &Context, cluster: &Database) -> Result<Vec<Database>, TaskError> {
    let Some(cluster) = look_again(context, cluster).await? else {
        return Ok(Vec::new());
    };
    let names: Vec<DbIdentifier> = cluster
        .members
        .iter()
        .map(|member| member.identifier.clone())
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut members = context.rds.instances_named(&names).await?;
    let writer = cluster.writer().map(|writer| &writer.identifier);
    let is_of_it = |member: &Database| member.cluster.as_ref() == Some(&cluster.identifier);
    members.retain(|member| is_of_it(member) && !member.status.is_deleting());
    members.sort_by_key(|member| Some(&member.identifier) == writer);
    Ok(members)
}

async fn ask(
    context: &Context,
    database: &Database,
    snapshot: &FinalSnapshot,
    keeping: &Retirement,
) -> Result<(), TaskError> {
    let backups = match keeping.automated_backups {
        AutomatedBackups::Keep => trapheus_rds::AutomatedBackups::Keep,
        AutomatedBackups::Delete => trapheus_rds::AutomatedBackups::Delete,
    };
    let of = database.identified();
    match context.rds.delete(&of, snapshot, backups).await {
        Ok(_) => Ok(()),
        Err(error) if error.class == Class::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The error that keeps a database from being deleted, when it is what it was before again.
pub(super) async fn refused(
    context: &Context,
    database: &Database,
    if_refused: IfRefused,
    mut error: TaskError,
) -> TaskError {
    let protected = match if_refused {
        IfRefused::ProtectAgain => protect(context, database, true).await,
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
    database: &Database,
    protection: bool,
) -> Result<(), TaskError> {
    let name = row(database.subject(), "DeletionProtection").name;
    let settings: Settings = [(name, Value::Bool(protection))].into();
    context
        .rds
        .modify(&database.identified(), &settings)
        .await?;
    Ok(())
}
