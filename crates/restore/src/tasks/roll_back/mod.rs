//! RollBack: the original answers at the target's name again, and what is half made is gone.
//!
//! It looks, decides ([`decide`]), acts, and looks again, until there is nothing left to do.
//! Where the failure was is of no interest, and neither is whether an earlier run of it got
//! half-way. The same task swaps a kept original back when somebody asks for it.

mod decide;
mod look;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trapheus_rds::{Class, Database, DbIdentifier, ResourceId};

use super::context::Context;
use super::remove::{IfRefused, NOTHING, protect, remove};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};
use crate::repair;
use decide::{Condition, Ending, InFlight, Obstacle, Place, Sighting, Step, decide};
use look::{Sight, is_settling, look};

/// Between two looks of one run, for what is done at once.
const PAUSE: Duration = Duration::from_millis(60);
/// Looks in vain before the definition's own waiting takes over.
const LOOKS_IN_VAIN: u32 = 5;

/// The name given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolledBack {
    /// Which database answers at the target's name; none when that is not this execution's business.
    pub serving: Option<ResourceId>,
    /// Since when the name had been without a database, if it was.
    pub down_since: Option<Timestamp>,
    /// Since when it has one again.
    pub serving_since: Timestamp,
    /// A restored database that may hold what clients wrote, and therefore stays.
    pub kept: Option<KeptDatabase>,
}

/// A restored database that stays after a roll-back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptDatabase {
    /// Its name.
    pub identifier: DbIdentifier,
    /// Its identity.
    pub resource_id: ResourceId,
}

pub(super) async fn run(context: &Context) -> Result<RolledBack, TaskError> {
    match give_back(context).await {
        Err(error) if is_refusal(context, &error) && is_untouched(context).await => {
            Err(TaskError::new(ErrorName::Refused, error.cause.text()))
        }
        given_back => given_back,
    }
}

