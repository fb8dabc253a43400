//! DB snapshots and DB cluster snapshots.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::SourceType;
use super::table::Record;
use super::values::{Scope, Settings, Tags, arn};
use crate::engines::Secret;

/// A DB snapshot, or a DB cluster snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    #[serde(default)]
    pub(crate) kind: SnapshotKind,
    pub(crate) scope: Scope,
    pub(crate) identifier: String,
    /// The name of the source when the snapshot was made.
    pub(crate) source_identifier: String,
    pub(crate) source_resource_id: String,
    pub(crate) source_created_at: Option<Timestamp>,
    pub(crate) status: SnapshotStatus,
    /// `SnapshotCreateTime` and the time that the progress is reckoned from.
    pub(crate) begun_at: Timestamp,
    /// `OriginalSnapshotCreateTime`: the same for a snapshot and its copies.
    pub(crate) original_begun_at: Timestamp,
    /// All settings of the source. Which of them a restore inherits is said by the attributes.
    pub(crate) settings: Settings,
    /// The master password at that time.
    pub(crate) password: Secret,
    pub(crate) tags: Tags,
    pub(crate) directory: Utf8PathBuf,
    pub(crate) size_bytes: u64,
    /// For a copy: the snapshot that it is made from.
    pub(crate) copied_from: Option<CopySource>,
    /// The accounts that may restore it.
    pub(crate) shared_with: BTreeSet<String>,
}

/// What a snapshot was made of. Either kind has names of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SnapshotKind {
    #[default]
    Instance,
    Cluster,
}

impl SnapshotKind {
    /// The key of the snapshot of that name in its table.
    pub(crate) fn key(self, scope: &Scope, identifier: &str) -> String {
        match self {
            Self::Instance => scope.key(identifier),
            // No identifier has a colon, but those of automated snapshots after `rds`.
            Self::Cluster => scope.key(&format!("cluster:{identifier}")),
        }
    }

    /// What events about it are filed under.
    pub(crate) fn source_type(self) -> SourceType {
        match self {
            Self::Instance => SourceType::Snapshot,
            Self::Cluster => SourceType::ClusterSnapshot,
        }
    }
}

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CopySource {
    pub(crate) key: String,
    pub(crate) arn: String,
}

/// `Status` of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SnapshotStatus {
    Creating,
    Available,
    /// It could not be made.
    Failed(String),
}

impl SnapshotStatus {
    /// RDS's word.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Failed(status) => status,
        }
    }
}

impl Snapshot {
    /// `DBSnapshotArn`, `DBClusterSnapshotArn`.
    pub(crate) fn arn(&self) -> String {
        let kind = match self.kind {
            SnapshotKind::Instance => "snapshot",
            SnapshotKind::Cluster => "cluster-snapshot",
        };
        arn(&self.scope, kind, &self.identifier)
    }

    /// `Engine`.
    pub(crate) fn engine(&self) -> &str {
        self.settings
            .get("Engine")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    /// Whether it is a copy that isn't complete.
    pub(crate) fn is_being_copied(&self) -> bool {
        self.status == SnapshotStatus::Creating && self.copied_from.is_some()
    }

    /// `AllocatedStorage`.
    pub(crate) fn storage_gib(&self) -> u64 {
        let gib = self
            .settings
            .get("AllocatedStorage")
            .and_then(serde_json::Value::as_u64);
        gib.unwrap_or(0)
    }

    /// The key in its table.
    pub(crate) fn key(&self) -> String {
        self.kind.key(&self.scope, &self.identifier)
    }
}

impl Record for Snapshot {
    const TABLE: &'static str = "snapshot";
}
