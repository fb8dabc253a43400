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
mod tests {
    use super::*;

    fn at(place: Place, condition: Condition) -> Option<Side> {
        Some(Side::new(place, condition, &[]))
    }

    fn failed(original: Option<Side>, restored: Option<Side>) -> Seen {
        Seen {
            reason: Reason::Failure,
            ownership: Ownership::Ours,
            in_flight: InFlight::Nothing,
            is_new: false,
            original,
            restored,
            stranger_has_the_name: false,
            stranger_at_a_part: None,
            lacks_endpoints: false,
            is_marked: true,
            restored_is_taken: false,
        }
    }

    fn conditions() -> Vec<Condition> {
        vec![
            Condition::Ready,
            Condition::Busy("modifying".to_owned()),
            Condition::Renaming,
            Condition::Deleting,
            Condition::Failed("restore-error".to_owned()),
        ]
    }

    fn places() -> Vec<Place> {
        let elsewhere = Place::Elsewhere("mine".to_owned());
        vec![
            Place::Target,
            Place::Aside,
            Place::Restored,
            Place::Kept,
            elsewhere,
        ]
    }

    /// Every combination of both databases, for every reason.
    fn everything() -> Vec<Seen> {
        let mut sightings = vec![None];
        for place in places() {
            sightings.extend(
                conditions()
                    .into_iter()
                    .map(|condition| at(place.clone(), condition)),
            );
        }
        let mut all = Vec::new();
        for original in &sightings {
            for restored in &sightings {
                for reason in [Reason::Failure, Reason::Asked] {
                    for ownership in [Ownership::Ours, Ownership::NotOurs] {
                        let seen = failed(original.clone(), restored.clone());
                        all.push(Seen {
                            reason,
                            ownership,
                            ..seen
                        });
                    }
                }
            }
        }
        all
    }

