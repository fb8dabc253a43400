//! Servers that are rows in memory: what simulations and fast tests run against.
//!
//! They are kept apart from the control plane, as processes are: they live on when it crashes. A replica that runs has
//! every row as soon as its upstream has it; the log that is archived is the list of writes with their times.

mod client;
mod disk;

pub use client::{ClientError, SimulatedClient};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use self::disk::{Disk, Process, Server};
use super::{
    Backend, Engine, EngineError, PendingReboot, Progress, Replication, ServerSpec, SnapshotInfo,
    StopMode,
};
use crate::parameters;

/// The simulated servers of one control plane; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct SimulatedServers {
    disk: Arc<Mutex<Disk>>,
}

impl SimulatedServers {
    /// The directories that hold anything: what would be left over on a disk.
    pub fn directories(&self) -> Vec<Utf8PathBuf> {
        let disk = self.lock();
        disk.servers
            .keys()
            .chain(disk.archives.keys())
            .cloned()
            .collect()
    }

    /// How many servers run.
    pub fn running(&self) -> usize {
        let disk = self.lock();
        disk.servers.values().filter(|server| server.runs()).count()
    }

    /// The parameters that the server of a directory runs with.
    pub fn parameters(&self, directory: &Utf8Path) -> BTreeMap<String, String> {
        let disk = self.lock();
        let server = disk.servers.get(directory);
        server
            .map(|server| server.parameters.clone())
            .unwrap_or_default()
    }

    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        Self {
            disk: Arc::new(Mutex::new(self.lock().clone())),
        }
    }

    /// How many writes the data of a directory has seen.
    pub(crate) fn writes(&self, directory: &Utf8Path) -> Option<u64> {
        let disk = self.lock();
        let server = disk.servers.get(directory)?;
        Some(server.rows.writes)
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for SimulatedServers {
    async fn versions(&self) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    async fn create(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        let mut disk = self.lock();
        disk.servers
            .insert(spec.directory.clone(), Server::default());
        Ok(())
    }

    async fn start(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        let mut disk = self.lock();
        let server = disk.server_mut(&spec.directory)?;
        if !server.runs() {
            server.process = Process::Running;
            server.parameters = spec.parameters.clone();
        }
        match server.upstream.clone() {
            Some(upstream) => disk.feed(&upstream),
            None => disk.feed(&spec.directory),
        }
        Ok(())
    }

    async fn stop(&self, spec: &ServerSpec, _: StopMode) -> Result<(), EngineError> {
        if let Some(server) = self.lock().servers.get_mut(&spec.directory) {
            server.process = Process::Stopped;
        }
        Ok(())
    }

    async fn reconfigure(&self, spec: &ServerSpec) -> Result<PendingReboot, EngineError> {
        let mut disk = self.lock();
        let server = disk.server_mut(&spec.directory)?;
        let mut pending = PendingReboot::default();
        for name in spec
            .parameters
            .keys()
            .chain(server.parameters.clone().keys())
        {
            if server.parameters.get(name) == spec.parameters.get(name) {
                continue;
            }
            if parameters::is_static(&spec.engine, name) {
                pending.parameters.insert(name.clone());
            } else if let Some(value) = spec.parameters.get(name) {
                server.parameters.insert(name.clone(), value.clone());
            } else {
                server.parameters.remove(name);
            }
        }
        Ok(pending)
    }

    async fn set_master_password(&self, _: &ServerSpec) -> Result<(), EngineError> {
        Ok(())
    }

    async fn snapshot(
        &self,
        spec: &ServerSpec,
        into: &Utf8Path,
        _: Progress<'_>,
    ) -> Result<SnapshotInfo, EngineError> {
        let size_bytes = self.lock().copy(&spec.directory, into)?;
        Ok(SnapshotInfo { size_bytes })
    }

    async fn restore(
        &self,
        from: &Utf8Path,
        spec: &ServerSpec,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        self.lock().copy(from, &spec.directory).map(drop)
    }

    async fn copy_snapshot(
        &self,
        from: &Utf8Path,
        into: &Utf8Path,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        self.lock().copy(from, into).map(drop)
    }

    async fn follow(
        &self,
        spec: &ServerSpec,
        upstream: &ServerSpec,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        let mut disk = self.lock();
        if !disk.server(&upstream.directory)?.runs() {
            return Err(EngineError::Failed {
                action: "replicating".to_owned(),
                reason: format!("the upstream {} does not run", upstream.resource_id),
            });
        }
        let replica = disk.servers.entry(spec.directory.clone()).or_default();
        if !replica.runs() {
            replica.parameters = spec.parameters.clone();
        }
        replica.process = Process::Running;
        replica.upstream = Some(upstream.directory.clone());
        disk.feed(&upstream.directory);
        Ok(())
    }

    async fn promote(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        self.lock().server_mut(&spec.directory)?.upstream = None;
        Ok(())
    }

    async fn replication(&self, spec: &ServerSpec) -> Result<Replication, EngineError> {
        let disk = self.lock();
        Ok(match &disk.server(&spec.directory)?.upstream {
            None => Replication::None,
            Some(upstream) if disk.servers.get(upstream).is_some_and(Server::runs) => {
                Replication::Streaming
            }
            Some(_) => Replication::Broken {
                reason: "the upstream does not run".to_owned(),
            },
        })
    }

    async fn archive(&self, spec: &ServerSpec, into: Option<&Utf8Path>) -> Result<(), EngineError> {
        let mut disk = self.lock();
        disk.server_mut(&spec.directory)?.archive = into.map(Utf8Path::to_owned);
        if let Some(archive) = into {
            disk.archives.entry(archive.to_owned()).or_default();
        }
        Ok(())
    }

    async fn flush_archive(&self, _: &ServerSpec) -> Result<(), EngineError> {
        Ok(())
    }

    async fn restore_to(
        &self,
        base: &Utf8Path,
        archives: &[Utf8PathBuf],
        until: Timestamp,
        spec: &ServerSpec,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        let mut disk = self.lock();
        disk.copy(base, &spec.directory)?;
        disk.replay(&spec.directory, archives, until)
    }

    async fn remove(&self, directory: &Utf8Path) -> Result<(), EngineError> {
        let mut disk = self.lock();
        disk.servers.remove(directory);
        disk.archives.remove(directory);
        Ok(())
    }

    fn backend(&self, _: &ServerSpec) -> Backend {
        Backend::Simulated
    }
}
