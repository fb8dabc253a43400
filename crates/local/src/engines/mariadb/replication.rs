//! Replicas: servers that apply what another one commits, by global transaction ids.
//!
//! A replica's directory names the directory of its upstream, from which the upstream's address is derived; all servers
//! of one replication share the control plane's password. A replica logs what it applies under the ids that the upstream
//! gave, so any replica can become the upstream of the others.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::Signal;
use sqlx::mysql::MySqlRow;
use tokio::time::{Instant, sleep};

use super::layout::Layout;
use super::position::History;
use super::program::failed;
use super::session::{REPLICATOR, Session, column, literal};
use super::{archive, backup, parameters, server, snapshot};
use crate::engines::account::Account;
use crate::engines::copies;
use crate::engines::directory::remove_directory;
use crate::engines::process::LOOK_INTERVAL;
use crate::engines::{EngineError, Progress, Replication, ServerSpec, StopMode};

const ACTION: &str = "replicating";

/// How long a replica gets to reach its upstream, which runs.
const CONNECTION_LIMIT: Duration = Duration::from_secs(60);

/// What a replica is told whose next transaction the upstream doesn't have.
const NOT_IN_THE_LOG: &str = "1236";

/// Files in which mariadb-backup notes the position of a copy: that of older versions, and that of newer ones.
const POSITION_FILES: [&str; 2] = ["xtrabackup_binlog_info", "mariadb_backup_binlog_info"];

/// Makes the server a running replica of the upstream, by the cheapest way that is right.
pub(super) async fn follow(
    spec: &ServerSpec,
    upstream: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let (server, above) = (
        Layout::new(&spec.directory),
        Layout::new(&upstream.directory),
    );
    let is_known = server.data().exists();
    if is_known {
        name_upstream(&server, &above)?;
        server::run(spec, account).await?;
        if !has_parted(&server, &above).await? {
            resume(&server).await?;
            if is_connected(&server).await? {
                return Ok(());
            }
        }
        forget(&server).await?;
    }
    make(&server, &above, account, progress).await?;
    server::start(spec, account).await?;
    if is_connected(&server).await? {
        return Ok(());
    }
    Err(failed(ACTION)(
        "the upstream's log does not go back to its own copy",
    ))
}

/// A server that follows the one that it is told to from its next start on.
fn name_upstream(server: &Layout, above: &Layout) -> Result<(), EngineError> {
    std::fs::write(server.upstream(), above.directory().as_str()).map_err(failed(ACTION))
}

