//! Runs PostgreSQL's programs and turns what they complain about into one error text.

use std::process::Output;

use tokio::process::Command;

use crate::engines::account::Account;
use crate::engines::{EngineError, program};

pub(super) use crate::engines::program::{failed, prepare};

/// Lines of a program's or server's complaint that are passed on.
const LINES_MAX: usize = 12;

/// Runs a program to its end as the servers' user.
pub(super) async fn run(
    command: &mut Command,
    account: Account,
    action: &str,
) -> Result<Output, EngineError> {
    run_with_input(command, account, action, "").await
}

/// The same for a program that reads its work from standard input, where no other user can see it.
pub(super) async fn run_with_input(
    command: &mut Command,
    account: Account,
    action: &str,
    input: &str,
) -> Result<Output, EngineError> {
    match program::run(command, account, action, input).await {
        Err(EngineError::Failed { action, reason }) => Err(EngineError::Failed {
            action,
            reason: complaint(&reason),
        }),
        other => other,
    }
}

/// The lines that say what is wrong, without time stamps and what is only a consequence.
pub(super) fn complaint(log: &str) -> String {
    let severe = ["FATAL:", "PANIC:", "ERROR:", "HINT:", "DETAIL:"];
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let message = |line: &str| {
        severe
            .iter()
            .chain(&["LOG:"])
            .find_map(|word| line.split_once(word))
            .map_or(line, |(_, message)| message)
            .trim()
            .to_owned()
    };
    let found = |words: &[&str]| -> Vec<String> {
        lines
            .iter()
            .filter(|line| words.iter().any(|word| line.contains(word)))
            .map(|line| message(line))
            .collect()
    };
    let is_severe = found(&severe);
    // A bad configuration file is reported as LOG lines, and then as a FATAL that only says that there were some.
    let about_settings = found(&["parameter \"", "configuration parameter"]);
    let chosen = if !about_settings.is_empty() {
        about_settings
    } else if !is_severe.is_empty() {
        is_severe
    } else {
        lines.iter().map(|line| message(line)).collect()
    };
    let first = chosen.len().saturating_sub(LINES_MAX);
    chosen[first..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complaint_is_about_the_parameter_not_the_file() {
        let log = "2026-01-01 00:00:00.000 UTC [1] LOG:  invalid value for parameter \"work_mem\": \"abc\"\n\
                   2026-01-01 00:00:00.000 UTC [1] FATAL:  configuration file \"/x\" contains errors\n";
        assert_eq!(
            complaint(log),
            "invalid value for parameter \"work_mem\": \"abc\""
        );
    }

    #[test]
    fn without_a_severe_line_everything_is_passed_on() {
        assert_eq!(complaint("one\n\ntwo\n"), "one; two");
    }
}
