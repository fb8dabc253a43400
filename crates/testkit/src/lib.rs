//! Whole restores in one process and in virtual time, for tests and benchmarks.
//!
//! - A [`Simulation`] wires local RDS, the door to it, the restore and the engine together: no
//!   sockets, no files, and tokio's paused clock as the only clock, so a restore of half an hour
//!   takes milliseconds and the same seed gives the same history.
//! - [`Simulation::run`] runs an input document to its end; [`Simulation::kill_in_call`] kills
//!   the process in the middle of a call and goes on in a new one.
//! - [`Simulation::record`] takes a picture of the world, [`Frozen`], at every moment of a run, from
//!   which other processes can go on: what sweeps are made of.
//! - [`invariants`] watch every simulation: a promise that is broken anywhere fails the test;
//!   [`Simulation::take_violations`] is for those who want to see that.
//! - [`Simulation::trouble_in`] lets something go wrong while one state works.
//! - [`policies`] are those of the stack on AWS: every request of every simulation is judged by them.
//! - [`TimeSpent`] says where a run's time went.
//! - [`Simulation::ask`] speaks to RDS on the wire, below any SDK.
//! - [`request_log`] prints what was asked of RDS, for goldens.
//! - [`story`] derives whole stories from seeds, and tells them: several executions, faults, deaths
//!   and people at once.
//! - [`World`] is what RDS holds afterwards: what a test asserts on.
//!
//! Use it in tests marked `#[tokio::test(start_paused = true)]`.

mod adapter;
mod alerts;
mod bill;
mod frozen;
mod gate;
mod in_state;
mod interruptions;
pub mod invariants;
mod journal;
mod neighbours;
pub mod policies;
mod recording;
pub mod request_log;
mod setup;
mod simulation;
mod sql;
pub mod story;
mod time_spent;
mod watch;
mod wire;
mod world;

pub use adapter::Moment;
pub use alerts::Trouble;
pub use frozen::Frozen;
pub use in_state::{CallsOfStates, InState};
pub use interruptions::Calls;
pub use neighbours::Woken;
pub use recording::{Recording, Still, Success, When};
pub use simulation::{Run, Simulation};
pub use time_spent::{TimeInState, TimeSpent};
pub use watch::{Silence, Use, Watch};
pub use wire::{Element, Refusal};
pub use world::{Cluster, CustomEndpoint, Database, World};
