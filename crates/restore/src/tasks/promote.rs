//! Promote: the restored database answers at the target's name, with all its parts at theirs.
//! From here on clients write to it.
//!
//! Everything is renamed in one pass. Members come before their cluster, because RDS renames no
//! member while the cluster is being renamed; the other way round nothing waits.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use trapheus_rds::{Arn, Database, DbIdentifier, Endpoint, ResourceId, StatusClass};

use super::context::{Context, Waits};
use super::rename::{Renamed, rename, renaming};
use super::sides::{self, Piece, Side};
use super::{endpoints, proxies, writer};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};
use crate::plan::PartRole;

/// Clients write to a database that serves under the name: a reader, a replica or a custom endpoint
/// that is not there by then is no reason to take it from the name again.
const WHOLE_WITHIN: SignedDuration = SignedDuration::from_mins(15);

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
    /// What it lacks, proxies that don't reach it, and databases that don't answer where they did.
    #[serde(default)]
    pub left_over: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Result<Promoted, TaskError> {
    context.make_so(|| pass(context)).await
}

async fn pass(context: &Context) -> Result<Promoted, TaskError> {
    let head = look(context).await?;
    let restored = Side {
        parts: sides::restored_parts(context).await?,
        head: Some(head.clone()),
    };
    send(context, &head, &restored).await?;
    let mut lacks = lacked_parts(context, &restored)?;
    lacks.extend(lacked_endpoints(context, &head).await?);
    writer::make(context, &head, |names| &names.target).await?;
    let mut promoted = promoted(context, &head, &restored)?;
    promoted.left_over.extend(lacks);
    promoted
        .left_over
        .extend(proxies::lead_to(context, &head).await?);
    if let Some(since) = Marks(&head.tags).proxies_since() {
        // The database has served since before its proxies were led to it.
        promoted.serving_since = since;
    }
    promoted.left_over.extend(mark_the_original(context).await?);
    Ok(promoted)
}

/// Marks what was the original's as replaced, because on AWS nothing else may be deleted. What can't
/// be marked will be left over; clients write to the restored database by now.
async fn mark_the_original(context: &Context) -> Result<Vec<String>, TaskError> {
    let plan = context.plan();
    let original = sides::original(context).await?;
    let is_ours = |head: &Database| {
        head.identifier == plan.names.aside
            && Marks(&head.tags).are_of(plan.owner(), Role::Original)
    };
    if !original.head.as_ref().is_some_and(is_ours) {
        return Ok(Vec::new());
    }
    let mut tags = marks::marks(plan.owner(), &plan.identifier, Role::Original);
    tags.extend([marks::replaced(context.now())]);
    let mut left_over = Vec::new();
    for piece in original.pieces(plan) {
        let database = piece.database;
        if database.identifier != piece.names.aside || Marks(&database.tags).is_replaced() {
            continue;
        }
        match context.add_tags(database, &tags).await {
            Err(error) if error.name.is_passing() && !is_late(context) => return Err(error),
            Err(error) => left_over.push(format!(
                "{} is not marked as replaced: {}",
                database.identifier,
                error.cause.text()
            )),
            Ok(()) => {}
        }
    }
    Ok(left_over)
}

async fn look(context: &Context) -> Result<Database, TaskError> {
    let names = &context.plan().names;
    let restored = context.restored_database().await?;
    if !Marks(&restored.tags).are_of(context.plan().owner(), Role::Restored) {
        return Err(super::restore::foreign(&restored));
    }
    // The name is without a database meanwhile: what RDS has given up on is not waited for.
    if restored.status.class() == StatusClass::Failed {
        let message = format!("{} is {}", restored.identifier, restored.status);
        return Err(TaskError::new(ErrorName::ModifyFailed, message));
    }
    if restored.identifier != names.restored && restored.identifier != names.target {
        let message = format!(
            "the restored database has been renamed to {} by somebody else",
            restored.identifier
        );
        return Err(TaskError::new(ErrorName::IdentityMismatch, message));
    }
    Ok(restored)
}

/// Sends everything to its name, and sees it there. The database is marked before, so that
/// whoever rolls back after a crash knows that clients may have reached it.
async fn send(context: &Context, head: &Database, restored: &Side) -> Result<(), TaskError> {
    let plan = context.plan();
    let is_sent = |piece: Piece<'_>| piece.database.identifier == piece.names.target;
    if !restored.pieces(plan).all(is_sent) && !Marks(&head.tags).was_promoted() {
        let tags = [marks::promoted(context.now())].into();
        context.add_tags(head, &tags).await?;
    }
    let mut waits = Waits::default();
    let mut is_held_up = false;
    for piece in restored.pieces(plan) {
        if piece.role.is_none() && is_held_up {
            break;
        }
        match waits.note(send_one(context, piece).await)? {
            Some(Renamed::There) if piece.database.status.is_serving() => {}
            Some(_) => waits.on(renaming(&piece.names.restored, &piece.names.target)),
            None => is_held_up |= piece.is_member(),
        }
    }
    waits.end()
}

