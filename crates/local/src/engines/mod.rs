//! The seam between the control plane and the servers that hold the data.
//!
//! The control plane decides *that* something happens to a database and remembers it; an [`Engine`] makes it happen to
//! a server. Every method is safe to repeat: after a crash the control plane asks again for whatever it had begun.

mod account;
mod copies;
mod directory;
mod files;
mod layout;
mod log;
pub mod mariadb;
pub mod postgres;
mod process;
mod program;
pub mod simulated;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Runs the servers of one engine family, for instance `postgres`.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// The versions that can be run, oldest first, in RDS's spelling (`15.14`). Empty: none is installed.
    async fn versions(&self) -> Result<Vec<String>, EngineError>;

    /// Makes a new, empty database cluster with its master user in the directory, which must not exist or must be empty.
    /// The server isn't started. A failure may leave half a directory: the caller removes it.
    async fn create(&self, spec: &ServerSpec) -> Result<(), EngineError>;

    /// Starts the server, or adopts the one that already runs on the directory, and returns once it takes connections.
    /// The parameters of the specification are in force after a start, but not necessarily after an adoption.
    async fn start(&self, spec: &ServerSpec) -> Result<(), EngineError>;

    /// Stops the server and returns once its process is gone. A server that doesn't run is fine.
    async fn stop(&self, spec: &ServerSpec, mode: StopMode) -> Result<(), EngineError>;

    /// Writes the parameters and lets the running server read them; says which still wait for a restart. A server that
    /// doesn't run gets them at its next start.
    async fn reconfigure(&self, spec: &ServerSpec) -> Result<PendingReboot, EngineError>;

    /// Sets the password of the master user of the running server to that of the specification.
    async fn set_master_password(&self, spec: &ServerSpec) -> Result<(), EngineError>;

    /// Copies the data as committed at one instant, while clients write, into a directory that doesn't exist yet.
    /// Works on a running server and on a stopped one. `progress` is told percentages, which only rise.
    async fn snapshot(
        &self,
        spec: &ServerSpec,
        into: &Utf8Path,
        progress: Progress<'_>,
    ) -> Result<SnapshotInfo, EngineError>;

    /// Makes the directory of the specification from a snapshot, which stays as it is. The server isn't started. The
    /// master password is that of the specification, which is the one at the time of the snapshot.
    async fn restore(
        &self,
        from: &Utf8Path,
        spec: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError>;

    /// Copies a snapshot.
    async fn copy_snapshot(
        &self,
        from: &Utf8Path,
        into: &Utf8Path,
        progress: Progress<'_>,
    ) -> Result<(), EngineError>;

    /// Makes the server a replica of the upstream, which runs: it applies what is committed there, refuses writes, and
    /// has been started. It stays a replica through restarts, until it is promoted.
    ///
    /// The cheapest way that is right is taken. A directory that isn't there is made from the upstream, whose clients
    /// notice nothing. A replica of another upstream is sent to this one. What has data that the upstream doesn't have,
    /// such as the former upstream after a fail-over, is made anew.
    async fn follow(
        &self,
        spec: &ServerSpec,
        upstream: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError>;

    /// Makes a running replica take writes from now on, once it has applied everything that it received. The upstream
    /// isn't asked: it may be gone. What is no replica stays as it is.
    async fn promote(&self, spec: &ServerSpec) -> Result<(), EngineError>;

    /// Whether the running server follows another one.
    async fn replication(&self, spec: &ServerSpec) -> Result<Replication, EngineError>;

    /// Keeps the log of everything that is written from now on in the directory, which is made if it isn't there, or
    /// keeps it nowhere any more. It stays so through restarts. The server may run or not; a replica's log begins when
    /// it is promoted or before.
    ///
    /// A snapshot that is begun after this, together with the archive, can be restored to every instant after its end.
    async fn archive(&self, spec: &ServerSpec, into: Option<&Utf8Path>) -> Result<(), EngineError>;

    /// Returns once everything that was committed on the running server before the call is in its archive. A server
    /// that was stopped in the mode `Fast` has done so.
    async fn flush_archive(&self, spec: &ServerSpec) -> Result<(), EngineError>;

    /// Makes the directory of the specification from a snapshot and brings it forward with the archives to what had
    /// been committed at the instant, as far as the archives reach. They are given in the order in which they were
    /// written, the first being the one that the snapshot was taken under; all stay as they are. The server may be left
    /// running.
    async fn restore_to(
        &self,
        base: &Utf8Path,
        archives: &[Utf8PathBuf],
        until: Timestamp,
        spec: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError>;

    /// Removes the directory of a server that was stopped, of a snapshot or of an archive, whole or half made. Nothing
    /// there is fine.
    async fn remove(&self, directory: &Utf8Path) -> Result<(), EngineError>;

    /// Where clients of the server are sent.
    fn backend(&self, spec: &ServerSpec) -> Backend;
}

/// Told the percentage that is done, 0 to 100.
pub type Progress<'a> = &'a (dyn Fn(u8) + Send + Sync);

/// Everything an engine needs to know about one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSpec {
    /// `DbiResourceId` of the instance: unique for ever, unlike its name.
    pub resource_id: String,
    /// Where the server's data lives; only the engine looks inside.
    pub directory: Utf8PathBuf,
    /// RDS's word for the engine, such as `postgres`.
    pub engine: String,
    /// Version in RDS's spelling, one of [`Engine::versions`].
    pub engine_version: String,
    /// The master user.
    pub master_username: String,
    /// Password of the master user.
    pub master_password: Secret,
    /// `DBName`: a database made at creation beside the engine's own.
    pub database: Option<String>,
    /// The values that the user set in the parameter group, in the engine's own spelling.
    pub parameters: BTreeMap<String, String>,
    /// `AllocatedStorage`.
    pub allocated_storage_gib: u32,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Clients are disconnected, everything is flushed, the next start needs no recovery.
    Fast,
    /// At once, without flushing: the data is about to be deleted anyway, or a crash is being rehearsed.
    Immediate,
}

/// Parameters whose new value waits for a restart of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingReboot {
    /// Their names.
    pub parameters: BTreeSet<String>,
}

