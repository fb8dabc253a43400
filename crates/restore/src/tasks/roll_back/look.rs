//! What a roll-back sees: the original by its identity, the restored database by its identity
//! where it is recorded and by this execution's mark where it is not, and who has the name.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{Database, DbIdentifier, Member, ResourceId, StatusClass};

use super::decide::{self, Condition, InFlight, Ownership, Place, Reason, Seen, Sighting};
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};
use crate::names::Names;
use crate::plan::{Original, PartRole, Plan};
use crate::tasks::context::Context;
use crate::tasks::endpoints;
use crate::tasks::rename::is_being_renamed;
use crate::tasks::sides::{self, Side};

/// How long a call may take effect, or stay unseen, after it was sent. On AWS a database shows
/// its old name and status for seconds after a rename has been accepted.
const IN_FLIGHT: SignedDuration = SignedDuration::from_secs(20);

/// What was seen, and the databases behind it.
pub(super) struct Sight {
    pub(super) seen: Seen,
    pub(super) original: Side,
    pub(super) restored: Side,
}

impl Sight {
    /// Since when the name has been without a database, as the marks say.
    pub(super) fn down_since(&self, now: Timestamp) -> Option<Timestamp> {
        let of = |side: &Side| Marks(&side.head.as_ref()?.tags).since();
        let since = match self.seen.reason {
            Reason::Failure if self.seen.ownership == Ownership::Ours => of(&self.original),
            Reason::Failure => None,
            Reason::Asked => of(&self.restored),
        };
        // A mark that is to be waited for says when the database leaves at the earliest.
        since.filter(|since| *since <= now)
    }
}

