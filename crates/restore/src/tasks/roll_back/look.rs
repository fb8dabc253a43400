//! What a roll-back sees: the original by its identity, the restored database by its identity
//! where it is recorded and by this execution's mark where it is not, and who has the name.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{Database, ResourceId, StatusClass};

use super::decide::{Condition, InFlight, Ownership, Place, Reason, Seen, Sighting};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};
use crate::plan::Plan;
use crate::tasks::context::{Context, is_to_be_renamed};

/// How long a call may take effect, or stay unseen, after it was sent. On AWS a database shows
/// its old name and status for seconds after a rename has been accepted.
const IN_FLIGHT: SignedDuration = SignedDuration::from_secs(20);

/// What was seen, and the databases behind it.
pub(super) struct Sight {
    pub(super) seen: Seen,
    pub(super) original: Option<Database>,
    pub(super) restored: Option<Database>,
}

impl Sight {
    /// Since when the name has been without a database, as the marks say.
    pub(super) fn down_since(&self) -> Option<Timestamp> {
        let of = |instance: &Option<Database>| Marks(&instance.as_ref()?.tags).since();
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
        in_flight: in_flight(context, original.as_ref(), restored.as_ref()),
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
            .is_some_and(|original| is_marked(plan, original)),
        restored_is_taken: restored.as_ref().is_some_and(|restored| {
            let marks = Marks(&restored.tags);
            marks.is(Role::Original) && marks.owner() != Some(plan.owner())
        }),
    };
    Ok(Sight {
        seen,
        original,
        restored,
    })
}

fn recorded(context: &Context) -> Option<&ResourceId> {
    match &context.plan().rollback {
        Some(rollback) => rollback.restored_resource_id.as_ref(),
        None => {
            let restored = context.state()?.restored.as_ref()?;
            Some(&restored.resource_id)
        }
    }
}

fn is_restored(plan: &Plan, instance: &Database) -> bool {
    Marks(&instance.tags).are_of(plan.owner(), Role::Restored)
}

/// Whether the original carries other marks than before, and they are not another execution's.
/// One whose marks were taken off half-way has no owner any more.
fn is_marked(plan: &Plan, original: &Database) -> bool {
    marks::own(&original.tags) != plan.original.marks && is_nobodys_or_ours(plan, original)
}

fn is_nobodys_or_ours(plan: &Plan, original: &Database) -> bool {
    let owner = Marks(&original.tags).owner();
    owner.is_none_or(|owner| owner == plan.owner())
}

/// Whose business an original is that is aside. A restored database is the stronger lock than
/// the mark on the original, and one that serves is stronger than one that is being made.
fn ownership(
    plan: &Plan,
    original: Option<&Database>,
    holders: [&Option<Database>; 2],
) -> Ownership {
    let [at_restored, at_target] = holders.map(Option::as_ref);
    let mark = original.and_then(|original| Marks(&original.tags).owner());
    let has_served = |holder: &&Database| {
        let marks = Marks(&holder.tags);
        marks.is(Role::Restored) && marks.owner() == mark
    };
    let is_ours = match (at_target.filter(has_served), at_restored) {
        (Some(_), _) => mark == Some(plan.owner()),
        (None, Some(holder)) => is_restored(plan, holder),
        // One that nobody claims belongs where the plan found it.
        (None, None) => original.is_some_and(|original| is_nobodys_or_ours(plan, original)),
    };
    if is_ours {
        Ownership::Ours
    } else {
        Ownership::NotOurs
    }
}

/// Whether what is seen may still be overtaken by calls that were sent before.
pub(super) fn is_settling(context: &Context) -> bool {
    context.now().duration_since(context.at_work_since()) <= IN_FLIGHT
}

fn in_flight(
    context: &Context,
    original: Option<&Database>,
    restored: Option<&Database>,
) -> InFlight {
    let was_sent = original.is_some_and(|original| is_marked(context.plan(), original))
        || restored.is_some_and(|restored| Marks(&restored.tags).was_promoted());
    match restored {
        _ if !is_settling(context) => InFlight::Nothing,
        _ if was_sent => InFlight::Renames,
        None if is_uncertain(context) => InFlight::Restore,
        Some(_) | None => InFlight::Nothing,
    }
}

/// Whether the failure leaves open what RDS has done. An execution that was interrupted before it
/// knew its restored database may have asked for one.
fn is_uncertain(context: &Context) -> bool {
    if let Some(rollback) = &context.plan().rollback {
        return rollback.restored_resource_id.is_none();
    }
    let Some(error) = context.state().and_then(|state| state.error.as_ref()) else {
        return false;
    };
    let uncertain = [ErrorName::Unavailable.as_str(), "States.Timeout"];
    uncertain.contains(&error.error.as_str())
}

fn sighting(plan: &Plan, instance: &Database) -> Sighting {
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
        _ if status == "renaming" || is_to_be_renamed(instance) => Condition::Renaming,
        StatusClass::Failed => Condition::Failed(status),
        StatusClass::Steady if instance.status.is_serving() => Condition::Ready,
        StatusClass::Steady | StatusClass::Transient => Condition::Busy(status),
    };
    Sighting { place, condition }
}