/// The server that this one follows.
fn upstream_of(server: &Layout) -> Result<Option<Layout>, EngineError> {
    match std::fs::read_to_string(server.upstream()) {
        Ok(directory) => Ok(Some(Layout::new(Utf8Path::new(&directory)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(ACTION)(error)),
    }
}

/// Whether the server has anything that its upstream doesn't have. Both run.
async fn has_parted(server: &Layout, above: &Layout) -> Result<bool, EngineError> {
    let own = history(server).await?;
    Ok(!history(above).await?.contains(&own))
}

async fn history(layout: &Layout) -> Result<History, EngineError> {
    let mut session = Session::open(layout).await?;
    let state = session.text("SELECT @@gtid_binlog_state", ACTION).await;
    session.close().await;
    let state = state?;
    History::parse(&state).ok_or_else(|| failed(ACTION)(format!("{state} is no position")))
}

/// Removes the data of a server that can't follow as it is.
async fn forget(server: &Layout) -> Result<(), EngineError> {
    server::stop(server.directory(), StopMode::Immediate).await?;
    archive::begin_anew(server)?;
    remove_directory(&server.data()).map_err(failed("removing the replica's data"))
}

/// Makes the data of a replica from its upstream, which runs.
async fn make(
    server: &Layout,
    above: &Layout,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    server::end(&server.partial_data(), Signal::SIGKILL).await?;
    copies::prepare(above, server).map_err(failed("making the replica's directory"))?;
    account.check_reach(&server.data())?;
    name_upstream(server, above)?;
    backup::take(above, &server.partial_data(), account, progress).await?;
    snapshot::complete(server).await
}

/// Lets a server that has just been started or adopted follow its upstream, or nobody.
pub(super) async fn resume(server: &Layout) -> Result<(), EngineError> {
    let upstream = upstream_of(server)?;
    let mut session = Session::open(server).await?;
    let resumed = match upstream {
        Some(above) => connect(&mut session, server, &above).await,
        None => stand_alone(&mut session).await,
    };
    session.close().await;
    resumed
}

async fn connect(
    session: &mut Session,
    server: &Layout,
    above: &Layout,
) -> Result<(), EngineError> {
    let settings = "SET GLOBAL read_only = ON; SET GLOBAL event_scheduler = OFF";
    session.execute(settings.to_owned(), ACTION).await?;
    if let Some(position) = noted_position(&server.data())? {
        begin_log_at(session, &position).await?;
    }
    let address = above.replication_address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let status = status(session).await?;
    let is_told = status.as_ref().is_some_and(|status| {
        column(status, "Master_Host") == host && column(status, "Master_Port") == port
    });
    if !is_told {
        let password = server.administrator_password().map_err(failed(ACTION))?;
        let statement = format!(
            "STOP SLAVE; SET GLOBAL gtid_slave_pos = @@gtid_binlog_pos; \
             CHANGE MASTER TO MASTER_HOST = {}, MASTER_PORT = {port}, MASTER_USER = {}, \
             MASTER_PASSWORD = {}, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1",
            literal(&host),
            literal(REPLICATOR),
            literal(&password),
        );
        session.execute(statement, ACTION).await?;
    }
    session.execute("START SLAVE".to_owned(), ACTION).await
}

/// A server that is no replica remembers none of what it was.
async fn stand_alone(session: &mut Session) -> Result<(), EngineError> {
    let position = session.text("SELECT @@gtid_slave_pos", ACTION).await?;
    if position.is_empty() && status(session).await?.is_none() {
        return Ok(());
    }
    let statements = "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL gtid_slave_pos = ''";
    session.execute(statements.to_owned(), ACTION).await
}

async fn status(session: &mut Session) -> Result<Option<MySqlRow>, EngineError> {
    let rows = session.rows("SHOW SLAVE STATUS", ACTION).await?;
    Ok(rows.into_iter().next())
}

/// Waits until the replica receives. False: the upstream doesn't have what it needs, or it can't apply what it gets.
async fn is_connected(server: &Layout) -> Result<bool, EngineError> {
    let mut session = Session::open(server).await?;
    let begun = Instant::now();
    let outcome = loop {
        let Some(row) = status(&mut session).await? else {
            break Ok(false);
        };
        let is_stuck = column(&row, "Last_IO_Errno") == NOT_IN_THE_LOG
            || column(&row, "Last_SQL_Errno") != "0";
        // The upstream names its file once it has found where to begin.
        let receives = is_running(&row) && !column(&row, "Master_Log_File").is_empty();
        if is_stuck || receives {
            break Ok(receives && !is_stuck);
        }
        if begun.elapsed() > CONNECTION_LIMIT {
            break Err(failed(ACTION)(reason(&row)));
        }
        sleep(LOOK_INTERVAL).await;
    };
    session.close().await;
    outcome
}

fn is_running(status: &MySqlRow) -> bool {
    column(status, "Slave_IO_Running") == "Yes" && column(status, "Slave_SQL_Running") == "Yes"
}

/// What the server says about a replication that doesn't go on.
fn reason(status: &MySqlRow) -> String {
    ["Last_SQL_Error", "Last_IO_Error", "Slave_IO_State"]
        .map(|name| column(status, name))
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| "it is stopped".to_owned())
}

/// Whether the running server follows another one.
pub(super) async fn state(spec: &ServerSpec) -> Result<Replication, EngineError> {
    let server = Layout::new(&spec.directory);
    if upstream_of(&server)?.is_none() {
        return Ok(Replication::None);
    }
    let mut session = Session::open(&server).await?;
    let status = status(&mut session).await;
    session.close().await;
    Ok(match status? {
        Some(status) if is_running(&status) => Replication::Streaming,
        Some(status) => Replication::Broken {
            reason: reason(&status),
        },
        None => Replication::Broken {
            reason: "it has not been told whom to follow yet".to_owned(),
        },
    })
}

/// Makes a running replica take writes, once it has applied everything that it received.
pub(super) async fn promote(spec: &ServerSpec, account: Account) -> Result<(), EngineError> {
    let server = Layout::new(&spec.directory);
    let is_replica = upstream_of(&server)?.is_some();
    let mut session = Session::open(&server).await?;
    if is_replica {
        apply_received(&mut session).await?;
        std::fs::remove_file(server.upstream()).map_err(failed(ACTION))?;
    }
    // Also what an interrupted try has left to do.
    let done = stand_alone(&mut session).await;
    session.close().await;
    done?;
    parameters::reconfigure(spec, account).await.map(drop)
}

async fn apply_received(session: &mut Session) -> Result<(), EngineError> {
    let statement = "STOP SLAVE IO_THREAD";
    session.execute(statement.to_owned(), ACTION).await?;
    while let Some(row) = status(session).await? {
        if column(&row, "Slave_SQL_Running") != "Yes" {
            return Err(failed("applying what was received")(reason(&row)));
        }
        let state = column(&row, "Slave_SQL_Running_State");
        if state.starts_with("Slave has read all relay log") {
            break;
        }
        sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}

/// The position of a copy that mariadb-backup made; none if nothing had been logged yet.
pub(super) fn noted_position(data: &Utf8Path) -> Result<Option<String>, EngineError> {
    let mut files = POSITION_FILES.map(|name| data.join(name)).into_iter();
    let Some(file) = files.find(|path: &Utf8PathBuf| path.exists()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file).map_err(failed("reading the copy's position"))?;
    let position = text.split_whitespace().nth(2);
    Ok(position.map(str::to_owned))
}

/// Lets a server that has logged nothing yet go on from a position.
pub(super) async fn begin_log_at(session: &mut Session, position: &str) -> Result<(), EngineError> {
    let own = session.text("SELECT @@gtid_binlog_state", ACTION).await?;
    if !own.is_empty() {
        return Ok(());
    }
    let statement = format!("SET GLOBAL gtid_binlog_state = {}", literal(position));
    session.execute(statement, ACTION).await
}
