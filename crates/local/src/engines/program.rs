//! Runs the engines' programs.

use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::EngineError;
use super::account::Account;

/// Makes the error of something that was being done.
pub(super) fn failed<E: std::fmt::Display>(action: &str) -> impl Fn(E) -> EngineError {
    move |error| EngineError::Failed {
        action: action.to_owned(),
        reason: error.to_string(),
    }
}

/// Runs a program to its end as the servers' user. It may read its work from standard input, where no other user can
/// see it. What it says on its standard error becomes the reason of a failure.
pub(super) async fn run(
    command: &mut Command,
    account: Account,
    action: &str,
    input: &str,
) -> Result<Output, EngineError> {
    prepare(command, account);
    run_prepared(command, action, input).await
}

/// The same for a command that has been prepared, and to whose environment something was added.
pub(super) async fn run_prepared(
    command: &mut Command,
    action: &str,
    input: &str,
) -> Result<Output, EngineError> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(failed(action))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends before it has read everything says why on its standard error.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(failed(action))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(failed(action)(String::from_utf8_lossy(&output.stderr)))
}

/// A clean environment: the caller's `PGDATA`, `MYSQL_HOME`, locale or working directory must not change what a server
/// does, and the working directory may be one that the servers' user can't enter.
pub(super) fn prepare(command: &mut Command, account: Account) {
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/");
    account.apply(command);
}
