//! What the tests of the engine share: definitions, scripted tasks, clocks that jump.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trapheus_asl::HistoryEvent;
use trapheus_engine::{
    Clock, Engine, ExecutionId, Journal, OwnerId, StartExecution, TaskCall, TaskError, Tasks,
    VirtualClock,
};

/// When the tests' virtual time begins.
pub(crate) fn dawn() -> Timestamp {
    "2026-03-01T06:00:00Z".parse().unwrap()
}

/// A definition with a bit of everything that the engine has to do with: retries, waits, time-outs,
/// branches and iterations at the same time, errors that are caught.
///
/// What its tasks answer depends on what they are asked alone, see [`tour_script`]: so an execution
/// that is cut and resumed has to come to the same end.
pub(crate) fn tour() -> StartExecution {
    let asks = json!({"retry.$": "$$.State.RetryCount"});
    let definition = json!({
        "StartAt": "Flaky",
        "States": {
            "Flaky": {
                "Type": "Task", "Resource": "busy-twice", "Parameters": asks, "ResultPath": "$.flaky",
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 5}],
                "Next": "Pause"
            },
            "Pause": {"Type": "Wait", "Seconds": 60, "Next": "Both"},
            "Both": {
                "Type": "Parallel", "ResultPath": "$.both", "Next": "Each",
                "Branches": [
                    {"StartAt": "Late", "States": {
                        "Late": {
                            "Type": "Task", "Resource": "hangs-once", "Parameters": asks, "TimeoutSeconds": 10,
                            "Retry": [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 3}],
                            "Next": "Linger"
                        },
                        "Linger": {"Type": "Wait", "Seconds": 5, "End": true}
                    }},
                    {"StartAt": "Broken", "States": {
                        "Broken": {
                            "Type": "Task", "Resource": "fails", "Parameters": asks,
                            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mended"}], "End": true
                        },
                        "Mended": {"Type": "Task", "Resource": "echo", "Parameters": {"mended": true}, "End": true}
                    }}
                ]
            },
            "Each": {
                "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "ResultPath": "$.each",
                "ItemProcessor": {"StartAt": "Item", "States": {
                    "Item": {"Type": "Task", "Resource": "echo", "End": true}
                }},
                "Next": "Which"
            },
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.flaky.retry", "NumericEquals": 2, "Next": "Done"}],
                "Default": "Wrong"
            },
            "Done": {"Type": "Succeed"},
            "Wrong": {"Type": "Fail", "Error": "Wrong", "Cause": "the retries were not counted"}
        }
    });
    start(definition, json!({"items": [1, 2, 3]}))
}

/// What the tasks of [`tour`] answer.
pub(crate) fn tour_script(call: &TaskCall) -> Reply {
    let retry = call.input.get("retry").and_then(Value::as_u64).unwrap_or(0);
    match call.resource.as_str() {
        "busy-twice" if retry < 2 => Reply::fail("Busy").after(1),
        "busy-twice" => Reply::succeed(json!({"retry": retry})).after(1),
        "hangs-once" if retry < 1 => Reply::never(),
        "hangs-once" => Reply::succeed(json!("late")).after(3),
        "fails" => Reply::fail("Fault").after(2),
        "echo" => Reply::succeed(call.input.clone()).after(4),
        other => panic!("no such task: {other}"),
    }
}

/// One task named `Work`, whose resource is `work`.
pub(crate) fn one_task() -> StartExecution {
    let work = json!({"Type": "Task", "Resource": "work", "End": true});
    start(
        json!({"StartAt": "Work", "States": {"Work": work}}),
        json!({"n": 1}),
    )
}

/// One wait named `Pause`.
pub(crate) fn one_wait(seconds: u64) -> StartExecution {
    let pause = json!({"Type": "Wait", "Seconds": seconds, "End": true});
    start(
        json!({"StartAt": "Pause", "States": {"Pause": pause}}),
        json!({}),
    )
}

/// A start of a definition.
pub(crate) fn start(definition: Value, input: Value) -> StartExecution {
    let definition = definition.to_string();
    StartExecution {
        id: None,
        machine_name: "machine".into(),
        definition,
        input,
    }
}

