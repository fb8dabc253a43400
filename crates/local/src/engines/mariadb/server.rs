//! Starts, adopts and stops a server process.
//!
//! A server is nobody's child: it leads its own process group (a Ctrl-C that ends the control plane doesn't reach it)
//! and its output goes to its own file, so it lives on when the control plane is killed. The next control plane finds
//! it by its program and its working directory ([`process`]) and goes on with it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::installation::Installation;
use super::layout::Layout;
use super::program::{self, failed};
use super::session::{Session, literal};
use super::{archive, options, replication};
use crate::engines::account::Account;
use crate::engines::directory::{make_directory, make_socket_directory, remove_directory};
use crate::engines::log::ServerLog;
use crate::engines::process::{self, LOOK_INTERVAL};
use crate::engines::{EngineError, ServerSpec, StopMode};

/// The name of a server's process.
const PROGRAM: &str = "mariadbd";

/// How long a server that runs already may take until it answers: it may be recovering from a crash.
const ADOPTION_LIMIT: Duration = Duration::from_secs(300);

/// What MariaDB says to somebody whom it doesn't know.
const ACCESS_DENIED: u16 = 1045;

/// Starts the server or adopts the one that runs; returns once clients can log in. A replica follows again.
pub(super) async fn start(spec: &ServerSpec, account: Account) -> Result<(), EngineError> {
    run(spec, account).await?;
    replication::resume(&Layout::new(&spec.directory)).await
}

/// The same, but a replica doesn't follow yet.
pub(super) async fn run(spec: &ServerSpec, account: Account) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    if adopt(&layout).await? {
        return Ok(());
    }
    let installation = Installation::find().await?;
    if !layout.data().is_dir() {
        return Err(EngineError::Directory {
            directory: layout.data(),
            reason: "it is not a MariaDB data directory: there is nothing".to_owned(),
        });
    }
    account.check_reach(&layout.data())?;
    options::write(&layout, &installation, account, spec).await?;
    launch(&layout, &layout.data(), &installation, account, &[])
        .await
        .map_err(|refusal| refusal.error(spec))
}

/// Starts a server on a data directory and waits until it takes the control plane's login.
pub(super) async fn launch(
    layout: &Layout,
    data: &Utf8Path,
    installation: &Installation,
    account: Account,
    arguments: &[String],
) -> Result<(), Refusal> {
    let action = failed("starting the server");
    make_socket_directory(layout, account)?;
    make_temporary(layout, account)?;
    std::fs::copy(layout.option_file(), layout.running_option_file()).map_err(&action)?;
    let (log, output) = ServerLog::open(&layout.log()).map_err(&action)?;
    let mut command = Command::new(installation.program(PROGRAM));
    program::prepare(&mut command, account);
    let child = command
        .arg(format!("--defaults-file={}", layout.option_file()))
        .args(arguments)
        // It goes there itself, too, but this is where it is looked for from its first moment on.
        .current_dir(data)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(&action)?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .map_err(&action)?;
    wait_ready(layout, child, &log).await
}

/// Makes the directory for temporary tables.
pub(super) fn make_temporary(layout: &Layout, account: Account) -> Result<(), EngineError> {
    let path = layout.temporary();
    make_directory(&path, 0o700)
        .and_then(|()| account.own(&path))
        .map_err(failed("making the directory for temporary tables"))
}

async fn wait_ready(layout: &Layout, mut child: Child, log: &ServerLog) -> Result<(), Refusal> {
    loop {
        if let Some(status) = child.try_wait().map_err(failed("watching the server"))? {
            return Err(Refusal::Ended(ended(log, status)));
        }
        if is_ready(layout).await? {
            // As long as the control plane lives the server is its child, and somebody has to collect its end.
            tokio::spawn(async move { child.wait().await });
            return Ok(());
        }
        sleep(LOOK_INTERVAL).await;
    }
}

/// Why a server that was started doesn't run.
pub(super) enum Refusal {
    /// It said so and ended.
    Ended(String),
    /// It couldn't even be started, or doesn't let the control plane in.
    Other(EngineError),
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Other(error)
    }
}

