//! Goal: a wall clock that jumps neither wedges an execution nor sends its history back in time.
//! Method: a clock that the test sets, beside tokio's, which goes on as ever.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;
use trapheus_asl::{Event, Status};
use trapheus_engine::{Handle, Journal, MemoryJournal, Outcome};

use crate::common::{Scripted, SettableClock, engine, one_wait, settle, tour, tour_script};

async fn ends_within(handle: &Handle, seconds: u64) {
    let begin = Instant::now();
    let outcome = handle.wait().await.unwrap();
    assert!(
        matches!(outcome, Outcome::Ended(Status::Succeeded { .. })),
        "{outcome:?}"
    );
    let elapsed = begin.elapsed();
    assert!(
        elapsed <= Duration::from_secs(seconds),
        "it took {elapsed:?}"
    );
}

fn goes_forward(journal: &MemoryJournal, handle: &Handle) {
    let events = journal.events(handle.id(), 0).unwrap();
    assert!(events.is_sorted_by_key(Event::at), "{events:#?}");
}

#[tokio::test(start_paused = true)]
async fn set_back_during_a_wait_it_waits_no_longer() {
    let (journal, clock) = (Arc::new(MemoryJournal::new()), SettableClock::new());
    let engine = engine(journal.clone(), clock.clone(), Scripted::hanging(), "one");
    let handle = engine.start(one_wait(600)).unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    clock.jump(SignedDuration::from_hours(-5));
    ends_within(&handle, 500).await;
    goes_forward(&journal, &handle);
}

#[tokio::test(start_paused = true)]
async fn set_back_before_the_tour_goes_on_its_retries_and_waits_are_as_long_as_ever() {
    let (journal, clock) = (Arc::new(MemoryJournal::new()), SettableClock::new());
    let engine = engine(
        journal.clone(),
        clock.clone(),
        Scripted::new(tour_script),
        "one",
    );
    let handle = engine.start(tour()).unwrap();
    clock.jump(SignedDuration::from_hours(-5));
    ends_within(&handle, 120).await;
    goes_forward(&journal, &handle);
}

#[tokio::test(start_paused = true)]
async fn set_back_while_it_was_stopped_it_waits_no_longer_than_the_wait() {
    let (journal, clock) = (Arc::new(MemoryJournal::new()), SettableClock::new());
    let engine = engine(journal.clone(), clock.clone(), Scripted::hanging(), "one");
    let handle = engine.start(one_wait(600)).unwrap();
    handle.stop().await.unwrap();
    clock.jump(SignedDuration::from_hours(-5));
    let handle = engine.resume(handle.id()).unwrap();
    ends_within(&handle, 600).await;
    goes_forward(&journal, &handle);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_overdue_at_the_resume_ends_at_once() {
    let (journal, clock) = (Arc::new(MemoryJournal::new()), SettableClock::new());
    let engine = engine(journal.clone(), clock.clone(), Scripted::hanging(), "one");
    let handle = engine.start(one_wait(600)).unwrap();
    handle.stop().await.unwrap();
    clock.jump(SignedDuration::from_hours(5));
    let handle = engine.resume(handle.id()).unwrap();
    ends_within(&handle, 0).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_suspend_the_wall_clock_ends_the_wait() {
    let clock = SettableClock::new();
    let engine = engine(
        Arc::new(MemoryJournal::new()),
        clock.clone(),
        Scripted::hanging(),
        "one",
    );
    let handle = engine.start(one_wait(86_400)).unwrap();
    settle().await;
    clock.jump(SignedDuration::from_hours(25));
    ends_within(&handle, 30).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_neither_early_nor_late() {
    let journal = Arc::new(MemoryJournal::new());
    let engine = engine(journal, SettableClock::new(), Scripted::hanging(), "one");
    for seconds in [0, 1, 29, 30, 31, 86_400] {
        let begin = Instant::now();
        let handle = engine.start(one_wait(seconds)).unwrap();
        handle.wait().await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), seconds);
    }
}
