//! Every combination of what can be seen, and what must never be decided from it.

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
        stranger_serves: false,
        stranger_is_successor: false,
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
fn what_replaced_the_original_meanwhile_is_left_at_the_name() {
    let overtaken = |restored: Option<Side>, stranger_is_successor| {
        let seen = failed(None, restored);
        decide(&Seen {
            stranger_has_the_name: true,
            stranger_serves: true,
            stranger_is_successor,
            ..seen
        })
    };
    let ready = |place| at(place, Condition::Ready);
    let not_ours = Step::Finish(Ending::NotOurs);
    assert_eq!(overtaken(None, false), not_ours);
    assert_eq!(overtaken(None, true), not_ours);
    let made = ready(Place::Restored);
    assert_eq!(overtaken(made.clone(), true), Step::RemoveRestored);
    // What may be the last of the data, or what clients may have written to: a person decides.
    let replaced = Step::Stuck(Obstacle::Replaced);
    assert_eq!(overtaken(made, false), replaced);
    assert_eq!(overtaken(ready(Place::Kept), true), replaced);
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