impl Refusal {
    /// A value can be well formed and still keep a server from starting: too much memory, a file that isn't there.
    pub(super) fn error(self, spec: &ServerSpec) -> EngineError {
        let reason = match self {
            Self::Ended(reason) => reason,
            Self::Other(error) => return error,
        };
        let is_named = |name: &String| reason.contains(name.as_str());
        let is_memory = reason.to_lowercase().contains("cannot allocate memory");
        if spec.parameters.keys().any(is_named) || (is_memory && !spec.parameters.is_empty()) {
            EngineError::Parameters { reason }
        } else {
            failed("starting the server")(reason)
        }
    }
}

fn ended(log: &ServerLog, status: ExitStatus) -> String {
    match program::complaint(&log.read().unwrap_or_default()) {
        complaint if complaint.is_empty() => status.to_string(),
        complaint => complaint,
    }
}

/// Waits until a server that runs already is ready. False: none runs, or it ended meanwhile.
async fn adopt(layout: &Layout) -> Result<bool, EngineError> {
    let begun = Instant::now();
    while find(&layout.data())?.is_some() {
        if is_ready(layout).await? {
            return Ok(true);
        }
        if begun.elapsed() > ADOPTION_LIMIT {
            return Err(failed("adopting the server")("it runs but does not answer"));
        }
        sleep(LOOK_INTERVAL).await;
    }
    Ok(false)
}

/// The login is the proof. A server that refuses it is none of ours.
async fn is_ready(layout: &Layout) -> Result<bool, EngineError> {
    let action = "logging in as rdsadmin";
    let password = layout.administrator_password().map_err(failed(action))?;
    match Session::connect(&layout.unix_socket(), &password).await {
        Ok(session) => {
            session.close().await;
            Ok(true)
        }
        Err(sqlx::Error::Database(error)) if number(error.as_ref()) == Some(ACCESS_DENIED) => {
            Err(failed(action)(error))
        }
        Err(_) => Ok(false),
    }
}

fn number(error: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    let error = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?;
    Some(error.number())
}

/// The server that runs on a data directory.
pub(super) fn find(data: &Utf8Path) -> Result<Option<Pid>, EngineError> {
    let servers = process::servers_of(PROGRAM, data).map_err(failed("looking for servers"))?;
    Ok(servers.first().copied())
}

/// Stops the server and returns once nothing of it is left, in /tmp neither. What was written is in the archive then.
pub(super) async fn stop(directory: &Utf8Path, mode: StopMode) -> Result<(), EngineError> {
    let layout = Layout::new(directory);
    let signal = match mode {
        StopMode::Fast => Signal::SIGTERM,
        StopMode::Immediate => Signal::SIGKILL,
    };
    end(&layout.data(), signal).await?;
    // A restore that was interrupted may have left one there.
    end(&layout.partial_data(), Signal::SIGKILL).await?;
    if mode == StopMode::Fast {
        archive::link(&layout)?;
    }
    remove_directory(&layout.socket_directory()).map_err(failed("stopping the server"))
}

/// Ends the server of a data directory, if there is one, and waits until it is gone.
pub(super) async fn end(data: &Utf8Path, signal: Signal) -> Result<(), EngineError> {
    let action = failed("stopping the server");
    let Some(pid) = find(data)? else {
        return Ok(());
    };
    process::send(pid, signal).map_err(&action)?;
    while process::is_server_of(pid, PROGRAM, data) {
        sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}

/// Sets the master user's password.
pub(super) async fn set_master_password(spec: &ServerSpec) -> Result<(), EngineError> {
    let mut session = Session::open(&Layout::new(&spec.directory)).await?;
    let statement = format!(
        "ALTER USER {}@'%' IDENTIFIED BY {}",
        literal(&spec.master_username),
        literal(spec.master_password.reveal())
    );
    let result = session
        .execute(statement, "setting the master password")
        .await;
    session.close().await;
    result
}
