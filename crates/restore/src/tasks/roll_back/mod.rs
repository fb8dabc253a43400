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
use trapheus_rds::{Class, DbIdentifier, Instance, ResourceId};

use super::context::{Context, identified};
use super::remove::{IfRefused, remove};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks};
use crate::repair;
use decide::{Ending, Obstacle, Step, decide};
use look::{Sight, look};

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
    let mut done: Option<Step> = None;
    let mut down_since = None;
    // What nobody has begun in this run is not there a moment later: no use in looking again.
    let mut in_vain = LOOKS_IN_VAIN;
    loop {
        let sight = look(context).await?;
        down_since = down_since.or_else(|| sight.down_since());
        let step = decide(&sight.seen);
        match &step {
            Step::Finish(ending) => return Ok(finish(context, &sight, *ending, down_since)),
            Step::Stuck(obstacle) => return Err(stuck(context, obstacle)),
            // What was asked for a moment ago shows a moment later.
            Step::Wait(_) => in_vain += 1,
            _ if done.as_ref() == Some(&step) => in_vain += 1,
            _ => {
                act(context, &step, &sight).await?;
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
        Step::MoveRestoredAway => {
            let restored = present(&sight.restored)?;
            if Marks(&restored.tags).since().is_none() {
                let since = marks::since(context.now());
                context.add_tags(restored, &[since].into()).await?;
            }
            rename(context, restored, &names.kept).await
        }
        Step::BringOriginalBack => rename(context, present(&sight.original)?, &names.target).await,
        Step::RemoveRestored => {
            remove(context, present(&sight.restored)?, None, IfRefused::Leave).await
        }
        Step::ClearMarks => clear_marks(context, present(&sight.original)?).await,
        Step::Wait(_) | Step::Finish(_) | Step::Stuck(_) => Ok(()),
    }
}

async fn rename(
    context: &Context,
    instance: &Instance,
    to: &DbIdentifier,
) -> Result<(), TaskError> {
    match context.rds.rename_instance(&identified(instance), to).await {
        Ok(_) => Ok(()),
        // An earlier attempt's rename, or a name that is just being given up: the next look tells.
        Err(error) if matches!(error.class, Class::NotFound | Class::AlreadyExists) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Leaves the original as it was, an earlier execution's marks included.
async fn clear_marks(context: &Context, original: &Instance) -> Result<(), TaskError> {
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
) -> RolledBack {
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
    RolledBack {
        serving: serving.map(|instance| instance.resource_id.clone()),
        down_since,
        serving_since: context.now(),
        kept,
    }
}

fn describe(context: &Context, step: &Step) -> String {
    let names = &context.plan().names;
    match step {
        Step::Wait(what) => (*what).to_owned(),
        Step::MoveRestoredAway => format!("renaming {} to {}", names.target, names.kept),
        Step::BringOriginalBack => format!("renaming {} to {}", names.aside, names.target),
        Step::RemoveRestored => format!("deleting {}", names.restored),
        Step::ClearMarks => format!("taking the marks off {}", names.target),
        Step::Finish(_) | Step::Stuck(_) => "rolling back".to_owned(),
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
    if error.name.is_passing() || error.name == ErrorName::RollbackFailed {
        return error;
    }
    let message = format!("{}: {}", error.name, error.cause.text());
    TaskError::new(ErrorName::RollbackFailed, message).with_remedy(repair::by_hand(context.plan()))
}

fn present(instance: &Option<Instance>) -> Result<&Instance, TaskError> {
    instance
        .as_ref()
        .ok_or_else(|| TaskError::new(ErrorName::Internal, "a step without its database"))
}
