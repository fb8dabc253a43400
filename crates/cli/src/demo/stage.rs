//! What the demo needs around it: a directory, local RDS in a process of its own, and a client
//! for its API. All of it goes away when the stage is cleared.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::Region;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::{Context, Failure};
use crate::printer::Printer;

const REGION: &str = "us-east-1";
const KEY: &str = "demo";

/// Everything that the demo runs on.
pub(super) struct Stage {
    program: std::path::PathBuf,
    directory: Utf8PathBuf,
    /// The user's own: the executions are there to be looked at afterwards.
    home: Utf8PathBuf,
    temporary: Option<TempDir>,
    local: Child,
    endpoint_url: String,
    rds: Client,
    printer: Printer,
}

impl Stage {
    /// Makes the directory and starts local RDS in it.
    pub(super) async fn build(
        keep: Option<&Utf8Path>,
        home: &Utf8Path,
        printer: Printer,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe().context("find this program")?;
        let (directory, temporary) = directory(keep)?;
        printer.say(&format!("local RDS starts in {directory}"));
        let (local, endpoint_url) = start_local(&program, &directory).await?;
        Ok(Self {
            rds: client(&endpoint_url),
            program,
            directory,
            home: home.to_owned(),
            temporary,
            local,
            endpoint_url,
            printer,
        })
    }

    /// A client for local RDS, as anybody's code has it.
    pub(super) fn rds(&self) -> &Client {
        &self.rds
    }

    /// Runs `trapheus` as a user would, and returns the document that it prints.
    pub(super) async fn trapheus(&self, arguments: &[&str]) -> Result<Value, Failure> {
        self.printer
            .say(&format!("   $ trapheus {}", arguments.join(" ")));
        let child = Command::new(&self.program)
            .args(arguments)
            .args(["--output", "json"])
            .args(self.printer.is_quiet().then_some("--quiet"))
            .env("TRAPHEUS_HOME", &self.home)
            .env("AWS_ENDPOINT_URL", &self.endpoint_url)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", KEY)
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("start trapheus")?;
        let output = child
            .wait_with_output()
            .await
            .context("wait for trapheus")?;
        let command = arguments.join(" ");
        if !output.status.success() {
            return Err(Failure::failed(format!(
                "`trapheus {command}` ended with {}",
                output.status
            )));
        }
        serde_json::from_slice(&output.stdout)
            .context(format_args!("read what `{command}` printed"))
    }

    /// Stops local RDS and its servers, and removes the directory.
    pub(super) async fn clear(&mut self) -> Result<(), Failure> {
        let down = Command::new(&self.program)
            .args(["local", "down", "--quiet", "--data-dir"])
            .arg(self.directory.join("local"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .await
            .context("stop local RDS")?;
        self.local.wait().await.context("wait for local RDS")?;
        if !down.success() {
            return Err(Failure::failed(format!(
                "local RDS did not stop cleanly: {down}"
            )));
        }
        match self.temporary.take() {
            Some(temporary) => temporary.close().context("remove the demo's directory"),
            None => {
                self.printer
                    .say(&format!("the demo's files stay in {}", self.directory));
                Ok(())
            }
        }
    }
}

fn directory(keep: Option<&Utf8Path>) -> Result<(Utf8PathBuf, Option<TempDir>), Failure> {
    if let Some(keep) = keep {
        std::fs::create_dir_all(keep).context(format_args!("create {keep}"))?;
        let full = keep
            .canonicalize_utf8()
            .context(format_args!("find {keep}"))?;
        return Ok((full, None));
    }
    let temporary = tempfile::Builder::new()
        .prefix("trapheus-demo-")
        .tempdir()
        .context("create a directory")?;
    // The databases run as another user when we are root: it must be able to pass through.
    std::fs::set_permissions(temporary.path(), PermissionsExt::from_mode(0o711))
        .context("open the directory to the databases' user")?;
    let directory = Utf8PathBuf::from_path_buf(temporary.path().to_path_buf())
        .map_err(|path| Failure::failed(format!("{} is not UTF-8", path.display())))?;
    Ok((directory, Some(temporary)))
}

/// Starts `trapheus local up` and waits for the line that says where it listens.
async fn start_local(
    program: &std::path::Path,
    directory: &Utf8Path,
) -> Result<(Child, String), Failure> {
    let mut child = Command::new(program)
        .args([
            "local",
            "up",
            "--output",
            "json",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
        ])
        .arg(directory.join("local"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("start local RDS")?;
    let stdout = child
        .stdout
        .take()
        .expect("it was asked to be piped just above");
    let first = BufReader::new(stdout)
        .lines()
        .next_line()
        .await
        .context("hear from local RDS")?;
    let document: Option<Value> = first.and_then(|line| serde_json::from_str(&line).ok());
    match document
        .as_ref()
        .and_then(|document| document["endpointUrl"].as_str())
    {
        Some(url) => Ok((child, url.to_owned())),
        None => {
            let status = child.wait().await.context("wait for local RDS")?;
            Err(Failure::failed(format!(
                "local RDS did not start: {status}"
            )))
        }
    }
}

fn client(endpoint_url: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(KEY, KEY, None, None, "demo"))
        .http_client(http)
        .build();
    Client::from_conf(config)
}
