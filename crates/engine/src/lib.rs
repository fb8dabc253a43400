//! The durable embedded engine: runs States Language executions inside one process and keeps every
//! transition in a journal, so that a killed process resumes where it was.
//!
//! - A [`Journal`] keeps executions and their events: [`SqliteJournal`] on disk, [`MemoryJournal`]
//!   for simulation. An event is durable before any effect of it is visible.
//! - An [`Engine`] is made of a journal, a [`Clock`], the [`Tasks`] that states name as their
//!   resources, and an [`OwnerId`].
//! - [`Engine::start`] and [`Engine::resume`] give a [`Handle`]: wait for the [`Outcome`], follow
//!   the history, stop.
//! - Whoever runs an execution holds its lease, and every append carries the lease's [`Fencing`]
//!   number: two processes never write one execution.
//! - [`Engine::executions`], [`Engine::history`] and [`Engine::follow`] read from any process,
//!   whoever runs the execution.
//!
//! What a definition means is not decided here: `trapheus-asl` turns an event into actions, and the
//! same function replays the journal. What a task does is not decided here either: the engine knows
//! nothing but tasks and timers.
//!
//! Everything that waits uses tokio's clock and everything that dates uses [`Clock`], so with
//! [`VirtualClock`], [`MemoryJournal`] and [`OwnerId::named`] whole executions run
//! deterministically in tokio's paused time.
//!
//! ```
//! use std::sync::Arc;
//!
//! use serde_json::{Value, json};
//! use trapheus_engine::{
//!     Engine, MemoryJournal, Outcome, OwnerId, StartExecution, SystemClock, TaskCall, TaskError,
//!     Tasks,
//! };
//!
//! struct Greeter;
//!
//! #[async_trait::async_trait]
//! impl Tasks for Greeter {
//!     async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
//!         Ok(json!(format!("Hello, {}!", call.input)))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), trapheus_engine::Error> {
//! let journal = Arc::new(MemoryJournal::new());
//! let owner = OwnerId::this_process();
//! let engine = Engine::new(journal, Arc::new(SystemClock), Arc::new(Greeter), owner);
//! let greet = json!({"Type": "Task", "Resource": "greet", "End": true});
//! let handle = engine.start(StartExecution {
//!     id: None,
//!     machine_name: "greeting".to_owned(),
//!     definition: json!({"StartAt": "Greet", "States": {"Greet": greet}}).to_string(),
//!     input: json!(42),
//! })?;
//! let Outcome::Ended(status) = handle.wait().await? else { unreachable!("nobody stops it") };
//! assert_eq!(status, trapheus_asl::Status::Succeeded { output: json!("Hello, 42!") });
//! # Ok(())
//! # }
//! ```

mod calls;
mod clock;
mod driver;
mod engine;
mod error;
mod follow;
mod handle;
mod heartbeat;
mod hold;
mod id;
mod journal;
mod lease;
mod owner;
mod record;
mod replay;
mod running;
mod shared;
mod tasks;
mod timers;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use engine::{Delivery, Engine, StartExecution, Timing};
pub use error::Error;
pub use follow::Follow;
pub use handle::{Handle, Outcome};
pub use hold::Hold;
pub use id::{ExecutionId, InvalidExecutionId};
pub use journal::{
    Ended, Fencing, Journal, JournalError, Lease, MemoryJournal, NewExecution, Request,
    SqliteJournal, StoredExecution,
};
pub use owner::OwnerId;
pub use record::{ExecutionRecord, ExecutionStatus};
pub use tasks::{TaskCall, TaskError, Tasks};
