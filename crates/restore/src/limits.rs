//! How long a state may take, and all of them together: generous, by the size of the storage, and
//! never without end.
//!
//! A limit runs from when its state was entered and is looked at where a task would be run again:
//! what has become so in time is never refused, and no wait is endless. The limit of the execution
//! holds until the restored database is ready for the name; from then on, going on is the shortest
//! way to a database at it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{ErrorName, TaskError};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long each state may take, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Everything until the restored database is ready for the name.
    #[serde(default = "without_end")]
    pub execution_seconds: u64,
    /// The snapshot.
    pub snapshot_seconds: u64,
    /// The restore.
    pub restore_seconds: u64,
    /// Configuring, reboots included.
    pub configure_seconds: u64,
    /// The preparation's SQL.
    #[serde(default = "prepare_seconds_of_old")]
    pub prepare_seconds: u64,
    /// Until the engine answers, and the verification's SQL.
    pub verify_seconds: u64,
    /// One rename, and waiting for a state that allows it.
    pub rename_seconds: u64,
    /// Deleting the original, its final snapshot included.
    pub retire_seconds: u64,
    /// Giving the name back.
    pub roll_back_seconds: u64,
}

impl Limits {
    /// The limits for a database of this size.
    pub fn for_storage(gib: u64) -> Self {
        Self {
            // As much as its states may take, one after the other.
            execution_seconds: 11 * HOUR + 4 * gib * MINUTE,
            snapshot_seconds: 2 * HOUR + gib * MINUTE,
            restore_seconds: 2 * HOUR + gib * MINUTE,
            // A change of storage is configured too, and takes as long as a restore.
            configure_seconds: 2 * HOUR + gib * MINUTE,
            prepare_seconds: 2 * HOUR + gib * MINUTE,
            verify_seconds: 10 * MINUTE,
            rename_seconds: HOUR,
            retire_seconds: 4 * HOUR + gib * MINUTE,
            roll_back_seconds: 12 * HOUR + gib * MINUTE,
        }
    }
}

/// For the plans of versions that had no such limit.
fn without_end() -> u64 {
    u64::MAX
}

/// Of plans that were made before there was a preparation.
fn prepare_seconds_of_old() -> u64 {
    Limits::for_storage(0).prepare_seconds
}

/// The clock of one state, or of the execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) entered: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) limit_seconds: u64,
}

impl Deadline {
    /// How long the state may still take; never nothing.
    pub(crate) fn left(&self) -> Duration {
        let elapsed = u64::try_from(self.elapsed().as_secs()).unwrap_or_default();
        Duration::from_secs(self.limit_seconds.saturating_sub(elapsed).max(1))
    }

    /// How long the state has been waiting.
    pub(crate) fn elapsed(&self) -> SignedDuration {
        self.now.duration_since(self.entered)
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        let limit = i64::try_from(self.limit_seconds).unwrap_or(i64::MAX);
        self.elapsed() > SignedDuration::from_secs(limit)
    }

    /// Turns what would be tried again into a failure when the time is over.
    pub(crate) fn enforce(&self, error: TaskError) -> TaskError {
        if !error.name.is_passing() || !self.is_over() {
            return error;
        }
        let text = error.cause.text();
        let still = match error.name {
            ErrorName::InProgress => format!("still {text}"),
            _ => text.to_owned(),
        };
        self.over(&still)
    }

    /// The failure of what takes too long.
    pub(crate) fn over(&self, what: &str) -> TaskError {
        let message = format!(
            "{what} after {} s, the most that the plan allows",
            self.limit_seconds
        );
        TaskError::new(ErrorName::TimeLimit, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(seconds: i64) -> Deadline {
        let entered: Timestamp = "2026-11-22T19:00:00Z".parse().unwrap();
        Deadline {
            entered,
            now: entered + SignedDuration::from_secs(seconds),
            limit_seconds: 60,
        }
    }

    #[test]
    fn waiting_ends_when_the_limit_is_over() {
        let waiting = TaskError::in_progress("renaming orders");
        assert_eq!(deadline(60).enforce(waiting.clone()), waiting);
        let error = deadline(61).enforce(waiting);
        assert_eq!(error.name, ErrorName::TimeLimit);
        assert!(error.cause.text().contains("renaming orders"));
    }

    #[test]
    fn what_never_passes_ends_too() {
        let throttled = TaskError::new(ErrorName::Throttled, "Rate exceeded");
        assert_eq!(deadline(60).enforce(throttled.clone()), throttled);
        let error = deadline(61).enforce(throttled);
        assert_eq!(error.name, ErrorName::TimeLimit);
    }

    #[test]
    fn what_failed_keeps_its_name() {
        let failed = TaskError::new(ErrorName::RestoreFailed, "restore-error");
        assert_eq!(deadline(100).enforce(failed.clone()), failed);
    }

    #[test]
    fn large_databases_get_more_time() {
        assert!(
            Limits::for_storage(1000).restore_seconds > Limits::for_storage(20).restore_seconds
        );
    }
}
