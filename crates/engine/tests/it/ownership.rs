//! Goal: of two engines on one journal, one runs an execution, and the other can take it over only
//! when the first can no longer write.
//! Method: two engines in one process, interleaved in virtual time; one of them loses its heartbeat
//! as a hung process does.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use trapheus_asl::Status;
use trapheus_engine::{
    Engine, Error, ExecutionStatus, Journal, MemoryJournal, Outcome, OwnerId, TaskCall, TaskError,
    Tasks, Timing, VirtualClock,
};

use crate::common::{Scripted, dawn, engine, one_task, one_wait, settle};

/// An engine that never renews its leases and never hears of requests: as a process that hangs.
fn hung(journal: &Arc<MemoryJournal>, clock: &Arc<VirtualClock>, tasks: Arc<dyn Tasks>) -> Engine {
    let never = Duration::from_secs(1_000_000);
    let timing = Timing {
        renew_interval: never,
        poll_interval: never,
        ..Timing::default()
    };
    let owner = OwnerId::named("hung");
    Engine::with_timing(journal.clone(), clock.clone(), tasks, owner, timing)
}

/// A task that renews its hold when the test says so, and returns what it was told.
struct Renewing(Arc<Notify>);

#[async_trait::async_trait]
impl Tasks for Renewing {
    async fn run(&self, call: TaskCall) -> Result<serde_json::Value, TaskError> {
        self.0.notified().await;
        let renewed = call.hold.renew().map_err(|error| error.to_string());
        self.0.notify_one();
        assert_eq!(renewed, Ok(()), "it acts only while it may");
        std::future::pending().await
    }
}

/// A task that returns when the test says so.
struct Gate(Arc<Notify>);

#[async_trait::async_trait]
impl Tasks for Gate {
    async fn run(&self, call: TaskCall) -> Result<serde_json::Value, TaskError> {
        self.0.notified().await;
        Ok(json!({"answered": call.state}))
    }
}

