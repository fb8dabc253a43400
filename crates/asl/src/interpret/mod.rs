//! The interpreter: event in, actions out.

use std::sync::Arc;

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
}

impl Execution {
    /// Makes an execution that waits for its [`Event::ExecutionStarted`].
    #[must_use]
    pub fn new(machine: Arc<StateMachine>, identity: Identity) -> Self {
        Execution {
            machine,
            identity,
            status: Status::Running,
        }
    }

    /// Takes in what happened and says what is to be done. The same function runs an execution
    /// for the first time and replays it.
    ///
    /// # Errors
    /// When the event cannot happen to the execution as it stands; nothing is changed then.
    pub fn apply(&mut self, event: &Event) -> Result<Vec<Action>, IllegalEvent> {
        if self.status.has_ended() {
            return Err(IllegalEvent::Ended);
        }
        let _ = (event, &self.machine, &self.identity);
        Err(IllegalEvent::NotStarted)
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The tasks and timers that are still unanswered: what a resume must start again.
    #[must_use]
    pub fn outstanding(&self) -> Vec<Action> {
        Vec::new()
    }
}
