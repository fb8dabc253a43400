//! The next step of a roll-back, from nothing but what is seen. Pure, so that every situation
//! can be tested, whatever led to it.
//!
//! The order of the rules is the order of what matters: the name answers again first, then what
//! is half made goes. A restored database is deleted only where Promote would have taken it from
//! and nothing ever brings it back to: under its own name. Anywhere else, clients may have
//! written to it.
//!
//! A side of the swap is a database with its parts: members of a cluster, read replicas. The
//! original is back only when all of it is; the restored one counts as met by clients as soon as
//! they may have met any part of it.

/// Where a database is, among the names of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The target's name.
    Target,
    /// The original's temporary name.
    Aside,
    /// The name that the restored database is made under.
    Restored,
    /// The name for a restored database that is rolled back.
    Kept,
    /// A name that is none of the plan's.
    Elsewhere(String),
}

/// What can be done with a database now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// It serves.
    Ready,
    /// RDS is at work on it.
    Busy(String),
    /// It is being renamed.
    Renaming,
    /// It is being deleted.
    Deleting,
    /// RDS has given up on it.
    Failed(String),
}

/// One database, seen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) place: Place,
    pub(super) condition: Condition,
}

/// One side of the swap, seen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) place: Place,
    /// Whether all of it is at that place.
    pub(super) is_whole: bool,
    /// What can be done with all of it.
    pub(super) condition: Condition,
    /// What can be done with the database itself, whatever its parts are at.
    pub(super) head: Condition,
}

impl Side {
    /// The original: it is aside as long as anything of it is.
    pub(super) fn of_original(head: Sighting, parts: &[Sighting]) -> Self {
        let is_aside = |part: &Sighting| part.place == Place::Aside;
        let place = match head.place {
            Place::Target if parts.iter().any(is_aside) => Place::Aside,
            place => place,
        };
        Self::new(place, head.condition, parts)
    }

    /// The restored database: where clients may have met it, where it goes after that, or where
    /// it is made. Of one that is gone itself, parts may be left.
    pub(super) fn of_restored(head: Option<Sighting>, parts: &[Sighting]) -> Option<Self> {
        let head = head.or_else(|| parts.first().cloned())?;
        let is_at = |place: &&Place| {
            head.place == **place || parts.iter().any(|part| part.place == **place)
        };
        let telling = [Place::Target, Place::Kept];
        let place = telling.iter().find(is_at).unwrap_or(&head.place).clone();
        let mut side = Self::new(place, head.condition, parts);
        side.is_whole &= head.place == side.place;
        Some(side)
    }

    fn new(place: Place, head: Condition, parts: &[Sighting]) -> Self {
        let mut waits = parts.iter().map(|part| &part.condition);
        let condition = match &head {
            _ if waits.clone().any(|part| *part == Condition::Renaming) => Condition::Renaming,
            // What RDS has given up on is not waited for, and neither is what goes.
            Condition::Ready => waits
                .find(|part| matches!(part, Condition::Busy(_)))
                .unwrap_or(&head)
                .clone(),
            _ => head.clone(),
        };
        let is_whole = parts.iter().all(|part| part.place == place);
        Self {
            place,
            is_whole,
            condition,
            head,
        }
    }
}

/// Why the roll-back happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// A state failed.
    Failure,
    /// Somebody wants a kept original back.
    Asked,
}

/// Whose business the original is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// This execution holds the lock, or has marked the original.
    Ours,
    /// It has never touched it, or another execution holds the lock.
    NotOurs,
}

/// Whether a call of an earlier state may still take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InFlight {
    /// Everything has been answered, or long ago.
    Nothing,
    /// A restore request was not answered: a database may appear.
    Restore,
    /// The original was sent away, and perhaps the restored database to its name: what is seen
    /// at the names may not stay there.
    Renames,
}

/// Everything that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) reason: Reason,
    pub(super) ownership: Ownership,
    pub(super) in_flight: InFlight,
    /// Whether nothing answered at the name before.
    pub(super) is_new: bool,
    pub(super) original: Option<Side>,
    pub(super) restored: Option<Side>,
    /// Whether a database that is neither of both has the target's name.
    pub(super) stranger_has_the_name: bool,
    /// Whether that one serves.
    pub(super) stranger_serves: bool,
    /// Whether that one is what another execution for this target made and sent there.
    pub(super) stranger_is_successor: bool,
    /// The name of a part of the original that a stranger has; such a part can't come back.
    pub(super) stranger_at_a_part: Option<String>,
    /// Whether the original has lost custom endpoints by this execution.
    pub(super) lacks_endpoints: bool,
    /// Whether the original carries marks that it did not carry before, and nobody else's.
    pub(super) is_marked: bool,
    /// Whether another execution has the restored database for its original.
    pub(super) restored_is_taken: bool,
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Look again later.
    Wait(&'static str),
    /// Rename the restored database from the target's name to the kept one.
    MoveRestoredAway,
    /// Rename the original from the aside name to the target's.
    BringOriginalBack,
    /// Rename the restored database from the kept name to the target's, for want of the original.
    PutRestoredBack,
    /// Make the original's custom endpoints again.
    GiveEndpointsBack,
    /// Delete the restored database, which never answered at the target's name.
    RemoveRestored,
    /// Take this execution's marks off the original.
    ClearMarks,
    /// It is so.
    Finish(Ending),
    /// A person has to decide.
    Stuck(Obstacle),
}

