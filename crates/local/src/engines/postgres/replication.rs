//! Replicas: they stream the log of another server of this machine through its socket.
//!
//! Which server that is stands in a file beside the data (`upstream`), and whether the server is a replica at all in
//! PostgreSQL's own `standby.signal`, which goes when it is promoted. So a crash between the two changes nothing: the
//! first is only looked at while the second is there.
//!
//! Both have the same `rdsadmin` password, since one is a copy of the other. PostgreSQL reads it from a file of its own
//! user's: in the configuration a master user could see it.

use std::io;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::configuration::ADMINISTRATOR;
use super::layout::{Layout, SOCKET_PORT};
use super::postmaster::Postmaster;
use super::program::{self, failed};
use super::session::Session;
use super::{server, snapshot};
use crate::engines::account::Account;
use crate::engines::directory::{make_directory, remove_directory, write_private};
use crate::engines::{EngineError, Progress, Replication, ServerSpec, StopMode};

/// How often the upstream is asked whether a replica has connected.
const CONNECT_INTERVAL: Duration = Duration::from_millis(20);

/// Looks that a replica gets to connect: five seconds. One that has what the upstream hasn't never does.
const CONNECT_LOOKS_MAX: u32 = 250;

/// Makes the server a replica of the upstream, by the cheapest way that is right.
pub(super) async fn follow(
    spec: &ServerSpec,
    upstream: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    remember_upstream(&layout, upstream, account)?;
    if layout.standby_signal().exists() {
        match Postmaster::find(&layout.data()) {
            Some(_) => server::reconfigure(spec, account).await.map(drop)?,
            None => server::start(spec, account).await?,
        }
        if streams(&layout).await? {
            return Ok(());
        }
    }
    // Nothing is there, or what is there has gone another way than the upstream.
    server::stop(&spec.directory, StopMode::Immediate).await?;
    remove_directory(&layout.data()).map_err(failed("removing the old data"))?;
    snapshot::clone(upstream, spec, account, progress).await?;
    server::start(spec, account).await?;
    if streams(&layout).await? {
        return Ok(());
    }
    Err(failed("following the upstream")(complaint(&layout)))
}

/// Lets a replica apply what it has received, and take writes from then on.
pub(super) async fn promote(spec: &ServerSpec) -> Result<(), EngineError> {
    let action = "promoting the replica";
    let layout = Layout::new(&spec.directory);
    if !layout.standby_signal().exists() {
        return Ok(());
    }
    let mut session = Session::open(&layout).await?;
    session
        .execute("SELECT pg_promote(true, 86400)".to_owned(), action)
        .await?;
    session.close().await;
    Ok(())
}

/// Whether the server follows another one.
pub(super) async fn state(spec: &ServerSpec) -> Result<Replication, EngineError> {
    let layout = Layout::new(&spec.directory);
    if !layout.standby_signal().exists() {
        return Ok(Replication::None);
    }
    Ok(if is_streaming(&layout).await? {
        Replication::Streaming
    } else {
        Replication::Broken {
            reason: complaint(&layout),
        }
    })
}

/// What the configuration of a replica says.
pub(super) fn settings(layout: &Layout) -> io::Result<Vec<(&'static str, String)>> {
    if !layout.standby_signal().exists() {
        return Ok(Vec::new());
    }
    let connection = format!(
        "host={} port={SOCKET_PORT} user={ADMINISTRATOR} passfile='{}' application_name={}",
        upstream(layout)?.socket_directory(),
        layout
            .upstream_password()
            .as_str()
            .replace('\\', r"\\")
            .replace('\'', r"\'"),
        name(layout),
    );
    Ok(vec![("primary_conninfo", connection)])
}

fn remember_upstream(
    layout: &Layout,
    upstream: &ServerSpec,
    account: Account,
) -> Result<(), EngineError> {
    let write = || {
        make_directory(layout.directory(), 0o755)?;
        let password = Layout::new(&upstream.directory).administrator_password()?;
        let path = layout.upstream_password();
        write_private(&path, &format!("*:*:*:{ADMINISTRATOR}:{password}\n"))?;
        account.own(&path)?;
        std::fs::write(layout.upstream(), upstream.directory.as_str())
    };
    write().map_err(failed("noting the upstream"))
}

/// Waits for the replica's connection to its upstream. False: it doesn't come about.
async fn streams(layout: &Layout) -> Result<bool, EngineError> {
    for _ in 0..CONNECT_LOOKS_MAX {
        if is_streaming(layout).await? {
            return Ok(true);
        }
        tokio::time::sleep(CONNECT_INTERVAL).await;
    }
    Ok(false)
}

/// The upstream is asked: a replica believes that it streams as soon as it is connected, before it is told that what it
/// has isn't part of the upstream's history.
async fn is_streaming(layout: &Layout) -> Result<bool, EngineError> {
    let action = "asking the upstream about the replica";
    let upstream = upstream(layout).map_err(failed(action))?;
    if Postmaster::find(&upstream.data()).is_none() {
        return Ok(false);
    }
    let mut session = Session::open(&upstream).await?;
    let streams = sqlx::query_scalar(
        "SELECT count(*) > 0 FROM pg_stat_replication \
         WHERE application_name = $1 AND state IN ('catchup', 'streaming')",
    )
    .bind(name(layout))
    .fetch_one(session.connection())
    .await
    .map_err(failed(action))?;
    session.close().await;
    Ok(streams)
}

fn upstream(layout: &Layout) -> io::Result<Layout> {
    let directory = Utf8PathBuf::from(std::fs::read_to_string(layout.upstream())?);
    Ok(Layout::new(&directory))
}

/// What the replica calls itself.
fn name(layout: &Layout) -> &str {
    layout.directory().file_name().unwrap_or("replica")
}

/// Why the replica isn't connected, as its log has it.
fn complaint(layout: &Layout) -> String {
    let log = std::fs::read(layout.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let last = log
        .lines()
        .rev()
        .find(|line| line.contains("FATAL:") || line.contains("ERROR:"));
    last.map_or_else(|| "it is not connected".to_owned(), program::complaint)
}