    #[test]
    fn a_restored_database_is_deleted_only_where_clients_never_met_it() {
        for seen in everything() {
            if decide(&seen) == Step::RemoveRestored {
                assert_eq!(
                    seen.restored.as_ref().unwrap().place,
                    Place::Restored,
                    "{seen:?}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_deleted_before_the_original_serves() {
        for seen in everything() {
            if decide(&seen) == Step::RemoveRestored && seen.ownership == Ownership::Ours {
                assert_eq!(
                    seen.original,
                    at(Place::Target, Condition::Ready),
                    "{seen:?}"
                );
            }
        }
    }

    #[test]
    fn the_original_serves_when_it_is_said_to() {
        for seen in everything() {
            if decide(&seen) == Step::Finish(Ending::OriginalServes) {
                assert_eq!(
                    seen.original,
                    at(Place::Target, Condition::Ready),
                    "{seen:?}"
                );
            }
        }
    }

    #[test]
    fn another_executions_move_is_not_undone() {
        for seen in everything() {
            let is_aside = seen
                .original
                .as_ref()
                .is_some_and(|original| original.place == Place::Aside);
            if seen.ownership == Ownership::NotOurs && is_aside {
                assert_ne!(decide(&seen), Step::BringOriginalBack, "{seen:?}");
            }
        }
    }

    #[test]
    fn the_name_is_cleared_then_given_back_then_cleaned_up() {
        let ready = |place| at(place, Condition::Ready);
        let step = |original, restored| decide(&failed(ready(original), ready(restored)));
        assert_eq!(step(Place::Aside, Place::Target), Step::MoveRestoredAway);
        assert_eq!(step(Place::Aside, Place::Kept), Step::BringOriginalBack);
        assert_eq!(step(Place::Aside, Place::Restored), Step::BringOriginalBack);
        assert_eq!(step(Place::Target, Place::Restored), Step::RemoveRestored);
        assert_eq!(step(Place::Target, Place::Kept), Step::ClearMarks);
    }

    #[test]
    fn the_name_is_given_up_only_to_an_original_that_can_take_it() {
        for seen in everything() {
            if decide(&seen) == Step::MoveRestoredAway {
                assert_eq!(
                    seen.original,
                    at(Place::Aside, Condition::Ready),
                    "{seen:?}"
                );
            }
        }
    }

    #[test]
    fn a_restored_database_that_serves_alone_stays() {
        for place in places() {
            let seen = failed(None, at(place.clone(), Condition::Ready));
            let expected = match place {
                Place::Target => Step::Finish(Ending::RestoredServes),
                Place::Kept => Step::PutRestoredBack,
                _ => Step::Stuck(Obstacle::OriginalGone),
            };
            assert_eq!(decide(&seen), expected);
        }
    }

    #[test]
    fn a_stranger_keeps_the_name_that_it_took() {
        let seen = failed(at(Place::Aside, Condition::Ready), None);
        let seen = Seen {
            stranger_has_the_name: true,
            ..seen
        };
        assert_eq!(decide(&seen), Step::Stuck(Obstacle::Stranger));
    }

    #[test]
    fn what_another_execution_has_taken_over_is_left_to_it() {
        let seen = failed(
            at(Place::Aside, Condition::Ready),
            at(Place::Target, Condition::Ready),
        );
        let seen = Seen {
            restored_is_taken: true,
            ..seen
        };
        assert_eq!(decide(&seen), Step::Finish(Ending::NotOurs));
    }

    #[test]
    fn what_may_be_on_its_way_is_waited_for() {
        let served = at(Place::Target, Condition::Ready);
        let seen = failed(served.clone(), None);
        let seen = Seen {
            in_flight: InFlight::Restore,
            ..seen
        };
        assert!(matches!(decide(&seen), Step::Wait(_)));
        let seen = failed(served, at(Place::Restored, Condition::Ready));
        let seen = Seen {
            in_flight: InFlight::Renames,
            ..seen
        };
        assert!(matches!(decide(&seen), Step::Wait(_)));
    }

    fn part(place: Place) -> Sighting {
        Sighting {
            place,
            condition: Condition::Ready,
        }
    }

    #[test]
    fn an_original_is_back_only_when_all_of_it_is() {
        let readers = [part(Place::Target), part(Place::Aside)];
        let original = Some(Side::of_original(part(Place::Target), &readers));
        let restored = at(Place::Restored, Condition::Ready);
        assert_eq!(decide(&failed(original, restored)), Step::BringOriginalBack);
    }

    #[test]
    fn a_restored_database_is_kept_when_clients_may_have_met_any_part_of_it() {
        let aside = || at(Place::Aside, Condition::Ready);
        let serves = || at(Place::Target, Condition::Ready);
        let made = Some(part(Place::Restored));
        let met = [part(Place::Restored), part(Place::Target)];
        let met = Side::of_restored(made.clone(), &met);
        assert_eq!(decide(&failed(aside(), met)), Step::MoveRestoredAway);
        let sent = [part(Place::Restored), part(Place::Kept)];
        let sent = Side::of_restored(made, &sent);
        assert_eq!(
            decide(&failed(aside(), sent.clone())),
            Step::BringOriginalBack
        );
        assert_eq!(decide(&failed(serves(), sent)), Step::MoveRestoredAway);
    }

    #[test]
    fn parts_that_are_left_of_a_restored_database_go_too() {
        let left = Side::of_restored(None, &[part(Place::Restored)]);
        let seen = failed(at(Place::Target, Condition::Ready), left);
        assert_eq!(decide(&seen), Step::RemoveRestored);
    }

    #[test]
    fn the_name_comes_back_whatever_its_parts_are_at() {
        let busy = Sighting {
            place: Place::Aside,
            condition: Condition::Busy("backing-up".to_owned()),
        };
        let original = Side::of_original(part(Place::Aside), std::slice::from_ref(&busy));
        assert_eq!(
            decide(&failed(Some(original), None)),
            Step::BringOriginalBack
        );
        let original = Side::of_original(part(Place::Target), &[busy]);
        assert_eq!(original.condition, Condition::Busy("backing-up".to_owned()));
    }

    #[test]
    fn a_stranger_at_a_part_is_told_when_all_the_rest_is_back() {
        let seen = Seen {
            stranger_at_a_part: Some("orders-2".to_owned()),
            ..failed(at(Place::Target, Condition::Ready), None)
        };
        assert_eq!(decide(&seen), Step::ClearMarks);
        let seen = Seen {
            is_marked: false,
            ..seen
        };
        let obstacle = Obstacle::StrangerAtAPart("orders-2".to_owned());
        assert_eq!(decide(&seen), Step::Stuck(obstacle));
    }

    #[test]
    fn what_was_made_for_a_new_name_goes_unless_clients_have_met_it() {
        let step = |restored| {
            let seen = failed(None, restored);
            decide(&Seen {
                is_new: true,
                ..seen
            })
        };
        let ready = |place| at(place, Condition::Ready);
        assert_eq!(step(ready(Place::Restored)), Step::RemoveRestored);
        let serves = Step::Finish(Ending::RestoredServes);
        assert_eq!(step(ready(Place::Target)), serves);
        let nothing = Step::Finish(Ending::NothingServes);
        assert_eq!(step(ready(Place::Kept)), nothing);
        assert_eq!(step(None), nothing);
    }

    #[test]
    fn custom_endpoints_come_back_with_the_original() {
        let seen = Seen {
            lacks_endpoints: true,
            ..failed(at(Place::Target, Condition::Ready), None)
        };
        assert_eq!(decide(&seen), Step::GiveEndpointsBack);
    }
}
