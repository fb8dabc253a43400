//! The files that PostgreSQL has beside every server's own: `postgresql.conf`, `pg_hba.conf`, the socket, and:
//!
//! ```text
//! upstream.pgpass       what a replica logs in to its upstream with; belongs to the server's user
//! recovery              while it is restored to an instant: which, and from which archives
//! data/standby.signal   there for as long as the server is a replica
//! data/recovery.signal  there for as long as the server is being restored to an instant
//! ```

use camino::Utf8PathBuf;

pub(super) use crate::engines::layout::Layout;

/// PostgreSQL puts the port into the socket's name; nobody listens on it.
pub(super) const SOCKET_PORT: u16 = 5432;

/// What a copy that is to stand alone must not have.
pub(super) const STANDBY_SIGNAL: &str = "standby.signal";
pub(super) const RECOVERY_SIGNAL: &str = "recovery.signal";

impl Layout {
    pub(super) fn configuration(&self) -> Utf8PathBuf {
        self.directory().join("postgresql.conf")
    }

    pub(super) fn host_based_authentication(&self) -> Utf8PathBuf {
        self.directory().join("pg_hba.conf")
    }

    pub(super) fn upstream_password(&self) -> Utf8PathBuf {
        self.directory().join("upstream.pgpass")
    }

    pub(super) fn recovery(&self) -> Utf8PathBuf {
        self.directory().join("recovery")
    }

    pub(super) fn standby_signal(&self) -> Utf8PathBuf {
        self.data().join(STANDBY_SIGNAL)
    }

    pub(super) fn recovery_signal(&self) -> Utf8PathBuf {
        self.data().join(RECOVERY_SIGNAL)
    }

    pub(super) fn socket(&self) -> Utf8PathBuf {
        self.socket_directory()
            .join(format!(".s.PGSQL.{SOCKET_PORT}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    /// `sun_path` of Linux has 107 bytes without the closing zero, that of macOS 103.
    const LONGEST_SOCKET_PATH: usize = 103;

    #[test]
    fn the_socket_of_the_deepest_directory_still_fits() {
        let deepest = "/deep".repeat(800);
        let layout = Layout::new(Utf8Path::new(&deepest));
        assert!(layout.socket().as_str().len() <= LONGEST_SOCKET_PATH);
    }
}
