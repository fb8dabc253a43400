//! Physical copies: of a server, running or not, and from a snapshot to a new server.

use camino::Utf8Path;
use nix::sys::signal::Signal;

use super::layout::Layout;
use super::options::BINARY_LOG;
use super::program::failed;
use super::{backup, server};
use crate::engines::account::Account;
use crate::engines::copies;
use crate::engines::files::{Entry, Listing, flush_file_system};
use crate::engines::{EngineError, Progress, ServerSpec, SnapshotInfo};

/// Files of a replica that say whom it follows, and what mariadb-backup notes beside a copy.
const LEFT_OUT: [&str; 5] = [
    "master.info",
    "relay-log.",
    "multi-master.info",
    "xtrabackup_",
    "backup-my.cnf",
];

/// Copies a server's data into a new directory, whether the server runs or not.
pub(super) async fn take(
    spec: &ServerSpec,
    into: &Utf8Path,
    account: Account,
    progress: Progress<'_>,
) -> Result<SnapshotInfo, EngineError> {
    let (server, snapshot) = (Layout::new(&spec.directory), Layout::new(into));
    if snapshot.data().exists() {
        return copies::size(&snapshot);
    }
    copies::prepare(&server, &snapshot).map_err(failed("making the snapshot's directory"))?;
    account.check_reach(&snapshot.partial_data())?;
    let size_bytes = if server::find(&server.data())?.is_some() {
        backup::take(&server, &snapshot.partial_data(), account, progress).await?
    } else {
        copy(&server, &snapshot, account, |_| true, progress).await?
    };
    copies::finish(&snapshot).await?;
    Ok(SnapshotInfo { size_bytes })
}

/// Makes a server's directory from a snapshot.
pub(super) async fn restore(
    from: &Utf8Path,
    spec: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let server = Layout::new(&spec.directory);
    if server.data().exists() {
        return Ok(());
    }
    restore_partial(from, &server, account, progress).await?;
    complete(&server).await
}

/// Makes the data of a server from a snapshot, under its partial name.
pub(super) async fn restore_partial(
    from: &Utf8Path,
    server: &Layout,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let snapshot = Layout::new(from);
    if !snapshot.data().is_dir() {
        return Err(EngineError::Directory {
            directory: snapshot.data(),
            reason: "it is not a MariaDB data directory: there is nothing".to_owned(),
        });
    }
    server::end(&server.partial_data(), Signal::SIGKILL).await?;
    copies::prepare(&snapshot, server).map_err(failed("making the server's directory"))?;
    account.check_reach(&server.data())?;
    copy(&snapshot, server, account, belongs_to_a_server, progress)
        .await
        .map(drop)
}

/// Gives the data its name once it is on the disk: InnoDB relies on what it finds to be there after a power cut.
pub(super) async fn complete(server: &Layout) -> Result<(), EngineError> {
    let action = "naming the data directory";
    flush_file_system(server.directory())
        .await
        .map_err(failed(action))?;
    std::fs::rename(server.partial_data(), server.data()).map_err(failed(action))
}

async fn copy(
    from: &Layout,
    to: &Layout,
    account: Account,
    belongs: impl Fn(&Entry) -> bool,
    progress: Progress<'_>,
) -> Result<u64, EngineError> {
    let mut listing = Listing::of(&from.data()).map_err(failed("listing the data"))?;
    listing.files.retain(belongs);
    copies::copy(from, to, Some(account), listing, progress).await
}

/// A restored server begins a binary log of its own; but one that was killed while it ran needs the last file for its
/// recovery, so the log stays.
fn belongs_to_a_server(file: &Entry) -> bool {
    let name = file.path.file_name().unwrap_or_default();
    let is_relay_log = name.contains("-relay-bin.") && !name.starts_with(BINARY_LOG);
    !is_relay_log && !LEFT_OUT.iter().any(|start| name.starts_with(start))
}
