//! An application that talks to simulated servers.

use std::sync::Arc;

use camino::Utf8Path;

use super::disk::{Disk, Rows};
use crate::control_plane::ControlPlane;

/// Reads and writes rows through the name of an instance, as an application would.
#[derive(Clone, Debug)]
pub struct SimulatedClient {
    control_plane: Arc<ControlPlane>,
    identifier: String,
}

/// Why a simulated client gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nothing answers at the name.
    #[error("nothing answers at {identifier}")]
    NotAnswering {
        /// The name.
        identifier: String,
    },
    /// A replica answers, which takes no writes.
    #[error("{identifier} is read-only")]
    ReadOnly {
        /// The name.
        identifier: String,
    },
}

impl SimulatedClient {
    pub(crate) fn new(control_plane: Arc<ControlPlane>, identifier: &str) -> Self {
        Self {
            control_plane,
            identifier: identifier.to_ascii_lowercase(),
        }
    }

    /// Sets a row and counts the write. Replicas that run have it at once.
    ///
    /// # Errors
    /// Nothing answers at the name, or a replica does.
    pub fn put(&self, key: &str, value: &str) -> Result<(), ClientError> {
        let at = self.control_plane.now();
        let read_only = || ClientError::ReadOnly {
            identifier: self.identifier.clone(),
        };
        self.with_server(|disk, directory| disk.write(directory, at, key, value))?
            .ok_or_else(read_only)
    }

    /// A row.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn get(&self, key: &str) -> Result<Option<String>, ClientError> {
        self.with_rows(|rows| rows.values.get(key).cloned())
    }

    /// How many writes the data behind the name has seen, those before its snapshot included.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn writes(&self) -> Result<u64, ClientError> {
        self.with_rows(|rows| rows.writes)
    }

    /// The resource id of the instance that answers.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn resource_id(&self) -> Result<String, ClientError> {
        let served = self
            .control_plane
            .served(&self.identifier)
            .ok_or_else(|| self.not_answering())?;
        self.with_rows(|_| served.resource_id)
    }

    fn with_rows<T>(&self, look: impl FnOnce(&Rows) -> T) -> Result<T, ClientError> {
        self.with_server(|disk, directory| {
            disk.servers.get(directory).map(|server| look(&server.rows))
        })?
        .ok_or_else(|| self.not_answering())
    }

    fn with_server<T>(
        &self,
        work: impl FnOnce(&mut Disk, &Utf8Path) -> T,
    ) -> Result<T, ClientError> {
        let served = self.control_plane.served(&self.identifier);
        let servers = self.control_plane.simulated_servers();
        let (Some(served), Some(servers)) = (served, servers) else {
            return Err(self.not_answering());
        };
        let mut disk = servers.lock();
        match disk.servers.get(&served.directory) {
            Some(server) if server.runs() => Ok(work(&mut disk, &served.directory)),
            Some(_) | None => Err(self.not_answering()),
        }
    }

    fn not_answering(&self) -> ClientError {
        ClientError::NotAnswering {
            identifier: self.identifier.clone(),
        }
    }
}