async fn give_back(context: &Context) -> Result<RolledBack, TaskError> {
    let mut done: Option<Step> = None;
    let mut down_since = None;
    // What nobody has begun in this run is not there a moment later: no use in looking again.
    let mut in_vain = LOOKS_IN_VAIN;
    let mut has_brought_back = false;
    loop {
        let mut sight = look(context).await?;
        if has_brought_back {
            // Nothing that was sent before can take away what has come back since.
            sight.seen.in_flight = InFlight::Nothing;
        }
        down_since = down_since.or_else(|| sight.down_since());
        let step = decide(&sight.seen);
        match &step {
            Step::Finish(ending) => return finish(context, &sight, *ending, down_since),
            // A rename can hide a database for a moment: a person is called by what lasts.
            Step::Stuck(_) | Step::PutRestoredBack if is_settling(context) => in_vain += 1,
            Step::Stuck(obstacle) => return Err(stuck(context, obstacle)),
            // What was asked for a moment ago shows a moment later.
            Step::Wait(_) => in_vain += 1,
            _ if done.as_ref() == Some(&step) => in_vain += 1,
            _ => {
                act(context, &step, &sight).await?;
                has_brought_back |= step == Step::BringOriginalBack;
                done = Some(step.clone());
                in_vain = 0;
            }
        }
        if in_vain > LOOKS_IN_VAIN {
            return Err(TaskError::in_progress(describe(context, &step)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn act(context: &Context, step: &Step, sight: &Sight) -> Result<(), TaskError> {
    let names = &context.plan().names;
    match step {
        Step::MoveRestoredAway => move_restored_away(context, present(&sight.restored)?).await,
        Step::PutRestoredBack => rename(context, present(&sight.restored)?, &names.target).await,
        Step::BringOriginalBack => rename(context, present(&sight.original)?, &names.target).await,
        Step::RemoveRestored => {
            remove(
                context,
                present(&sight.restored)?,
                &NOTHING,
                IfRefused::Leave,
            )
            .await
        }
        Step::ClearMarks => clear_marks(context, present(&sight.original)?).await,
        Step::Wait(_) | Step::Finish(_) | Step::Stuck(_) => Ok(()),
    }
}

/// Marks the restored database before it leaves the name, and sees that no other execution has
/// taken it over: whoever marks it after that finds this mark.
async fn move_restored_away(context: &Context, restored: &Database) -> Result<(), TaskError> {
    let is_first = Marks(&restored.tags).since().is_none();
    if is_first {
        let since = marks::since(context.now());
        context.add_tags(restored, &[since].into()).await?;
        let marked = context.by_resource(&restored.resource_id).await?;
        if marked.is_some_and(|marked| Marks(&marked.tags).is(Role::Original)) {
            return Ok(());
        }
    }
    let renamed = rename(context, restored, &context.plan().names.kept).await;
    if is_first
        && renamed
            .as_ref()
            .is_err_and(|error| !error.name.is_passing())
    {
        let since = marks::since(context.now()).0;
        context.remove_tags(restored, &[since]).await?;
    }
    renamed
}

async fn rename(
    context: &Context,
    instance: &Database,
    to: &DbIdentifier,
) -> Result<(), TaskError> {
    match context.rds.rename(&instance.identified(), to).await {
        Ok(_) => Ok(()),
        // An earlier attempt's rename, or a name that is just being given up: the next look tells.
        Err(error) if matches!(error.class, Class::NotFound | Class::AlreadyExists) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Leaves the original as it was, an earlier execution's marks included. Its protection may have
/// been taken off for a deletion that did not happen.
async fn clear_marks(context: &Context, original: &Database) -> Result<(), TaskError> {
    if context.plan().blueprint.is_protected() && !original.deletion_protection {
        protect(context, original, true).await?;
    }
    let before = &context.plan().original.marks;
    let own = marks::own(&original.tags);
    let added: Vec<String> = own
        .keys()
        .filter(|key| !before.contains_key(*key))
        .cloned()
        .collect();
    if !added.is_empty() {
        context.remove_tags(original, &added).await?;
    }
    if !before.is_empty() {
        context.add_tags(original, before).await?;
    }
    Ok(())
}

fn finish(
    context: &Context,
    sight: &Sight,
    ending: Ending,
    down_since: Option<Timestamp>,
) -> Result<RolledBack, TaskError> {
    if context.plan().rollback.is_some() && ending != Ending::OriginalServes {
        return Err(not_swapped(context, sight, ending));
    }
    let serving = match ending {
        Ending::OriginalServes => sight.original.as_ref(),
        Ending::RestoredServes => sight.restored.as_ref(),
        Ending::NotOurs => None,
    };
    let kept = match ending {
        Ending::OriginalServes => sight.restored.as_ref().map(|restored| KeptDatabase {
            identifier: restored.identifier.clone(),
            resource_id: restored.resource_id.clone(),
        }),
        Ending::RestoredServes | Ending::NotOurs => None,
    };
    Ok(RolledBack {
        serving: serving.map(|instance| instance.resource_id.clone()),
        down_since,
        serving_since: context.now(),
        kept,
    })
}

/// What was asked for can't be had, and the name is served.
fn not_swapped(context: &Context, sight: &Sight, ending: Ending) -> TaskError {
    let plan = context.plan();
    let why = match (ending, &sight.original) {
        (Ending::NotOurs, _) => "another execution is at work on the target".to_owned(),
        (_, None) => "it does not exist any more".to_owned(),
        (_, Some(original)) => format!("{} is {}", original.identifier, original.status),
    };
    let message = format!(
        "the original ({}) can't be swapped back: {why}",
        plan.original.resource_id
    );
    TaskError::new(ErrorName::RollbackFailed, message).with_remedy(repair::find(plan))
}

/// Whether a swap that somebody asked for has been refused for good.
fn is_refusal(context: &Context, error: &TaskError) -> bool {
    context.plan().rollback.is_some() && !error.name.is_passing()
}

/// Whether the restored database serves at the name and was never sent away from it.
async fn is_untouched(context: &Context) -> bool {
    let Ok(sight) = look(context).await else {
        return false;
    };
    let was_sent = |restored: &Database| {
        let marks = Marks(&restored.tags);
        marks.is(Role::Restored) && marks.since().is_some()
    };
    let serves = Sighting {
        place: Place::Target,
        condition: Condition::Ready,
    };
    sight.seen.restored == Some(serves) && !sight.restored.as_ref().is_some_and(was_sent)
}

fn describe(context: &Context, step: &Step) -> String {
    let names = &context.plan().names;
    match step {
        Step::Wait(what) => (*what).to_owned(),
        Step::MoveRestoredAway => format!("renaming {} to {}", names.target, names.kept),
        Step::BringOriginalBack => format!("renaming {} to {}", names.aside, names.target),
        Step::PutRestoredBack => format!("renaming {} to {}", names.kept, names.target),
        Step::RemoveRestored => format!("deleting {}", names.restored),
        Step::ClearMarks => format!("taking the marks off {}", names.target),
        Step::Stuck(_) => "making sure of what is seen".to_owned(),
        Step::Finish(_) => "rolling back".to_owned(),
    }
}

fn stuck(context: &Context, obstacle: &Obstacle) -> TaskError {
    let plan = context.plan();
    let (message, remedy) = match obstacle {
        Obstacle::OriginalGone => (
            format!(
                "the original ({}) does not exist any more, and not by this execution",
                plan.original.resource_id
            ),
            repair::promote(plan),
        ),
        Obstacle::OriginalFailed(status) => (
            format!("the original ({}) is {status}", plan.original.resource_id),
            repair::find(plan),
        ),
        Obstacle::OriginalElsewhere(name) => (
            format!(
                "somebody has renamed the original ({}) to {name}",
                plan.original.resource_id
            ),
            repair::elsewhere(plan, name),
        ),
        Obstacle::Stranger => (
            format!(
                "another database has taken the name {}; it is not touched",
                plan.names.target
            ),
            repair::bring_back(plan),
        ),
    };
    TaskError::new(ErrorName::RollbackFailed, message).with_remedy(remedy)
}

/// Whatever stops a roll-back for good is a matter for a person, with the commands to go on by hand.
pub(super) fn explain(context: &Context, error: TaskError) -> TaskError {
    let is_final = [ErrorName::RollbackFailed, ErrorName::Refused];
    if error.name.is_passing() || is_final.contains(&error.name) {
        return error;
    }
    let message = format!("{}: {}", error.name, error.cause.text());
    TaskError::new(ErrorName::RollbackFailed, message).with_remedy(repair::by_hand(context.plan()))
}

fn present(instance: &Option<Database>) -> Result<&Database, TaskError> {
    instance
        .as_ref()
        .ok_or_else(|| TaskError::new(ErrorName::Internal, "a step without its database"))
}
