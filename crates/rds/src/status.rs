//! The status texts of DB instances and clusters and what they mean for somebody who waits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Statuses in which a database stays until somebody acts.
static STEADY: &[&str] = &[
    "available",
    "stopped",
    "storage-full",
    "storage-optimization",
];

/// Statuses that only a person, or deleting the database, ends.
static FAILED: &[&str] = &[
    "cloning-failed",
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-create",
    "incompatible-credentials",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "migration-failed",
    "modify-failed",
    "restore-error",
    "restore-failed",
    "unsupported-configuration",
    "upgrade-failed",
];

/// The status of a DB instance or cluster as RDS spells it, for instance `available`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Status(String);

/// What a status means for somebody who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// It stays so until somebody acts.
    Steady,
    /// RDS is at work; look again. A status that this program does not know is one of these,
    /// because RDS has more of them than it documents.
    Transient,
    /// RDS has given up.
    Failed,
}

impl Status {
    pub(crate) fn new(status: &str) -> Self {
        Self(status.to_ascii_lowercase())
    }

    /// Returns the text as RDS spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says what the status means for somebody who waits.
    pub fn class(&self) -> StatusClass {
        match self.as_str() {
            status if STEADY.contains(&status) => StatusClass::Steady,
            status if FAILED.contains(&status) => StatusClass::Failed,
            _ => StatusClass::Transient,
        }
    }

    /// Tells whether the database accepts calls and connections.
    pub fn is_available(&self) -> bool {
        self.0 == "available"
    }

    /// Tells whether clients can connect and snapshots can be made: `available`, or still moving
    /// its storage.
    pub fn is_serving(&self) -> bool {
        matches!(self.as_str(), "available" | "storage-optimization")
    }

    /// Tells whether the database is on its way out.
    pub fn is_deleting(&self) -> bool {
        matches!(self.as_str(), "deleting" | "delete-precheck")
    }

    /// Tells whether RDS refuses a final snapshot in this status.
    pub fn forbids_final_snapshot(&self) -> bool {
        matches!(
            self.as_str(),
            "creating"
                | "deleting"
                | "failed"
                | "incompatible-create"
                | "incompatible-network"
                | "incompatible-restore"
                | "insufficient-capacity"
                | "restore-error"
                | "upgrade-failed"
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_nobody_has_heard_of_is_waited_out() {
        for status in ["configuring-performance-insights", "renaming", "polishing"] {
            assert_eq!(Status::new(status).class(), StatusClass::Transient);
        }
        assert_eq!(Status::new("Available").class(), StatusClass::Steady);
        assert_eq!(
            Status::new("incompatible-parameters").class(),
            StatusClass::Failed
        );
    }

    #[test]
    fn a_key_that_can_come_back_is_no_failure() {
        let status = Status::new("inaccessible-encryption-credentials-recoverable");
        assert_eq!(status.class(), StatusClass::Transient);
    }
}
