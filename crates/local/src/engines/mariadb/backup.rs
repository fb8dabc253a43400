//! Copies the data of a running server, with mariadb-backup.
//!
//! It copies the tables while they change, together with InnoDB's log of the changes; then it stops commits for a moment
//! to note where in the binary log the copy ends, and `--prepare` applies the log. What comes out is everything that was
//! committed at that moment: all of what was committed before the copy was asked for, and nothing that was committed
//! after it was reported.
//!
//! Weaknesses of some versions are made up for here. Before 10.11.15, mariadb-backup waits for more log to come while it holds commits
//! back, five seconds if none does: so some is made meanwhile, by changes that are rolled back. And under load it may
//! lose its place in the log, the more so when it reads it by a memory map, as 10.11.10 to 10.11.14 do by default: it is
//! told not to, and is begun again when it happens.

use std::time::Duration;

use camino::Utf8Path;
use tokio::process::Command;

use super::installation::Installation;
use super::layout::Layout;
use super::program::{self, failed};
use super::session::{ADMINISTRATOR, Session};
use crate::engines::account::Account;
use crate::engines::copies::Laps;
use crate::engines::directory::{make_directory, remove_directory};
use crate::engines::files::Listing;
use crate::engines::{EngineError, Progress};

/// How often a copy is begun.
const TRIES: u32 = 5;

/// What mariadb-backup says then.
const LOST_LOG: &str = "only able to copy log";

/// Between two changes that are rolled back.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// Between two looks at how much is copied.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What is left to do when everything is copied, in per cent.
const PREPARING: u64 = 5;

/// Copies the data of a running server into a directory, which is made anew; returns the bytes copied.
pub(super) async fn take(
    server: &Layout,
    into: &Utf8Path,
    account: Account,
    progress: Progress<'_>,
) -> Result<u64, EngineError> {
    let installation = Installation::find().await?;
    let mut laps = Laps::begin();
    let mut tries = 1;
    loop {
        remove_directory(into)
            .and_then(|()| make_directory(into, 0o700))
            .and_then(|()| account.own(into))
            .map_err(failed("making room for the copy"))?;
        match copy(server, into, &installation, account, progress).await {
            Err(EngineError::Failed { reason, .. })
                if tries < TRIES && reason.contains(LOST_LOG) =>
            {
                tries += 1;
            }
            other => break other?,
        }
    }
    laps.tell("copy of the data");
    prepare(into, &installation, account).await?;
    laps.tell("applying the log");
    let listing = Listing::of(into).map_err(failed("measuring the copy"))?;
    Ok(listing.size_bytes())
}

async fn copy(
    server: &Layout,
    into: &Utf8Path,
    installation: &Installation,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let action = "copying the data";
    let password = server.administrator_password().map_err(failed(action))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut command = Command::new(installation.program("mariadb-backup"));
    command
        .args(["--no-defaults", "--backup", "--log-copy-interval=1"])
        // Other versions may not know these.
        .args([
            "--loose-innodb-log-file-mmap=OFF",
            "--loose-innodb-log-checkpoint-now=OFF",
        ])
        .arg(format!("--parallel={threads}"))
        .arg(format!("--datadir={}", server.data()))
        .arg(format!("--tmpdir={}", server.temporary()))
        .arg(format!("--socket={}", server.unix_socket()))
        .arg(format!("--user={ADMINISTRATOR}"))
        .arg(format!("--target-dir={into}"));
    let copying = program::run_client(&mut command, account, action, &password);
    let mut session = Session::open(server).await?;
    let result = tokio::select! {
        copied = copying => copied.map(drop),
        error = beat(&mut session) => Err(error),
        () = tell(server, into, progress) => Ok(()),
    };
    session.close().await;
    result
}

/// Makes log for as long as it is awaited; ends with an error only.
async fn beat(session: &mut Session) -> EngineError {
    let statement =
        "START TRANSACTION; UPDATE mysql.rds_heartbeat2 SET value = value + 1; ROLLBACK";
    loop {
        let beaten = session.execute(statement.to_owned(), "writing the heartbeat");
        if let Err(error) = beaten.await {
            return error;
        }
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// Tells how much is copied for as long as it is awaited; never ends.
async fn tell(server: &Layout, into: &Utf8Path, progress: Progress<'_>) {
    let bytes = |path: &Utf8Path| Listing::of(path).map_or(0, |listing| listing.size_bytes());
    let total = bytes(&server.data()).max(1);
    let mut told = 0;
    loop {
        let percent = (bytes(into) * (100 - PREPARING) / total).min(100 - PREPARING);
        if percent > told {
            told = percent;
            progress(u8::try_from(percent).unwrap_or(100));
        }
        tokio::time::sleep(PROGRESS_INTERVAL).await;
    }
}

async fn prepare(
    into: &Utf8Path,
    installation: &Installation,
    account: Account,
) -> Result<(), EngineError> {
    let mut command = Command::new(installation.program("mariadb-backup"));
    command
        .args(["--no-defaults", "--prepare"])
        .arg(format!("--target-dir={into}"));
    program::run(&mut command, account, "applying the log to the copy", "")
        .await
        .map(drop)
}
