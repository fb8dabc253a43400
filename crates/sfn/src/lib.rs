//! Executions of the state machine in AWS Step Functions: what they are named, and what has
//! happened to them.
//!
//! - [`MachineArn`] and [`MachineArn::execution`] name a state machine and its executions.
//! - [`history`] reads what has happened to an execution, in the words of the embedded engine, so
//!   that [`trapheus_restore::summary()`] and everything that is shown are the same for both.
//! - [`events_after`] and [`Translator`] do the same bit by bit, for whoever watches.
//! - [`standing`] tells whether Step Functions is at work on it.

mod arn;
mod history;
mod read;

pub use arn::MachineArn;
pub use history::Translator;
pub use read::{HistoryError, events_after, history, standing};

/// What Step Functions takes as an execution's input, in bytes.
pub const INPUT_MAX: usize = 256 * 1024;
