//! Retire: the original is gone, and only because the restored database is seen serving.

use serde::{Deserialize, Serialize};
use trapheus_rds::{Database, Kind, ResourceId, SnapshotId, StatusClass};

use super::context::Context;
use super::remove::{IfRefused, remove};
use crate::error::{ErrorName, TaskError};
use crate::marks::{Marks, Role};

/// The end of the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retired {
    /// Which database is gone.
    pub resource_id: ResourceId,
    /// The last snapshot that was asked for.
    pub final_snapshot: Option<SnapshotId>,
}

pub(super) async fn run(context: &Context) -> Result<Retired, TaskError> {
    let plan = context.plan();
    // A page that other executions share will do to wait; what is deleted is looked at anew.
    let polled = context
        .rds
        .poll_database(Kind::Instance, &plan.original.resource_id)
        .await?;
    if let Some(original) = polled {
        wait_while_busy(&original)?;
    }
    delete(context).await?;
    Ok(Retired {
        resource_id: plan.original.resource_id.clone(),
        final_snapshot: plan.retirement.final_snapshot.clone(),
    })
}

fn wait_while_busy(original: &Database) -> Result<(), TaskError> {
    let is_busy = original.status.class() == StatusClass::Transient;
    let waiting = format!("{} is {}", original.identifier, original.status);
    if is_busy {
        Err(TaskError::in_progress(waiting))
    } else {
        Ok(())
    }
}

async fn delete(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    let Some(original) = find(context).await? else {
        return Ok(());
    };
    see_serving(context).await?;
    check_ours(context, &original)?;
    let if_refused = match plan.blueprint.is_protected() {
        true => IfRefused::ProtectAgain,
        false => IfRefused::Leave,
    };
    remove(context, &original, &plan.retirement, if_refused).await
}

/// The original; none only when it is found neither by its identity nor by its name.
async fn find(context: &Context) -> Result<Option<Database>, TaskError> {
    if let Some(original) = context.original().await? {
        return Ok(Some(original));
    }
    let plan = context.plan();
    let holder = context.rds.instance(&plan.names.aside).await?;
    Ok(holder.filter(|holder| holder.resource_id == plan.original.resource_id))
}

/// The data of the original may go only while its replacement is seen at the name, right now.
async fn see_serving(context: &Context) -> Result<(), TaskError> {
    let name = &context.plan().names.target;
    let expected = &context.promoted()?.resource_id;
    let gone = |what: String| {
        let message = format!(
            "{what}, so the original is kept as {}",
            context.plan().names.aside
        );
        Err(TaskError::new(ErrorName::IdentityMismatch, message))
    };
    match context.rds.instance(name).await? {
        None => gone(format!("nothing answers at {name}")),
        Some(found) if found.resource_id != *expected => gone(format!(
            "{} answers at {name}, and not the restored database {expected}",
            found.resource_id
        )),
        Some(found) if found.status.class() == StatusClass::Failed => {
            gone(format!("{name} is {}", found.status))
        }
        Some(found) if found.status.is_serving() => Ok(()),
        Some(found) => Err(TaskError::in_progress(format!(
            "{name} is {}",
            found.status
        ))),
    }
}

/// The original is deleted under its aside name and with our mark only: whoever has given it
/// another name or taken the mark off has taken it over.
fn check_ours(context: &Context, original: &Database) -> Result<(), TaskError> {
    let plan = context.plan();
    let is_ours = Marks(&original.tags).are_of(plan.owner(), Role::Original);
    if is_ours && original.identifier == plan.names.aside {
        return Ok(());
    }
    let message = format!(
        "the original ({}) is {} now and no longer this execution's to delete; it is kept",
        original.resource_id, original.identifier
    );
    Err(TaskError::new(ErrorName::IdentityMismatch, message))
}
