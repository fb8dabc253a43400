//! Where the files of one server, and of one snapshot, are.
//!
//! ```text
//! <directory>/              the control plane's; others may pass through
//! ├── data/                 PostgreSQL's data directory; belongs to the server's user
//! ├── data.partial/         the same while it is being made; renamed when it is whole
//! ├── postgresql.conf       ┐
//! ├── pg_hba.conf           │ the control plane's: a server can't change how it is run
//! ├── rdsadmin.password     ┘ readable for the control plane alone
//! └── server.log            the server's output; `server.log.1` is the part before
//! /tmp/trapheus-<hash>/     the server's Unix socket
//! ```
//! A snapshot's directory has `data/` and `rdsadmin.password` only. Sockets live outside because their paths may have
//! 107 bytes at most, which a data directory can easily exceed.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

/// PostgreSQL puts the port into the socket's name; nobody listens on it.
pub(super) const SOCKET_PORT: u16 = 5432;

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

    pub(super) fn configuration(&self) -> Utf8PathBuf {
        self.directory.join("postgresql.conf")
    }

    pub(super) fn host_based_authentication(&self) -> Utf8PathBuf {
        self.directory.join("pg_hba.conf")
    }

    pub(super) fn password(&self) -> Utf8PathBuf {
        self.directory.join("rdsadmin.password")
    }

    pub(super) fn log(&self) -> Utf8PathBuf {
        self.directory.join("server.log")
    }

    /// Short, and the same for the same directory in every process.
    pub(super) fn socket_directory(&self) -> Utf8PathBuf {
        let hash = Sha256::digest(self.directory.as_str().as_bytes());
        let name: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Utf8PathBuf::from(format!("/tmp/trapheus-{name}"))
    }

    pub(super) fn socket(&self) -> Utf8PathBuf {
        self.socket_directory()
            .join(format!(".s.PGSQL.{SOCKET_PORT}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sun_path` of Linux, without the closing zero; macOS has 103.
    const LONGEST_SOCKET_PATH: usize = 103;

    #[test]
    fn the_socket_of_the_deepest_directory_still_fits() {
        let layout = Layout::new(&Utf8PathBuf::from("/deep".repeat(800)));
        assert!(layout.socket().as_str().len() <= LONGEST_SOCKET_PATH);
    }

    #[test]
    fn servers_do_not_share_sockets() {
        let one = Layout::new(Utf8Path::new("/var/lib/trapheus/servers/db-A"));
        let other = Layout::new(Utf8Path::new("/var/lib/trapheus/servers/db-B"));
        assert_ne!(one.socket(), other.socket());
        assert_eq!(one.socket(), one.clone().socket());
    }
}
