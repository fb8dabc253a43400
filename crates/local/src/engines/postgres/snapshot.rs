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

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use sqlx::Row;

use super::base_backup::{self, Segment};
use super::installation::Installation;
use super::layout::{Layout, STANDBY_SIGNAL};
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
        take_online(&server, &snapshot, None, progress).await?
    } else {
        copy_whole(&server, &snapshot, None, progress).await?
    };
    copies::finish(&snapshot).await?;
    Ok(SnapshotInfo { size_bytes: copied })
}

/// Makes a new server from one that runs, as its replica: what names the upstream is the caller's business. It isn't
/// started.
pub(super) async fn clone(
    upstream: &ServerSpec,
    spec: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let (from, to) = (
        Layout::new(&upstream.directory),
        Layout::new(&spec.directory),
    );
    copies::prepare(&from, &to).map_err(failed("making the server's directory"))?;
    account.check_reach(&to.data())?;
    refuse_tablespaces(&from.data())?;
    take_online(&from, &to, Some(account), progress).await?;
    let signal = to.partial_data().join(STANDBY_SIGNAL);
    write_owned(&signal, "", Some(account)).map_err(failed("making a replica of the copy"))?;
    std::fs::rename(to.partial_data(), to.data()).map_err(failed("naming the data directory"))
}

/// Copies a running server, which may be a replica itself, into the partial data of the target.
async fn take_online(
    server: &Layout,
    target: &Layout,
    account: Option<Account>,
    progress: Progress<'_>,
) -> Result<u64, EngineError> {
    let installation = Installation::of_data(&server.data()).await?;
    let new_names = installation.version().major >= FIRST_MAJOR_WITH_NEW_NAMES;
    let mut laps = Laps::begin();
    let mut session = Session::open(server).await?;
    begin(&mut session, target, new_names).await?;
    laps.tell("checkpoint before the copy");
    let listing = base_backup::listing(&server.data()).map_err(failed("listing the data"))?;
    let copy = Copy {
        from: server.data(),
        to: target.partial_data(),
        account,
        source: Source::Live,
    };
    let copied = copy
        .run(listing, progress)
        .await
        .map_err(failed("copying the data"))?;
    laps.tell("copy of the data");
    let control_file =
        base_backup::control_file(&server.data()).map_err(failed("reading the control file"))?;
    let end = finish_backup(&mut session, new_names).await?;
    for (name, bytes) in [
        (base_backup::CONTROL_FILE, control_file.as_slice()),
        ("backup_label", end.label.as_bytes()),
    ] {
        write_owned(&target.partial_data().join(name), bytes, account)
            .map_err(failed("writing the end of the copy"))?;
    }
    let log = copy_log(server, target, account, &end).await?;
    session.close().await;
    laps.tell("copy of the log");
    Ok(copied + log)
}

fn write_owned(
    path: &Utf8Path,
    bytes: impl AsRef<[u8]>,
    account: Option<Account>,
) -> io::Result<()> {
    std::fs::write(path, bytes)?;
    account.map_or(Ok(()), |account| account.own(path))
}

/// The last segment of the log that the copy needs, and what tells PostgreSQL where to begin.
struct End {
    segment: Segment,
    label: String,
}

async fn begin(session: &mut Session, target: &Layout, new_names: bool) -> Result<(), EngineError> {
    let action = "beginning the copy";
    let slot = format!("trapheus_{}", std::process::id());
    let name = literal(&format!("{slot}_{:x}", rand::random::<u32>()));
    session
        .execute(
            format!("SELECT pg_create_physical_replication_slot({name}, true, true)"),
            action,
        )
        .await?;
    let label = literal(target.directory().file_name().unwrap_or("snapshot"));
    let call = if new_names {
        format!("pg_backup_start({label}, true)")
    } else {
        format!("pg_start_backup({label}, true, false)")
    };
    session.execute(format!("SELECT {call}"), action).await
}

/// The segment's name is reckoned from the position: `pg_walfile_name` refuses to on a replica.
async fn finish_backup(session: &mut Session, new_names: bool) -> Result<End, EngineError> {
    let action = "ending the copy";
    let call = if new_names {
        "pg_backup_stop(false)"
    } else {
        "pg_stop_backup(false, false)"
    };
    let statement = format!(
        "SELECT (lsn - '0/0')::bigint AS position, labelfile, \
         pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes FROM {call}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .fetch_one(session.connection())
        .await
        .map_err(failed(action))?;
    let number = |column: &str| -> Result<u64, EngineError> {
        let number: i64 = row.try_get(column).map_err(failed(action))?;
        u64::try_from(number).map_err(failed(action))
    };
    Ok(End {
        segment: Segment::before(number("position")?, number("segment_bytes")?),
        label: row.try_get("labelfile").map_err(failed(action))?,
    })
}

async fn copy_log(
    server: &Layout,
    target: &Layout,
    account: Option<Account>,
    end: &End,
) -> Result<u64, EngineError> {
    let action = "copying the write-ahead log";
    let first = Segment::first_of(&end.label)
        .ok_or_else(|| failed(action)("the label of the copy names no segment"))?;
    let listing =
        base_backup::log_listing(&server.data(), &first, &end.segment).map_err(failed(action))?;
    let copy = Copy {
        from: server.data(),
        to: target.partial_data(),
        account,
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
