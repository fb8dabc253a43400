//! Physical copies of data that no server runs on: what is the same for every engine.
//!
//! Data is built under a partial name and renamed when it is whole. A snapshot is on the disk before it is reported. A
//! restored directory needn't be: the first start makes it durable before it takes clients.

use std::io;

use camino::Utf8Path;
use tokio::time::Instant;

use super::account::Account;
use super::directory::{make_directory, remove_directory, write_private};
use super::files::{Copy, Listing, flush_file_system};
use super::layout::Layout;
use super::program::failed;
use super::transfer::Source;
use super::{EngineError, Progress, SnapshotInfo};

/// Copies a snapshot.
pub(super) async fn copy_snapshot(
    from: &Utf8Path,
    into: &Utf8Path,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let (source, target) = (Layout::new(from), Layout::new(into));
    if target.data().exists() {
        return Ok(());
    }
    prepare(&source, &target).map_err(failed("making the snapshot's directory"))?;
    let action = "copying the data";
    let listing = Listing::of(&source.data()).map_err(failed(action))?;
    copy(&source, &target, None, listing, progress).await?;
    finish(&target).await
}

/// Makes the directory, without what an interrupted try left there, and passes the control plane's password on.
pub(super) fn prepare(from: &Layout, to: &Layout) -> io::Result<()> {
    make_directory(to.directory(), 0o755)?;
    remove_directory(&to.partial_data())?;
    write_private(&to.password(), &from.administrator_password()?)
}

/// Copies what is listed of the data to the partial data of another place; returns the bytes copied.
pub(super) async fn copy(
    from: &Layout,
    to: &Layout,
    account: Option<Account>,
    listing: Listing,
    progress: Progress<'_>,
) -> Result<u64, EngineError> {
    let copy = Copy {
        from: from.data(),
        to: to.partial_data(),
        account,
        source: Source::Still,
    };
    let copied = copy.run(listing, progress).await;
    copied.map_err(failed("copying the data"))
}

/// Names the snapshot; it is reported only when it would survive a power cut.
pub(super) async fn finish(snapshot: &Layout) -> Result<(), EngineError> {
    let action = "writing the snapshot to the disk";
    let mut laps = Laps::begin();
    flush_file_system(snapshot.directory())
        .await
        .map_err(failed(action))?;
    laps.tell("flush of the copy");
    std::fs::rename(snapshot.partial_data(), snapshot.data()).map_err(failed(action))?;
    let directory = std::fs::File::open(snapshot.directory()).map_err(failed(action))?;
    directory.sync_all().map_err(failed(action))
}

/// What a snapshot that exists already turned out to be.
pub(super) fn size(snapshot: &Layout) -> Result<SnapshotInfo, EngineError> {
    let listing = Listing::of(&snapshot.data()).map_err(failed("measuring the snapshot"))?;
    Ok(SnapshotInfo {
        size_bytes: listing.size_bytes(),
    })
}

/// Says in the log where the time of a copy goes.
pub(super) struct Laps {
    begun: Instant,
}

impl Laps {
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    pub(super) fn tell(&mut self, what: &str) {
        tracing::debug!(seconds = self.begun.elapsed().as_secs_f64(), "{what}");
        self.begun = Instant::now();
    }
}
