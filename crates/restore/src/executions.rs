//! Other executions of the same definition, which an execution starts and waits for: one for each
//! account and Region that a snapshot is restored in.

use async_trait::async_trait;
use serde_json::Value;

use crate::summary::Summary;

/// Starts executions and looks at them.
#[async_trait]
pub trait Executions: Send + Sync + 'static {
    /// The name of the execution that `parent` starts for a purpose: always the same for the same
    /// two, so that whoever asks again finds it.
    fn name(&self, parent: &str, purpose: &str) -> String;

    /// Makes sure that an execution of this name has been started and, unless it has ended, that
    /// somebody is at work on it.
    ///
    /// # Errors
    /// It can't be started now, or ever.
    async fn begin(&self, name: &str, input: &Value) -> Result<(), ExecutionsError>;

    /// Tells how an execution stands; none where there is none of this name.
    ///
    /// # Errors
    /// It can't be looked at now, or ever.
    async fn look(&self, name: &str) -> Result<Option<Summary>, ExecutionsError>;
}

/// Why an execution can't be started or looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecutionsError {
    /// It may go better in a moment.
    #[error("{0}")]
    Passing(String),
    /// It won't.
    #[error("{0}")]
    Final(String),
}

/// For those who plan, and start nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExecutions;

impl NoExecutions {
    fn refuse<T>() -> Result<T, ExecutionsError> {
        Err(ExecutionsError::Final(
            "executions can't be started from here".to_owned(),
        ))
    }
}

#[async_trait]
impl Executions for NoExecutions {
    fn name(&self, parent: &str, purpose: &str) -> String {
        format!("{parent}-{purpose}")
    }

    async fn begin(&self, _: &str, _: &Value) -> Result<(), ExecutionsError> {
        Self::refuse()
    }

    async fn look(&self, _: &str) -> Result<Option<Summary>, ExecutionsError> {
        Self::refuse()
    }
}
