//! The history of an execution in Step Functions' own words.
//!
//! A history is told, never read back: the interpreter depends on events only, and a history is
//! made again by replaying them. Compared with AWS, events of a task always name its state, and
//! `TaskStarted`/`TaskSubmitted` are absent: when a worker picks a task up is not the
//! interpreter's to know. `ExecutionRedriven` is told of Step Functions' executions only: what goes
//! on here has never ended.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::Kind;
use crate::errors::Failure;

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

impl HistoryEvent {
    /// An event that has yet to be numbered and dated.
    pub(crate) fn new(kind: HistoryKind) -> Self {
        HistoryEvent {
            id: 0,
            previous_id: 0,
            at: Timestamp::UNIX_EPOCH,
            kind,
            state: None,
            index: None,
            resource: None,
            input: None,
            output: None,
            error: None,
            cause: None,
        }
    }

    pub(crate) fn state(mut self, name: &str) -> Self {
        self.state = Some(name.to_owned());
        self
    }

    pub(crate) fn index(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }

    pub(crate) fn resource(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    pub(crate) fn input(mut self, input: Value) -> Self {
        self.input = Some(input);
        self
    }

    pub(crate) fn output(mut self, output: Value) -> Self {
        self.output = Some(output);
        self
    }

    pub(crate) fn failure(mut self, failure: &Failure) -> Self {
        self.error = Some(failure.error.clone());
        self.cause = Some(failure.cause.clone());
        self
    }
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
    ExecutionRedriven,
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
    /// A state of this kind was entered.
    pub(crate) fn entered(kind: &Kind) -> Self {
        match kind {
            Kind::Task(_) => HistoryKind::TaskStateEntered,
            Kind::Choice(_) => HistoryKind::ChoiceStateEntered,
            Kind::Wait(_) => HistoryKind::WaitStateEntered,
            Kind::Pass(_) => HistoryKind::PassStateEntered,
            Kind::Parallel(_) => HistoryKind::ParallelStateEntered,
            Kind::Map(_) => HistoryKind::MapStateEntered,
            Kind::Succeed => HistoryKind::SucceedStateEntered,
            Kind::Fail(_) => HistoryKind::FailStateEntered,
        }
    }

    /// A state of this kind was left; a Fail state never is.
    pub(crate) fn exited(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Task(_) => Some(HistoryKind::TaskStateExited),
            Kind::Choice(_) => Some(HistoryKind::ChoiceStateExited),
            Kind::Wait(_) => Some(HistoryKind::WaitStateExited),
            Kind::Pass(_) => Some(HistoryKind::PassStateExited),
            Kind::Parallel(_) => Some(HistoryKind::ParallelStateExited),
            Kind::Map(_) => Some(HistoryKind::MapStateExited),
            Kind::Succeed => Some(HistoryKind::SucceedStateExited),
            Kind::Fail(_) => None,
        }
    }

    /// A state of this kind was given up; only those that take time can be.
    pub(crate) fn aborted(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Task(_) => Some(HistoryKind::TaskStateAborted),
            Kind::Wait(_) => Some(HistoryKind::WaitStateAborted),
            Kind::Parallel(_) => Some(HistoryKind::ParallelStateAborted),
            Kind::Map(_) => Some(HistoryKind::MapStateAborted),
            Kind::Choice(_) | Kind::Pass(_) | Kind::Succeed | Kind::Fail(_) => None,
        }
    }

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
