//! The history of an execution in Step Functions' own words.
//!
//! A history is told, never read back: the interpreter depends on events only, and a history is
//! made again by replaying them. Compared with AWS, events of a task always name its state, and
//! `TaskStarted`/`TaskSubmitted` are absent: when a worker picks a task up is not the
//! interpreter's to know.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of an execution's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEvent {
    /// Counts from 1 within the execution.
    pub id: u64,
    /// The event that led to this one, within its branch; 0 for the first.
    pub previous_id: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, in Step Functions' words.
    pub kind: HistoryKind,
    /// The state it happened to; none for events of the execution as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The iteration of a Map that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// The resource of a task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What went in: the raw input of a state or execution, the effective input of a task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// What came out of a task, state or execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The name of the error that happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The explanation of the error that happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// What a [`HistoryEvent`] tells, in Step Functions' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names are Step Functions' own and documented by AWS"
)]
pub enum HistoryKind {
    ExecutionStarted,
    ExecutionSucceeded,
    ExecutionFailed,
    ExecutionTimedOut,
    ExecutionAborted,
    TaskStateEntered,
    TaskScheduled,
    TaskSucceeded,
    TaskFailed,
    TaskTimedOut,
    TaskStateAborted,
    TaskStateExited,
    ChoiceStateEntered,
    ChoiceStateExited,
    WaitStateEntered,
    WaitStateAborted,
    WaitStateExited,
    PassStateEntered,
    PassStateExited,
    ParallelStateEntered,
    ParallelStateStarted,
    ParallelStateSucceeded,
    ParallelStateFailed,
    ParallelStateAborted,
    ParallelStateExited,
    MapStateEntered,
    MapStateStarted,
    MapIterationStarted,
    MapIterationSucceeded,
    MapIterationFailed,
    MapIterationAborted,
    MapStateSucceeded,
    MapStateFailed,
    MapStateAborted,
    MapStateExited,
    SucceedStateEntered,
    SucceedStateExited,
    FailStateEntered,
}

impl HistoryKind {
    /// Whether it tells that a state was entered.
    #[must_use]
    pub fn is_state_entered(self) -> bool {
        matches!(
            self,
            HistoryKind::TaskStateEntered
                | HistoryKind::ChoiceStateEntered
                | HistoryKind::WaitStateEntered
                | HistoryKind::PassStateEntered
                | HistoryKind::ParallelStateEntered
                | HistoryKind::MapStateEntered
                | HistoryKind::SucceedStateEntered
                | HistoryKind::FailStateEntered
        )
    }

    /// Whether it tells that a state was left for another or for the end.
    #[must_use]
    pub fn is_state_exited(self) -> bool {
        matches!(
            self,
            HistoryKind::TaskStateExited
                | HistoryKind::ChoiceStateExited
                | HistoryKind::WaitStateExited
                | HistoryKind::PassStateExited
                | HistoryKind::ParallelStateExited
                | HistoryKind::MapStateExited
                | HistoryKind::SucceedStateExited
        )
    }
}

impl fmt::Display for HistoryKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variants are Step Functions' own names.
        fmt::Debug::fmt(self, formatter)
    }
}
