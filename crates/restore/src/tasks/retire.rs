//! Retire: the original is gone with its parts, and only because the restored database is seen
//! serving.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use trapheus_rds::{Database, Kind, ResourceId, SnapshotId, StatusClass};

use super::context::Context;
use super::plan::target::is_auto_scaled;
use super::remove::{IfRefused, refused, remove, unprotect};
use super::sides::{self, Piece, Side};
use crate::error::{ErrorName, TaskError};
use crate::marks::{Marks, Role};
use crate::plan::{Original, PartRole};

/// How long a look may be behind.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// The end of the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retired {
    /// Which database is gone; none where there was none.
    pub resource_id: Option<ResourceId>,
    /// The last snapshot that was asked for.
    pub final_snapshot: Option<SnapshotId>,
}

pub(super) async fn run(context: &Context) -> Result<Retired, TaskError> {
    let plan = context.plan();
    let Some(original) = &plan.original else {
        return Ok(Retired {
            resource_id: None,
            final_snapshot: None,
        });
    };
    // A page that other executions share will do to wait; what is deleted is looked at anew.
    let polled = context.rds.poll_database(plan.kind, &original.resource_id);
    if let Some(database) = polled.await? {
        wait_while_busy(&database)?;
    }
    delete(context, original).await?;
    Ok(Retired {
        resource_id: Some(original.resource_id.clone()),
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

async fn delete(context: &Context, planned: &Original) -> Result<(), TaskError> {
    let plan = context.plan();
    let side = sides::original(context).await?;
    let Some(mut original) = find(context, planned, &side).await? else {
        return Ok(());
    };
    see_serving(context).await?;
    check_ours(context, &original)?;
    check_replaced(context, &side)?;
    check_members(context, &original, &side).await?;
    let replicas = replicas(context, &original, &side)?;
    let if_refused = match plan.blueprint.is_protected() {
        true => IfRefused::ProtectAgain,
        false => IfRefused::Leave,
    };
    if original.deletion_protection {
        unprotect(context, &original).await?;
        original.deletion_protection = false;
        // That took a while, in which the restored database may have gone.
        match see_serving(context).await {
            Err(error) if !error.name.is_passing() => {
                return Err(refused(context, &original, if_refused, error).await);
            }
            seen => seen?,
        }
    }
    remove(context, &original, &replicas, &plan.retirement, if_refused).await
}

/// The original; none only when it is found neither by its identity nor by its name.
async fn find(
    context: &Context,
    planned: &Original,
    side: &Side,
) -> Result<Option<Database>, TaskError> {
    if let Some(original) = &side.head {
        return Ok(Some(original.clone()));
    }
    let plan = context.plan();
    let holder = context.rds.database(plan.kind, &plan.names.aside).await?;
    Ok(holder.filter(|holder| holder.resource_id == planned.resource_id))
}

/// The data of the original may go only while its replacement is seen at the name, right now,
/// with every member that it has.
async fn see_serving(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    let name = &plan.names.target;
    let expected = &context.promoted()?.resource_id;
    let gone = |what: String| {
        let message = format!("{what}, so the original is kept as {}", plan.names.aside);
        Err(TaskError::new(ErrorName::IdentityMismatch, message))
    };
    let mut serving = Vec::new();
    match context.rds.database(plan.kind, name).await? {
        None => return gone(format!("nothing answers at {name}")),
        Some(found) if found.resource_id != *expected => {
            return gone(format!(
                "{} answers at {name}, and not the restored database {expected}",
                found.resource_id
            ));
        }
        Some(found) => {
            let has_writer = plan.parts.iter().any(|part| part.role == PartRole::Writer);
            if has_writer && found.writer().is_none() {
                return gone(format!("{name} has no writer"));
            }
            serving.push(found);
        }
    }
    if plan.kind == Kind::Cluster {
        serving.extend(context.rds.members_of(name).await?);
    }
    for found in serving {
        let stands = format!("{} is {}", found.identifier, found.status);
        match found.status.class() {
            StatusClass::Failed => return gone(stands),
            _ if found.status.is_serving() => {}
            _ => return Err(TaskError::in_progress(stands)),
        }
    }
    Ok(())
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

/// Promote has marked everything of the original as replaced, unless it was not let. On AWS nothing
/// else may be deleted, and a part of an original is no use to anybody.
fn check_replaced(context: &Context, side: &Side) -> Result<(), TaskError> {
    let is_unmarked = |piece: &Piece<'_>| {
        piece.database.identifier == piece.names.aside && !Marks(&piece.database.tags).is_replaced()
    };
    let Some(piece) = side.pieces(context.plan()).find(is_unmarked) else {
        return Ok(());
    };
    let name = &piece.database.identifier;
    let waited = context.now().duration_since(context.at_work_since());
    Err(match waited <= SHOWS_WITHIN {
        true => TaskError::in_progress(format!("waiting until {name} shows that it is replaced")),
        false => TaskError::new(
            ErrorName::IdentityMismatch,
            format!("{name} is not marked as replaced; the original is kept"),
        ),
    })
}

/// A member that this execution did not move is somebody's: clients may read from it.
async fn check_members(
    context: &Context,
    original: &Database,
    side: &Side,
) -> Result<(), TaskError> {
    if original.kind == Kind::Instance || original.is_multi_az_cluster() {
        return Ok(());
    }
    let is_moved = |member: &Database| {
        let mut pieces = side.pieces(context.plan());
        pieces.any(|piece| {
            piece.database.resource_id == member.resource_id
                && member.identifier == piece.names.aside
        })
    };
    let members = context.rds.members_of(&original.identifier).await?;
    let is_strange = |member: &&Database| {
        !member.status.is_deleting() && !is_auto_scaled(member) && !is_moved(member)
    };
    match members.iter().find(is_strange) {
        Some(stranger) => {
            let message = format!(
                "{} is a member of the original and is not in the plan; the original is kept",
                stranger.identifier
            );
            Err(TaskError::new(ErrorName::IdentityMismatch, message))
        }
        None => Ok(()),
    }
}

/// The replicas that go with the original. One that this execution did not move is somebody's,
/// and the end of its source would be the end of its data's being renewed.
fn replicas(
    context: &Context,
    original: &Database,
    side: &Side,
) -> Result<Vec<Database>, TaskError> {
    let follows = |replica: &Database| {
        replica.replica_source.as_deref() == Some(original.identifier.as_str())
    };
    let ours: Vec<Database> = side
        .pieces(context.plan())
        .filter(|piece| piece.role == Some(PartRole::Replica))
        .filter(|piece| piece.database.identifier == piece.names.aside)
        .map(|piece| piece.database.clone())
        .filter(follows)
        .collect();
    let is_ours = |name: &String| {
        ours.iter()
            .any(|replica| replica.identifier.as_str() == name)
    };
    // Those in other Regions, which have an ARN for a name, the plan has spoken about.
    let mut here = original
        .replicas
        .iter()
        .filter(|name| !name.starts_with("arn:"));
    match here.find(|name| !is_ours(name)) {
        Some(stranger) => {
            let message = format!(
                "{stranger} replicates the original and is not in the plan; the original is kept"
            );
            Err(TaskError::new(ErrorName::IdentityMismatch, message))
        }
        None => Ok(ours),
    }
}