/// An engine in virtual time that begins at `now`.
pub(crate) fn engine_at(
    now: Timestamp,
    journal: Arc<dyn Journal>,
    tasks: Arc<dyn Tasks>,
) -> Engine {
    engine(
        journal,
        Arc::new(VirtualClock::starting_at(now)),
        tasks,
        "simulation",
    )
}

/// An engine with a named owner.
pub(crate) fn engine(
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    tasks: Arc<dyn Tasks>,
    owner: &str,
) -> Engine {
    Engine::new(journal, clock, tasks, OwnerId::named(owner))
}

/// What a scripted task does.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    after: Option<Duration>,
    result: Result<Value, TaskError>,
}

impl Reply {
    pub(crate) fn succeed(output: Value) -> Reply {
        Reply {
            after: Some(Duration::ZERO),
            result: Ok(output),
        }
    }

    pub(crate) fn fail(error: &str) -> Reply {
        let error = TaskError {
            error: error.into(),
            cause: "as scripted".into(),
        };
        Reply {
            after: Some(Duration::ZERO),
            result: Err(error),
        }
    }

    pub(crate) fn never() -> Reply {
        Reply {
            after: None,
            result: Ok(Value::Null),
        }
    }

    pub(crate) fn after(self, seconds: u64) -> Reply {
        Reply {
            after: Some(Duration::from_secs(seconds)),
            ..self
        }
    }
}

/// Tasks that follow a script, and count what was asked, what is going on, and what was answered.
pub(crate) struct Scripted {
    script: Box<dyn Fn(&TaskCall) -> Reply + Send + Sync>,
    calls: Mutex<Vec<TaskCall>>,
    going_on: Arc<()>,
}

impl Scripted {
    pub(crate) fn new(
        script: impl Fn(&TaskCall) -> Reply + Send + Sync + 'static,
    ) -> Arc<Scripted> {
        let script = Box::new(script);
        Arc::new(Scripted {
            script,
            calls: Mutex::default(),
            going_on: Arc::new(()),
        })
    }

    /// Every task hangs.
    pub(crate) fn hanging() -> Arc<Scripted> {
        Scripted::new(|_| Reply::never())
    }

    /// Every task returns its input at once.
    pub(crate) fn echoing() -> Arc<Scripted> {
        Scripted::new(|call| Reply::succeed(call.input.clone()))
    }

    /// How often any task was called.
    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// How many calls have neither returned nor been dropped.
    pub(crate) fn going_on(&self) -> usize {
        Arc::strong_count(&self.going_on) - 1
    }
}

#[async_trait]
impl Tasks for Scripted {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let _going_on = Arc::clone(&self.going_on);
        let reply = (self.script)(&call);
        self.calls.lock().unwrap().push(call);
        match reply.after {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
        reply.result
    }
}

/// A wall clock that goes as tokio's, until somebody sets it.
pub(crate) struct SettableClock {
    virtual_clock: VirtualClock,
    shift: Mutex<SignedDuration>,
}

impl SettableClock {
    pub(crate) fn new() -> Arc<SettableClock> {
        let virtual_clock = VirtualClock::starting_at(dawn());
        Arc::new(SettableClock {
            virtual_clock,
            shift: Mutex::new(SignedDuration::ZERO),
        })
    }

    /// Sets the clock forward or back.
    pub(crate) fn jump(&self, by: SignedDuration) {
        *self.shift.lock().unwrap() += by;
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        self.virtual_clock.now() + *self.shift.lock().unwrap()
    }
}

/// What a history tells, without when.
pub(crate) fn story(history: &[HistoryEvent]) -> Vec<HistoryEvent> {
    let timeless = |event: &HistoryEvent| HistoryEvent {
        at: Timestamp::UNIX_EPOCH,
        ..event.clone()
    };
    history.iter().map(timeless).collect()
}

/// Lets everything that can run without waiting run.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// An id that no execution has.
pub(crate) fn nobody() -> ExecutionId {
    ExecutionId::new(Timestamp::UNIX_EPOCH, 7)
}
