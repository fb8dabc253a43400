//! What a roll-back sees: the original by its identity, the restored database by its identity
//! where it is recorded and by this execution's mark where it is not, and who has the name.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{Instance, ResourceId, StatusClass};

use super::decide::{Condition, InFlight, Ownership, Place, Reason, Seen, Sighting};
use crate::error::{ErrorName, TaskError};
use crate::marks::{Marks, Role};
use crate::plan::Plan;
use crate::tasks::context::Context;

/// How long an unanswered call may still take effect.
const IN_FLIGHT: SignedDuration = SignedDuration::from_secs(10);

/// What was seen, and the databases behind it.
pub(super) struct Sight {
    pub(super) seen: Seen,
    pub(super) original: Option<Instance>,
    pub(super) restored: Option<Instance>,
}

impl Sight {
    /// Since when the name has been without a database, as the marks say.
    pub(super) fn down_since(&self) -> Option<Timestamp> {
        let of = |instance: &Option<Instance>| Marks(&instance.as_ref()?.tags).since();
        match self.seen.reason {
            Reason::Failure if self.seen.ownership == Ownership::Ours => of(&self.original),
            Reason::Failure => None,
            Reason::Asked => of(&self.restored),
        }
    }
}

pub(super) async fn look(context: &Context) -> Result<Sight, TaskError> {
    let plan = context.plan();
    let names = &plan.names;
    let at_target = context.rds.instance(&names.target).await?;
    let at_restored = context.rds.instance(&names.restored).await?;
    let original = context.original().await?;
    let restored = match recorded(context) {
        Some(id) => context.by_resource(id).await?,
        None => [&at_restored, &at_target]
            .into_iter()
            .flatten()
            .find(|found| is_restored(plan, found))
            .cloned(),
    };
    let seen = Seen {
        reason: if plan.rollback.is_some() {
            Reason::Asked
        } else {
            Reason::Failure
        },
        ownership: ownership(plan, original.as_ref(), [&at_restored, &at_target]),
        in_flight: in_flight(context, restored.as_ref()),
        original: original.as_ref().map(|original| sighting(plan, original)),
        restored: restored.as_ref().map(|restored| sighting(plan, restored)),
        stranger_has_the_name: at_target.as_ref().is_some_and(|found| {
            found.resource_id != plan.original.resource_id
                && restored
                    .as_ref()
                    .is_none_or(|restored| restored.resource_id != found.resource_id)
        }),
        is_marked: original
            .as_ref()
            .is_some_and(|original| is_original(plan, original)),
    };
    Ok(Sight {
        seen,
        original,
        restored,
    })
}

fn recorded(context: &Context) -> Option<&ResourceId> {
    match (&context.plan().rollback, context.state()) {
        (Some(rollback), _) => Some(&rollback.restored_resource_id),
        (None, Some(state)) => state
            .restored
            .as_ref()
            .map(|restored| &restored.resource_id),
        (None, None) => None,
    }
}

fn is_restored(plan: &Plan, instance: &Instance) -> bool {
    Marks(&instance.tags).are_of(plan.owner(), Role::Restored)
}

fn is_original(plan: &Plan, instance: &Instance) -> bool {
    Marks(&instance.tags).are_of(plan.owner(), Role::Original)
}

/// Whose business an original is that is aside. A restored database is the stronger lock than
/// the mark on the original, and one that serves is stronger than one that is being made.
fn ownership(
    plan: &Plan,
    original: Option<&Instance>,
    holders: [&Option<Instance>; 2],
) -> Ownership {
    let [at_restored, at_target] = holders.map(Option::as_ref);
    let mark = original.and_then(|original| Marks(&original.tags).owner());
    let has_served = |holder: &&Instance| {
        let marks = Marks(&holder.tags);
        marks.is(Role::Restored) && marks.owner() == mark
    };
    let is_ours = match (at_target.filter(has_served), at_restored) {
        (Some(_), _) => mark == Some(plan.owner()),
        (None, Some(holder)) => is_restored(plan, holder),
        (None, None) => original.is_some_and(|original| is_original(plan, original)),
    };
    if is_ours {
        Ownership::Ours
    } else {
        Ownership::NotOurs
    }
}

/// What may still happen by calls that were sent before the roll-back began.
fn in_flight(context: &Context, restored: Option<&Instance>) -> InFlight {
    if context.now().duration_since(context.entered()) > IN_FLIGHT {
        return InFlight::Nothing;
    }
    match restored {
        Some(restored) if Marks(&restored.tags).was_promoted() => InFlight::Promotion,
        Some(_) => InFlight::Nothing,
        None if is_uncertain(context) => InFlight::Restore,
        None => InFlight::Nothing,
    }
}

/// Whether the failure leaves open what RDS has done.
fn is_uncertain(context: &Context) -> bool {
    let Some(error) = context.state().and_then(|state| state.error.as_ref()) else {
        return false;
    };
    let uncertain = [ErrorName::Unavailable.as_str(), "States.Timeout"];
    uncertain.contains(&error.error.as_str())
}

fn sighting(plan: &Plan, instance: &Instance) -> Sighting {
    let names = &plan.names;
    let place = match &instance.identifier {
        name if *name == names.target => Place::Target,
        name if *name == names.aside => Place::Aside,
        name if *name == names.restored => Place::Restored,
        name if *name == names.kept => Place::Kept,
        name => Place::Elsewhere(name.to_string()),
    };
    let status = instance.status.to_string();
    let condition = match instance.status.class() {
        _ if instance.status.is_deleting() => Condition::Deleting,
        _ if status == "renaming" => Condition::Renaming,
        StatusClass::Failed => Condition::Failed(status),
        StatusClass::Steady if instance.status.is_serving() => Condition::Ready,
        StatusClass::Steady | StatusClass::Transient => Condition::Busy(status),
    };
    Sighting { place, condition }
}
