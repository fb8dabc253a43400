//! What simulated servers would have on a disk, and which of them run.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::engines::EngineError;

/// Everything that there is, by directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    /// Servers, and snapshots, which are servers that never run.
    pub(super) servers: BTreeMap<Utf8PathBuf, Server>,
    pub(super) archives: BTreeMap<Utf8PathBuf, Vec<Write>>,
}

/// The data of one directory, and whether somebody serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    pub(super) rows: Rows,
    pub(super) process: Process,
    pub(super) parameters: BTreeMap<String, String>,
    /// The directory of the server that this one is a replica of.
    pub(super) upstream: Option<Utf8PathBuf>,
    pub(super) archive: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Process {
    #[default]
    Stopped,
    Running,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) values: BTreeMap<String, String>,
    pub(super) writes: u64,
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// How many writes there had been with this one.
    number: u64,
    at: Timestamp,
    key: String,
    value: String,
}

impl Server {
    pub(super) fn runs(&self) -> bool {
        self.process == Process::Running
    }
}

impl Rows {
    fn apply(&mut self, write: &Write) {
        self.values.insert(write.key.clone(), write.value.clone());
        self.writes = write.number;
    }

    fn size_bytes(&self) -> u64 {
        let sizes = self
            .values
            .iter()
            .map(|(key, value)| key.len() + value.len());
        sizes.sum::<usize>() as u64
    }
}

impl Disk {
    pub(super) fn server(&self, directory: &Utf8Path) -> Result<&Server, EngineError> {
        self.servers
            .get(directory)
            .ok_or_else(|| nothing_at(directory))
    }

    pub(super) fn server_mut(&mut self, directory: &Utf8Path) -> Result<&mut Server, EngineError> {
        self.servers
            .get_mut(directory)
            .ok_or_else(|| nothing_at(directory))
    }

    /// Writes a row on a server, and says how many writes it has seen; nothing on a replica.
    pub(super) fn write(
        &mut self,
        directory: &Utf8Path,
        at: Timestamp,
        key: &str,
        value: &str,
    ) -> Option<u64> {
        let server = self.servers.get_mut(directory)?;
        if server.upstream.is_some() {
            return None;
        }
        let write = Write {
            number: server.rows.writes + 1,
            at,
            key: key.to_owned(),
            value: value.to_owned(),
        };
        server.rows.apply(&write);
        let writes = server.rows.writes;
        if let Some(archive) = &server.archive {
            self.archives
                .entry(archive.clone())
                .or_default()
                .push(write);
        }
        self.feed(directory);
        Some(writes)
    }

    /// Lets the running replicas of a running server, and theirs, have what it has.
    pub(super) fn feed(&mut self, upstream: &Utf8Path) {
        let is_fed =
            |server: &Server| server.runs() && server.upstream.as_deref() == Some(upstream);
        let replicas = self.servers.iter().filter(|(_, server)| is_fed(server));
        let replicas: Vec<Utf8PathBuf> = replicas.map(|(directory, _)| directory.clone()).collect();
        for directory in replicas {
            let upstream = self.servers.get(upstream).filter(|server| server.runs());
            let rows = upstream.map(|server| server.rows.clone());
            if let (Some(rows), Some(replica)) = (rows, self.servers.get_mut(&directory)) {
                replica.rows = rows;
                self.feed(&directory);
            }
        }
    }

    /// Copies the rows into a new directory; returns their size.
    pub(super) fn copy(&mut self, from: &Utf8Path, into: &Utf8Path) -> Result<u64, EngineError> {
        let rows = self.server(from)?.rows.clone();
        let size_bytes = rows.size_bytes();
        let copy = Server {
            rows,
            ..Server::default()
        };
        self.servers.insert(into.to_owned(), copy);
        Ok(size_bytes)
    }

    /// Brings rows forward to an instant.
    pub(super) fn replay(
        &mut self,
        directory: &Utf8Path,
        archives: &[Utf8PathBuf],
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let log = archives
            .iter()
            .filter_map(|archive| self.archives.get(archive));
        let log: Vec<Write> = log
            .flatten()
            .filter(|write| write.at <= until)
            .cloned()
            .collect();
        let rows = &mut self.server_mut(directory)?.rows;
        for write in &log {
            if write.number > rows.writes + 1 {
                return Err(EngineError::Failed {
                    action: format!("recovering {directory}"),
                    reason: format!("write {} is in no archive", rows.writes + 1),
                });
            }
            if write.number == rows.writes + 1 {
                rows.apply(write);
            }
        }
        Ok(())
    }
}

fn nothing_at(directory: &Utf8Path) -> EngineError {
    EngineError::Failed {
        action: format!("reading {directory}"),
        reason: "there is nothing".to_owned(),
    }
}
