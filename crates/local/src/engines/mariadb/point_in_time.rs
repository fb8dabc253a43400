//! Restores to an instant: a snapshot, brought forward by what mariadb-binlog reads out of the archives.
//!
//! A server that is started on the copied data executes it; then it is stopped again, and the data gets its name. The
//! log says when a transaction was committed in whole seconds, so a restore is exact to the second: what was committed
//! in the second of the instant itself is not in it.

use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nix::sys::signal::Signal;
use tokio::process::Command;

use super::archive::{self, Series};
use super::installation::Installation;
use super::layout::Layout;
use super::program::{self, PASSWORD, failed};
use super::session::{ADMINISTRATOR, Session};
use super::{options, replication, server, snapshot};
use crate::engines::account::Account;
use crate::engines::{EngineError, Progress, ServerSpec};

const ACTION: &str = "restoring to an instant";

/// What mariadb-binlog says when a series begins too late, and when it ends too early.
const BEGINS_LATER: &str = "are missing data";
const ENDS_EARLIER: &str = "never reached expected GTID state";

/// Makes the server's directory from a snapshot and archives.
pub(super) async fn restore(
    base: &Utf8Path,
    archives: &[Utf8PathBuf],
    until: Timestamp,
    spec: &ServerSpec,
    account: Account,
    progress: Progress<'_>,
) -> Result<(), EngineError> {
    let server = Layout::new(&spec.directory);
    if server.data().exists() {
        return Ok(());
    }
    let installation = Installation::find().await?;
    let series = archive::series(archives).map_err(failed(ACTION))?;
    let reaches = series.first().map_or(0, |series| series.reaches);
    if reaches < until.as_second() {
        return Err(failed(ACTION)(format!(
            "the archives do not reach until {until}"
        )));
    }
    let half = |percent: u8| progress(percent / 2);
    snapshot::restore_partial(base, &server, account, &half).await?;
    options::write(&server, &installation, account, spec).await?;
    let partial = server.partial_data();
    let arguments = [
        format!("--datadir={partial}"),
        "--event-scheduler=OFF".to_owned(),
    ];
    server::launch(&server, &partial, &installation, account, &arguments)
        .await
        .map_err(|refusal| refusal.error(spec))?;
    if let Some(position) = replication::noted_position(&Layout::new(base).data())? {
        let mut session = Session::open(&server).await?;
        replication::begin_log_at(&mut session, &position).await?;
        session.close().await;
    }
    Replay {
        server: &server,
        installation: &installation,
        account,
        until,
    }
    .run(series)
    .await?;
    progress(95);
    server::end(&partial, Signal::SIGTERM).await?;
    snapshot::complete(&server).await
}

/// Brings a server forward.
struct Replay<'a> {
    server: &'a Layout,
    installation: &'a Installation,
    account: Account,
    until: Timestamp,
}

/// What a series had for a server.
enum Outcome {
    /// Everything that it has until the instant is applied.
    Applied,
    /// It goes on from a later position than the server's.
    BeginsLater,
}

impl Replay<'_> {
    /// Applies what is left of every series. One that begins later has its turn when another one has got so far.
    async fn run(&self, mut series: Vec<Series>) -> Result<(), EngineError> {
        while !series.is_empty() {
            let mut later = Vec::new();
            let mut rest = series.into_iter();
            let mut is_further = false;
            for one in rest.by_ref() {
                match self.apply(&one).await? {
                    Outcome::Applied => {
                        is_further = true;
                        break;
                    }
                    Outcome::BeginsLater => later.push(one),
                }
            }
            if !is_further {
                return Err(failed(ACTION)("there is a gap in the archives"));
            }
            later.extend(rest);
            series = later;
        }
        Ok(())
    }

    async fn apply(&self, series: &Series) -> Result<Outcome, EngineError> {
        let mut session = Session::open(self.server).await?;
        let position = session.text("SELECT @@gtid_binlog_pos", ACTION).await?;
        session.close().await;
        let password = self
            .server
            .administrator_password()
            .map_err(failed(ACTION))?;

        let mut reader = Command::new(self.installation.program("mariadb-binlog"));
        program::prepare(&mut reader, self.account);
        let stop = self.until.strftime("%Y-%m-%d %H:%M:%S");
        reader
            .env("TZ", "UTC")
            .args(["--no-defaults", &format!("--stop-datetime={stop}")]);
        if !position.is_empty() {
            reader.arg(format!("--start-position={position}"));
        }
        let mut reader = reader
            .args(&series.files)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed(ACTION))?;
        let output = reader.stdout.take().ok_or("it is piped");
        let output: Stdio = output
            .map_err(failed(ACTION))?
            .try_into()
            .map_err(failed(ACTION))?;

        let mut client = Command::new(self.installation.program("mariadb"));
        program::prepare(&mut client, self.account);
        let client = client
            .env(PASSWORD, password)
            .args(["--no-defaults", "--binary-mode", "--batch"])
            .arg("--max-allowed-packet=1G")
            .arg(format!("--socket={}", self.server.unix_socket()))
            .arg(format!("--user={ADMINISTRATOR}"))
            .stdin(output)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let (read, applied) = tokio::join!(reader.wait_with_output(), client);
        let (read, applied) = (
            read.map_err(failed(ACTION))?,
            applied.map_err(failed(ACTION))?,
        );
        if !applied.status.success() {
            let reason = String::from_utf8_lossy(&applied.stderr);
            return Err(failed(ACTION)(program::complaint(&reason)));
        }
        let reason = String::from_utf8_lossy(&read.stderr);
        if read.status.success() || reason.contains(ENDS_EARLIER) {
            Ok(Outcome::Applied)
        } else if reason.contains(BEGINS_LATER) {
            Ok(Outcome::BeginsLater)
        } else {
            Err(failed(ACTION)(program::complaint(&reason)))
        }
    }
}
