//! The engine of MariaDB, through its public surface and against real servers.
//!
//! Every test has a directory, and so servers, of its own, which end with it whether it passes or not.

mod clusters;
mod forwarding;
mod lifecycle;
mod point_in_time;
mod replication;
mod snapshots;
mod support;
