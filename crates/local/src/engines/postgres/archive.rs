//! Archives of the log, and restores to an instant.
//!
//! PostgreSQL itself hands every finished segment of its log to a shell command, and keeps the segment until that
//! succeeds: nothing is lost when the control plane, the server or the machine goes down. A segment appears in the
//! archive under its name once it is on the disk. The servers of one Aurora cluster share an archive: readers hand over
//! what they receive, so that no segment is missing after a fail-over.
//!
//! `archive_mode` can't be changed while a server runs, so it is always on; a server without an archive throws its
//! segments away.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::postmaster::Postmaster;
use super::program::failed;
use super::session::Session;
use super::{server, snapshot};
use crate::engines::account::Account;
use crate::engines::directory::make_directory;
use crate::engines::process::LOOK_INTERVAL;
use crate::engines::{EngineError, Progress, ServerSpec};

/// Looks that a finished segment gets to arrive in the archive: a minute.
const ARRIVAL_LOOKS_MAX: u32 = 12_000;

/// What a server says that was to stop before the first commit after an instant, but found none.
const NOTHING_LATER: &str = "recovery ended before configured recovery target was reached";

/// What a server that is being restored to an instant is told.
#[derive(Debug, Serialize, Deserialize)]
struct Recovery {
    archives: Vec<Utf8PathBuf>,
    /// Everything, if there is none.
    until: Option<Timestamp>,
}

/// Keeps the log from now on in the directory, or nowhere.
pub(super) async fn keep(
    spec: &ServerSpec,
    into: Option<&Utf8Path>,
    account: Account,
) -> Result<(), EngineError> {
    let action = "archiving the log";
    let layout = Layout::new(&spec.directory);
    match into {
        Some(archive) => {
            make_directory(archive, 0o700).map_err(failed(action))?;
            account.own(archive).map_err(failed(action))?;
            account.check_reach(archive)?;
            std::fs::write(layout.archive(), archive.as_str()).map_err(failed(action))?;
        }
        None => match std::fs::remove_file(layout.archive()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(action)(error));
            }
            Ok(()) | Err(_) => {}
        },
    }
    if Postmaster::find(&layout.data()).is_some() {
        server::reconfigure(spec, account).await?;
    }
    Ok(())
}

/// Finishes the segment that is being written, and waits until it is in the archive. A replica's log is finished by its
/// upstream.
pub(super) async fn flush(spec: &ServerSpec) -> Result<(), EngineError> {
    let action = "archiving the end of the log";
    let layout = Layout::new(&spec.directory);
    let archive = match std::fs::read_to_string(layout.archive()) {
        Ok(archive) if !layout.standby_signal().exists() => Utf8PathBuf::from(archive),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(action)(error)),
    };
    let mut session = Session::open(&layout).await?;
    // A restore recognizes its instant by a commit after it: this is the one after the last.
    session
        .execute("SELECT pg_current_xact_id()".to_owned(), action)
        .await?;
    let segment: String = sqlx::query_scalar("SELECT pg_walfile_name(pg_switch_wal())")
        .fetch_one(session.connection())
        .await
        .map_err(failed(action))?;
    session.close().await;
    for _ in 0..ARRIVAL_LOOKS_MAX {
        if archive.join(&segment).exists() {
            return Ok(());
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    let reason = format!(
        "{segment} does not arrive in {archive}; see {}",
        layout.log()
    );
    Err(failed(action)(reason))
}

/// Makes a server from a base backup, and lets it replay the archives.
pub(super) async fn restore_to(
    base: &Utf8Path,
    archives: &[Utf8PathBuf],
    until: Timestamp,
    spec: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let action = "restoring to an instant";
    let layout = Layout::new(&spec.directory);
    snapshot::restore(base, spec, account, progress).await?;
    let recover = |until| {
        let archives = archives.to_vec();
        let recovery = serde_json::to_vec(&Recovery { archives, until })?;
        std::fs::write(layout.recovery(), recovery)?;
        std::fs::write(layout.recovery_signal(), "")?;
        account.own(&layout.recovery_signal())
    };
    recover(Some(until)).map_err(failed(action))?;
    // The server takes clients when it has arrived, and ends when it can't.
    match server::start(spec, account).await {
        Err(EngineError::Failed { reason, .. }) if reason.contains(NOTHING_LATER) => {
            recover(None).map_err(failed(action))?;
            server::start(spec, account).await?;
        }
        started => started?,
    }
    std::fs::remove_file(layout.recovery()).map_err(failed(action))
}

/// What the configuration says about archives.
pub(super) fn settings(layout: &Layout) -> io::Result<Vec<(&'static str, String)>> {
    let keep = match std::fs::read_to_string(layout.archive()) {
        Ok(archive) => keep_command(&archive),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "true".to_owned(),
        Err(error) => return Err(error),
    };
    let mut settings = vec![("archive_command", keep)];
    if layout.recovery_signal().exists() {
        let recovery: Recovery = serde_json::from_slice(&std::fs::read(layout.recovery())?)?;
        let fetch: Vec<String> = recovery.archives.iter().map(fetch_command).collect();
        settings.extend([
            ("hot_standby", "off".to_owned()),
            ("restore_command", fetch.join(" || ")),
            ("recovery_target_action", "promote".to_owned()),
        ]);
        settings.extend(
            recovery
                .until
                .map(|until| ("recovery_target_time", point(until))),
        );
    }
    Ok(settings)
}

/// PostgreSQL counts in microseconds, and rounds.
fn point(until: Timestamp) -> String {
    until.strftime("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}

/// The copy is renamed when it is on the disk. Two servers may bring the same segment at once, so each has a name of
/// its own for it until then.
fn keep_command(archive: &str) -> String {
    let (to, directory) = (quoted(&format!("{archive}/")), quoted(archive));
    format!("cp %p {to}%f.$$ && sync {to}%f.$$ && mv {to}%f.$$ {to}%f && sync {directory}",)
}

fn fetch_command(archive: &Utf8PathBuf) -> String {
    format!("cp {}%f %p 2>/dev/null", quoted(&format!("{archive}/")))
}

/// One word for the shell, in which PostgreSQL finds nothing to replace.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_any_name_is_one_word() {
        assert_eq!(
            fetch_command(&Utf8PathBuf::from("/a b/o'clock 100%")),
            r"cp '/a b/o'\''clock 100%%/'%f %p 2>/dev/null"
        );
    }

    #[test]
    fn an_instant_is_never_rounded_up() {
        let instant: Timestamp = "2026-01-02T03:04:05.123456999Z".parse().unwrap();
        assert_eq!(point(instant), "2026-01-02 03:04:05.123456+00");
    }
}
