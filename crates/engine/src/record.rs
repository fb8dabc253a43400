//! An execution as it is shown to people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_asl::Status;

use crate::{ExecutionId, StoredExecution};

/// How an execution stands: Step Functions' words, and two more for what has not ended but does not
/// run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    /// Its owner is alive.
    Running,
    /// Its owner died: it goes on when it is resumed.
    Interrupted,
    /// It was stopped: it goes on when it is resumed.
    Stopped,
    /// The last state ended.
    Succeeded,
    /// A Fail state was reached, or an error was not caught.
    Failed,
    /// It was ended for good from outside.
    Aborted,
    /// The definition's time ran out.
    TimedOut,
}

/// What is known about one execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// Its id.
    pub id: ExecutionId,
    /// The name of its state machine.
    pub machine_name: String,
    /// Its input.
    pub input: Value,
    /// How it stands.
    pub status: ExecutionStatus,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// What came out, if it succeeded.
    pub output: Option<Value>,
    /// The name of the error that ended it, if one did.
    pub error: Option<String>,
    /// What happened, if an error ended it.
    pub cause: Option<String>,
    /// The tasks, waits, parallels and maps that it is in; empty when it has ended.
    pub current_states: Vec<String>,
}

impl ExecutionRecord {
    pub(crate) fn new(
        status: ExecutionStatus,
        stored: StoredExecution,
        current_states: Vec<String>,
    ) -> ExecutionRecord {
        let ended_at = stored.ended.as_ref().map(|ended| ended.at);
        let (output, error, cause) = match stored.ended.map(|ended| ended.status) {
            Some(Status::Succeeded { output }) => (Some(output), None, None),
            Some(Status::Failed { error, cause } | Status::Aborted { error, cause }) => {
                (None, Some(error), Some(cause))
            }
            Some(Status::TimedOut | Status::Running) | None => (None, None, None),
        };
        ExecutionRecord {
            id: stored.id,
            machine_name: stored.machine_name,
            input: stored.input,
            status,
            started_at: stored.started_at,
            ended_at,
            output,
            error,
            cause,
            current_states,
        }
    }
}

impl From<&Status> for ExecutionStatus {
    fn from(status: &Status) -> ExecutionStatus {
        match status {
            Status::Running => ExecutionStatus::Running,
            Status::Succeeded { .. } => ExecutionStatus::Succeeded,
            Status::Failed { .. } => ExecutionStatus::Failed,
            Status::TimedOut => ExecutionStatus::TimedOut,
            Status::Aborted { .. } => ExecutionStatus::Aborted,
        }
    }
}