/// What a snapshot turned out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Size of the copy.
    pub size_bytes: u64,
}

/// How a server is related to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// It is no replica.
    None,
    /// It is connected to its upstream, and applies what comes.
    Streaming,
    /// It is a replica that isn't connected.
    Broken {
        /// What the server says about it.
        reason: String,
    },
}

/// What answers behind an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// A server process that listens on this Unix socket.
    UnixSocket(Utf8PathBuf),
    /// Nothing but these bytes, after which the connection is closed: an engine without a local server says so.
    Notice(Vec<u8>),
    /// A simulated server, which has no sockets.
    Simulated,
}

/// Why a server could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The programs of the engine aren't on this machine.
    #[error("{engine} is not installed; {hint}")]
    NotInstalled {
        /// What is missing.
        engine: String,
        /// The command that installs it.
        hint: String,
    },
    /// The directory can't be used, for instance because the unprivileged user can't reach it.
    #[error("the directory {directory} can't be used: {reason}")]
    Directory {
        /// The directory.
        directory: Utf8PathBuf,
        /// Why, and what helps.
        reason: String,
    },
    /// The server doesn't take a parameter's value; in RDS this ends in `incompatible-parameters`.
    #[error("the server refuses the parameters: {reason}")]
    Parameters {
        /// The server's own words.
        reason: String,
    },
    /// A program failed or the server didn't come up.
    #[error("{action} failed: {reason}")]
    Failed {
        /// What was being done.
        action: String,
        /// What went wrong, with the last lines of the log where there are any.
        reason: String,
    },
}

/// A password: it can be stored and used, but not printed by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}