pub(super) async fn look(context: &Context) -> Result<Sight, TaskError> {
    let plan = context.plan();
    let names = &plan.names;
    let at_target = context.rds.database(plan.kind, &names.target).await?;
    let at_restored = context.rds.database(plan.kind, &names.restored).await?;
    let original = sides::original(context).await?;
    let head = match recorded(context) {
        Some(id) => context.by_resource(id).await?,
        None => [&at_restored, &at_target]
            .into_iter()
            .flatten()
            .find(|found| is_restored(plan, found))
            .cloned(),
    };
    let holders = sides::holders(context).await?;
    let restored = Side {
        head,
        parts: sides::restored_among(plan, &holders),
    };
    let head = original.head.as_ref();
    let is_marked = original
        .pieces(plan)
        .any(|piece| is_marked(plan, piece.original, piece.database));
    let strangers = strangers(plan, &holders);
    let made = restored.head.as_ref().map(|made| &made.resource_id);
    let stranger = at_target.as_ref().filter(|found| {
        !plan.is_of_the_original(&found.resource_id) && made != Some(&found.resource_id)
    });
    let seen = Seen {
        reason: if plan.rollback.is_some() {
            Reason::Asked
        } else {
            Reason::Failure
        },
        ownership: ownership(plan, head, [&at_restored, &at_target]),
        in_flight: in_flight(context, head, restored.head.as_ref()),
        is_new: plan.original.is_none(),
        original: original_side(plan, &original, &strangers),
        restored: restored_side(plan, &restored),
        stranger_has_the_name: stranger.is_some(),
        stranger_serves: stranger.is_some_and(|found| found.status.is_serving()),
        stranger_is_successor: stranger.is_some_and(|found| is_successor(plan, found)),
        stranger_at_a_part: strangers.first().map(ToString::to_string),
        lacks_endpoints: match head {
            Some(head) if is_marked => !endpoints::missing(context, head).await?.is_empty(),
            Some(_) | None => false,
        },
        is_marked,
        restored_is_taken: restored.head.as_ref().is_some_and(|restored| {
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

/// The names of the original's parts that others have.
fn strangers(plan: &Plan, holders: &[Database]) -> Vec<DbIdentifier> {
    let is_strange = |name: &DbIdentifier| {
        holders.iter().any(|holder| {
            holder.identifier == *name
                && !plan.is_of_the_original(&holder.resource_id)
                && !is_restored(plan, holder)
        })
    };
    let parts = plan.parts.iter().filter(|part| part.original.is_some());
    let names = parts.map(|part| &part.names.target);
    names.filter(|name| is_strange(name)).cloned().collect()
}

/// The original as a decision sees it. A part whose name a stranger has can't come back, and
/// nothing waits for it.
fn original_side(plan: &Plan, side: &Side, strangers: &[DbIdentifier]) -> Option<decide::Side> {
    let mut head = sighting(&plan.names, side.head.as_ref()?);
    if head.condition == Condition::Ready && has_lost_its_members(plan, side) {
        head.condition = Condition::Failed("without any member".to_owned());
    }
    let parts = side.pieces(plan).filter(|piece| piece.role.is_some());
    let parts = parts.filter(|piece| !strangers.contains(&piece.names.target));
    let parts: Vec<Sighting> = parts
        .map(|piece| sighting(piece.names, piece.database))
        .collect();
    Some(decide::Side::of_original(head, &parts))
}

/// Whether none is left of the members of a cluster: its data is there, and nobody can reach it.
fn has_lost_its_members(plan: &Plan, side: &Side) -> bool {
    let had_some = plan.parts.iter().any(|part| part.role == PartRole::Writer);
    let is_going = |member: &Member| {
        let mut parts = side.parts.iter().flatten();
        let part = parts.find(|part| part.identifier == member.identifier);
        part.is_some_and(|part| part.status.is_deleting())
    };
    let members = side.head.iter().flat_map(|head| &head.members);
    had_some && members.into_iter().all(is_going)
}

fn restored_side(plan: &Plan, side: &Side) -> Option<decide::Side> {
    let head = side.head.as_ref().map(|head| sighting(&plan.names, head));
    let parts = side.pieces(plan).filter(|piece| piece.role.is_some());
    let parts: Vec<Sighting> = parts
        .map(|piece| sighting(piece.names, piece.database))
        .collect();
    let mut seen = decide::Side::of_restored(head, &parts)?;
    let was_sent = side
        .head
        .as_ref()
        .is_some_and(|head| Marks(&head.tags).was_promoted());
    // Under its own name again, after it was sent to the target's: who has asked for the roll-back
    // may have sent it back there, and clients may have written to it before.
    if plan.rollback.is_some() && was_sent && seen.place == Place::Restored {
        seen.place = Place::Kept;
        seen.is_whole = false;
    }
    Some(seen)
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

/// Whether this is what another execution for the same target has put in the original's place.
fn is_successor(plan: &Plan, found: &Database) -> bool {
    let marks = Marks(&found.tags);
    let is_anothers = marks.owner().is_some_and(|owner| owner != plan.owner());
    is_anothers
        && marks.is(Role::Restored)
        && marks.was_promoted()
        && marks.target() == Some(plan.identifier.as_str())
}

/// Whether a database of the original carries other marks than before, and they are not another
/// execution's. One whose marks were taken off half-way has no owner any more.
fn is_marked(plan: &Plan, before: Option<&Original>, database: &Database) -> bool {
    before.is_some_and(|before| marks::own(&database.tags) != before.marks)
        && is_nobodys_or_ours(plan, database)
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
        (None, Some(holder)) if Marks(&holder.tags).is(Role::Restored) => is_restored(plan, holder),
        // Somebody's database is nobody's lock.
        (None, Some(_)) => mark == Some(plan.owner()),
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
    let plan = context.plan();
    let was_sent = original
        .is_some_and(|original| is_marked(plan, plan.original.as_ref(), original))
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

fn sighting(names: &Names, database: &Database) -> Sighting {
    let place = match &database.identifier {
        name if *name == names.target => Place::Target,
        name if *name == names.aside => Place::Aside,
        name if *name == names.restored => Place::Restored,
        name if *name == names.kept => Place::Kept,
        name => Place::Elsewhere(name.to_string()),
    };
    let status = database.status.to_string();
    let condition = match database.status.class() {
        _ if database.status.is_deleting() => Condition::Deleting,
        _ if is_being_renamed(database) => Condition::Renaming,
        StatusClass::Failed => Condition::Failed(status),
        StatusClass::Steady if database.status.is_serving() => Condition::Ready,
        StatusClass::Steady | StatusClass::Transient => Condition::Busy(status),
    };
    Sighting { place, condition }
}
