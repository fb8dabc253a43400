//! MoveAside: the original and its parts answer at their aside names only.
//!
//! What the target can serve without moves first: replicas and readers. The writer and the
//! cluster follow when all of those have been accepted, in one pass with the custom endpoints, so
//! that a refusal is met while the target serves, and the outage is one rename's.
//!
//! # One execution at a time
//! The original carries the mark of the execution that moves it. In `swap` the lock is held
//! already: the restored database exists under its own name with this execution's mark, and RDS
//! gives a name once. In `in_place` the original moves before that, so its mark is the first lock:
//! it is written, then read back, and an execution that finds another one's mark stops. Two
//! executions that both found none and both wrote leave the later mark. So nothing moves until a mark
//! has stood for [`MARKS_ARRIVE_WITHIN`]: the earlier one sees by then that it has lost, and has
//! changed nothing. What remains is a mark that arrives later than that after its sender looked; its
//! victim finds that out here or, at the latest, in Restore, before its restore request. After that
//! the request, which names the same new database for both, decides, and whoever loses it undoes
//! nothing, because [`roll_back`](super::roll_back) obeys the restored database's mark before the
//! original's.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use trapheus_rds::{Database, DbIdentifier, StatusClass};

use super::context::{Context, Waits};
use super::plan::target::is_auto_scaled;
use super::remove::{IfRefused, remove};
use super::rename::{Renamed, is_being_renamed, rename, renaming};
use super::sides::{self, Piece, Side};
use super::{endpoints, restore};
use crate::error::{ErrorName, TaskError};
use crate::input::{KeptOriginal, Strategy};
use crate::marks::{self, Marks, Role, marks};
use crate::plan::{KeptOriginalPlan, Original, PartRole, Retirement};

/// A roll-back that has not renamed what it marked by then has ended.
const ROLL_BACK_BEGINS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// How long after an execution saw no mark its own may arrive.
const MARKS_ARRIVE_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// The original out of the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MovedAside {
    /// Where it is now.
    pub identifier: DbIdentifier,
    /// Since when the target's name has been without it.
    pub down_since: Timestamp,
}

pub(super) async fn run(context: &Context) -> Result<MovedAside, TaskError> {
    let down_since = OnceLock::new();
    context.make_so(|| pass(context, &down_since)).await
}

async fn pass(
    context: &Context,
    down_since: &OnceLock<Timestamp>,
) -> Result<MovedAside, TaskError> {
    let plan = context.plan();
    let names = &plan.names;
    let Some(planned) = &plan.original else {
        // Nothing answers at the name, so nothing is in the way.
        let (identifier, down_since) = (names.aside.clone(), context.now());
        return Ok(MovedAside {
            identifier,
            down_since,
        });
    };
    let original = sides::original(context).await?;
    let head = original
        .head
        .as_ref()
        .ok_or_else(|| vanished(context, planned))?;
    if head.identifier != names.target && head.identifier != names.aside {
        let message = format!(
            "the original has been renamed to {} by somebody else",
            head.identifier
        );
        return Err(TaskError::new(ErrorName::IdentityMismatch, message));
    }
    let is_asked = context.has_begun(&renaming(&names.target, &names.aside));
    if head.identifier == names.target && !is_asked && !is_being_renamed(head) {
        wait_until_it_can_move(head)?;
        see_the_replacement(context).await?;
        lock(context, head).await?;
        free_the_aside_names(context).await?;
    }
    send_away(context, &original, down_since).await?;
    moved(context, head, down_since.get().copied())
}

/// Nothing moves before the database itself can.
fn wait_until_it_can_move(head: &Database) -> Result<(), TaskError> {
    let (name, status) = (&head.identifier, &head.status);
    let waiting = format!("waiting until {name} can be renamed: it is {status}");
    match status.is_serving() {
        true => Ok(()),
        false => Err(TaskError::in_progress(waiting)),
    }
}

