//! Why the engine did not do what was asked.

use jiff::Timestamp;
use trapheus_asl::{DefinitionError, IllegalEvent};

use crate::{ExecutionId, ExecutionStatus, JournalError};

/// Why the engine did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No execution has this id.
    #[error("there is no execution {id}")]
    NotFound {
        /// The id.
        id: ExecutionId,
    },
    /// An execution with this id exists.
    #[error("execution {id} exists already")]
    AlreadyExists {
        /// The id.
        id: ExecutionId,
    },
    /// The execution has ended, so there is nothing to resume, stop or abort.
    #[error("execution {id} ended at {at}")]
    HasEnded {
        /// The execution.
        id: ExecutionId,
        /// When it ended.
        at: Timestamp,
        /// How it ended.
        status: ExecutionStatus,
    },
    /// Another owner runs the execution, or may still run it.
    #[error("execution {id} is run by {owner}")]
    Owned {
        /// The execution.
        id: ExecutionId,
        /// Who runs it, for people.
        owner: String,
        /// When it is free unless its owner renews the lease.
        expires_at: Timestamp,
    },
    /// This engine runs the execution already.
    #[error("execution {id} is running here already")]
    RunsHere {
        /// The execution.
        id: ExecutionId,
    },
    /// The definition is not one that can be run.
    #[error("the definition cannot be run")]
    Definition(#[from] DefinitionError),
    /// Another owner has taken the execution over while it ran here; here it was dropped.
    #[error("execution {id} was taken over by another process")]
    TakenOver {
        /// The execution.
        id: ExecutionId,
    },
    /// The stored events do not fit the stored definition.
    #[error("event {sequence} of execution {id} cannot be replayed")]
    Replay {
        /// The execution.
        id: ExecutionId,
        /// The place of the event, from 0.
        sequence: u32,
        /// Why.
        #[source]
        source: IllegalEvent,
    },
    /// The interpreter refused what happened. The execution no longer runs; its journal is as it
    /// was before.
    #[error("execution {id} met an event that cannot happen")]
    Illegal {
        /// The execution.
        id: ExecutionId,
        /// Why.
        #[source]
        source: IllegalEvent,
    },
    /// The engine was dropped, or panicked, while the execution ran. It is resumable.
    #[error("execution {id} was interrupted: its engine is gone")]
    Interrupted {
        /// The execution.
        id: ExecutionId,
    },
    /// The journal failed. An execution that ran no longer runs, and is resumable once the journal
    /// works again.
    #[error("the journal failed")]
    Journal(#[source] JournalError),
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Error {
        match error {
            JournalError::Fenced { id, .. } => Error::TakenOver { id },
            JournalError::AlreadyExists { id } => Error::AlreadyExists { id },
            JournalError::NotFound { id } => Error::NotFound { id },
            JournalError::OutOfSequence { .. }
            | JournalError::TooNew { .. }
            | JournalError::Unreadable { .. }
            | JournalError::Inconsistent { .. }
            | JournalError::File { .. }
            | JournalError::Database { .. } => Error::Journal(error),
        }
    }
}
