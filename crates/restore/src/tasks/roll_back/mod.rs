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
use trapheus_rds::{Database, DbIdentifier, ResourceId};

use super::context::{Context, Waits};
use super::remove::{IfRefused, NOTHING, protect, remove};
use super::rename::rename;
use super::sides::Side;
use super::{endpoints, proxies};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};
use crate::names::Names;
use crate::plan::{PartRole, Plan};
use crate::repair;
use decide::{Condition, Ending, InFlight, Obstacle, Place, Step, decide};
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
    /// The names of its members and replicas.
    #[serde(default)]
    pub parts: Vec<DbIdentifier>,
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
        down_since = down_since.or_else(|| sight.down_since(context.now()));
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
    match step {
        Step::MoveRestoredAway => move_restored_away(context, &sight.restored).await,
        Step::PutRestoredBack => {
            send(context, &sight.restored, |names| {
                (vec![&names.kept, &names.restored], &names.target)
            })
            .await
        }
        Step::BringOriginalBack => {
            send(context, &sight.original, |names| {
                (vec![&names.aside], &names.target)
            })
            .await
        }
        Step::GiveEndpointsBack => match &sight.original.head {
            Some(original) => endpoints::make(context, original).await,
            None => Ok(()),
        },
        Step::RemoveRestored => remove_restored(context, &sight.restored).await,
        Step::ClearMarks => match &sight.original.head {
            Some(original) => {
                let restored = sight.restored.head.as_ref();
                proxies::lead_back(context, original, restored).await?;
                clear_marks(context, &sight.original).await
            }
            None => Ok(()),
        },
        Step::Wait(_) | Step::Finish(_) | Step::Stuck(_) => Ok(()),
    }
}

/// Marks the restored database before it leaves the name, and sees that no other execution has
/// taken it over: whoever marks it after that finds this mark.
async fn move_restored_away(context: &Context, restored: &Side) -> Result<(), TaskError> {
    let Some(head) = &restored.head else {
        return send_away(context, restored).await;
    };
    let is_first = Marks(&head.tags).since().is_none();
    if is_first {
        let since = marks::since(context.now());
        context.add_tags(head, &[since].into()).await?;
        let marked = context.by_resource(&head.resource_id).await?;
        if marked.is_some_and(|marked| Marks(&marked.tags).is(Role::Original)) {
            return Ok(());
        }
    }
    // The next look tells whether they are gone; the name comes first.
    Waits::default().note(endpoints::take_away(context, head).await)?;
    let sent = send_away(context, restored).await;
    if is_first && sent.as_ref().is_err_and(|error| !error.name.is_passing()) {
        let since = marks::since(context.now()).0;
        context.remove_tags(head, &[since]).await?;
    }
    sent
}

async fn send_away(context: &Context, restored: &Side) -> Result<(), TaskError> {
    send(context, restored, |names| {
        (vec![&names.target, &names.restored], &names.kept)
    })
    .await
}

/// Renames whatever of a side has one of some names. What is not so yet the next look tells: an
/// earlier attempt's rename, a name that is just being given up, a part that RDS is at work on.
async fn send(
    context: &Context,
    side: &Side,
    way: impl for<'a> Fn(&'a Names) -> (Vec<&'a DbIdentifier>, &'a DbIdentifier),
) -> Result<(), TaskError> {
    let mut waits = Waits::default();
    for piece in side.pieces(context.plan()) {
        let (from, to) = way(piece.names);
        if from.contains(&&piece.database.identifier) {
            waits.note(rename(context, piece.database, to).await)?;
        }
    }
    Ok(())
}

/// Deletes the restored database with its parts; of one that is gone itself, what is left.
async fn remove_restored(context: &Context, restored: &Side) -> Result<(), TaskError> {
    let pieces = restored.pieces(context.plan());
    let Some(head) = &restored.head else {
        for piece in pieces {
            remove(context, piece.database, &[], &NOTHING, IfRefused::Leave).await?;
        }
        return Ok(());
    };
    let replicas = pieces.filter(|piece| piece.role == Some(PartRole::Replica));
    let replicas: Vec<Database> = replicas.map(|piece| piece.database.clone()).collect();
    remove(context, head, &replicas, &NOTHING, IfRefused::Leave).await
}