/// How a roll-back ends well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The original serves at the target's name.
    OriginalServes,
    /// The original can't be had any more, by another hand, and the restored database serves.
    RestoredServes,
    /// Another execution is at work on the target; nothing of it was ours to undo.
    NotOurs,
    /// Nothing answered at the name before, and nothing does.
    NothingServes,
}

/// What a roll-back can't get past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The original does not exist any more.
    OriginalGone,
    /// The original does not exist any more, and another database has the target's name.
    Replaced,
    /// RDS has given up on the original.
    OriginalFailed(String),
    /// Somebody has renamed the original.
    OriginalElsewhere(String),
    /// Another database has taken the target's name.
    Stranger,
    /// Another database has taken this name of a part of the original; the rest is back.
    StrangerAtAPart(String),
}

/// Decides what is next.
pub(super) fn decide(seen: &Seen) -> Step {
    match (&seen.restored, &seen.original) {
        (Some(restored), _) if restored.place == Place::Target && seen.restored_is_taken => {
            Step::Finish(Ending::NotOurs)
        }
        (Some(restored), original) if restored.place == Place::Target => {
            clear_the_name(restored, original.as_ref())
        }
        (restored, None) if seen.is_new => undo_the_making(seen, restored.as_ref()),
        (restored, None) if was_overtaken(seen, restored.as_ref()) => leave(restored.as_ref()),
        (_, None) if seen.stranger_has_the_name => Step::Stuck(Obstacle::Replaced),
        (_, None) => without_the_original(seen, Obstacle::OriginalGone),
        (restored, Some(original)) => match &original.place {
            Place::Target => clean_up(seen, original, restored.as_ref()),
            Place::Aside if seen.ownership == Ownership::NotOurs => leave(restored.as_ref()),
            Place::Aside => bring_back(seen, original),
            Place::Restored | Place::Kept => {
                let name = "a name that belongs to the restored database".to_owned();
                without_the_original(seen, Obstacle::OriginalElsewhere(name))
            }
            Place::Elsewhere(_) if original.condition == Condition::Renaming => {
                Step::Wait("waiting for a rename of the original")
            }
            // Somebody swapped it for another database before this execution touched it.
            Place::Elsewhere(_) if !seen.is_marked && seen.stranger_has_the_name => {
                leave(restored.as_ref())
            }
            Place::Elsewhere(name) => {
                without_the_original(seen, Obstacle::OriginalElsewhere(name.clone()))
            }
        },
    }
}

/// The restored database has the name, and gives it up only to an original that can take it.
fn clear_the_name(restored: &Side, original: Option<&Side>) -> Step {
    let original = match original {
        Some(original) if original.place == Place::Aside => &original.condition,
        Some(original) if original.place == Place::Target => {
            return Step::Wait("waiting until one database is seen at the name");
        }
        Some(_) | None => return stay(restored, Obstacle::OriginalGone),
    };
    match (original, &restored.condition) {
        (Condition::Deleting, _) => stay(restored, Obstacle::OriginalGone),
        (Condition::Failed(status), _) => stay(restored, Obstacle::OriginalFailed(status.clone())),
        (Condition::Busy(_) | Condition::Renaming, _) => {
            Step::Wait("waiting until the original can be renamed")
        }
        (Condition::Ready, _) => move_away(restored),
    }
}

fn move_away(restored: &Side) -> Step {
    match &restored.condition {
        Condition::Ready | Condition::Failed(_) => Step::MoveRestoredAway,
        Condition::Busy(_) | Condition::Renaming | Condition::Deleting => {
            Step::Wait("waiting until the restored database can be renamed")
        }
    }
}

