//! The engine `postgres`, as the control plane sees it.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::installation::Installation;
use super::layout::Layout;
use super::{archive, bootstrap, replication, server, snapshot};
use crate::engines::account::Account;
use crate::engines::copies;
use crate::engines::directory::clear;
use crate::engines::{
    Backend, Engine, EngineError, PendingReboot, Progress, Replication, ServerSpec, SnapshotInfo,
    StopMode,
};

/// Programs that write below a directory and outlive a control plane that is killed.
const PROGRAMS: [&str; 2] = ["initdb", "postgres"];

/// The user that the distributions' packages make for it.
const USER: &str = "postgres";

/// PostgreSQL server processes that listen on Unix sockets only, never as root.
///
/// It remembers nothing: what runs is found out by looking at the directories, so that another process of the control
/// plane goes on where this one was killed. Directories must be given by absolute path, and always by the same one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Postgres;

impl Postgres {
    /// The engine of this machine. Whether any version is installed is seen when it is needed.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Engine for Postgres {
    async fn versions(&self) -> Result<Vec<String>, EngineError> {
        let installations = Installation::all().await;
        Ok(installations
            .iter()
            .map(|installation| installation.version().to_string())
            .collect())
    }

    async fn create(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        bootstrap::create(spec, Account::find(USER)?).await
    }

    async fn start(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        server::start(spec, Account::find(USER)?).await
    }

    async fn stop(&self, spec: &ServerSpec, mode: StopMode) -> Result<(), EngineError> {
        server::stop(&spec.directory, mode).await
    }

    async fn reconfigure(&self, spec: &ServerSpec) -> Result<PendingReboot, EngineError> {
        server::reconfigure(spec, Account::find(USER)?).await
    }

    async fn set_master_password(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        server::set_master_password(spec).await
    }

    async fn snapshot(
        &self,
        spec: &ServerSpec,
        into: &Utf8Path,
        progress: Progress<'_>,
    ) -> Result<SnapshotInfo, EngineError> {
        snapshot::take(spec, into, progress).await
    }

    async fn restore(
        &self,
        from: &Utf8Path,
        spec: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        snapshot::restore(from, spec, Account::find(USER)?, progress).await
    }

    async fn copy_snapshot(
        &self,
        from: &Utf8Path,
        into: &Utf8Path,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        copies::copy_snapshot(from, into, progress).await
    }

    async fn follow(
        &self,
        spec: &ServerSpec,
        upstream: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        replication::follow(spec, upstream, Account::find(USER)?, progress).await
    }

    async fn promote(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        replication::promote(spec).await
    }

    async fn replication(&self, spec: &ServerSpec) -> Result<Replication, EngineError> {
        replication::state(spec).await
    }

    async fn archive(&self, spec: &ServerSpec, into: Option<&Utf8Path>) -> Result<(), EngineError> {
        archive::keep(spec, into, Account::find(USER)?).await
    }

    async fn flush_archive(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        archive::flush(spec).await
    }

    async fn restore_to(
        &self,
        base: &Utf8Path,
        archives: &[Utf8PathBuf],
        until: Timestamp,
        spec: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        archive::restore_to(base, archives, until, spec, Account::find(USER)?, progress).await
    }

    /// A server that still runs there is ended first, so that none is left without its directory.
    async fn remove(&self, directory: &Utf8Path) -> Result<(), EngineError> {
        server::stop(directory, StopMode::Immediate).await?;
        clear(directory, &PROGRAMS).await
    }

    fn backend(&self, spec: &ServerSpec) -> Backend {
        Backend::UnixSocket(Layout::new(&spec.directory).socket())
    }
}
