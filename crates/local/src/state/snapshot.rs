//! DB snapshots.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::table::Record;
use super::values::{Scope, Settings, Tags, arn};
use crate::engines::Secret;

/// A DB snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
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
    /// `DBSnapshotArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "snapshot", &self.identifier)
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
        self.scope.key(&self.identifier)
    }
}

impl Record for Snapshot {
    const TABLE: &'static str = "snapshot";
}
