//! The interpreter: event in, actions out.
//!
//! `execution` is the door: it refuses illegal events before anything changes. `run` is what an
//! execution knows while it runs: scopes, each on its way through one flow, and the tasks and
//! timers they wait for. A [`turn::Turn`] takes one event in; its methods are spread over the
//! files by what they are about: `task`, `pause` (Wait), `map` and `fan_out` (Map and Parallel),
//! `instant` (the states that take no time), `failure` (Retry and Catch) and `ending`.

mod context;
mod data;
mod ending;
mod execution;
mod failure;
mod fan_out;
mod instant;
mod map;
mod pause;
mod run;
mod task;
mod turn;

pub use execution::{Execution, Identity};
