//! Real MariaDB servers, which serve RDS's engines `mariadb`, `mysql` and `aurora-mysql`.
//!
//! - [`MariaDb`] is the [`Engine`]; what it promises is said there;
//! - `installation` finds the programs, `layout` says where the files are;
//! - `bootstrap` makes a new server, `options` writes what it is told, `server` starts, adopts and stops it,
//!   `parameters` changes a running one;
//! - `snapshot` makes physical copies, by way of `backup` while a server runs;
//! - `replication` makes replicas, `archive` keeps the binary log, `point_in_time` restores from it, `position` compares
//!   places in it;
//! - `session` is the control plane's own login, `program` runs MariaDB's tools.

mod archive;
mod backup;
mod bootstrap;
mod engine;
mod installation;
mod layout;
mod options;
mod parameters;
mod point_in_time;
mod position;
mod program;
mod replication;
mod server;
mod session;
mod snapshot;

use crate::engines::EngineError;

pub use engine::{MariaDb, Product};

/// The version of MariaDB that this machine has.
///
/// # Errors
/// None is installed, or not all that is needed of it; the error says how it is.
pub async fn installed_version() -> Result<String, EngineError> {
    let installation = installation::Installation::find().await?;
    Ok(installation.version().to_owned())
}

#[cfg(doc)]
use crate::engines::Engine;
