//! An execution as its keeper sees it: apply an event, ask how it stands.

use std::sync::Arc;

use super::run::Run;
use super::turn::Turn;
use crate::action::Action;
use crate::definition::StateMachine;
use crate::event::{Event, IllegalEvent};
use crate::status::Status;

/// Who an execution is: feeds the context object, and the jitter of retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name of the execution: `$$.Execution.Name`.
    pub execution_name: String,
    /// The name of its state machine: `$$.StateMachine.Name`.
    pub state_machine_name: String,
}

/// One run of a state machine.
#[derive(Clone, Debug)]
pub struct Execution {
    machine: Arc<StateMachine>,
    identity: Identity,
    status: Status,
    /// There from the first event to the last.
    run: Option<Run>,
}

impl Execution {
    /// Makes an execution that waits for its [`Event::ExecutionStarted`].
    #[must_use]
    pub fn new(machine: Arc<StateMachine>, identity: Identity) -> Self {
        Execution {
            machine,
            identity,
            status: Status::Running,
            run: None,
        }
    }

    /// Takes in what happened and says what is to be done. The same function runs an execution
    /// for the first time and replays it: the same events always give the same actions.
    ///
    /// # Errors
    /// When the event cannot happen to the execution as it stands; nothing is changed then.
    pub fn apply(&mut self, event: &Event) -> Result<Vec<Action>, IllegalEvent> {
        self.check(event)?;
        let run = self
            .run
            .get_or_insert_with(|| Run::new(event.at(), &self.machine));
        let mut turn = Turn::new(&self.identity, run, event.at());
        match event {
            Event::ExecutionStarted { input, .. } => {
                turn.start_execution(input.clone(), self.machine.timeout_seconds);
            }
            Event::TaskSucceeded { task, output, .. } => turn.task_succeeded(*task, output),
            Event::TaskFailed {
                task, error, cause, ..
            } => turn.task_failed(*task, error, cause),
            Event::TimerFired { timer, .. } => turn.timer_fired(*timer),
            Event::ExecutionAborted { error, cause, .. } => turn.abort_execution(error, cause),
        }
        let actions = turn.finish();
        if let Some(Action::End(status)) = actions.last() {
            self.status = status.clone();
            self.run = None;
        }
        Ok(actions)
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The tasks and timers that are still unanswered, as [`Action::StartTask`] and
    /// [`Action::StartTimer`]: what a resume must start again.
    #[must_use]
    pub fn outstanding(&self) -> Vec<Action> {
        self.run.as_ref().map(Run::outstanding).unwrap_or_default()
    }

    fn check(&self, event: &Event) -> Result<(), IllegalEvent> {
        if self.status.has_ended() {
            return Err(IllegalEvent::Ended);
        }
        match (&self.run, event) {
            (None, Event::ExecutionStarted { .. }) => Ok(()),
            (Some(_), Event::ExecutionStarted { .. }) => Err(IllegalEvent::AlreadyStarted),
            (None, _) => Err(IllegalEvent::NotStarted),
            (Some(run), Event::TaskSucceeded { task, .. } | Event::TaskFailed { task, .. }) => {
                if run.tasks.contains_key(task) {
                    Ok(())
                } else {
                    Err(IllegalEvent::UnknownTask(*task))
                }
            }
            (Some(run), Event::TimerFired { timer, .. }) => {
                if run.timers.contains_key(timer) {
                    Ok(())
                } else {
                    Err(IllegalEvent::UnknownTimer(*timer))
                }
            }
            (Some(_), Event::ExecutionAborted { .. }) => Ok(()),
        }
    }
}
