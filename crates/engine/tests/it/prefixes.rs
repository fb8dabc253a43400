//! Goal: wherever an execution is cut, it comes to the same end.
//! Method: the tour, in virtual time, cut at every event: by a crash, by a journal that fails
//! before it has stored the event, and by one that fails after it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::{Scripted, dawn, engine_at, settle, story, tour, tour_script};
use jiff::{SignedDuration, Timestamp};
use trapheus_asl::{Event, HistoryEvent, Status};
use trapheus_engine::{
    Ended, Engine, Error, ExecutionId, Fencing, Journal, JournalError, Lease, MemoryJournal,
    NewExecution, Outcome, Request, StoredExecution,
};

/// The tour without a cut.
struct Whole {
    journal: Arc<MemoryJournal>,
    id: ExecutionId,
    status: Status,
    events: Vec<Event>,
    history: Vec<HistoryEvent>,
}

async fn whole() -> Whole {
    let journal = Arc::new(MemoryJournal::new());
    let engine = engine_at(dawn(), journal.clone(), Scripted::new(tour_script));
    let handle = engine.start(tour()).unwrap();
    let Outcome::Ended(status) = handle.wait().await.unwrap() else {
        panic!("it was stopped")
    };
    let id = handle.id().clone();
    let events = journal.events(&id, 0).unwrap();
    let history = engine.history(&id).unwrap();
    Whole {
        journal,
        id,
        status,
        events,
        history,
    }
}

#[tokio::test(start_paused = true)]
async fn the_tour_goes_everywhere_and_succeeds() {
    let whole = whole().await;
    assert!(
        matches!(whole.status, Status::Succeeded { .. }),
        "{:?}",
        whole.status
    );
    let kinds: Vec<String> = whole
        .events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap()["type"].to_string())
        .collect();
    for kind in [
        "ExecutionStarted",
        "TaskSucceeded",
        "TaskFailed",
        "TimerFired",
    ] {
        assert!(
            kinds.contains(&format!("\"{kind}\"")),
            "{kind} is missing in {kinds:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_start_gives_the_same_events_to_the_millisecond() {
    let (one, other) = (whole().await, whole().await);
    assert_eq!(one.id, other.id);
    assert_eq!(one.events, other.events);
    assert_eq!(one.history, other.history);
}

#[tokio::test(start_paused = true)]
async fn cut_at_every_prefix_it_comes_to_the_same_end() {
    let whole = whole().await;
    for length in 1..whole.events.len() {
        let last = whole.events[length - 1].at();
        for later in [SignedDuration::ZERO, SignedDuration::from_hours(-1)] {
            let journal = Arc::new(whole.journal.cut(&whole.id, length).unwrap());
            let engine = resumes_to_the_same_end(&whole, journal, last + later, length).await;
            let facts_after = facts(&engine.history(&whole.id).unwrap());
            assert_eq!(facts_after, facts(&whole.history), "cut after {length}");
        }
    }
}

/// The story may be longer here: a task's time-out that has passed in the meantime is one.
#[tokio::test(start_paused = true)]
async fn cut_at_every_prefix_and_resumed_much_later_it_comes_to_the_same_end() {
    let whole = whole().await;
    for length in 1..whole.events.len() {
        let later = whole.events[length - 1].at() + SignedDuration::from_hours(1);
        let journal = Arc::new(whole.journal.cut(&whole.id, length).unwrap());
        resumes_to_the_same_end(&whole, journal, later, length).await;
    }
}

/// Resumes what is in the journal: the end is the same, and what had happened before the cut is as
/// it was.
async fn resumes_to_the_same_end(
    whole: &Whole,
    journal: Arc<MemoryJournal>,
    now: Timestamp,
    length: usize,
) -> Engine {
    let engine = engine_at(now, journal.clone(), Scripted::new(tour_script));
    let outcome = engine.resume(&whole.id).unwrap().wait().await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Ended(whole.status.clone()),
        "cut after {length}"
    );
    let events = journal.events(&whole.id, 0).unwrap();
    assert_eq!(
        events[..length],
        whole.events[..length],
        "cut after {length}"
    );
    assert!(
        events.is_sorted_by_key(Event::at),
        "time went back after {length}: {events:#?}"
    );
    engine
}