async fn send_one(context: &Context, piece: Piece<'_>) -> Result<Renamed, TaskError> {
    match rename(context, piece.database, &piece.names.target).await? {
        Renamed::Taken => Err(not_free(context, piece).await?),
        stands => Ok(stands),
    }
}

/// The parts that are gone, which somebody else must have deleted; without a writer nobody writes.
fn lacked_parts(context: &Context, restored: &Side) -> Result<Vec<String>, TaskError> {
    let mut lacks = Vec::new();
    for part in restored.missing_parts(context.plan()) {
        let name = &part.names.target;
        if !is_late(context) || part.role == PartRole::Writer {
            return Err(TaskError::in_progress(format!(
                "waiting until {name} is seen"
            )));
        }
        lacks.push(format!("{name} of the restored database is not there"));
    }
    Ok(lacks)
}

/// The custom endpoints that can't be made, for instance because another cluster has their id.
async fn lacked_endpoints(context: &Context, head: &Database) -> Result<Vec<String>, TaskError> {
    match endpoints::make(context, head).await {
        Err(error) if is_late(context) && error.name == ErrorName::InProgress => {}
        made => return made.map(|()| Vec::new()),
    }
    let lacks = endpoints::missing(context, head).await?.into_iter();
    Ok(lacks
        .map(|id| format!("the custom endpoint {id} is not there"))
        .collect())
}

fn is_late(context: &Context) -> bool {
    context.now().duration_since(context.at_work_since()) > WHOLE_WITHIN
}

/// It is so when every database is available under its name *and* at the name's endpoint: RDS
/// shows the new name before the endpoint has followed.
fn promoted(context: &Context, head: &Database, restored: &Side) -> Result<Promoted, TaskError> {
    let plan = context.plan();
    let waited = context.now().duration_since(context.at_work_since());
    let stragglers = restored.pieces(plan).filter(|piece| !has_followed(*piece));
    let stragglers: Vec<Piece<'_>> = stragglers.collect();
    if let Some(piece) = stragglers.first()
        && waited <= ENDPOINT_FOLLOWS_WITHIN
    {
        let waiting = format!(
            "waiting until the endpoint of {} follows",
            piece.names.target
        );
        return Err(TaskError::in_progress(waiting));
    }
    let endpoint = head.endpoint.clone().ok_or_else(|| {
        TaskError::in_progress(format!("waiting for the endpoint of {}", plan.names.target))
    })?;
    Ok(Promoted {
        identifier: head.identifier.clone(),
        resource_id: head.resource_id.clone(),
        arn: head.arn.clone(),
        endpoint,
        serving_since: context.now(),
        left_over: stragglers.into_iter().map(elsewhere).collect(),
    })
}

/// Whether a database answers where the original of its name did.
fn has_followed(piece: Piece<'_>) -> bool {
    let Some(original) = piece.original else {
        return true;
    };
    let address = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(|at| at.address.clone());
    let before = address(&original.endpoint);
    let readers = &original.reader_address;
    (before.is_none() || before == address(&piece.database.endpoint))
        && (readers.is_none() || *readers == piece.database.reader_endpoint)
}

/// What clients of a database that has got another address have to know.
fn elsewhere(piece: Piece<'_>) -> String {
    let said = |endpoint: Option<&Endpoint>, readers: Option<&String>| {
        let addresses = endpoint.map(|at| at.address.as_str()).into_iter();
        let addresses: Vec<&str> = addresses.chain(readers.map(String::as_str)).collect();
        addresses.join(" and ")
    };
    let before = piece.original.map(|original| {
        let readers = original.reader_address.as_ref();
        said(original.endpoint.as_ref(), readers)
    });
    let database = piece.database;
    format!(
        "{} answers at {} and not at {}, as before",
        database.identifier,
        said(
            database.endpoint.as_ref(),
            database.reader_endpoint.as_ref()
        ),
        before.unwrap_or_default(),
    )
}

/// Who has the name: ourselves, the original on its way out, or a stranger.
async fn not_free(context: &Context, piece: Piece<'_>) -> Result<TaskError, TaskError> {
    let name = &piece.names.target;
    let holder = context.rds.database(piece.database.kind, name).await?;
    let original = piece.original.map(|original| &original.resource_id);
    let is_planned = holder.as_ref().is_none_or(|holder| {
        Some(&holder.resource_id) == original
            || Marks(&holder.tags).are_of(context.plan().owner(), Role::Restored)
    });
    if is_planned {
        let waiting = format!("waiting until the name {name} is free");
        return Ok(TaskError::in_progress(waiting));
    }
    let message = format!("another database has taken the name {name}; it is not touched");
    Ok(TaskError::new(ErrorName::ForeignName, message))
}