/// There is no original to give the name to.
fn stay(restored: &Side, obstacle: Obstacle) -> Step {
    match &restored.condition {
        Condition::Ready if restored.is_whole => Step::Finish(Ending::RestoredServes),
        Condition::Ready => Step::PutRestoredBack,
        Condition::Busy(_) | Condition::Renaming => {
            Step::Wait("waiting until the restored database serves")
        }
        Condition::Deleting | Condition::Failed(_) => Step::Stuck(obstacle),
    }
}

/// Nobody has the name, and the original can't take it: a restored database that has answered
/// there before is better than none.
fn without_the_original(seen: &Seen, obstacle: Obstacle) -> Step {
    match &seen.restored {
        Some(restored) if restored.place == Place::Kept && !seen.stranger_has_the_name => {
            match &restored.condition {
                Condition::Ready => Step::PutRestoredBack,
                Condition::Busy(_) | Condition::Renaming => {
                    Step::Wait("waiting until the restored database can be renamed")
                }
                Condition::Deleting | Condition::Failed(_) => Step::Stuck(obstacle),
            }
        }
        Some(_) | None => Step::Stuck(obstacle),
    }
}

/// Nothing answered at the name before: only what this execution made goes.
fn undo_the_making(seen: &Seen, restored: Option<&Side>) -> Step {
    match restored {
        Some(restored) if restored.place == Place::Restored => remove(restored),
        None if seen.in_flight != InFlight::Nothing => {
            Step::Wait("making sure that no half-made database appears")
        }
        Some(_) | None => Step::Finish(Ending::NothingServes),
    }
}

/// Whether the original has been replaced, whole, while this execution was on its way: the name is
/// served, and nothing of it is this one's to give back. What it has made goes where it is known
/// that another execution's stands in its place; otherwise it may be the last there is of the data.
fn was_overtaken(seen: &Seen, restored: Option<&Side>) -> bool {
    let has_nothing_to_lose = match restored {
        None => seen.in_flight == InFlight::Nothing,
        Some(restored) => restored.place == Place::Restored && seen.stranger_is_successor,
    };
    seen.reason == Reason::Failure && seen.stranger_serves && has_nothing_to_lose
}

/// Another execution is at work on the original; only what this one made goes.
fn leave(restored: Option<&Side>) -> Step {
    match restored {
        Some(restored) if restored.place == Place::Restored => remove(restored),
        Some(_) | None => Step::Finish(Ending::NotOurs),
    }
}

/// The original is aside, and it is ours to bring back.
///
/// Parts that RDS is at work on follow when they can: the name does not wait for them.
fn bring_back(seen: &Seen, original: &Side) -> Step {
    match &original.head {
        Condition::Busy(_) | Condition::Renaming => {
            Step::Wait("waiting until the original can be renamed")
        }
        Condition::Deleting => without_the_original(seen, Obstacle::OriginalGone),
        Condition::Failed(status) => {
            without_the_original(seen, Obstacle::OriginalFailed(status.clone()))
        }
        Condition::Ready if seen.stranger_has_the_name => Step::Stuck(Obstacle::Stranger),
        Condition::Ready => Step::BringOriginalBack,
    }
}

/// The original has the name; what is half made goes.
fn clean_up(seen: &Seen, original: &Side, restored: Option<&Side>) -> Step {
    match &original.condition {
        Condition::Ready if seen.lacks_endpoints => return Step::GiveEndpointsBack,
        Condition::Ready if seen.in_flight == InFlight::Renames => {
            return Step::Wait("making sure that the original stays at its name");
        }
        Condition::Ready => {}
        Condition::Busy(_) | Condition::Renaming => {
            return Step::Wait("waiting until the original is available at its name");
        }
        Condition::Deleting => return Step::Stuck(Obstacle::OriginalGone),
        Condition::Failed(status) => return Step::Stuck(Obstacle::OriginalFailed(status.clone())),
    }
    match restored {
        Some(restored) if restored.place == Place::Restored => remove(restored),
        Some(restored) if restored.place == Place::Kept && !restored.is_whole => {
            move_away(restored)
        }
        None if seen.in_flight == InFlight::Restore => {
            Step::Wait("making sure that no half-made database appears")
        }
        Some(_) | None if seen.is_marked => Step::ClearMarks,
        Some(_) | None => match &seen.stranger_at_a_part {
            Some(name) => Step::Stuck(Obstacle::StrangerAtAPart(name.clone())),
            None => Step::Finish(Ending::OriginalServes),
        },
    }
}

fn remove(restored: &Side) -> Step {
    match &restored.condition {
        Condition::Renaming => Step::Wait("waiting for a rename of the restored database"),
        Condition::Deleting | Condition::Ready | Condition::Busy(_) | Condition::Failed(_) => {
            Step::RemoveRestored
        }
    }
}

#[cfg(test)]
mod tests;
