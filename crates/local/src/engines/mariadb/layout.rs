//! The files that MariaDB has beside every server's own, and the addresses that are derived from its directory.
//!
//! ```text
//! <directory>/
//! ├── my.cnf            what the next start is told
//! ├── running.cnf       what the last start was told
//! └── tmp/              for temporary tables
//! ```
//! Replication is the one thing that MariaDB does by TCP only, so every server also listens on an address in 127.240/12
//! of its own, which no endpoint has. Two servers share one by accident once in billions of times.

use std::net::{Ipv4Addr, SocketAddrV4};

use camino::Utf8PathBuf;

pub(super) use crate::engines::layout::Layout;

impl Layout {
    /// A server that starts removes the temporary tables of all others that have the same directory for them.
    pub(super) fn temporary(&self) -> Utf8PathBuf {
        self.directory().join("tmp")
    }

    pub(super) fn option_file(&self) -> Utf8PathBuf {
        self.directory().join("my.cnf")
    }

    pub(super) fn running_option_file(&self) -> Utf8PathBuf {
        self.directory().join("running.cnf")
    }

    pub(super) fn unix_socket(&self) -> Utf8PathBuf {
        self.socket_directory().join("mariadb.sock")
    }

    /// Where replicas connect.
    pub(super) fn replication_address(&self) -> SocketAddrV4 {
        let [.., a, b, c, d, e] = self.hash();
        let address = Ipv4Addr::new(127, 240 | (a & 15), b, 1 + c % 254);
        let port = 10_000 + u16::from_be_bytes([d, e]) % 20_000;
        SocketAddrV4::new(address, port)
    }

    /// `server_id`: what tells the servers of one replication apart.
    pub(super) fn server_id(&self) -> u32 {
        let [a, b, c, d, ..] = self.hash();
        u32::from_be_bytes([a, b, c, d]).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    #[test]
    fn servers_replicate_on_addresses_that_no_endpoint_has() {
        for number in 0..200 {
            let layout = Layout::new(Utf8Path::new(&format!("/srv/{number}")));
            let [first, second, _, _] = layout.replication_address().ip().octets();
            assert_eq!(first, 127);
            assert!(second >= 240);
        }
    }
}
