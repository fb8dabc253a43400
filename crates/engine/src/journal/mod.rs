//! What is kept of executions, and the promises of whoever keeps it.
//!
//! ## What is stored, and why not more
//!
//! The ground truth of an execution is its id, its definition's text and its events in order:
//! everything else about how it stands comes from replaying them. Beside that the journal keeps who
//! owns it now (lease and fencing number), what was asked of the owner from outside (request), and
//! how it ended, which only repeats what the last event says so that a list needs no replay.
//!
//! Calls are synchronous and short: a journal that answers from another thread would let tokio's
//! paused clock jump ahead while it works.

mod file;
mod memory;
mod schema;
mod sqlite;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_asl::{Event, Status};

use crate::{ExecutionId, OwnerId};

pub use memory::MemoryJournal;
pub use sqlite::SqliteJournal;

/// Keeps executions. Every method is atomic, and durable when it returns.
///
/// Methods that take a [`Fencing`] number refuse, in the same transaction, every number but the
/// latest that [`Journal::create`] or [`Journal::claim`] gave out: that is what makes a second
/// owner harmless.
pub trait Journal: Send + Sync + 'static {
    /// Adds an execution with its first event, owned by the lease's owner, with [`Fencing::FIRST`].
    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError>;

    /// Makes the lease's owner the owner, if `fencing` is still the latest number. Takes back a
    /// request to stop. Returns the new number.
    fn claim(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        lease: &Lease,
    ) -> Result<Fencing, JournalError>;

    /// Adds the event at `sequence` (the first event of an execution has 0). An end releases the
    /// lease.
    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError>;

    /// Sets when the leases of these executions expire; returns those whose number is no longer the
    /// latest.
    fn renew(
        &self,
        leases: &[(ExecutionId, Fencing)],
        expires_at: Timestamp,
    ) -> Result<Vec<ExecutionId>, JournalError>;

    /// Gives the execution up: nobody owns it then.
    fn release(&self, id: &ExecutionId, fencing: Fencing) -> Result<(), JournalError>;

    /// Leaves a request for the owner of an execution. An abort stands until the execution has
    /// ended; a stop does not replace it.
    fn request(&self, id: &ExecutionId, request: &Request) -> Result<(), JournalError>;

    /// The requests to executions that have not ended.
    fn requests(&self) -> Result<Vec<(ExecutionId, Request)>, JournalError>;

    /// One execution, if there is such.
    fn execution(&self, id: &ExecutionId) -> Result<Option<StoredExecution>, JournalError>;

    /// All executions in the order of their ids, which is that of their starts.
    fn executions(&self) -> Result<Vec<StoredExecution>, JournalError>;

    /// The events of an execution from `sequence` on, in order.
    fn events(&self, id: &ExecutionId, sequence: u32) -> Result<Vec<Event>, JournalError>;
}

/// Counts the owners of an execution: each gets a higher number, and only the highest may write.
/// SQLite stores 64 bits with a sign, so 32 without one fit without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fencing(u32);

impl Fencing {
    /// The number of the owner that started the execution.
    pub const FIRST: Fencing = Fencing(1);

    /// The number of the next owner.
    #[must_use]
    pub fn next(self) -> Fencing {
        Fencing(self.0 + 1)
    }
}

impl fmt::Display for Fencing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An execution that is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExecution {
    /// Its id.
    pub id: ExecutionId,
    /// The name of its state machine.
    pub machine_name: String,
    /// The text of its definition.
    pub definition: String,
}

/// Somebody's right to run an execution, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who has it.
    pub owner: OwnerId,
    /// Until when, unless it is renewed.
    pub expires_at: Timestamp,
}

/// What somebody wants of the owner of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Request {
    /// Stop running it; it stays resumable.
    Stop,
    /// End it for good.
    Abort {
        /// The error's name to be recorded.
        error: String,
        /// Why.
        cause: String,
    },
}

/// How an execution ended, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The time of its last event.
    pub at: Timestamp,
    /// What it ended with.
    pub status: Status,
}

/// An execution as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredExecution {
    /// Its id.
    pub id: ExecutionId,
    /// The name of its state machine.
    pub machine_name: String,
    /// The text of its definition.
    pub definition: String,
    /// When it started: from its first event.
    pub started_at: Timestamp,
    /// Its input: from its first event.
    pub input: Value,
    /// The number of its latest owner.
    pub fencing: Fencing,
    /// Who owns it now, if anybody.
    pub lease: Option<Lease>,
    /// What is asked of its owner.
    pub request: Option<Request>,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
}

/// Why the journal did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Another owner has a higher fencing number: whoever gets this no longer owns the execution.
    #[error("execution {id} has another owner: fencing number {fencing} is not the latest")]
    Fenced {
        /// The execution.
        id: ExecutionId,
        /// The number that was refused.
        fencing: Fencing,
    },
    /// An execution with this id exists.
    #[error("execution {id} exists already")]
    AlreadyExists {
        /// The id.
        id: ExecutionId,
    },
    /// No execution has this id.
    #[error("there is no execution {id}")]
    NotFound {
        /// The id.
        id: ExecutionId,
    },
    /// The event does not follow the last one that is stored.
    #[error("event {sequence} of execution {id} does not follow the last one")]
    OutOfSequence {
        /// The execution.
        id: ExecutionId,
        /// The place that was asked for.
        sequence: u32,
    },
    /// The file was written by a later version of this program.
    #[error(
        "the journal has schema version {found}, this program knows up to {known}: use a newer program"
    )]
    TooNew {
        /// The version of the file.
        found: u32,
        /// The latest version that is known here.
        known: u32,
    },
    /// What is stored cannot be read back.
    #[error("the journal's {what} cannot be read back")]
    Unreadable {
        /// Which part.
        what: &'static str,
        /// Why.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// What is stored contradicts itself.
    #[error("the journal is inconsistent: {what}")]
    Inconsistent {
        /// In which way.
        what: String,
    },
    /// The file could not be made or opened.
    #[error("the journal's file could not be {doing}")]
    File {
        /// What was being done, as a participle.
        doing: &'static str,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The database refused.
    #[error("the journal could not {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Arc<rusqlite::Error>,
    },
}

/// What the first event of an execution tells.
fn first_event(id: &ExecutionId, event: Event) -> Result<(Timestamp, Value), JournalError> {
    match event {
        Event::ExecutionStarted { at, input } => Ok((at, input)),
        Event::TaskSucceeded { .. }
        | Event::TaskFailed { .. }
        | Event::TimerFired { .. }
        | Event::ExecutionAborted { .. } => Err(JournalError::Inconsistent {
            what: format!("execution {id} never started"),
        }),
    }
}