/// Leaves the original as it was, an earlier execution's marks included. Its protection may have
/// been taken off for a deletion that did not happen.
async fn clear_marks(context: &Context, original: &Side) -> Result<(), TaskError> {
    for piece in original.pieces(context.plan()) {
        let database = piece.database;
        let is_head = piece.role.is_none();
        if is_head && context.plan().blueprint.is_protected() && !database.deletion_protection {
            protect(context, database, true).await?;
        }
        let Some(planned) = piece.original else {
            continue;
        };
        let (before, now) = (&planned.marks, marks::own(&database.tags));
        let is_added = |key: &&String| !before.contains_key(*key);
        let added: Vec<String> = now.keys().filter(is_added).cloned().collect();
        if !added.is_empty() {
            context.remove_tags(database, &added).await?;
        }
        if *before != now && !before.is_empty() {
            context.add_tags(database, before).await?;
        }
    }
    Ok(())
}

fn finish(
    context: &Context,
    sight: &Sight,
    ending: Ending,
    down_since: Option<Timestamp>,
) -> Result<RolledBack, TaskError> {
    let is_undone = matches!(ending, Ending::OriginalServes | Ending::NothingServes);
    if context.plan().rollback.is_some() && !is_undone {
        return Err(not_swapped(context, sight, ending));
    }
    let restored = sight.restored.head.as_ref();
    let serving = match ending {
        Ending::OriginalServes => sight.original.head.as_ref(),
        Ending::RestoredServes => restored,
        Ending::NotOurs | Ending::NothingServes => None,
    };
    let parts = sight.restored.pieces(context.plan());
    let parts = parts.filter(|piece| piece.role.is_some());
    let kept = match ending {
        Ending::OriginalServes | Ending::NothingServes => restored.map(|restored| KeptDatabase {
            identifier: restored.identifier.clone(),
            resource_id: restored.resource_id.clone(),
            parts: parts
                .map(|piece| piece.database.identifier.clone())
                .collect(),
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
    let why = match (ending, &sight.original.head) {
        (Ending::NotOurs, _) => "another execution is at work on the target".to_owned(),
        (_, None) => "it does not exist any more".to_owned(),
        (_, Some(original)) => {
            let seen = sight.seen.original.as_ref().map(|side| &side.condition);
            let stands = match seen {
                Some(Condition::Failed(status)) => status.clone(),
                Some(_) | None => original.status.to_string(),
            };
            format!("{} is {stands}", original.identifier)
        }
    };
    let message = format!("{} can't be swapped back: {why}", the_original(plan));
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
    let serves = |restored: &decide::Side| {
        restored.place == Place::Target
            && restored.is_whole
            && restored.condition == Condition::Ready
    };
    sight.seen.restored.as_ref().is_some_and(serves)
        && !sight.restored.head.as_ref().is_some_and(was_sent)
}

fn describe(context: &Context, step: &Step) -> String {
    let names = &context.plan().names;
    match step {
        Step::Wait(what) => (*what).to_owned(),
        Step::MoveRestoredAway => format!("renaming {} to {}", names.target, names.kept),
        Step::BringOriginalBack => format!("renaming {} to {}", names.aside, names.target),
        Step::PutRestoredBack => format!("renaming {} to {}", names.kept, names.target),
        Step::GiveEndpointsBack => format!("making the custom endpoints of {}", names.target),
        Step::RemoveRestored => format!("deleting {}", names.restored),
        Step::ClearMarks => format!("taking the marks off {}", names.target),
        Step::Stuck(_) => "making sure of what is seen".to_owned(),
        Step::Finish(_) => "rolling back".to_owned(),
    }
}

fn stuck(context: &Context, obstacle: &Obstacle) -> TaskError {
    let plan = context.plan();
    let original = the_original(plan);
    let (message, remedy) = match obstacle {
        Obstacle::OriginalGone => (
            format!("{original} does not exist any more, and not by this execution"),
            repair::promote(plan),
        ),
        Obstacle::Replaced => (
            format!(
                "{original} does not exist any more, and not by this execution; another database \
                 has its name, and what this one made is not deleted"
            ),
            repair::compare(plan),
        ),
        Obstacle::OriginalFailed(status) => (format!("{original} is {status}"), repair::find(plan)),
        Obstacle::OriginalElsewhere(name) => (
            format!("somebody has renamed {original} to {name}"),
            repair::elsewhere(plan, name),
        ),
        Obstacle::Stranger => (taken(plan.names.target.as_str()), repair::bring_back(plan)),
        Obstacle::StrangerAtAPart(name) => (taken(name), repair::bring_back_part(plan, name)),
    };
    TaskError::new(ErrorName::RollbackFailed, message).with_remedy(remedy)
}

fn taken(name: &str) -> String {
    format!("another database has taken the name {name}; it is not touched")
}

fn the_original(plan: &Plan) -> String {
    match plan.original_id() {
        Some(id) => format!("the original ({id})"),
        None => "the original".to_owned(),
    }
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
