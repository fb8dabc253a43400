//! Runs MariaDB's programs and turns what they complain about into one error text.

use std::process::Output;

use tokio::process::Command;

use crate::engines::account::Account;
use crate::engines::{EngineError, program};

pub(super) use crate::engines::program::{failed, prepare};

/// Lines of a program's or server's complaint that are passed on.
const LINES_MAX: usize = 8;

/// What the clients of a server read their password from. Only the process's user and root can see it.
pub(super) const PASSWORD: &str = "MYSQL_PWD";

/// Runs a program to its end as the servers' user. It may read its work from standard input.
pub(super) async fn run(
    command: &mut Command,
    account: Account,
    action: &str,
    input: &str,
) -> Result<Output, EngineError> {
    readable(program::run(command, account, action, input).await)
}

/// The same for a client of a server.
pub(super) async fn run_client(
    command: &mut Command,
    account: Account,
    action: &str,
    password: &str,
) -> Result<Output, EngineError> {
    prepare(command, account);
    command.env(PASSWORD, password);
    readable(program::run_prepared(command, action, "").await)
}

fn readable(outcome: Result<Output, EngineError>) -> Result<Output, EngineError> {
    outcome.map_err(|error| match error {
        EngineError::Failed { action, reason } => EngineError::Failed {
            action,
            reason: complaint(&reason),
        },
        other => other,
    })
}

/// The lines that say what is wrong, without time stamps; all of them where none is marked as an error.
pub(super) fn complaint(log: &str) -> String {
    let severe = errors(log);
    let chosen = if severe.is_empty() {
        let lines = log.lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
    } else {
        severe
    };
    let first = chosen.len().saturating_sub(LINES_MAX);
    chosen[first..].join("; ")
}

/// What the lines that are marked as errors say.
pub(super) fn errors(log: &str) -> Vec<&str> {
    log.lines()
        .filter_map(|line| {
            let (_, message) = line.split_once("[ERROR]").or(line.split_once("ERROR: "))?;
            let message = message.trim();
            Some(message.strip_prefix("mariadbd: ").unwrap_or(message))
        })
        .filter(|message| *message != "Aborting")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complaint_is_what_is_marked_as_an_error() {
        let log = "2026-11-22 22:34:09 0 [Warning] Could not increase number of max_open_files\n\
                   2026-11-22 22:34:09 0 [ERROR] mariadbd: unknown variable 'work=1'\n\
                   2026-11-22 22:34:09 0 [ERROR] Aborting\n";
        assert_eq!(complaint(log), "unknown variable 'work=1'");
    }

    #[test]
    fn without_a_marked_line_everything_is_passed_on() {
        assert_eq!(complaint("one\n\ntwo\n"), "one; two");
    }
}