/// Sends everything to its aside name, and sees it there.
async fn send_away(
    context: &Context,
    original: &Side,
    down_since: &OnceLock<Timestamp>,
) -> Result<(), TaskError> {
    let mut waits = Waits::default();
    let pieces = original.pieces(context.plan());
    let (vital, others): (Vec<_>, Vec<_>) = pieces
        .filter(|piece| is_ours_to_move(*piece))
        .partition(|piece| matches!(piece.role, None | Some(PartRole::Writer)));
    if !send(context, others, &mut waits).await? {
        return waits.end();
    }
    if let Some(head) = &original.head {
        waits.note(endpoints::take_away(context, head).await)?;
    }
    let serves = |piece: &Piece<'_>| piece.database.identifier == piece.names.target;
    if vital.iter().any(serves) {
        down_since.get_or_init(|| context.now());
    }
    send(context, vital, &mut waits).await?;
    waits.end()
}

/// Sends databases to their aside names. Returns whether all of them are there or on their way;
/// what comes after one that is not must stay, because RDS renames no member while its cluster is
/// being renamed.
async fn send(
    context: &Context,
    pieces: Vec<Piece<'_>>,
    waits: &mut Waits,
) -> Result<bool, TaskError> {
    for piece in pieces {
        match waits.note(send_one(context, piece).await)? {
            Some(Renamed::There) => {}
            Some(_) => waits.on(renaming(&piece.names.target, &piece.names.aside)),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// A part that somebody has renamed meanwhile is in nobody's way.
fn is_ours_to_move(piece: Piece<'_>) -> bool {
    let name = &piece.database.identifier;
    *name == piece.names.target || *name == piece.names.aside
}

async fn send_one(context: &Context, piece: Piece<'_>) -> Result<Renamed, TaskError> {
    let stands = rename(context, piece.database, &piece.names.aside).await?;
    if stands == Renamed::Taken {
        // What is deleted or renamed keeps its name for a while after it isn't seen there.
        free_the_aside_names(context).await?;
        let waiting = format!("waiting until the name {} is free", piece.names.aside);
        return Err(TaskError::in_progress(waiting));
    }
    Ok(stands)
}

fn moved(
    context: &Context,
    original: &Database,
    down_since: Option<Timestamp>,
) -> Result<MovedAside, TaskError> {
    let marks = Marks(&original.tags);
    if !marks.are_of(context.plan().owner(), Role::Original) {
        return Err(marked_by_another(original));
    }
    // A rename that an earlier attempt began is dated by the mark that it wrote before.
    let down_since = down_since
        .or(marks.since())
        .unwrap_or_else(|| context.now());
    Ok(MovedAside {
        identifier: original.identifier.clone(),
        down_since,
    })
}

/// In `swap` the name is given up only while its next database is seen serving, with its parts.
async fn see_the_replacement(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    if plan.strategy == Strategy::InPlace {
        return Ok(());
    }
    let name = &plan.names.restored;
    let gone = |name: &DbIdentifier| {
        let message = format!("{name} does not exist any more");
        TaskError::new(ErrorName::NotFound, message)
    };
    let head = context.rds.database(plan.kind, name).await?;
    let head = head.ok_or_else(|| gone(name))?;
    if !Marks(&head.tags).are_of(plan.owner(), Role::Restored) {
        return Err(restore::foreign(&head));
    }
    let restored = Side {
        head: Some(head),
        parts: sides::restored_parts(context).await?,
    };
    if let Some(part) = restored.missing_parts(plan).next() {
        return Err(gone(&part.names.restored));
    }
    for piece in restored.pieces(plan) {
        let status = &piece.database.status;
        let stands = format!("{} is {status}", piece.database.identifier);
        match status.class() {
            _ if status.is_serving() => {}
            StatusClass::Failed => return Err(TaskError::new(ErrorName::RestoreFailed, stands)),
            _ => return Err(TaskError::in_progress(stands)),
        }
    }
    Ok(())
}

/// Marks the original as this execution's, and makes sure that it is nobody else's: who was there
/// before the mark did not see it, and who looked before may have sent another one.
async fn lock(context: &Context, original: &Database) -> Result<(), TaskError> {
    let plan = context.plan();
    let mut original = Cow::Borrowed(original);
    if !Marks(&original.tags).are_of(plan.owner(), Role::Original) {
        see_nobody_else_at_work(context).await?;
        original = Cow::Owned(mark(context, &original).await?);
    }
    see_nobody_else_at_work(context).await?;
    let since = Marks(&original.tags).since().unwrap_or_default();
    let remaining = since.duration_since(context.now());
    // A clock that was set back meanwhile holds nothing up.
    if remaining.is_positive() && remaining <= MARKS_ARRIVE_WITHIN {
        let waiting = format!(
            "making sure that nobody else is moving {}",
            plan.names.target
        );
        return Err(TaskError::in_progress(waiting));
    }
    match plan.strategy {
        Strategy::Swap => Ok(()),
        Strategy::InPlace => {
            let leaves_now = marks::since(context.now());
            context.add_tags(&original, &[leaves_now].into()).await
        }
    }
}

/// In `swap` the restored database is this execution's, or it would not have come so far.
async fn see_nobody_else_at_work(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    if plan.strategy == Strategy::Swap {
        return Ok(());
    }
    let holder = context.rds.database(plan.kind, &plan.names.restored);
    let is_anothers = |holder: &Database| Marks(&holder.tags).owner() != Some(plan.owner());
    match holder.await?.filter(is_anothers) {
        Some(holder) => Err(restore::foreign(&holder)),
        None => Ok(()),
    }
}

async fn mark(context: &Context, original: &Database) -> Result<Database, TaskError> {
    let plan = context.plan();
    if Marks(&original.tags).is(Role::Original) || is_being_swapped_back(context, original) {
        return Err(marked_by_another(original));
    }
    let leaves_at = match plan.strategy {
        Strategy::Swap => context.now(),
        Strategy::InPlace => context.now() + MARKS_ARRIVE_WITHIN,
    };
    let mut tags = marks(plan.owner(), &plan.identifier, Role::Original);
    tags.extend([marks::since(leaves_at)]);
    context.add_tags(original, &tags).await?;
    let marked = context.soon(|| async {
        let original = context.original().await?;
        Ok(original.filter(|original| Marks(&original.tags).is(Role::Original)))
    });
    match marked.await? {
        Some(original) if Marks(&original.tags).owner() == Some(plan.owner()) => Ok(original),
        Some(original) => Err(marked_by_another(&original)),
        None => Err(TaskError::in_progress(format!(
            "marking {}",
            plan.names.target
        ))),
    }
}

/// Whether a roll-back of the execution that made this database has just marked it to move it.
fn is_being_swapped_back(context: &Context, original: &Database) -> bool {
    let marks = Marks(&original.tags);
    let is_recent = |at| context.now().duration_since(at) < ROLL_BACK_BEGINS_WITHIN;
    marks.is(Role::Restored) && marks.since().is_some_and(is_recent)
}

/// Sees that the aside names are free, and makes room where an earlier execution keeps its
/// original there, if the input says so.
async fn free_the_aside_names(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    if let Some(kept) = &plan.kept_original {
        make_room(context, kept).await?;
    }
    let mut holders = at_the_parts_aside_names(context).await?;
    holders.extend(context.rds.database(plan.kind, &plan.names.aside).await?);
    let is_strange = |holder: &&Database| !plan.is_of_the_original(&holder.resource_id);
    match holders.iter().find(is_strange) {
        Some(stranger) => Err(is_taken(&stranger.identifier)),
        None => Ok(()),
    }
}

async fn at_the_parts_aside_names(context: &Context) -> Result<Vec<Database>, TaskError> {
    let parts = context.plan().parts.iter();
    let names: Vec<DbIdentifier> = parts.map(|part| part.names.aside.clone()).collect();
    match names.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(context.rds.instances_named(&names).await?),
    }
}

async fn make_room(context: &Context, kept: &KeptOriginalPlan) -> Result<(), TaskError> {
    let plan = context.plan();
    let Some(head) = context.by_resource(&kept.resource_id).await? else {
        return Ok(());
    };
    // The database itself says so, found by its identity: its parts show its name only.
    let belongs = |part: &Database| {
        let name = part.identifier.as_str();
        let mut members = head.members.iter();
        members.any(|member| member.identifier.as_str() == name)
            || head.replicas.iter().any(|replica| replica == name)
    };
    let mut parts = at_the_parts_aside_names(context).await?;
    parts.retain(belongs);
    if head.identifier != plan.names.aside && parts.is_empty() {
        return Ok(());
    }
    let is_kept = Marks(&head.tags).are_of(&kept.execution, Role::Original);
    match kept.becomes {
        // Whoever has taken the mark off has taken it over.
        KeptOriginal::Delete if !is_kept => Err(is_taken(&plan.names.aside)),
        KeptOriginal::Delete => {
            if let Some(stranger) = others(context, &head, &parts).await?.first() {
                let message = format!(
                    "{stranger} belongs to the original that execution {} keeps and has no \
                     counterpart in the target; it is not deleted with it",
                    kept.execution
                );
                return Err(TaskError::new(ErrorName::ForeignName, message));
            }
            let keeping = Retirement {
                final_snapshot: None,
                automated_backups: plan.retirement.automated_backups,
            };
            parts.retain(|part| part.cluster.is_none());
            remove(context, &head, &parts, &keeping, IfRefused::Leave).await
        }
        KeptOriginal::Release => release(context, &head, &parts).await,
    }
}

/// What depends on a kept original and is none of its parts by the names of the plan: members that
/// somebody uses, and replicas that would live on by themselves. Auto scaling's members go with it.
async fn others(
    context: &Context,
    head: &Database,
    parts: &[Database],
) -> Result<Vec<String>, TaskError> {
    let is_part = |name: &str| parts.iter().any(|part| part.identifier.as_str() == name);
    let mut others: Vec<String> = head.replicas.clone();
    if !head.is_multi_az_cluster() && !head.members.is_empty() {
        let members = context.rds.members_of(&head.identifier).await?;
        let members = members.iter().filter(|member| !is_auto_scaled(member));
        others.extend(members.map(|member| member.identifier.to_string()));
    }
    // Replicas in other Regions have an ARN for a name; they were spoken about when it was kept.
    others.retain(|name| !name.starts_with("arn:") && !is_part(name));
    Ok(others)
}

/// Gives what is kept names of its own; it is the user's from then on.
async fn release(context: &Context, head: &Database, parts: &[Database]) -> Result<(), TaskError> {
    let plan = context.plan();
    for released in parts.iter().chain([head]) {
        let own: Vec<String> = marks::own(&released.tags).into_keys().collect();
        if !own.is_empty() {
            context.remove_tags(released, &own).await?;
        }
    }
    let mut waits = Waits::default();
    let all = plan.parts.iter().map(|part| &part.names);
    for names in all.chain([&plan.names]) {
        let mut holders = parts.iter().chain([head]);
        if let Some(holder) = holders.find(|holder| holder.identifier == names.aside) {
            waits.note(rename(context, holder, &names.released).await)?;
            waits.on(renaming(&names.aside, &names.released));
        }
    }
    waits.end()
}

fn vanished(context: &Context, original: &Original) -> TaskError {
    let message = format!(
        "the original {} ({}) does not exist any more",
        context.plan().identifier,
        original.resource_id
    );
    TaskError::new(ErrorName::NotFound, message)
}

fn is_taken(name: &DbIdentifier) -> TaskError {
    let message = format!("the name {name} belongs to another database; it is not touched");
    TaskError::new(ErrorName::ForeignName, message)
}

fn marked_by_another(original: &Database) -> TaskError {
    let owner = Marks(&original.tags).owner().unwrap_or("unknown");
    let message = format!(
        "{} is marked by another execution, {owner}",
        original.identifier
    );
    TaskError::new(ErrorName::ForeignName, message)
}
