//! Where the files of one server, and of one snapshot, are, whatever the engine.
//!
//! ```text
//! <directory>/              the control plane's; others may pass through
//! ├── data/                 the engine's data directory; belongs to the server's user
//! ├── data.partial/         the same while it is being made; renamed when it is whole
//! ├── rdsadmin.password     readable for the control plane alone
//! ├── upstream              of a replica: the directory of the server that it follows
//! ├── archive               where the server's log is kept, if it is
//! └── server.log            the server's output; `server.log.1` is the part before
//! /tmp/trapheus-<hash>/     the server's Unix socket
//! ```
//! Beside these are the engine's configuration files: the control plane's, so that a server can't change how it is run.
//! A snapshot's directory has `data/` and `rdsadmin.password` only. Sockets live outside because their paths may have
//! 107 bytes at most, which a data directory can easily exceed.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

/// Names the files below one directory.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    directory: Utf8PathBuf,
}

impl Layout {
    pub(super) fn new(directory: &Utf8Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    pub(super) fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    pub(super) fn data(&self) -> Utf8PathBuf {
        self.directory.join("data")
    }

    pub(super) fn partial_data(&self) -> Utf8PathBuf {
        self.directory.join("data.partial")
    }

    pub(super) fn password(&self) -> Utf8PathBuf {
        self.directory.join("rdsadmin.password")
    }

    pub(super) fn upstream(&self) -> Utf8PathBuf {
        self.directory.join("upstream")
    }

    pub(super) fn archive(&self) -> Utf8PathBuf {
        self.directory.join("archive")
    }

    pub(super) fn log(&self) -> Utf8PathBuf {
        self.directory.join("server.log")
    }

    /// Short, and the same for the same directory in every process.
    pub(super) fn socket_directory(&self) -> Utf8PathBuf {
        let name: String = self.hash()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Utf8PathBuf::from(format!("/tmp/trapheus-{name}"))
    }

    /// What is derived from the directory's name and must not be the same for two of them.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.directory.as_str().as_bytes()).into()
    }

    /// Reads the password of the control plane's own user.
    pub(super) fn administrator_password(&self) -> io::Result<String> {
        std::fs::read_to_string(self.password())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_do_not_share_sockets() {
        let one = Layout::new(Utf8Path::new("/var/lib/trapheus/servers/db-A"));
        let other = Layout::new(Utf8Path::new("/var/lib/trapheus/servers/db-B"));
        assert_ne!(one.socket_directory(), other.socket_directory());
        assert_eq!(one.socket_directory(), one.clone().socket_directory());
    }
}
