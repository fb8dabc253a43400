//! Archives of the binary log.
//!
//! A file of the binary log only grows, and another one begins when it is large enough. So the archive has a second
//! name for the file, not a copy of it: what the server writes is in the archive at once, whoever is killed, and goes
//! when the last of the two names does. New files get their second name when the archive is flushed, when the server is
//! stopped, and the archive begins; until then the server itself doesn't remove them.
//!
//! ```text
//! <archive>/
//! └── <series>/                            one per server and life of its data
//!     ├── mysql-bin-changelog.000001 …
//!     └── flushed                          as old as the last flush
//! ```
//! The servers of one Aurora cluster share an archive: readers log what they apply, so that nothing is missing after a
//! fail-over.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::options::{BINARY_LOG, LOG_SECONDS};
use super::program::failed;
use super::session::Session;
use super::{parameters, server};
use crate::engines::account::Account;
use crate::engines::directory::make_directory;
use crate::engines::{EngineError, ServerSpec};

const ACTION: &str = "archiving the binary log";

/// The file whose age is that of the last flush.
const FLUSHED: &str = "flushed";

/// Where a server's log is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    archive: Utf8PathBuf,
    /// Unique among everything that is ever kept there.
    series: String,
}

impl Kept {
    fn new(archive: &Utf8Path) -> Self {
        Self {
            archive: archive.to_owned(),
            series: format!("{:016x}", rand::random::<u64>()),
        }
    }

    fn of(layout: &Layout) -> Result<Option<Self>, EngineError> {
        match std::fs::read_to_string(layout.archive()) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(failed(ACTION)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(ACTION)(error)),
        }
    }

    fn write(&self, layout: &Layout) -> Result<(), EngineError> {
        let text = serde_json::to_string(self).map_err(failed(ACTION))?;
        std::fs::write(layout.archive(), text).map_err(failed(ACTION))
    }

    fn directory(&self) -> Utf8PathBuf {
        self.archive.join(&self.series)
    }
}

/// Keeps the log from now on in the directory, or nowhere.
pub(super) async fn keep(
    spec: &ServerSpec,
    into: Option<&Utf8Path>,
    account: Account,
) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    let kept = Kept::of(&layout)?.map(|kept| kept.archive);
    if kept.as_deref() == into {
        return link(&layout);
    }
    match into {
        Some(archive) => {
            make_directory(archive, 0o755).map_err(failed(ACTION))?;
            account.check_reach(&archive.join(FLUSHED))?;
            Kept::new(archive).write(&layout)?;
        }
        None => std::fs::remove_file(layout.archive()).map_err(failed(ACTION))?,
    }
    if server::find(&layout.data())?.is_some() {
        // How long the server keeps its log depends on whether it is archived.
        parameters::reconfigure(spec, account).await?;
        let mut session = Session::open(&layout).await?;
        let begun = session.execute("FLUSH BINARY LOGS".to_owned(), ACTION);
        begun.await?;
        session.close().await;
    }
    link(&layout)
}

/// Begins another series, because the data is made anew and with it the numbers of the files begin again.
pub(super) fn begin_anew(layout: &Layout) -> Result<(), EngineError> {
    match Kept::of(layout)? {
        Some(kept) => Kept::new(&kept.archive).write(layout),
        None => Ok(()),
    }
}

/// Returns once everything that was committed before is in the archive.
pub(super) async fn flush(spec: &ServerSpec) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    let Some(kept) = Kept::of(&layout)? else {
        return Ok(());
    };
    link(&layout)?;
    std::fs::write(kept.directory().join(FLUSHED), "").map_err(failed(ACTION))?;
    if server::find(&layout.data())?.is_some() {
        let mut session = Session::open(&layout).await?;
        let purge = format!("PURGE BINARY LOGS BEFORE NOW() - INTERVAL {LOG_SECONDS} SECOND");
        session.execute(purge, ACTION).await?;
        session.close().await;
    }
    Ok(())
}

/// Gives the files of the server's log their second names.
pub(super) fn link(layout: &Layout) -> Result<(), EngineError> {
    match Kept::of(layout)? {
        Some(kept) => link_all(&layout.data(), &kept.directory()).map_err(failed(ACTION)),
        None => Ok(()),
    }
}

fn link_all(data: &Utf8Path, series: &Utf8Path) -> io::Result<()> {
    make_directory(series, 0o755)?;
    for entry in data.read_dir_utf8()? {
        let entry = entry?;
        if !is_log(entry.file_name()) {
            continue;
        }
        let second = series.join(entry.file_name());
        match std::fs::hard_link(entry.path(), &second) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
                if identity(second.metadata()?) != identity(entry.metadata()?) {
                    return Err(io::Error::other(
                        "the log was reset: RESET MASTER is not supported",
                    ));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `mysql-bin-changelog.000001`, but not the index of them.
fn is_log(name: &str) -> bool {
    name.strip_prefix(BINARY_LOG)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|number| number.bytes().all(|letter| letter.is_ascii_digit()))
}

/// What one server has kept in an archive.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// The files, in the order in which they were written.
    pub(super) files: Vec<Utf8PathBuf>,
    /// Everything before this moment is in them, in seconds since 1970.
    pub(super) reaches: i64,
}

/// What all servers have kept in archives; what reaches furthest comes first.
pub(super) fn series(archives: &[Utf8PathBuf]) -> io::Result<Vec<Series>> {
    let mut all = Vec::new();
    for archive in archives {
        for entry in archive.read_dir_utf8()? {
            let mut series = Series {
                files: Vec::new(),
                reaches: 0,
            };
            for entry in entry?.path().read_dir_utf8()? {
                let entry = entry?;
                series.reaches = series.reaches.max(entry.metadata()?.mtime());
                if is_log(entry.file_name()) {
                    series.files.push(entry.path().to_owned());
                }
            }
            // More than 999999 files get longer numbers.
            series
                .files
                .sort_by_key(|path| (path.as_str().len(), path.clone()));
            all.push(series);
        }
    }
    all.retain(|series| !series.files.is_empty());
    all.sort_by_key(|series| std::cmp::Reverse(series.reaches));
    Ok(all)
}
