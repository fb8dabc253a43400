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
    tasks: BTreeMap<TaskId, (String, Value)>,
    timers: BTreeMap<TimerId, Timestamp>,
    now: Timestamp,
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
                    self.tasks.insert(*task, (resource.clone(), input.clone()));
                }
                Action::CancelTask { task } => {
                    self.tasks
                        .remove(task)
                        .expect("only what runs is cancelled");
                }
                Action::StartTimer { timer, due } => {
                    self.timers.insert(*timer, *due);
                }
                Action::CancelTimer { timer } => {
                    self.timers
                        .remove(timer)
                        .expect("only what runs is cancelled");
                }
                Action::Record(_) | Action::End(_) => {}
            }
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
        let tasks: Vec<_> = self.tasks.keys().copied().collect();
        tasks
            .into_iter()
            .find_map(|task| self.answer(task))
            .or_else(|| self.fire())
    }

    fn answer(&mut self, task: TaskId) -> Option<Event> {
        let (resource, input) = self.tasks[&task].clone();
        let runs = self
            .script
            .get_mut(&resource)
            .expect("the script covers every resource");
        let scripted = runs.front().expect("the script has an answer").clone();
        if let Scripted::Hang = scripted {
            return None;
        }
        if runs.len() > 1 {
            runs.pop_front();
        }
        self.tasks.remove(&task);
        let at = self.now;
        Some(match scripted {
            Scripted::Error { error, cause } => Event::TaskFailed {
                at,
                task,
                error,
                cause,
            },
            Scripted::Output(output) => Event::TaskSucceeded { at, task, output },
            Scripted::Echo | Scripted::Hang => Event::TaskSucceeded {
                at,
                task,
                output: input,
            },
        })
    }

    fn fire(&mut self) -> Option<Event> {
        let (timer, due) = self
            .timers
            .iter()
            .min_by_key(|(timer, due)| (**due, **timer))?;
        let (timer, due) = (*timer, *due);
        self.timers.remove(&timer);
        self.now = due;
        Some(Event::TimerFired { at: due, timer })
    }
}
