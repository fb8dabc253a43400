//! What happens to an execution: the only input of the interpreter.
//!
//! An execution is its identity, its definition and the list of its events; nothing else needs
//! to be kept. The events are serialised by whoever keeps them, so their shape is a stored
//! format: fields may be added, never renamed. When an event is durable is its keeper's concern.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{TaskId, TimerId};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The execution begins. Always the first event, and only the first.
    ExecutionStarted {
        /// When it began.
        at: Timestamp,
        /// The input document of the execution.
        input: Value,
    },
    /// A task that was started has returned.
    TaskSucceeded {
        /// When it returned.
        at: Timestamp,
        /// Which task.
        task: TaskId,
        /// What it returned.
        output: Value,
    },
    /// A task that was started has failed.
    TaskFailed {
        /// When it failed.
        at: Timestamp,
        /// Which task.
        task: TaskId,
        /// The error's name: what `ErrorEquals` matches.
        error: String,
        /// The error's explanation, for people or as JSON.
        cause: String,
    },
    /// A timer that was started has reached its time.
    TimerFired {
        /// When it fired: at its due time or later.
        at: Timestamp,
        /// Which timer.
        timer: TimerId,
    },
    /// Somebody ended the execution for good.
    ExecutionAborted {
        /// When it was ended.
        at: Timestamp,
        /// The name of the error to be recorded; may be empty.
        error: String,
        /// Why; may be empty.
        cause: String,
    },
}

impl Event {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Event::ExecutionStarted { at, .. }
            | Event::TaskSucceeded { at, .. }
            | Event::TaskFailed { at, .. }
            | Event::TimerFired { at, .. }
            | Event::ExecutionAborted { at, .. } => *at,
        }
    }
}

/// An event that cannot happen to the execution as it stands. Nothing was changed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// Something happened before [`Event::ExecutionStarted`].
    #[error("the execution has not started")]
    NotStarted,
    /// A second [`Event::ExecutionStarted`].
    #[error("the execution has started already")]
    AlreadyStarted,
    /// The execution has ended; nothing happens to it any more.
    #[error("the execution has ended")]
    Ended,
    /// The task was never started, or has been answered or cancelled.
    #[error("{0} is not outstanding")]
    UnknownTask(TaskId),
    /// The timer was never started, or has fired or been cancelled.
    #[error("{0} is not outstanding")]
    UnknownTimer(TimerId),
}
