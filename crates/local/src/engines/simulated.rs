//! Servers that are rows in memory: what simulations and fast tests run against.
//!
//! They are kept apart from the control plane, as processes are: they live on when it crashes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Backend, Engine, EngineError, PendingReboot, Progress, ServerSpec, SnapshotInfo, StopMode,
};
use crate::control_plane::ControlPlane;
use crate::parameters;

/// The simulated servers of one control plane; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct SimulatedServers {
    servers: Arc<Mutex<BTreeMap<Utf8PathBuf, Server>>>,
}

/// The data of one directory, and whether somebody serves it.
#[derive(Clone, Debug, Default)]
struct Server {
    rows: Rows,
    process: Process,
    parameters: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Process {
    #[default]
    Stopped,
    Running,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    values: BTreeMap<String, String>,
    writes: u64,
}

impl SimulatedServers {
    /// The directories that hold anything: what would be left over on a disk.
    pub fn directories(&self) -> Vec<Utf8PathBuf> {
        self.lock().keys().cloned().collect()
    }

    /// How many servers run.
    pub fn running(&self) -> usize {
        self.lock()
            .values()
            .filter(|server| server.process == Process::Running)
            .count()
    }

    /// The parameters that the server of a directory runs with.
    pub fn parameters(&self, directory: &Utf8Path) -> BTreeMap<String, String> {
        self.lock()
            .get(directory)
            .map(|server| server.parameters.clone())
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Utf8PathBuf, Server>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self, from: &Utf8Path, into: &Utf8Path) -> Result<u64, EngineError> {
        let mut servers = self.lock();
        let rows = servers
            .get(from)
            .ok_or_else(|| nothing_at(from))?
            .rows
            .clone();
        let size_bytes = rows
            .values
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>() as u64;
        servers.insert(
            into.to_owned(),
            Server {
                rows,
                ..Server::default()
            },
        );
        Ok(size_bytes)
    }
}

#[async_trait]
impl Engine for SimulatedServers {
    async fn versions(&self) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    async fn create(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        self.lock()
            .insert(spec.directory.clone(), Server::default());
        Ok(())
    }

    async fn start(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        let mut servers = self.lock();
        let server = servers
            .get_mut(&spec.directory)
            .ok_or_else(|| nothing_at(&spec.directory))?;
        if server.process == Process::Stopped {
            server.process = Process::Running;
            server.parameters = spec.parameters.clone();
        }
        Ok(())
    }

    async fn stop(&self, spec: &ServerSpec, _: StopMode) -> Result<(), EngineError> {
        if let Some(server) = self.lock().get_mut(&spec.directory) {
            server.process = Process::Stopped;
        }
        Ok(())
    }

    async fn reconfigure(&self, spec: &ServerSpec) -> Result<PendingReboot, EngineError> {
        let mut servers = self.lock();
        let server = servers
            .get_mut(&spec.directory)
            .ok_or_else(|| nothing_at(&spec.directory))?;
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
        Ok(SnapshotInfo {
            size_bytes: self.copy(&spec.directory, into)?,
        })
    }

    async fn restore(
        &self,
        from: &Utf8Path,
        spec: &ServerSpec,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        self.copy(from, &spec.directory).map(drop)
    }

    async fn copy_snapshot(
        &self,
        from: &Utf8Path,
        into: &Utf8Path,
        _: Progress<'_>,
    ) -> Result<(), EngineError> {
        self.copy(from, into).map(drop)
    }

    async fn remove(&self, directory: &Utf8Path) -> Result<(), EngineError> {
        self.lock().remove(directory);
        Ok(())
    }

    fn backend(&self, _: &ServerSpec) -> Backend {
        Backend::Simulated
    }
}

fn nothing_at(directory: &Utf8Path) -> EngineError {
    EngineError::Failed {
        action: format!("reading {directory}"),
        reason: "there is nothing".to_owned(),
    }
}

/// Reads and writes rows through the name of an instance, as an application would.
#[derive(Clone, Debug)]
pub struct SimulatedClient {
    control_plane: Arc<ControlPlane>,
    identifier: String,
}

/// Nothing answers at the name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing answers at {identifier}")]
pub struct NotAnswering {
    /// The name.
    pub identifier: String,
}

impl SimulatedClient {
    pub(crate) fn new(control_plane: Arc<ControlPlane>, identifier: &str) -> Self {
        Self {
            control_plane,
            identifier: identifier.to_ascii_lowercase(),
        }
    }

    /// Sets a row and counts the write.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn put(&self, key: &str, value: &str) -> Result<(), NotAnswering> {
        self.with_rows(|rows| {
            rows.values.insert(key.to_owned(), value.to_owned());
            rows.writes += 1;
        })
    }

    /// A row.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn get(&self, key: &str) -> Result<Option<String>, NotAnswering> {
        self.with_rows(|rows| rows.values.get(key).cloned())
    }

    /// How many writes the data behind the name has seen, those before its snapshot included.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn writes(&self) -> Result<u64, NotAnswering> {
        self.with_rows(|rows| rows.writes)
    }

    /// The resource id of the instance that answers.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn resource_id(&self) -> Result<String, NotAnswering> {
        let served = self
            .control_plane
            .served(&self.identifier)
            .ok_or_else(|| self.not_answering())?;
        self.with_rows(|_| served.resource_id)
    }

    fn with_rows<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> Result<T, NotAnswering> {
        let served = self
            .control_plane
            .served(&self.identifier)
            .ok_or_else(|| self.not_answering())?;
        let servers = self
            .control_plane
            .simulated_servers()
            .ok_or_else(|| self.not_answering())?;
        let mut servers = servers.lock();
        match servers.get_mut(&served.directory) {
            Some(server) if server.process == Process::Running => Ok(work(&mut server.rows)),
            Some(_) | None => Err(self.not_answering()),
        }
    }

    fn not_answering(&self) -> NotAnswering {
        NotAnswering {
            identifier: self.identifier.clone(),
        }
    }
}
