//! The file that a server's output goes to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};

/// A log that is longer than this at a start is put aside first, replacing the one before it.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a server says from its start on.
#[derive(Debug)]
pub(super) struct ServerLog {
    path: Utf8PathBuf,
    start: u64,
}

impl ServerLog {
    /// Opens the log for a server that is about to be started.
    pub(super) fn open(path: &Utf8Path) -> io::Result<(Self, File)> {
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LOG_BYTES_MAX) {
            std::fs::rename(path, path.with_extension("log.1"))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let start = file.metadata()?.len();
        let path = path.to_owned();
        Ok((Self { path, start }, file))
    }

    /// What it has said so far.
    pub(super) fn read(&self) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
