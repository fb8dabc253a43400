//! Goal: what the engine's and the handle's methods say is what happens to executions.
//! Method: one engine, or two on one journal, in virtual time, with scripted tasks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use trapheus_asl::{Event, HistoryKind, Status};
use trapheus_engine::{
    Delivery, Engine, Error, ExecutionId, ExecutionStatus, Journal, Lease, MemoryJournal,
    NewExecution, Outcome, OwnerId, SqliteJournal, SystemClock, TaskCall, TaskError, Tasks, Timing,
    VirtualClock,
};

use crate::common::{
    Reply, Scripted, dawn, engine, engine_at, nobody, one_task, one_wait, settle, start, tour,
    tour_script,
};

fn memory() -> Arc<MemoryJournal> {
    Arc::new(MemoryJournal::new())
}

/// Two engines that share a journal and a clock, as two processes would.
fn two(journal: &Arc<MemoryJournal>, tasks: &Arc<Scripted>) -> (Engine, Engine) {
    let clock = Arc::new(VirtualClock::starting_at(dawn()));
    (
        engine(journal.clone(), clock.clone(), tasks.clone(), "one"),
        engine(journal.clone(), clock, tasks.clone(), "other"),
    )
}

#[tokio::test(start_paused = true)]
async fn an_execution_runs_to_its_end_and_is_recorded() {
    let engine = engine_at(dawn(), memory(), Scripted::echoing());
    let handle = engine.start(one_task()).unwrap();
    let output = json!({"n": 1});
    let ended = Outcome::Ended(Status::Succeeded {
        output: output.clone(),
    });
    assert_eq!(handle.wait().await.unwrap(), ended);
    assert_eq!(
        handle.stop().await.unwrap(),
        ended,
        "what has ended cannot be stopped"
    );

    let record = engine.execution(handle.id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Succeeded);
    assert_eq!(
        (record.input, record.output),
        (output.clone(), Some(output))
    );
    assert_eq!((record.started_at, record.ended_at), (dawn(), Some(dawn())));
    assert_eq!(
        (record.machine_name.as_str(), record.current_states.len()),
        ("machine", 0)
    );
    let kinds: Vec<_> = engine
        .history(handle.id())
        .unwrap()
        .into_iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(kinds.first(), Some(&HistoryKind::ExecutionStarted));
    assert_eq!(kinds.last(), Some(&HistoryKind::ExecutionSucceeded));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_recorded_with_its_error_and_cause() {
    let engine = engine_at(dawn(), memory(), Scripted::new(|_| Reply::fail("Fault")));
    let handle = engine.start(one_task()).unwrap();
    handle.wait().await.unwrap();
    let record = engine.execution(handle.id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Failed);
    assert_eq!(record.error.as_deref(), Some("Fault"));
    assert_eq!(record.cause.as_deref(), Some("as scripted"));
}

#[tokio::test(start_paused = true)]
async fn an_execution_without_work_ends_at_its_start() {
    let pass = json!({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}});
    let journal = memory();
    let engine = engine_at(dawn(), journal.clone(), Scripted::hanging());
    let handle = engine.start(start(pass, json!(5))).unwrap();
    // Before anything has run, the journal has both the start and the end.
    assert!(
        journal
            .execution(handle.id())
            .unwrap()
            .unwrap()
            .ended
            .is_some()
    );
    let ended = Outcome::Ended(Status::Succeeded { output: json!(5) });
    assert_eq!(handle.wait().await.unwrap(), ended);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_cannot_run_is_refused_and_leaves_nothing() {
    let journal = memory();
    let engine = engine_at(dawn(), journal.clone(), Scripted::hanging());
    let definition = json!({"StartAt": "Nowhere", "States": {}});
    let refused = engine.start(start(definition, json!({})));
    assert!(matches!(refused, Err(Error::Definition(_))));
    assert_eq!(journal.executions().unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_has_failed() {
    let engine = engine_at(dawn(), memory(), Scripted::new(|_| panic!("as scripted")));
    let handle = engine.start(one_task()).unwrap();
    let outcome = handle.wait().await.unwrap();
    let Outcome::Ended(Status::Failed { error, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error, "States.TaskFailed");
}

#[tokio::test(start_paused = true)]
async fn a_stop_drops_the_tasks_and_a_resume_calls_them_again() {
    let tasks = Scripted::hanging();
    let journal = memory();
    let engine = engine_at(dawn(), journal.clone(), tasks.clone());
    let handle = engine.start(one_task()).unwrap();
    settle().await;
    assert_eq!((tasks.calls(), tasks.going_on()), (1, 1));
    let record = engine.execution(handle.id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Running);
    assert_eq!(record.current_states, ["Work"]);

    assert_eq!(handle.stop().await.unwrap(), Outcome::Stopped);
    assert_eq!(tasks.going_on(), 0);
    let record = engine.execution(handle.id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Stopped);
    assert_eq!(record.current_states, ["Work"]);
    assert_eq!(engine.request_stop(handle.id()).unwrap(), Delivery::Done);

    let resumed = engine.resume(handle.id()).unwrap();
    settle().await;
    assert_eq!((tasks.calls(), tasks.going_on()), (2, 1));
    assert!(matches!(
        engine.resume(handle.id()),
        Err(Error::RunsHere { .. })
    ));
    resumed.stop().await.unwrap();
    assert_eq!(journal.events(handle.id(), 0).unwrap().len(), 1);
}

/// A task that hangs and, when it's dropped, notes whether its execution was still owned.
struct Witness {
    journal: Arc<MemoryJournal>,
    was_owned: Arc<Mutex<Vec<bool>>>,
}

struct Dropped<'a>(&'a Witness, ExecutionId);

#[async_trait]
impl Tasks for Witness {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let _dropped = Dropped(self, call.execution);
        std::future::pending().await
    }
}

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        let stored = self.0.journal.execution(&self.1).unwrap().unwrap();
        self.0
            .was_owned
            .lock()
            .unwrap()
            .push(stored.lease.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_frees_the_execution_only_when_its_tasks_are_gone() {
    let (journal, was_owned) = (memory(), Arc::default());
    let witness = Witness {
        journal: journal.clone(),
        was_owned: Arc::clone(&was_owned),
    };
    let engine = engine_at(dawn(), journal, Arc::new(witness));
    let handle = engine.start(one_task()).unwrap();
    settle().await;
    handle.stop().await.unwrap();
    assert_eq!(*was_owned.lock().unwrap(), [true]);
}

/// Counts, and notes at each call its round and how many events are on disk.
struct Reader {
    journal: SqliteJournal,
    seen: Arc<Mutex<Vec<(usize, usize)>>>,
}

#[async_trait]
impl Tasks for Reader {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let events = self.journal.events(&call.execution, 0).unwrap().len();
        let round = call.input["round"].as_u64().unwrap();
        self.seen.lock().unwrap().push((round as usize, events));
        Ok(json!({"round": round + 1}))
    }
}

/// On several threads, what is begun together begins while its driver still does something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_is_on_disk_before_what_it_leads_to_begins() {
    const BRANCHES: usize = 8;
    const ROUNDS: usize = 30;
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(directory.path().join("executions.db")).unwrap();
    let open = || SqliteJournal::open(&path).unwrap();
    let seen = Arc::default();
    let reader = Arc::new(Reader {
        journal: open(),
        seen: Arc::clone(&seen),
    });
    let engine = engine(Arc::new(open()), Arc::new(SystemClock), reader, "one");
    let branch = |name: String| {
        let count = json!({"Type": "Task", "Resource": "count", "End": true});
        json!({"StartAt": name, "States": {name: count}})
    };
    let branches: Vec<Value> = (0..BRANCHES)
        .map(|index| branch(format!("Count{index}")))
        .collect();
    let definition = json!({"StartAt": "All", "States": {
        "All": {"Type": "Parallel", "Branches": branches, "OutputPath": "$[0]", "Next": "Enough"},
        "Enough": {"Type": "Choice", "Default": "All", "Choices": [
            {"Variable": "$.round", "NumericEquals": ROUNDS, "Next": "Done"}
        ]},
        "Done": {"Type": "Succeed"}
    }});
    engine
        .start(start(definition, json!({"round": 0})))
        .unwrap()
        .wait()
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), BRANCHES * ROUNDS);
    for (round, events) in seen.iter() {
        // The start, and all answers of all rounds before.
        assert!(
            *events > round * BRANCHES,
            "{events} events in round {round}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_out_drops_the_task() {
    let work = json!({"Type": "Task", "Resource": "work", "TimeoutSeconds": 5, "End": true});
    let definition = json!({"StartAt": "Work", "States": {"Work": work}});
    let tasks = Scripted::hanging();
    let engine = engine_at(dawn(), memory(), tasks.clone());
    let outcome = engine
        .start(start(definition, json!({})))
        .unwrap()
        .wait()
        .await
        .unwrap();
    let Outcome::Ended(Status::Failed { error, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((error.as_str(), tasks.going_on()), ("States.Timeout", 0));
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_what_runs_here() {
    let tasks = Scripted::hanging();
    let engine = engine_at(dawn(), memory(), tasks.clone());
    let handle = engine.start(one_task()).unwrap();
    settle().await;
    assert_eq!(
        engine.abort(handle.id(), "Enough", "said so").unwrap(),
        Delivery::Requested
    );
    let aborted = Status::Aborted {
        error: "Enough".into(),
        cause: "said so".into(),
    };
    assert_eq!(handle.wait().await.unwrap(), Outcome::Ended(aborted));
    assert_eq!(tasks.going_on(), 0);
    let record = engine.execution(handle.id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Aborted);
    for refused in [
        engine.resume(handle.id()).map(|_| ()),
        engine.abort(handle.id(), "", "").map(|_| ()),
        engine.request_stop(handle.id()).map(|_| ()),
    ] {
        assert!(
            matches!(refused, Err(Error::HasEnded { .. })),
            "{refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_what_nobody_runs() {
    let (journal, tasks) = (memory(), Scripted::hanging());
    let (one, other) = two(&journal, &tasks);
    let handle = one.start(one_task()).unwrap();
    handle.stop().await.unwrap();
    assert_eq!(
        other.abort(handle.id(), "Enough", "").unwrap(),
        Delivery::Done
    );
    assert_eq!(
        one.execution(handle.id()).unwrap().unwrap().status,
        ExecutionStatus::Aborted
    );
}

#[tokio::test(start_paused = true)]
async fn an_abort_and_a_stop_reach_another_engine() {
    let (journal, tasks) = (memory(), Scripted::hanging());
    let (one, other) = two(&journal, &tasks);
    let stopped = one.start(one_task()).unwrap();
    let aborted = one.start(one_task()).unwrap();
    settle().await;
    assert_eq!(
        other.request_stop(stopped.id()).unwrap(),
        Delivery::Requested
    );
    assert_eq!(
        other.abort(aborted.id(), "Enough", "").unwrap(),
        Delivery::Requested
    );
    assert_eq!(stopped.wait().await.unwrap(), Outcome::Stopped);
    assert!(matches!(
        aborted.wait().await.unwrap(),
        Outcome::Ended(Status::Aborted { error, .. }) if error == "Enough"
    ));
    // The request was for that owner: a resume isn't stopped by it.
    let resumed = other.resume(stopped.id()).unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(tasks.going_on(), 1);
    resumed.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_abort_whose_owner_died_first_is_done_by_the_resume() {
    let (journal, tasks) = (memory(), Scripted::hanging());
    let (one, other) = two(&journal, &tasks);
    let handle = one.start(one_task()).unwrap();
    let id = handle.id().clone();
    settle().await;
    assert_eq!(other.abort(&id, "Enough", "").unwrap(), Delivery::Requested);
    drop((one, handle));
    tokio::time::sleep(Timing::default().lease_duration).await;
    let calls = tasks.calls();
    let outcome = other.resume(&id).unwrap().wait().await.unwrap();
    assert!(
        matches!(outcome, Outcome::Ended(Status::Aborted { .. })),
        "{outcome:?}"
    );
    assert_eq!(
        tasks.calls(),
        calls,
        "a task was called on the way to the abort"
    );
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_comes_during_a_stop_is_done_by_the_resume() {
    let (journal, tasks) = (memory(), Scripted::hanging());
    let (one, _) = two(&journal, &tasks);
    let handle = one.start(one_task()).unwrap();
    settle().await;
    one.request_stop(handle.id()).unwrap();
    assert_eq!(
        one.abort(handle.id(), "Enough", "").unwrap(),
        Delivery::Requested
    );
    assert_eq!(handle.wait().await.unwrap(), Outcome::Stopped);
    let outcome = one.resume(handle.id()).unwrap().wait().await.unwrap();
    assert!(
        matches!(outcome, Outcome::Ended(Status::Aborted { .. })),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_cannot_be_replayed_is_listed_and_says_why_when_it_is_resumed() {
    let journal = memory();
    let engine = engine_at(dawn(), journal.clone(), Scripted::hanging());
    let other = one_task();
    let new = NewExecution {
        id: nobody(),
        machine_name: other.machine_name,
        definition: other.definition.replace("Task", "Novelty"),
    };
    let started = Event::ExecutionStarted {
        at: dawn(),
        input: json!({}),
    };
    let lease = Lease {
        owner: OwnerId::named("newer version"),
        expires_at: dawn(),
    };
    journal.create(&new, &lease, &started, None).unwrap();
    let listed = engine.executions().unwrap();
    assert_eq!(listed[0].status, ExecutionStatus::Interrupted);
    assert!(matches!(
        engine.resume(&nobody()),
        Err(Error::Definition(_))
    ));
    assert!(matches!(
        engine.history(&nobody()),
        Err(Error::Definition(_))
    ));
    // Nobody owns what could not be resumed.
    assert_eq!(journal.execution(&nobody()).unwrap().unwrap().lease, None);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_engine_leaves_an_interrupted_execution() {
    let (journal, tasks) = (memory(), Scripted::hanging());
    let (one, other) = two(&journal, &tasks);
    let handle = one.start(one_task()).unwrap();
    let id = handle.id().clone();
    settle().await;
    drop((one, handle));
    settle().await;
    assert_eq!(tasks.going_on(), 0);
    tokio::time::sleep(Timing::default().lease_duration).await;
    let status = |engine: &Engine| engine.execution(&id).unwrap().unwrap().status;
    assert_eq!(status(&other), ExecutionStatus::Interrupted);
    assert_eq!(other.request_stop(&id).unwrap(), Delivery::Done);
    assert_eq!(status(&other), ExecutionStatus::Stopped);
}

#[tokio::test(start_paused = true)]
async fn an_execution_goes_on_without_its_handle() {
    let engine = engine_at(dawn(), memory(), Scripted::echoing());
    let id = engine.start(one_wait(60)).unwrap().id().clone();
    tokio::time::sleep(Duration::from_secs(61)).await;
    let status = engine.execution(&id).unwrap().unwrap().status;
    assert_eq!(status, ExecutionStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn followers_here_and_elsewhere_see_the_whole_history() {
    let (journal, tasks) = (memory(), Scripted::new(tour_script));
    let (one, other) = two(&journal, &tasks);
    let handle = one.start(tour()).unwrap();
    let followers = [
        handle.events().unwrap(),
        one.follow(handle.id()).unwrap(),
        other.follow(handle.id()).unwrap(),
    ];
    let followers = followers.map(|mut follower| {
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while let Some(event) = follower.next().await.unwrap() {
                seen.push(event);
            }
            seen
        })
    });
    handle.wait().await.unwrap();
    let history = one.history(handle.id()).unwrap();
    for follower in followers {
        assert_eq!(follower.await.unwrap(), history);
    }
    // Who comes late sees the same.
    let mut late = other.follow(handle.id()).unwrap();
    for event in &history {
        assert_eq!(late.next().await.unwrap().as_ref(), Some(event));
    }
    assert_eq!(late.next().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_follower_sees_an_event_as_soon_as_it_is_stored() {
    let engine = engine_at(dawn(), memory(), Scripted::hanging());
    let handle = engine.start(one_wait(3600)).unwrap();
    let mut follower = handle.events().unwrap();
    let mut last = None;
    while last != Some(HistoryKind::WaitStateEntered) {
        last = follower.next().await.unwrap().map(|event| event.kind);
    }
    let begin = tokio::time::Instant::now();
    let exited = follower.next().await.unwrap().unwrap();
    assert_eq!(exited.kind, HistoryKind::WaitStateExited);
    assert_eq!(begin.elapsed().as_secs(), 3600);
    assert_eq!(
        exited.at,
        engine
            .execution(handle.id())
            .unwrap()
            .unwrap()
            .ended_at
            .unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_follower_ends_when_nobody_runs_the_execution_any_more() {
    let (journal, tasks) = (memory(), Scripted::hanging());
    let (one, other) = two(&journal, &tasks);
    let handle = one.start(one_task()).unwrap();
    let drains = [&one, &other].map(|engine| {
        let mut follower = engine.follow(handle.id()).unwrap();
        tokio::spawn(async move { while follower.next().await.unwrap().is_some() {} })
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(drains.iter().all(|drain| !drain.is_finished()));
    handle.stop().await.unwrap();
    for drain in drains {
        drain.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_definition_that_was_started_is_the_one_that_is_resumed() {
    let journal = memory();
    let engine = engine_at(dawn(), journal.clone(), Scripted::hanging());
    let definition = one_task().definition;
    let handle = engine.start(one_task()).unwrap();
    assert_eq!(
        journal.execution(handle.id()).unwrap().unwrap().definition,
        definition
    );
}

#[tokio::test(start_paused = true)]
async fn an_id_may_be_given_and_is_used_once() {
    let engine = engine_at(dawn(), memory(), Scripted::hanging());
    let mut again = one_task();
    again.id = Some("run_0123456789abcdef".parse().unwrap());
    let handle = engine.start(again.clone()).unwrap();
    assert_eq!(handle.id().as_str(), "run_0123456789abcdef");
    assert!(matches!(
        engine.start(again),
        Err(Error::AlreadyExists { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_not_found() {
    let engine = engine_at(dawn(), memory(), Scripted::hanging());
    let id = nobody();
    assert_eq!(engine.execution(&id).unwrap(), None);
    for refused in [
        engine.resume(&id).map(|_| ()),
        engine.abort(&id, "", "").map(|_| ()),
        engine.request_stop(&id).map(|_| ()),
        engine.history(&id).map(|_| ()),
        engine.follow(&id).map(|_| ()),
    ] {
        assert!(
            matches!(refused, Err(Error::NotFound { .. })),
            "{refused:?}"
        );
    }
}
