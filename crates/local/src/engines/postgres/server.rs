//! Starts, adopts, stops and changes a server process.
//!
//! A server is nobody's child: it leads its own process group (a Ctrl-C that ends the control plane doesn't reach it)
//! and its output goes to its own file, so it lives on when the control plane is killed. The next control plane finds
//! it through its directory ([`Postmaster::find`]) and goes on with it.

use std::fs::File;
use std::io;
use std::process::{ExitStatus, Stdio};

use camino::Utf8Path;
use tokio::process::{Child, Command};

use super::configuration;
use super::installation::Installation;
use super::layout::Layout;
use super::postmaster::{Postmaster, Status, end_orphans};
use super::program::{self, failed};
use super::session::{Session, identifier, literal};
use crate::engines::account::Account;
use crate::engines::directory::{make_socket_directory, remove_directory};
use crate::engines::log::ServerLog;
use crate::engines::process::LOOK_INTERVAL;
use crate::engines::{EngineError, PendingReboot, ServerSpec, StopMode};

/// Logins that a server which says that it is ready may refuse before it is given up.
const REFUSALS_MAX: u32 = 400;

/// Looks that a reload gets: five seconds.
const RELOAD_LOOKS_MAX: u32 = 1000;

/// Starts the server or adopts the one that runs; returns once clients can log in.
pub(super) async fn start(spec: &ServerSpec, account: Account) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    if adopt(&layout)
        .await
        .map_err(failed("adopting the server"))?
    {
        return Ok(());
    }
    let installation = Installation::of_data(&layout.data()).await?;
    account.check_reach(&layout.data())?;
    end_orphans(&layout.data())
        .await
        .map_err(failed("ending what a killed server left behind"))?;
    make_socket_directory(&layout, account)?;
    configuration::write(&layout, &installation, account, &spec.parameters).await?;
    let (log, output) =
        ServerLog::open(&layout.log()).map_err(failed("opening the server's log"))?;
    let child =
        spawn(&layout, &installation, account, output).map_err(failed("starting the server"))?;
    wait_ready(&layout, child, &log, spec).await
}

/// Waits until a server that runs already is ready. False: none runs, or it ended meanwhile.
///
/// The login is the proof: a server that was killed a moment ago still looks ready from outside.
async fn adopt(layout: &Layout) -> io::Result<bool> {
    let Some(postmaster) = Postmaster::find(&layout.data()) else {
        return Ok(false);
    };
    let mut refusals = 0;
    while postmaster.runs() {
        match postmaster.status() {
            Some(Status::Ready) => match Session::open(layout).await {
                Ok(session) => {
                    session.close().await;
                    return Ok(true);
                }
                Err(error) if refusals >= REFUSALS_MAX => return Err(io::Error::other(error)),
                Err(_) => refusals += 1,
            },
            Some(Status::Stopping) => {
                postmaster.gone().await?;
                return Ok(false);
            }
            Some(Status::Starting | Status::Standby) | None => {}
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(false)
}

fn spawn(
    layout: &Layout,
    installation: &Installation,
    account: Account,
    log: File,
) -> io::Result<Child> {
    let mut command = Command::new(installation.program("postgres"));
    program::prepare(&mut command, account);
    command
        .args(["-D", layout.data().as_str()])
        .args(["-c", &format!("config_file={}", layout.configuration())])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

async fn wait_ready(
    layout: &Layout,
    mut child: Child,
    log: &ServerLog,
    spec: &ServerSpec,
) -> Result<(), EngineError> {
    loop {
        if let Some(status) = child.try_wait().map_err(failed("watching the server"))? {
            return Err(start_error(log, status, spec));
        }
        let status = Postmaster::find(&layout.data())
            .filter(|postmaster| {
                child.id().map(i64::from) == Some(postmaster.pid().as_raw().into())
            })
            .and_then(|postmaster| postmaster.status());
        if status == Some(Status::Ready) {
            // As long as the control plane lives the server is its child, and somebody has to collect its end.
            tokio::spawn(async move { child.wait().await });
            return Ok(());
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// A value can be well formed and still keep a server from starting: too much memory, a library that isn't there.
fn start_error(log: &ServerLog, status: ExitStatus, spec: &ServerSpec) -> EngineError {
    let text = log.read().unwrap_or_default();
    let reason = match program::complaint(&text) {
        complaint if complaint.is_empty() => status.to_string(),
        complaint => complaint,
    };
    let about_a_parameter = spec
        .parameters
        .keys()
        .any(|name| reason.contains(name.as_str()))
        || (!spec.parameters.is_empty()
            && [
                "shared memory",
                "could not access file",
                "Cannot allocate memory",
            ]
            .iter()
            .any(|symptom| reason.contains(symptom)));
    if about_a_parameter {
        EngineError::Parameters { reason }
    } else {
        failed("starting the server")(reason)
    }
}

/// Stops the server and returns once nothing of it is left, in /tmp neither.
pub(super) async fn stop(directory: &Utf8Path, mode: StopMode) -> Result<(), EngineError> {
    let action = "stopping the server";
    let layout = Layout::new(directory);
    match Postmaster::find(&layout.data()) {
        Some(postmaster) => {
            postmaster.stop(mode).map_err(failed(action))?;
            postmaster.gone().await.map_err(failed(action))?;
        }
        None => end_orphans(&layout.data()).await.map_err(failed(action))?,
    }
    remove_directory(&layout.socket_directory()).map_err(failed(action))
}

/// Writes the parameters and lets a running server read them.
pub(super) async fn reconfigure(
    spec: &ServerSpec,
    account: Account,
) -> Result<PendingReboot, EngineError> {
    let layout = Layout::new(&spec.directory);
    let installation = Installation::of_data(&layout.data()).await?;
    configuration::write(&layout, &installation, account, &spec.parameters).await?;
    if Postmaster::find(&layout.data()).is_none() {
        return Ok(PendingReboot::default());
    }
    let mut session = Session::open(&layout).await?;
    let pending = reload(&mut session).await;
    session.close().await;
    pending
}

/// Reloads, and waits until this session has read the new values: only then does it know which of them wait.
async fn reload(session: &mut Session) -> Result<PendingReboot, EngineError> {
    let action = "reloading the parameters";
    let loaded_at = "SELECT pg_conf_load_time()::text";
    let before: String = sqlx::query_scalar(loaded_at)
        .fetch_one(session.connection())
        .await
        .map_err(failed(action))?;
    session
        .execute("SELECT pg_reload_conf()".to_owned(), action)
        .await?;
    for _ in 0..RELOAD_LOOKS_MAX {
        let now: String = sqlx::query_scalar(loaded_at)
            .fetch_one(session.connection())
            .await
            .map_err(failed(action))?;
        if now != before {
            let waiting: Vec<String> =
                sqlx::query_scalar("SELECT name FROM pg_settings WHERE pending_restart")
                    .fetch_all(session.connection())
                    .await
                    .map_err(failed(action))?;
            return Ok(PendingReboot {
                parameters: waiting.into_iter().collect(),
            });
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Err(failed(action)("the server did not read its configuration"))
}

/// Sets the master user's password.
pub(super) async fn set_master_password(spec: &ServerSpec) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    let mut session = Session::open(&layout).await?;
    let statement = format!(
        "ALTER ROLE {} PASSWORD {}",
        identifier(&spec.master_username),
        literal(spec.master_password.reveal())
    );
    let result = session
        .execute(statement, "setting the master password")
        .await;
    session.close().await;
    result
}
