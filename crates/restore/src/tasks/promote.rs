//! Promote: the restored database answers at the target's name. From here on clients write to it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use trapheus_rds::{Arn, Class, Database, DbIdentifier, Endpoint, ResourceId, StatusClass};

use super::context::{Context, can_be_renamed};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};

/// RDS documents ten minutes. A database that serves under the name and has got another address
/// by then is no reason to take it from the name again.
const ENDPOINT_FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// The restored database behind the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promoted {
    /// The target's name.
    pub identifier: DbIdentifier,
    /// Which database answers at it.
    pub resource_id: ResourceId,
    /// Its ARN under this name.
    pub arn: Arn,
    /// Where clients reach it.
    pub endpoint: Endpoint,
    /// Since when it has been seen there.
    pub serving_since: Timestamp,
}

pub(super) async fn run(context: &Context) -> Result<Promoted, TaskError> {
    let names = &context.plan().names;
    let restored = look(context).await?;
    if let Some(promoted) = promoted(context, &restored) {
        return Ok(promoted);
    }
    if restored.identifier != names.restored && restored.identifier != names.target {
        let message = format!(
            "the restored database has been renamed to {} by somebody else",
            restored.identifier
        );
        return Err(TaskError::new(ErrorName::IdentityMismatch, message));
    }
    let renaming =
        || TaskError::in_progress(format!("renaming {} to {}", names.restored, names.target));
    if restored.identifier == names.target || !can_be_renamed(&restored) {
        return Err(renaming());
    }
    send(context, &restored).await?;
    let seen = context.soon(|| async { Ok(promoted(context, &look(context).await?)) });
    seen.await?.ok_or_else(renaming)
}

async fn look(context: &Context) -> Result<Database, TaskError> {
    let asked = context.restored()?;
    let restored = context
        .by_resource(&asked.resource_id)
        .await?
        .ok_or_else(|| {
            let message = format!(
                "{} ({}) does not exist any more",
                asked.identifier, asked.resource_id
            );
            TaskError::new(ErrorName::NotFound, message)
        })?;
    if !Marks(&restored.tags).are_of(context.plan().owner(), Role::Restored) {
        return Err(super::restore::foreign(&restored));
    }
    // The name is without a database meanwhile: what RDS has given up on is not waited for.
    if restored.status.class() == StatusClass::Failed {
        let message = format!("{} is {}", restored.identifier, restored.status);
        return Err(TaskError::new(ErrorName::ModifyFailed, message));
    }
    Ok(restored)
}

/// It is so when the database is available under the name *and* at the name's endpoint: RDS
/// shows the new name before the endpoint has followed.
fn promoted(context: &Context, restored: &Database) -> Option<Promoted> {
    let plan = context.plan();
    let endpoint = restored.endpoint.clone()?;
    let known = plan
        .original
        .endpoint
        .as_ref()
        .map(|endpoint| &endpoint.address);
    let waited = context.now().duration_since(context.entered());
    let has_followed = known.is_none_or(|address| *address == endpoint.address)
        || waited > ENDPOINT_FOLLOWS_WITHIN;
    let is_so =
        restored.identifier == plan.names.target && restored.status.is_serving() && has_followed;
    is_so.then(|| Promoted {
        identifier: restored.identifier.clone(),
        resource_id: restored.resource_id.clone(),
        arn: restored.arn.clone(),
        endpoint,
        serving_since: context.now(),
    })
}

/// Marks the database before it is renamed, so that whoever rolls back after a crash knows that
/// clients may have reached it.
async fn send(context: &Context, restored: &Database) -> Result<(), TaskError> {
    let names = &context.plan().names;
    if !Marks(&restored.tags).was_promoted() {
        context
            .add_tags(restored, &[marks::promoted(context.now())].into())
            .await?;
    }
    match context
        .rds
        .rename(&restored.identified(), &names.target)
        .await
    {
        Ok(_) => Ok(()),
        // Renamed by an earlier attempt whose answer was lost: the next look tells.
        Err(error) if error.class == Class::NotFound => Ok(()),
        Err(error) if error.class == Class::AlreadyExists => Err(not_free(context).await?),
        Err(error) => Err(error.into()),
    }
}

/// Who has the name: ourselves, the original on its way out, or a stranger.
async fn not_free(context: &Context) -> Result<TaskError, TaskError> {
    let plan = context.plan();
    let holder = context.rds.instance(&plan.names.target).await?;
    let is_planned = holder.as_ref().is_none_or(|holder| {
        holder.resource_id == plan.original.resource_id
            || Marks(&holder.tags).are_of(plan.owner(), Role::Restored)
    });
    if is_planned {
        return Ok(TaskError::in_progress(format!(
            "waiting until the name {} is free",
            plan.names.target
        )));
    }
    let message = format!(
        "another database has taken the name {}; it is not touched",
        plan.names.target
    );
    Ok(TaskError::new(ErrorName::ForeignName, message))
}
