//! The words of the input document: what can be chosen, and how it is spelled.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trapheus_rds::{SnapshotId, SnapshotRef};

use crate::saved::SavedBlueprint;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Restore the target from a snapshot that exists.
    DbRestore,
    /// Make a snapshot, then restore the target from it.
    CreateSnapshot,
    /// Make a snapshot, and nothing else.
    CreateSnapshotOnly,
    /// Restore a snapshot in other accounts and Regions.
    #[serde(rename = "restore_rds_in_target_accounts")]
    RestoreInTargets,
    /// Swap a kept original back.
    Rollback,
}

impl Task {
    /// All tasks, as the input spells them.
    pub const NAMES: [(&'static str, Task); 5] = [
        ("db_restore", Task::DbRestore),
        ("create_snapshot", Task::CreateSnapshot),
        ("create_snapshot_only", Task::CreateSnapshotOnly),
        ("restore_rds_in_target_accounts", Task::RestoreInTargets),
        ("rollback", Task::Rollback),
    ];

    /// Returns the name as the input spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Task::DbRestore => "db_restore",
            Task::CreateSnapshot => "create_snapshot",
            Task::CreateSnapshotOnly => "create_snapshot_only",
            Task::RestoreInTargets => "restore_rds_in_target_accounts",
            Task::Rollback => "rollback",
        }
    }

    /// Whether it puts another database behind the target's name.
    pub(crate) fn moves_the_name(self) -> bool {
        matches!(self, Task::DbRestore | Task::CreateSnapshot)
    }
}

/// When the original leaves the target's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// After the restored database has been verified.
    #[default]
    Swap,
    /// Before the restore begins, so that nothing more is written to it.
    InPlace,
}

impl Strategy {
    /// Returns the name as the input spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Swap => "swap",
            Strategy::InPlace => "in_place",
        }
    }
}

/// Which snapshot supplies the data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SnapshotChoice {
    /// The newest usable one that has the fixed name or that Trapheus made.
    #[default]
    Default,
    /// The newest usable one of any kind, automated ones included.
    Latest,
    /// This one.
    Named(SnapshotRef),
}

/// The moment whose data is restored, in place of a snapshot's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreTime {
    /// The latest that the source's backups hold when the restore begins.
    Latest,
    /// This one.
    At(Timestamp),
}

/// A target that does not exist may be made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateIfMissing {
    /// Its configuration; when absent, the snapshot's blueprint or that of the living source.
    pub blueprint: Option<Box<SavedBlueprint>>,
}

/// What becomes of replicas in other Regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossRegionReplicas {
    /// They stay with the original, and stop following the name.
    Leave,
}

/// Whether a last snapshot is made of an original before it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FinalSnapshot {
    /// None, as the Python tool does.
    #[default]
    Skip,
    /// One whose name is made up in the plan.
    Make,
    /// One of this name.
    Named(SnapshotId),
}

/// What becomes of the automated backups of an original that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutomatedBackups {
    /// They stay as long as their retention says: a way back to any point in time.
    #[default]
    Keep,
    /// They go with the original, at once and for good.
    Delete,
}

/// What becomes of an original that an earlier execution still keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptOriginal {
    /// It is deleted when its aside name is needed.
    Delete,
    /// It gets a name of its own and belongs to the user from then on.
    Release,
}

/// The master password that the restored database gets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MasterPassword {
    /// The one that is in the data: that of the snapshot's time.
    #[default]
    KeepSnapshot,
    /// A new one, which RDS makes and keeps in a secret of its own.
    Managed,
    /// The one in this secret of Secrets Manager, named by its ARN.
    #[serde(rename = "secretArn")]
    Secret(String),
}
