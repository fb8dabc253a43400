//! Physical copies: of a server while clients write, of a snapshot, and from a snapshot to a new server.
//!
//! A snapshot of a running server is a base backup made in place: `pg_backup_start` checkpoints, the files are copied
//! while they change, `pg_backup_stop` says up to where the write-ahead log is needed, and that part of the log is
//! copied too. The server that is started on a copy replays it and comes up with everything that was committed by the
//! end of the copy, which is everything that was committed before the snapshot was asked for and nothing that was
//! committed after it was reported. A temporary replication slot keeps the server from recycling the log meanwhile:
//! without it a busy server could remove the beginning before the end is copied.
//!
//! The first start of a restored directory flushes it before it takes clients (`recovery_init_sync_method`).

use camino::{Utf8Path, Utf8PathBuf};
use sqlx::Row;

use super::base_backup;
use super::installation::Installation;
use super::layout::Layout;
use super::postmaster::Postmaster;
use super::program::failed;
use super::session::{Session, literal};
use crate::engines::account::Account;
use crate::engines::copies::{self, Laps};
use crate::engines::files::Copy;
use crate::engines::transfer::Source;
use crate::engines::{EngineError, Progress, ServerSpec, SnapshotInfo};

/// Version that renamed `pg_start_backup` to `pg_backup_start`.
const FIRST_MAJOR_WITH_NEW_NAMES: u32 = 15;

/// Copies a server's data into a new directory, whether the server runs or not.
pub(super) async fn take(
    spec: &ServerSpec,
    into: &Utf8Path,
    progress: Progress<'_>,
) -> Result<SnapshotInfo, EngineError> {
    let (server, snapshot) = (Layout::new(&spec.directory), Layout::new(into));
    if snapshot.data().exists() {
        return copies::size(&snapshot);
    }
    copies::prepare(&server, &snapshot).map_err(failed("making the snapshot's directory"))?;
    refuse_tablespaces(&server.data())?;
    let copied = if Postmaster::find(&server.data()).is_some() {
        take_online(&server, &snapshot, progress).await?
    } else {
        copy_whole(&server, &snapshot, None, progress).await?
    };
    copies::finish(&snapshot).await?;
    Ok(SnapshotInfo { size_bytes: copied })
}

async fn take_online(
    server: &Layout,
    snapshot: &Layout,
    progress: Progress<'_>,
) -> Result<u64, EngineError> {
    let installation = Installation::of_data(&server.data()).await?;
    let new_names = installation.version().major >= FIRST_MAJOR_WITH_NEW_NAMES;
    let mut laps = Laps::begin();
    let mut session = Session::open(server).await?;
    let start = begin(&mut session, snapshot, new_names).await?;
    laps.tell("checkpoint before the copy");
    let listing = base_backup::listing(&server.data()).map_err(failed("listing the data"))?;
    let copy = Copy {
        from: server.data(),
        to: snapshot.partial_data(),
        account: None,
        source: Source::Live,
    };
    let copied = copy
        .run(listing, progress)
        .await
        .map_err(failed("copying the data"))?;
    laps.tell("copy of the data");
    base_backup::copy_control_file(&server.data(), &snapshot.partial_data())
        .map_err(failed("copying the control file"))?;
    let end = finish_backup(&mut session, new_names).await?;
    std::fs::write(snapshot.partial_data().join("backup_label"), &end.label)
        .map_err(failed("writing the backup label"))?;
    let log = copy_log(server, snapshot, &start, &end).await?;
    session.close().await;
    laps.tell("copy of the log");
    Ok(copied + log)
}

/// The first segment of the log that the copy needs.
struct Start {
    segment: String,
}

/// The last segment of the log that the copy needs, and what tells PostgreSQL where to begin.
struct End {
    segment: String,
    label: String,
}

async fn begin(
    session: &mut Session,
    snapshot: &Layout,
    new_names: bool,
) -> Result<Start, EngineError> {
    let action = "beginning the copy";
    let slot = format!("trapheus_{}", std::process::id());
    let name = literal(&format!("{slot}_{:x}", rand::random::<u32>()));
    session
        .execute(
            format!("SELECT pg_create_physical_replication_slot({name}, true, true)"),
            action,
        )
        .await?;
    let label = literal(snapshot.directory().file_name().unwrap_or("snapshot"));
    let call = if new_names {
        format!("pg_backup_start({label}, true)")
    } else {
        format!("pg_start_backup({label}, true, false)")
    };
    let statement = format!("SELECT pg_walfile_name({call}) AS segment");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .fetch_one(session.connection())
        .await
        .map_err(failed(action))?;
    Ok(Start {
        segment: row.try_get("segment").map_err(failed(action))?,
    })
}

async fn finish_backup(session: &mut Session, new_names: bool) -> Result<End, EngineError> {
    let action = "ending the copy";
    let statement = if new_names {
        "SELECT pg_walfile_name(lsn) AS segment, labelfile FROM pg_backup_stop(false)"
    } else {
        "SELECT pg_walfile_name(lsn) AS segment, labelfile FROM pg_stop_backup(false, false)"
    };
    let row = sqlx::query(statement)
        .fetch_one(session.connection())
        .await
        .map_err(failed(action))?;
    Ok(End {
        segment: row.try_get("segment").map_err(failed(action))?,
        label: row.try_get("labelfile").map_err(failed(action))?,
    })
}

async fn copy_log(
    server: &Layout,
    snapshot: &Layout,
    start: &Start,
    end: &End,
) -> Result<u64, EngineError> {
    let action = "copying the write-ahead log";
    let listing = base_backup::log_listing(&server.data(), &start.segment, &end.segment)
        .map_err(failed(action))?;
    let copy = Copy {
        from: server.data(),
        to: snapshot.partial_data(),
        account: None,
        source: Source::Still,
    };
    copy.run(listing, &|_| ()).await.map_err(failed(action))
}

/// Makes a server's directory from a snapshot.
pub(super) async fn restore(
    from: &Utf8Path,
    spec: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let (snapshot, server) = (Layout::new(from), Layout::new(&spec.directory));
    if server.data().exists() {
        return Ok(());
    }
    // Known before gigabytes are copied: the programs that can read the data, and that they may reach it.
    Installation::of_data(&snapshot.data()).await?;
    copies::prepare(&snapshot, &server).map_err(failed("making the server's directory"))?;
    account.check_reach(&server.data())?;
    copy_whole(&snapshot, &server, Some(account), progress).await?;
    std::fs::rename(server.partial_data(), server.data())
        .map_err(failed("naming the data directory"))
}

/// Copies a directory that no server runs on.
async fn copy_whole(
    from: &Layout,
    to: &Layout,
    account: Option<Account>,
    progress: Progress<'_>,
) -> Result<u64, EngineError> {
    let listing = base_backup::whole_listing(&from.data()).map_err(failed("listing the data"))?;
    copies::copy(from, to, account, listing, progress).await
}

/// RDS has no tablespaces outside the data directory either: what lies there would be shared by all copies.
fn refuse_tablespaces(data: &Utf8Path) -> Result<(), EngineError> {
    let tablespaces: Vec<Utf8PathBuf> = data
        .join("pg_tblspc")
        .read_dir_utf8()
        .map_err(failed("looking for tablespaces"))?
        .flatten()
        .map(|entry| entry.path().to_owned())
        .collect();
    match tablespaces.first() {
        None => Ok(()),
        Some(_) => Err(EngineError::Directory {
            directory: data.to_owned(),
            reason: "it has tablespaces elsewhere, which snapshots do not support; \
                     move their tables to pg_default"
                .to_owned(),
        }),
    }
}
