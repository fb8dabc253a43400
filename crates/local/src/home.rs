//! Where things are kept below the home:
//!
//! ```text
//! rds.db                    the state
//! servers/<resource id>/    one server's data
//! snapshots/<number>/       one snapshot's data
//! backups/<number>-base/    the data that a period of automated backups begins with
//! backups/<number>-log/     and the log that was written since
//! ```

use camino::{Utf8Path, Utf8PathBuf};

use crate::state::State;

/// The directories of one home.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    home: Utf8PathBuf,
}

impl Paths {
    pub(crate) fn new(home: &Utf8Path) -> Self {
        Self {
            home: home.to_owned(),
        }
    }

    pub(crate) fn database(&self) -> Utf8PathBuf {
        self.home.join("rds.db")
    }

    /// The directory of a server, whose resource id nobody else ever has.
    pub(crate) fn server(&self, resource_id: &str) -> Utf8PathBuf {
        self.home
            .join("servers")
            .join(resource_id.to_ascii_lowercase())
    }

    /// A directory for a snapshot that none had before: a name may come again while the old data is being removed.
    pub(crate) fn snapshot(&self, state: &mut State) -> Utf8PathBuf {
        let number = state.count("snapshot");
        self.home.join("snapshots").join(number.to_string())
    }

    /// Directories for the base and the archive of a new period of automated backups.
    pub(crate) fn backup(&self, state: &mut State) -> (Utf8PathBuf, Utf8PathBuf) {
        let number = state.count("backup");
        let path = |part: &str| self.home.join("backups").join(format!("{number}-{part}"));
        (path("base"), path("log"))
    }

    /// The directories that everything else is in.
    pub(crate) fn parents(&self) -> [Utf8PathBuf; 3] {
        ["servers", "snapshots", "backups"].map(|name| self.home.join(name))
    }
}
