//! The exit codes, in one place. `trapheus --help` and the README print this table.

use std::process::ExitCode;

/// How a command ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is so.
    Succeeded = 0,
    /// The restore failed and was rolled back: the original answers at its name.
    Failed = 1,
    /// Wrong use, or refused by a pre-flight check. Nothing was changed.
    Refused = 2,
    /// The roll-back failed: a person is needed. The report holds the commands that repair it.
    RollbackFailed = 3,
    /// Stopped or interrupted; `trapheus executions resume` goes on.
    Stopped = 4,
    /// The restored database serves, but something is left over.
    LeftOver = 5,
}

/// The table as the help shows it.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  succeeded
  1  failed and rolled back: the original answers at its name
  2  wrong use, or refused by a pre-flight check: nothing was changed
  3  the roll-back failed: a person is needed, the report holds the commands
  4  stopped or interrupted: `trapheus executions resume` goes on
  5  succeeded with something left over";

impl Exit {
    /// From the code that a summary has; what is not in the table is a failure.
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Succeeded,
            2 => Self::Refused,
            3 => Self::RollbackFailed,
            4 => Self::Stopped,
            5 => Self::LeftOver,
            _failed => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_every_code() {
        let codes = [
            Exit::Succeeded,
            Exit::Failed,
            Exit::Refused,
            Exit::RollbackFailed,
            Exit::Stopped,
            Exit::LeftOver,
        ];
        for (line, code) in TABLE.lines().skip(1).zip(codes) {
            assert!(
                line.trim_start().starts_with(&format!("{}  ", code as u8)),
                "{line}"
            );
        }
        assert_eq!(TABLE.lines().count(), codes.len() + 1);
    }
}
