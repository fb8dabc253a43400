//! Local RDS: the RDS API on loopback with real servers behind it.
//!
//! - [`ControlPlane`] is the whole thing: it answers RDS's Query protocol, keeps the state and runs the operations;
//! - [`Options`] says where the state lives, how long operations take and which [`Engines`] serve;
//! - [`connector()`] gives an AWS SDK client a direct line to it, without sockets;
//! - [`serve()`] listens on loopback for everybody else;
//! - [`engines`] is the seam to the servers that hold the data.

pub mod connector;
pub mod control_plane;
pub mod durations;
pub mod engines;
pub mod forwarder;
pub mod options;
pub mod serve;
pub mod store;

pub use connector::connector;
pub use control_plane::{ControlPlane, OpenError};
pub use engines::simulated::{NotAnswering, SimulatedClient, SimulatedServers};
pub use options::{Clock, Durations, Engines, Home, Options};
pub use serve::serve;
pub use store::MemoryStore;