#[tokio::test(start_paused = true)]
async fn as_long_as_its_owner_renews_nobody_else_gets_it() {
    let journal = Arc::new(MemoryJournal::new());
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    let one = engine(journal.clone(), clock.clone(), Scripted::hanging(), "one");
    let other = engine(journal.clone(), clock, Scripted::hanging(), "other");
    let handle = one.start(one_wait(86_400)).unwrap();
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_secs(7)).await;
        let refused = other.resume(handle.id());
        assert!(matches!(refused, Err(Error::Owned { owner, .. }) if owner == "one"));
        let status = other.execution(handle.id()).unwrap().unwrap().status;
        assert_eq!(status, ExecutionStatus::Running);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hung_owner_is_succeeded_when_its_lease_expires_and_can_write_nothing_after() {
    let journal = Arc::new(MemoryJournal::new());
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    let gate = Arc::new(Notify::new());
    let one = hung(&journal, &clock, Arc::new(Gate(Arc::clone(&gate))));
    let other = engine(journal.clone(), clock, Scripted::echoing(), "other");
    let lost = one.start(one_task()).unwrap();
    settle().await;

    let lease = Timing::default().lease_duration;
    tokio::time::sleep(lease - Duration::from_millis(2)).await;
    assert!(matches!(other.resume(lost.id()), Err(Error::Owned { .. })));
    tokio::time::sleep(Duration::from_millis(2)).await;
    let status = other.execution(lost.id()).unwrap().unwrap().status;
    assert_eq!(status, ExecutionStatus::Interrupted);
    let outcome = other.resume(lost.id()).unwrap().wait().await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Ended(Status::Succeeded {
            output: json!({"n": 1})
        })
    );

    let before = journal.events(lost.id(), 0).unwrap();
    gate.notify_one();
    let error = lost.wait().await.unwrap_err();
    assert!(matches!(error, Error::TakenOver { .. }), "{error:?}");
    assert_eq!(journal.events(lost.id(), 0).unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_wakes_up_sees_at_its_next_heartbeat_that_it_was_succeeded() {
    let journal = Arc::new(MemoryJournal::new());
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    let sleeper_tasks = Scripted::hanging();
    let lease_duration = Duration::from_secs(30);
    let timing = Timing {
        lease_duration,
        renew_interval: Duration::from_secs(100),
        ..Timing::default()
    };
    let owner = OwnerId::named("sleeper");
    let sleeper = Engine::with_timing(
        journal.clone(),
        clock.clone(),
        sleeper_tasks.clone(),
        owner,
        timing,
    );
    let other = engine(journal.clone(), clock, Scripted::hanging(), "other");
    let lost = sleeper.start(one_task()).unwrap();
    tokio::time::sleep(lease_duration).await;
    let handle = other.resume(lost.id()).unwrap();
    let error = lost.wait().await.unwrap_err();
    assert!(matches!(error, Error::TakenOver { .. }), "{error:?}");
    assert_eq!(sleeper_tasks.going_on(), 0);
    handle.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_renewed_keeps_others_away_for_the_time_of_a_lease() {
    let journal = Arc::new(MemoryJournal::new());
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    let gate = Arc::new(Notify::new());
    let one = hung(&journal, &clock, Arc::new(Renewing(Arc::clone(&gate))));
    let other = engine(journal.clone(), clock, Scripted::hanging(), "other");
    let handle = one.start(one_task()).unwrap();
    settle().await;
    let lease = Timing::default().lease_duration;
    tokio::time::sleep(lease * 2).await;
    gate.notify_one();
    settle().await;
    tokio::time::sleep(lease - Duration::from_millis(100)).await;
    assert!(matches!(
        other.resume(handle.id()),
        Err(Error::Owned { .. })
    ));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(other.resume(handle.id()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_was_lost_cannot_be_renewed_and_its_owner_lets_go_at_once() {
    let journal = Arc::new(MemoryJournal::new());
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    let gate = Arc::new(Notify::new());
    let one = hung(&journal, &clock, Arc::new(Renewing(Arc::clone(&gate))));
    let other = engine(journal.clone(), clock.clone(), Scripted::hanging(), "other");
    let lost = one.start(one_task()).unwrap();
    settle().await;
    tokio::time::sleep(Timing::default().lease_duration).await;
    let handle = other.resume(lost.id()).unwrap();
    gate.notify_one();
    let error = lost.wait().await.unwrap_err();
    assert!(matches!(error, Error::TakenOver { .. }), "{error:?}");
    handle.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_owner_may_take_over_from_its_own_earlier_life_at_once() {
    let journal = Arc::new(MemoryJournal::new());
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    let first = engine(journal.clone(), clock.clone(), Scripted::hanging(), "one");
    let handle = first.start(one_task()).unwrap();
    let id = handle.id().clone();
    drop((first, handle));
    let second = engine(journal, clock, Scripted::echoing(), "one");
    let outcome = second.resume(&id).unwrap().wait().await.unwrap();
    assert!(matches!(outcome, Outcome::Ended(_)), "{outcome:?}");
}

#[test]
fn of_many_that_resume_at_once_one_runs() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let journal = Arc::new(MemoryJournal::new());
        let clock = Arc::new(VirtualClock::starting_at(dawn()));
        let tasks = Scripted::hanging();
        let engine_of = |owner: &str| engine(journal.clone(), clock.clone(), tasks.clone(), owner);
        let handle = engine_of("first").start(one_task()).unwrap();
        handle.stop().await.unwrap();
        for round in 0..20 {
            // Half of the tries come from one engine, half from engines of their own.
            let shared = engine_of(&format!("shared {round}"));
            let tries: Vec<_> = (0..8)
                .map(|index| {
                    let own = engine_of(&format!("own {round} {index}"));
                    let engine = if index % 2 == 0 { shared.clone() } else { own };
                    let id = handle.id().clone();
                    tokio::task::spawn_blocking({
                        let runtime = tokio::runtime::Handle::current();
                        move || {
                            let _entered = runtime.enter();
                            engine.resume(&id)
                        }
                    })
                })
                .collect();
            let mut running = Vec::new();
            for attempt in tries {
                running.extend(attempt.await.unwrap().ok());
            }
            assert_eq!(running.len(), 1);
            assert_eq!(running[0].stop().await.unwrap(), Outcome::Stopped);
        }
    });
}
