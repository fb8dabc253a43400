//! Amazon States Language (JSONPath): parse, check, interpret. Pure: no clock, no I/O, no
//! randomness, so an execution is its definition and its events, and nothing else.
//!
//! In the order in which you meet them:
//!
//! - [`StateMachine::parse`] reads a definition. Whatever this crate does not implement is refused
//!   then, as a [`Finding`] with the JSON path of the offender, never ignored later.
//! - [`Execution::apply`] takes one [`Event`] in and returns the [`Action`]s to be done: start or
//!   cancel a task or a timer, tell a [`HistoryEvent`], end with a [`Status`].
//! - An event that cannot happen is an [`IllegalEvent`] and changes nothing.
//! - Applying the same events again gives the same actions, so a replay is a resume:
//!   [`Execution::outstanding`] says which tasks and timers to start once more.
//!
//! ```
//! use std::sync::Arc;
//! use trapheus_asl::{Action, Event, Execution, Identity, StateMachine, Status, Timestamp};
//!
//! let definition = r#"{"StartAt": "Greet", "States": {
//!     "Greet": {"Type": "Task", "Resource": "greet", "InputPath": "$.name", "End": true}
//! }}"#;
//! let machine = Arc::new(StateMachine::parse(definition)?);
//! let identity = Identity { execution_name: "one".into(), state_machine_name: "greeter".into() };
//! let mut execution = Execution::new(machine, identity);
//!
//! let at = Timestamp::UNIX_EPOCH;
//! let input = serde_json::json!({"name": "world"});
//! let actions = execution.apply(&Event::ExecutionStarted { at, input })?;
//! let Some(Action::StartTask { task, input, .. }) = actions.last() else { panic!() };
//! assert_eq!(input, "world");
//!
//! execution.apply(&Event::TaskSucceeded { at, task: *task, output: "Hello!".into() })?;
//! assert_eq!(execution.status(), &Status::Succeeded { output: "Hello!".into() });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is supported
//!
//! All eight states with all their JSONPath fields, reference paths (`$.a['b'][0]`), the context
//! object, and the intrinsic functions but for `States.UUID` and `States.MathRandom` (a replay
//! could not repeat them), `States.Hash` and the Base64 ones. Not supported, and refused: JSONata
//! and variables, heartbeats, task credentials, distributed maps, and paths with wildcards,
//! slices or filters.
//!
//! Errors follow AWS's documentation: `States.Runtime` always ends the execution, `States.ALL`
//! doesn't catch `States.DataLimitExceeded`, a Choice that looks at what isn't there fails. The
//! tests run every feature in an interpreter by other authors too and list where that one differs.

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
