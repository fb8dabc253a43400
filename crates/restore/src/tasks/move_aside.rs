//! MoveAside: the original answers at the aside name only.
//!
//! # One execution at a time
//! The original carries the mark of the execution that moves it. In `swap` the lock is held
//! already: the restored database exists under its own name with this execution's mark, and RDS
//! gives a name once. In `in_place` the original moves before that, so its mark is the first lock:
//! it is written, then read back, and an execution that finds another one's mark stops. Two
//! executions that both found none and both wrote leave the later mark; the earlier one finds
//! that out here or, at the latest, in Restore, before its restore request. What remains is that
//! a mark written in the moment between that look and the request is not seen; then the request,
//! which names the same new database for both, decides, and whoever loses it undoes nothing,
//! because [`roll_back`](super::roll_back) obeys the restored database's mark before the original's.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use trapheus_rds::{Class, Database, DbIdentifier, StatusClass};

use super::context::{Context, can_be_renamed, found_again};
use super::remove::{IfRefused, remove};
use crate::error::{ErrorName, TaskError};
use crate::input::{KeptOriginal, Strategy};
use crate::marks::{self, Marks, Role, marks};
use crate::plan::{KeptOriginalPlan, Retirement};

/// A roll-back that has not renamed what it marked by then has ended.
const ROLL_BACK_BEGINS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

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
    let names = &context.plan().names;
    let original = context.original().await?.ok_or_else(|| vanished(context))?;
    if original.identifier == names.aside {
        return moved(context, &original, None);
    }
    if original.identifier != names.target {
        let message = format!(
            "the original has been renamed to {} by somebody else",
            original.identifier
        );
        return Err(TaskError::new(ErrorName::IdentityMismatch, message));
    }
    if !can_be_renamed(&original) {
        let waiting = format!(
            "waiting until {} can be renamed: it is {}",
            names.target, original.status
        );
        return Err(TaskError::in_progress(waiting));
    }
    see_the_replacement(context).await?;
    lock(context, &original).await?;
    free_the_aside_name(context).await?;
    let down_since = context.now();
    let renamed = context
        .rds
        .rename(&original.identified(), &names.aside)
        .await;
    match renamed {
        Ok(_) => {}
        // What is deleted or renamed keeps its name for a while after it isn't seen there.
        Err(error) if error.class == Class::AlreadyExists => {
            free_the_aside_name(context).await?;
            return Err(TaskError::in_progress(renaming(context)));
        }
        // Renamed by an earlier attempt whose answer was lost: the next look tells.
        Err(error) => return found_again(&original, Err(error)),
    }
    let seen = context.soon(|| async {
        let original = context.original().await?;
        Ok(original.filter(|original| original.identifier == names.aside))
    });
    let original = seen
        .await?
        .ok_or_else(|| TaskError::in_progress(renaming(context)))?;
    moved(context, &original, Some(down_since))
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

/// In `swap` the name is given up only while its next database is seen serving.
async fn see_the_replacement(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    if plan.strategy == Strategy::InPlace {
        return Ok(());
    }
    let name = &plan.names.restored;
    match context.rds.instance(name).await? {
        None => Err(TaskError::new(
            ErrorName::NotFound,
            format!("{name} does not exist any more"),
        )),
        Some(found) if !Marks(&found.tags).are_of(plan.owner(), Role::Restored) => {
            Err(super::restore::foreign(&found))
        }
        Some(found) if found.status.class() == StatusClass::Failed => Err(TaskError::new(
            ErrorName::RestoreFailed,
            format!("{name} is {}", found.status),
        )),
        Some(found) if found.status.is_serving() => Ok(()),
        Some(found) => Err(TaskError::in_progress(format!(
            "{name} is {}",
            found.status
        ))),
    }
}

/// Marks the original as this execution's, and makes sure that it is nobody else's.
async fn lock(context: &Context, original: &Database) -> Result<(), TaskError> {
    let plan = context.plan();
    if Marks(&original.tags).are_of(plan.owner(), Role::Original) {
        return Ok(());
    }
    if Marks(&original.tags).is(Role::Original) || is_being_swapped_back(context, original) {
        return Err(marked_by_another(original));
    }
    if plan.strategy == Strategy::InPlace {
        let holder = context.rds.instance(&plan.names.restored).await?;
        if let Some(holder) =
            holder.filter(|holder| Marks(&holder.tags).owner() != Some(plan.owner()))
        {
            return Err(super::restore::foreign(&holder));
        }
    }
    let mut tags = marks(plan.owner(), &plan.identifier, Role::Original);
    tags.extend([marks::since(context.now())]);
    context.add_tags(original, &tags).await?;
    let marked = context.soon(|| async {
        let original = context.original().await?;
        Ok(original.filter(|original| Marks(&original.tags).is(Role::Original)))
    });
    match marked.await? {
        Some(original) if Marks(&original.tags).owner() == Some(plan.owner()) => Ok(()),
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

/// Makes room where an earlier execution keeps its original, if the input says so.
async fn free_the_aside_name(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    let Some(holder) = context.rds.instance(&plan.names.aside).await? else {
        return Ok(());
    };
    match &plan.kept_original {
        _ if holder.resource_id == plan.original.resource_id => Ok(()),
        Some(kept) if kept.resource_id == holder.resource_id => {
            make_room(context, kept, &holder).await
        }
        Some(_) | None => Err(taken(&plan.names.aside)),
    }
}

async fn make_room(
    context: &Context,
    kept: &KeptOriginalPlan,
    holder: &Database,
) -> Result<(), TaskError> {
    let plan = context.plan();
    let is_kept = Marks(&holder.tags).are_of(&kept.execution, Role::Original);
    match kept.becomes {
        // Whoever has taken the mark off has taken it over.
        KeptOriginal::Delete if !is_kept => Err(taken(&plan.names.aside)),
        KeptOriginal::Delete => {
            let keeping = Retirement {
                final_snapshot: None,
                automated_backups: plan.retirement.automated_backups,
            };
            remove(context, holder, &keeping, IfRefused::Leave).await
        }
        KeptOriginal::Release => {
            let own: Vec<String> = marks::own(&holder.tags).into_keys().collect();
            if !own.is_empty() {
                context.remove_tags(holder, &own).await?;
            }
            let released = context
                .rds
                .rename(&holder.identified(), &plan.names.released)
                .await;
            found_again(holder, released)?;
            let gone = context.soon(|| async {
                let holder = context.rds.instance(&plan.names.aside).await?;
                Ok(holder.is_none().then_some(()))
            });
            let waiting = || {
                TaskError::in_progress(format!(
                    "renaming {} to {}",
                    plan.names.aside, plan.names.released
                ))
            };
            gone.await?.ok_or_else(waiting)
        }
    }
}

fn renaming(context: &Context) -> String {
    let names = &context.plan().names;
    format!("renaming {} to {}", names.target, names.aside)
}

fn vanished(context: &Context) -> TaskError {
    let original = &context.plan().original;
    let message = format!(
        "the original {} ({}) does not exist any more",
        context.plan().identifier,
        original.resource_id
    );
    TaskError::new(ErrorName::NotFound, message)
}

fn taken(name: &DbIdentifier) -> TaskError {
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
