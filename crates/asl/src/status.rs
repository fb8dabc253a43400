//! How an execution stands, and the failure that everything about errors is told with.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an execution stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not ended; perhaps not started either.
    Running,
    /// The last state ended.
    Succeeded {
        /// The output of the last state.
        output: Value,
    },
    /// A Fail state was reached, or an error was not caught.
    Failed {
        /// The error's name; empty when a Fail state gives none.
        error: String,
        /// The error's explanation; empty when a Fail state gives none.
        cause: String,
    },
    /// The definition's own `TimeoutSeconds` ran out.
    TimedOut,
    /// Somebody ended it.
    Aborted {
        /// The error's name as given with the abort; may be empty.
        error: String,
        /// The explanation as given with the abort; may be empty.
        cause: String,
    },
}

impl Status {
    /// Whether nothing can happen to the execution any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match self {
            Status::Running => false,
            Status::Succeeded { .. }
            | Status::Failed { .. }
            | Status::TimedOut
            | Status::Aborted { .. } => true,
        }
    }
}
