//! Amazon States Language: parse, check, interpret. Pure: no clock, no I/O, no randomness.
//!
//! - [`StateMachine::parse`] reads a definition and refuses, with the JSON path of each offender,
//!   whatever this crate does not implement.
//! - [`Execution`] interprets it: [`Execution::apply`] takes one [`Event`] and returns the
//!   [`Action`]s to be done. The same function runs an execution and replays it.
//! - [`HistoryEvent`] tells what happened in Step Functions' words.

mod action;
mod check;
mod choice;
mod definition;
mod errors;
mod event;
mod expression;
mod history;
mod interpret;
mod intrinsic;
mod path;
mod read;
mod retry;
mod shape;
mod status;
mod template;
mod time;

pub use action::{Action, TaskId, TimerId};
pub use check::{DefinitionError, Finding, Problem};
pub use definition::StateMachine;
pub use event::{Event, IllegalEvent};
pub use history::{HistoryEvent, HistoryKind};
pub use interpret::{Execution, Identity};
pub use jiff::Timestamp;
pub use status::Status;
