//! An application that talks to simulated servers.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::disk::{Disk, Rows, Server};
use crate::control_plane::ControlPlane;
use crate::state::instance::Instance;

/// Reads and writes rows through an endpoint, as an application would.
#[derive(Clone, Debug)]
pub struct SimulatedClient {
    control_plane: Arc<ControlPlane>,
    door: Door,
    /// How often it came: where several servers answer, it goes to them in turn.
    calls: Arc<AtomicUsize>,
}

/// Where a client comes in.
#[derive(Clone, Debug)]
enum Door {
    Name(String),
    Address(IpAddr),
}

impl fmt::Display for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(address) => address.fmt(formatter),
        }
    }
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
        Self::through(control_plane, Door::Name(identifier.to_ascii_lowercase()))
    }

    pub(crate) fn at(control_plane: Arc<ControlPlane>, address: IpAddr) -> Self {
        Self::through(control_plane, Door::Address(address))
    }

    fn through(control_plane: Arc<ControlPlane>, door: Door) -> Self {
        Self {
            control_plane,
            door,
            calls: Arc::default(),
        }
    }

    /// Sets a row and counts the write. Replicas that run have it at once.
    ///
    /// # Errors
    /// Nothing answers at the name, or a replica does.
    pub fn put(&self, key: &str, value: &str) -> Result<(), ClientError> {
        let (served, writes) = self.write(key, value)?;
        let at = self.control_plane.now();
        let observers = &self.control_plane.observers;
        observers.tell(|observer| observer.wrote(at, &served.resource_id, writes));
        Ok(())
    }

    /// The same for whoever prepares a database that nobody uses yet: no client was promised it.
    ///
    /// # Errors
    /// Nothing answers at the name, or a replica does.
    pub fn prepare(&self, key: &str, value: &str) -> Result<(), ClientError> {
        self.write(key, value).map(|_| ())
    }

    fn write(&self, key: &str, value: &str) -> Result<(Instance, u64), ClientError> {
        let at = self.control_plane.now();
        let read_only = || ClientError::ReadOnly {
            identifier: self.door.to_string(),
        };
        let served = self.served()?;
        let writes = self
            .on_disk(|disk| disk.write(&served.directory, at, key, value))?
            .ok_or_else(read_only)?;
        Ok((served, writes))
    }

    /// A row.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn get(&self, key: &str) -> Result<Option<String>, ClientError> {
        self.with_rows(|rows| rows.values.get(key).cloned())
    }

    /// All rows.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn rows(&self) -> Result<BTreeMap<String, String>, ClientError> {
        self.with_rows(|rows| rows.values.clone())
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
        self.served().map(|instance| instance.resource_id)
    }

    fn with_rows<T>(&self, look: impl FnOnce(&Rows) -> T) -> Result<T, ClientError> {
        let served = self.served()?;
        self.on_disk(|disk| {
            let server = disk.servers.get(&served.directory);
            server.map(|server| look(&server.rows))
        })?
        .ok_or_else(|| self.not_answering())
    }

    fn on_disk<T>(&self, work: impl FnOnce(&mut Disk) -> T) -> Result<T, ClientError> {
        let servers = self.control_plane.simulated_servers();
        let mut disk = servers.ok_or_else(|| self.not_answering())?.lock();
        Ok(work(&mut disk))
    }

    /// The instance whose turn it is.
    fn served(&self) -> Result<Instance, ClientError> {
        let mut served = match &self.door {
            Door::Name(name) => self.control_plane.served(name),
            Door::Address(address) => self.control_plane.served_at(*address),
        };
        if let Some(servers) = self.control_plane.simulated_servers() {
            let disk = servers.lock();
            let runs = |one: &Instance| disk.servers.get(&one.directory).is_some_and(Server::runs);
            served.retain(runs);
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match call.checked_rem(served.len()) {
            Some(turn) => Ok(served.swap_remove(turn)),
            None => Err(self.not_answering()),
        }
    }

    fn not_answering(&self) -> ClientError {
        ClientError::NotAnswering {
            identifier: self.door.to_string(),
        }
    }
}
