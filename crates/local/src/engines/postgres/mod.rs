//! Real PostgreSQL servers.
//!
//! - [`Postgres`] is the [`Engine`]; what it promises is said there;
//! - `installation` finds the programs, `account` the user they run as, `layout` says where the files are;
//! - `bootstrap` makes a new server, `configuration` writes what it is told, `server` starts, adopts and stops it,
//!   `postmaster` tells whether one runs;
//! - `snapshot` makes physical copies, `base_backup` says what belongs to one, `files` lists and copies on many threads,
//!   `transfer` moves the bytes;
//! - `session` is the control plane's own login, `program` runs PostgreSQL's tools.

mod account;
mod base_backup;
mod bootstrap;
mod configuration;
mod engine;
mod files;
mod installation;
mod layout;
mod postmaster;
mod program;
mod server;
mod session;
mod snapshot;
mod transfer;

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
