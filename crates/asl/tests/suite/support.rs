//! Runs a definition with scripted tasks, in a time that jumps from timer to timer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use trapheus_asl::{
    Action, Event, Execution, HistoryEvent, Identity, StateMachine, Status, TaskId, TimerId,
    Timestamp,
};

/// What a task does when it is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scripted {
    /// Returns this.
    Output(Value),
    /// Returns its input.
    Echo,
    /// Fails.
    Error { error: String, cause: String },
    /// Returns a string of so many letters.
    Letters(usize),
    /// Never answers.
    Hang,
}

/// What each resource does, run after run; the last entry repeats.
pub(crate) type Script = BTreeMap<String, Vec<Scripted>>;

/// An execution with everything that happened to it.
pub(crate) struct Run {
    pub(crate) execution: Execution,
    pub(crate) events: Vec<Event>,
    pub(crate) actions: Vec<Action>,
    script: BTreeMap<String, VecDeque<Scripted>>,
    tasks: BTreeMap<TaskId, (Scripted, Value)>,
    timers: BTreeMap<TimerId, Timer>,
    now: Timestamp,
    waited_milliseconds: i64,
    /// For how long the timer ran whose firing is the next event.
    fired_after: Option<i64>,
}

struct Timer {
    started: Timestamp,
    due: Timestamp,
}

/// When every execution of the tests starts.
pub(crate) fn start_time() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

pub(crate) fn execution(definition: &str) -> Execution {
    let machine = StateMachine::parse(definition).unwrap_or_else(|error| panic!("{error}"));
    let identity = Identity {
        execution_name: "the-execution".to_owned(),
        state_machine_name: "the-machine".to_owned(),
    };
    Execution::new(Arc::new(machine), identity)
}

impl Run {
    /// Runs to the end, or until nothing would ever happen again.
    pub(crate) fn new(definition: &str, input: Value, script: &Script) -> Run {
        let script = script
            .iter()
            .map(|(name, runs)| (name.clone(), runs.clone().into()));
        let mut run = Run {
            execution: execution(definition),
            events: Vec::new(),
            actions: Vec::new(),
            script: script.collect(),
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            now: start_time(),
            waited_milliseconds: 0,
            fired_after: None,
        };
        run.apply(Event::ExecutionStarted { at: run.now, input });
        while let Some(event) = run.next_event() {
            run.apply(event);
        }
        run
    }

    pub(crate) fn status(&self) -> &Status {
        self.execution.status()
    }

    pub(crate) fn history(&self) -> Vec<&HistoryEvent> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::Record(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// The names of the states entered, in order.
    pub(crate) fn path(&self) -> Vec<String> {
        let entered = self
            .history()
            .into_iter()
            .filter(|event| event.kind.is_state_entered());
        entered
            .map(|event| event.state.clone().expect("a state was entered"))
            .collect()
    }

    /// The sum of all Waits and back-offs, in seconds.
    pub(crate) fn waited_seconds(&self) -> f64 {
        self.waited_milliseconds as f64 / 1000.0
    }

    /// How much time has passed, in milliseconds.
    pub(crate) fn elapsed_milliseconds(&self) -> i64 {
        self.now.as_millisecond() - start_time().as_millisecond()
    }

    fn apply(&mut self, event: Event) {
        let actions = self.execution.apply(&event).expect("the event is legal");
        for action in &actions {
            match action {
                Action::StartTask {
                    task,
                    resource,
                    input,
                    ..
                } => {
                    let scripted = self.scripted(resource);
                    self.tasks.insert(*task, (scripted, input.clone()));
                }
                Action::CancelTask { task } => {
                    self.tasks
                        .remove(task)
                        .expect("only what runs is cancelled");
                }
                Action::StartTimer { timer, due } => {
                    self.timers.insert(
                        *timer,
                        Timer {
                            started: self.now,
                            due: *due,
                        },
                    );
                }
                Action::CancelTimer { timer } => {
                    self.timers
                        .remove(timer)
                        .expect("only what runs is cancelled");
                }
                Action::Record(_) | Action::End(_) => {}
            }
        }
        // A time-out gives something up; a Wait or a back-off does not.
        let is_timeout = |action: &Action| {
            matches!(
                action,
                Action::CancelTask { .. } | Action::End(Status::TimedOut)
            )
        };
        let waited = self.fired_after.take().unwrap_or(0);
        if !actions.iter().any(is_timeout) {
            self.waited_milliseconds += waited;
        }
        self.events.push(event);
        self.actions.extend(actions);
    }

    /// The first task that answers, else the timer that is due first.
    fn next_event(&mut self) -> Option<Event> {
        if self.execution.status().has_ended() {
            assert!(
                self.tasks.is_empty() && self.timers.is_empty(),
                "an end leaves nothing"
            );
            return None;
        }
        let answering = self
            .tasks
            .iter()
            .find(|(_, (scripted, _))| !matches!(scripted, Scripted::Hang));
        match answering.map(|(task, _)| *task) {
            Some(task) => Some(self.answer(task)),
            None => self.fire(),
        }
    }

    /// What the script has for a task that starts.
    fn scripted(&mut self, resource: &str) -> Scripted {
        let runs = self
            .script
            .get_mut(resource)
            .expect("the script covers every resource");
        if runs.len() > 1 {
            runs.pop_front().expect("there are some")
        } else {
            runs.front().expect("the script has an answer").clone()
        }
    }

    fn answer(&mut self, task: TaskId) -> Event {
        let (scripted, input) = self.tasks.remove(&task).expect("the task runs");
        let at = self.now;
        match scripted {
            Scripted::Error { error, cause } => Event::TaskFailed {
                at,
                task,
                error,
                cause,
            },
            Scripted::Output(output) => Event::TaskSucceeded { at, task, output },
            Scripted::Letters(count) => Event::TaskSucceeded {
                at,
                task,
                output: "x".repeat(count).into(),
            },
            Scripted::Echo => Event::TaskSucceeded {
                at,
                task,
                output: input,
            },
            Scripted::Hang => panic!("a task that hangs is not asked"),
        }
    }

    fn fire(&mut self) -> Option<Event> {
        let (timer, due) = self
            .timers
            .iter()
            .map(|(id, timer)| (*id, timer.due))
            .min_by_key(|(_, due)| *due)?;
        let Timer { started, .. } = self.timers.remove(&timer).expect("it was found there");
        self.fired_after = Some(due.as_millisecond() - started.as_millisecond());
        self.now = due;
        Some(Event::TimerFired { at: due, timer })
    }
}
