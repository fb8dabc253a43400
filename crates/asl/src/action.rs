//! What the interpreter wants done: its only output.
//!
//! Whoever runs an execution performs the actions in order. [`Action::Record`] and
//! [`Action::End`] are news; the others are work, whose outcome comes back as an
//! [`Event`](crate::Event).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::HistoryEvent;
use crate::status::Status;

/// Names one attempt of one task within an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub(crate) u64);

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "task {}", self.0)
    }
}

/// Names one timer within an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimerId(pub(crate) u64);

impl fmt::Display for TimerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "timer {}", self.0)
    }
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Run a task; answer with [`Event::TaskSucceeded`](crate::Event::TaskSucceeded) or
    /// [`Event::TaskFailed`](crate::Event::TaskFailed).
    StartTask {
        /// Names the attempt in its answer.
        task: TaskId,
        /// The state that wants it.
        state: String,
        /// The state's `Resource`, as the definition has it.
        resource: String,
        /// The task's input.
        input: Value,
    },
    /// Give up a task: its answer is no longer wanted and would be illegal.
    CancelTask {
        /// Which task.
        task: TaskId,
    },
    /// Answer with [`Event::TimerFired`](crate::Event::TimerFired) when the time has come.
    StartTimer {
        /// Names the timer in its answer.
        timer: TimerId,
        /// When; may have passed already.
        due: Timestamp,
    },
    /// Give up a timer: its firing is no longer wanted and would be illegal.
    CancelTimer {
        /// Which timer.
        timer: TimerId,
    },
    /// Something to be shown: one line of the execution's history.
    Record(HistoryEvent),
    /// The execution has ended so; always the last action.
    End(Status),
}
