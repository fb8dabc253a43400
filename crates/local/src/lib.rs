//! Local RDS: the RDS API on loopback with real servers behind it.
//!
//! - [`ControlPlane`] is the whole thing: it answers RDS's Query protocol, keeps the state and runs the operations;
//! - [`Options`] says where the state lives, how long operations take and which [`Engines`] serve;
//! - [`connector()`] gives an AWS SDK client a direct line to it, without sockets;
//! - [`serve()`] listens on loopback for everybody else;
//! - [`observe`] lets a test watch everything that happens, as it happens;
//! - [`Chaos`] makes what can go wrong on RDS go wrong, by a seed; a [`Fault`] is armed by hand;
//! - [`engines`] is the seam to the servers that hold the data.
//!
//! A request changes the state in one transaction, which also holds what is to be done next; jobs then do it, and note
//! the result. So a crash at any moment leaves a state from which the next start goes on.

mod api;
mod attributes;
mod catalogue;
pub mod chaos;
mod clusters;
pub mod connector;
pub mod control_plane;
mod describe;
pub mod durations;
mod endpoints;
pub mod engines;
pub mod faults;
pub mod forwarder;
mod frozen;
mod home;
mod names;
mod notice;
pub mod observe;
mod operations;
pub mod options;
mod parameter_list;
mod parameters;
mod random;
mod request_log;
mod rules;
mod secrets;
pub mod serve;
pub mod server;
mod serving;
mod settings;
mod state;
pub mod store;
mod subnets;

pub use chaos::{Chaos, ChaosKind, Injected};
pub use connector::connector;
pub use control_plane::{ControlPlane, OpenError};
pub use engines::simulated::{ClientError, SimulatedClient, SimulatedServers};
pub use faults::{Effect, Fault};
pub use frozen::Frozen;
pub use options::{Clock, Durations, Engines, Home, Options};
pub use request_log::RequestEntry;
pub use serve::serve;
pub use store::MemoryStore;