/// What happened, without when and in which order: branches that go on at the same time overtake
/// one another when they are cut in their middle.
fn facts(history: &[HistoryEvent]) -> Vec<String> {
    let fact = |event: &HistoryEvent| {
        format!(
            "{} {:?} {:?} {:?}",
            event.kind, event.state, event.index, event.output
        )
    };
    history.iter().map(fact).collect()
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_dies_after_every_event_comes_to_the_same_end() {
    let whole = whole().await;
    let journal = Arc::new(MemoryJournal::new());
    let engine = engine_at(dawn(), journal.clone(), Scripted::new(tour_script));
    let id = engine.start(tour()).unwrap().id().clone();
    drop(engine);
    let mut now = dawn();
    for life in 1.. {
        assert!(life <= whole.events.len(), "it gets nowhere");
        let engine = engine_at(now, journal.clone(), Scripted::new(tour_script));
        let handle = engine.resume(&id).unwrap();
        let before = journal.events(&id, 0).unwrap().len();
        while journal.events(&id, 0).unwrap().len() == before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if journal.execution(&id).unwrap().unwrap().ended.is_some() {
            assert_eq!(handle.wait().await.unwrap(), Outcome::Ended(whole.status));
            return;
        }
        now = journal.events(&id, 0).unwrap().last().unwrap().at();
        drop((handle, engine));
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_journal_stops_the_execution_and_it_resumes_to_the_same_end() {
    let whole = whole().await;
    for failure in [Failure::BeforeStoring, Failure::AfterStoring] {
        for place in 1..whole.events.len() {
            let memory = Arc::new(MemoryJournal::new());
            let failing = Arc::new(Failing::new(memory.clone(), failure, place));
            let tasks = Scripted::new(tour_script);
            let engine = engine_at(dawn(), failing.clone(), tasks.clone());
            let handle = engine.start(tour()).unwrap();
            let error = handle.wait().await.unwrap_err();
            assert!(matches!(error, Error::Journal(_)), "{error:?}");
            assert_eq!(
                tasks.going_on(),
                0,
                "tasks go on after a failure at {place}"
            );
            // Nothing of the failed event, or after it, has been tried.
            assert_eq!(failing.appends.load(Ordering::SeqCst) as usize, place);
            let stored = memory.events(&whole.id, 0).unwrap();
            let expected = place + usize::from(failure == Failure::AfterStoring);
            assert_eq!(stored, whole.events[..expected]);
            if expected < whole.events.len() {
                let now = stored.last().unwrap().at();
                resumes_to_the_same_end(&whole, memory, now, expected).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_executions_at_once_each_come_to_their_end() {
    let whole = whole().await;
    let journal = Arc::new(MemoryJournal::new());
    let engine = engine_at(dawn(), journal.clone(), Scripted::new(tour_script));
    let handles: Vec<_> = (0..200).map(|_| engine.start(tour()).unwrap()).collect();
    for handle in &handles {
        assert_eq!(
            handle.wait().await.unwrap(),
            Outcome::Ended(whole.status.clone())
        );
        assert_eq!(
            story(&engine.history(handle.id()).unwrap()).len(),
            whole.history.len()
        );
    }
    assert_eq!(engine.executions().unwrap().len(), 200);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Failure {
    BeforeStoring,
    AfterStoring,
}

/// A journal whose disk fails at the `place`th append.
struct Failing {
    journal: Arc<MemoryJournal>,
    failure: Failure,
    place: u32,
    appends: AtomicU32,
}

impl Failing {
    fn new(journal: Arc<MemoryJournal>, failure: Failure, place: usize) -> Failing {
        let place = u32::try_from(place).unwrap();
        Failing {
            journal,
            failure,
            place,
            appends: AtomicU32::new(0),
        }
    }
}

impl Journal for Failing {
    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        let fails = self.appends.fetch_add(1, Ordering::SeqCst) + 1 == self.place;
        if !fails || self.failure == Failure::AfterStoring {
            self.journal.append(id, fencing, sequence, event, ended)?;
        }
        if fails {
            Err(JournalError::Inconsistent {
                what: "the disk is gone".into(),
            })
        } else {
            Ok(())
        }
    }

    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.journal.create(execution, lease, started, ended)
    }

    fn claim(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        lease: &Lease,
    ) -> Result<Fencing, JournalError> {
        self.journal.claim(id, fencing, lease)
    }

    fn renew(
        &self,
        leases: &[(ExecutionId, Fencing)],
        expires_at: Timestamp,
    ) -> Result<Vec<ExecutionId>, JournalError> {
        self.journal.renew(leases, expires_at)
    }

    fn release(&self, id: &ExecutionId, fencing: Fencing) -> Result<(), JournalError> {
        self.journal.release(id, fencing)
    }

    fn request(&self, id: &ExecutionId, request: &Request) -> Result<(), JournalError> {
        self.journal.request(id, request)
    }

    fn requests(&self) -> Result<Vec<(ExecutionId, Request)>, JournalError> {
        self.journal.requests()
    }

    fn execution(&self, id: &ExecutionId) -> Result<Option<StoredExecution>, JournalError> {
        self.journal.execution(id)
    }

    fn executions(&self) -> Result<Vec<StoredExecution>, JournalError> {
        self.journal.executions()
    }

    fn events(&self, id: &ExecutionId, sequence: u32) -> Result<Vec<Event>, JournalError> {
        self.journal.events(id, sequence)
    }
}
