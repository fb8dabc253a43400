//! The tasks' side of the engine: what a Task state calls, and what it may answer.

use async_trait::async_trait;
use serde_json::Value;

use crate::{ExecutionId, Hold};

/// Runs what Task states name as their resource.
///
/// The same call may be made more than once: after a crash, nobody knows how far a task had come,
/// so a task makes something so rather than does it. Dropping the future cancels it: on a time-out,
/// on a stop, and when another branch has failed.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Runs one task to its end.
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError>;
}

/// One call of a task.
#[derive(Debug, Clone)]
pub struct TaskCall {
    /// The execution that calls.
    pub execution: ExecutionId,
    /// The name of the state that calls.
    pub state: String,
    /// The `Resource` of that state.
    pub resource: String,
    /// The state's effective input.
    pub input: Value,
    /// To be renewed before each act that the journal can't take back.
    pub hold: Hold,
}

/// The failure of a task, as `Retry` and `Catch` match it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {cause}")]
pub struct TaskError {
    /// The error's name, which `ErrorEquals` matches.
    pub error: String,
    /// What happened, for people.
    pub cause: String,
}
