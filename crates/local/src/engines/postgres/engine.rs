//! The engine `postgres`, as the control plane sees it.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::installation::Installation;
use super::layout::Layout;
use super::program::failed;
use super::{bootstrap, server, snapshot};
use crate::engines::account::Account;
use crate::engines::copies;
use crate::engines::directory::remove_directory;
use crate::engines::{
    Backend, Engine, EngineError, PendingReboot, Progress, Replication, ServerSpec, SnapshotInfo,
    StopMode,
};

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
        _: &ServerSpec,
        _: &ServerSpec,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        Err(failed("following")("unsupported"))
    }

    async fn promote(&self, _: &ServerSpec) -> Result<(), EngineError> {
        Ok(())
    }

    async fn replication(&self, _: &ServerSpec) -> Result<Replication, EngineError> {
        Ok(Replication::None)
    }

    async fn archive(&self, _: &ServerSpec, _: Option<&Utf8Path>) -> Result<(), EngineError> {
        Ok(())
    }

    async fn flush_archive(&self, _: &ServerSpec) -> Result<(), EngineError> {
        Ok(())
    }

    async fn restore_to(
        &self,
        _: &Utf8Path,
        _: &[Utf8PathBuf],
        _: Timestamp,
        _: &ServerSpec,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        Err(failed("restoring to an instant")("unsupported"))
    }

    /// A server that still runs there is ended first, so that none is left without its directory.
    async fn remove(&self, directory: &Utf8Path) -> Result<(), EngineError> {
        server::stop(directory, StopMode::Immediate).await?;
        let directory = directory.to_owned();
        // Gigabytes take a while to free.
        tokio::task::spawn_blocking(move || remove_directory(&directory))
            .await
            .map_err(failed("removing the directory"))?
            .map_err(failed("removing the directory"))
    }

    fn backend(&self, spec: &ServerSpec) -> Backend {
        Backend::UnixSocket(Layout::new(&spec.directory).socket())
    }
}
