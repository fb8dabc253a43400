//! Real PostgreSQL servers.
//!
//! - [`Postgres`] is the [`Engine`]; what it promises is said there;
//! - `installation` finds the programs, `layout` says where the files are;
//! - `bootstrap` makes a new server, `configuration` writes what it is told, `server` starts, adopts and stops it,
//!   `postmaster` tells whether one runs;
//! - `snapshot` makes physical copies, `base_backup` says what belongs to one;
//! - `replication` lets servers follow each other, `archive` keeps their logs and restores to an instant;
//! - `session` is the control plane's own login, `program` runs PostgreSQL's tools.

mod archive;
mod base_backup;
mod bootstrap;
mod configuration;
mod engine;
mod installation;
mod layout;
mod postmaster;
mod program;
mod replication;
mod server;
mod session;
mod snapshot;

pub use engine::Postgres;

/// The versions of PostgreSQL that this machine has, oldest first.
pub async fn installed_versions() -> Vec<String> {
    let found = installation::Installation::all().await;
    found
        .iter()
        .map(|installation| installation.version().to_string())
        .collect()
}

#[cfg(doc)]
use crate::engines::Engine;
