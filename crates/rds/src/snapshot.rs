//! A snapshot as one answer of DescribeDBSnapshots or DescribeDBClusterSnapshots shows it.

use std::fmt;

use aws_sdk_rds::types as sdk;
use jiff::Timestamp;
use serde_json::Value;

use crate::attributes::{self, Settings};
use crate::convert::{self, tags_from_sdk, timestamp};
use crate::database::{Kind, Tags};
use crate::error::Error;
use crate::id::{Arn, DbIdentifier, ResourceId, SnapshotRef};

/// A snapshot, seen once.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What it is of, and what can be restored from it.
    pub of: Kind,
    /// The identifier; an automated one begins with `rds:`.
    pub id: SnapshotRef,
    /// The ARN.
    pub arn: Arn,
    /// The name of the database at the snapshot's time.
    pub source: DbIdentifier,
    /// The identity of the database; absent in old snapshots and copies.
    pub source_resource: Option<ResourceId>,
    /// The engine.
    pub engine: String,
    /// The engine's version, which a restored instance gets; for a cluster it is asked for.
    pub engine_version: String,
    /// The status.
    pub status: SnapshotStatus,
    /// How it came to be.
    pub kind: SnapshotKind,
    /// When it was made; absent until it is available.
    pub created_at: Option<Timestamp>,
    /// How much of it is made, in percent.
    pub percent: Option<u8>,
    /// The tags.
    pub tags: Tags,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The key that encrypts it.
    pub kms_key_id: Option<String>,
    /// The storage that a restored instance needs, in GiB; an Aurora cluster shows 1 or none.
    pub allocated_storage_gib: Option<i32>,
    /// What the snapshot stores of the configuration: a part only, so a blueprint is needed.
    pub settings: Settings,
}

/// How a snapshot came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotKind {
    /// Somebody asked for it; it stays until somebody deletes it.
    Manual,
    /// RDS's daily backup.
    Automated,
    /// AWS Backup made it.
    AwsBackup,
    /// A kind that this program does not know, in RDS's words.
    Other(String),
}

/// Whether a snapshot can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotStatus {
    /// It is complete.
    Available,
    /// It is being made or copied; look again.
    Creating,
    /// It is being deleted, or could not be made, in RDS's words.
    Unusable(String),
}

impl SnapshotStatus {
    fn new(status: &str) -> Self {
        match status.to_ascii_lowercase().as_str() {
            "available" => Self::Available,
            gone @ ("deleted"
            | "deleting"
            | "failed"
            | "incompatible-restore"
            | "incompatible-parameters") => Self::Unusable(gone.to_owned()),
            _ => Self::Creating,
        }
    }
}

impl fmt::Display for SnapshotStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Available => "available",
            Self::Creating => "creating",
            Self::Unusable(status) => status,
        })
    }
}

impl SnapshotKind {
    fn new(kind: &str) -> Self {
        match kind {
            "manual" => Self::Manual,
            "automated" => Self::Automated,
            "awsbackup" => Self::AwsBackup,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Snapshot {
    /// Reads an answer of `operation`.
    pub(crate) fn of_instance(
        operation: &'static str,
        snapshot: &sdk::DbSnapshot,
    ) -> Result<Self, Error> {
        let lacking = |member| move || Error::incomplete(operation, member);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Self {
            of: Kind::Instance,
            id: id(
                snapshot.snapshot_type(),
                snapshot.db_snapshot_identifier(),
                snapshot.db_snapshot_arn(),
            )
            .ok_or_else(lacking("DBSnapshotIdentifier"))?,
            arn: convert::parse(snapshot.db_snapshot_arn()).ok_or_else(lacking("DBSnapshotArn"))?,
            source: convert::parse(snapshot.db_instance_identifier())
                .ok_or_else(lacking("DBInstanceIdentifier"))?,
            source_resource: convert::parse(snapshot.dbi_resource_id()),
            engine: text(&snapshot.engine),
            engine_version: text(&snapshot.engine_version),
            status: SnapshotStatus::new(snapshot.status().unwrap_or_default()),
            kind: SnapshotKind::new(snapshot.snapshot_type().unwrap_or_default()),
            created_at: timestamp(snapshot.snapshot_create_time()),
            percent: snapshot
                .percent_progress
                .and_then(|percent| u8::try_from(percent).ok()),
            tags: tags_from_sdk(snapshot.tag_list()),
            encrypted: snapshot.encrypted.unwrap_or_default(),
            kms_key_id: snapshot.kms_key_id.clone(),
            allocated_storage_gib: snapshot.allocated_storage,
            settings: stored_settings(snapshot),
        })
    }

    /// Reads an answer of `operation` about clusters.
    pub(crate) fn of_cluster(
        operation: &'static str,
        snapshot: &sdk::DbClusterSnapshot,
    ) -> Result<Self, Error> {
        let lacking = |member| move || Error::incomplete(operation, member);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Self {
            of: Kind::Cluster,
            id: id(
                snapshot.snapshot_type(),
                snapshot.db_cluster_snapshot_identifier(),
                snapshot.db_cluster_snapshot_arn(),
            )
            .ok_or_else(lacking("DBClusterSnapshotIdentifier"))?,
            arn: convert::parse(snapshot.db_cluster_snapshot_arn())
                .ok_or_else(lacking("DBClusterSnapshotArn"))?,
            source: convert::parse(snapshot.db_cluster_identifier())
                .ok_or_else(lacking("DBClusterIdentifier"))?,
            source_resource: convert::parse(snapshot.db_cluster_resource_id()),
            engine: text(&snapshot.engine),
            engine_version: text(&snapshot.engine_version),
            status: SnapshotStatus::new(snapshot.status().unwrap_or_default()),
            kind: SnapshotKind::new(snapshot.snapshot_type().unwrap_or_default()),
            created_at: timestamp(snapshot.snapshot_create_time()),
            percent: snapshot
                .percent_progress
                .and_then(|percent| u8::try_from(percent).ok()),
            tags: tags_from_sdk(snapshot.tag_list()),
            encrypted: snapshot.storage_encrypted.unwrap_or_default(),
            kms_key_id: snapshot.kms_key_id.clone(),
            allocated_storage_gib: snapshot.allocated_storage,
            settings: stored_settings_of_cluster(snapshot),
        })
    }
}

/// One of another account is named by its ARN, whatever its owner calls it.
fn id(kind: Option<&str>, identifier: Option<&str>, arn: Option<&str>) -> Option<SnapshotRef> {
    convert::parse(match kind {
        Some("shared") => arn,
        _ => identifier,
    })
}

/// Collects the part of the configuration that an instance's snapshot stores.
#[rustfmt::skip]
fn stored_settings(snapshot: &sdk::DbSnapshot) -> Settings {
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let members = [
        ("Engine", text(&snapshot.engine)),
        ("EngineVersion", text(&snapshot.engine_version)),
        ("LicenseModel", text(&snapshot.license_model)),
        ("MasterUsername", text(&snapshot.master_username)),
        ("AllocatedStorage", snapshot.allocated_storage.map(Value::from)),
        ("StorageType", text(&snapshot.storage_type)),
        ("Iops", snapshot.iops.map(Value::from)),
        ("StorageThroughput", snapshot.storage_throughput.map(Value::from)),
        ("StorageEncrypted", snapshot.encrypted.map(Value::from)),
        ("KmsKeyId", text(&snapshot.kms_key_id)),
        ("Port", snapshot.port.map(Value::from)),
        ("AvailabilityZone", text(&snapshot.availability_zone)),
        ("OptionGroupName", text(&snapshot.option_group_name)),
        ("BackupRetentionPeriod", snapshot.backup_retention_period.map(Value::from)),
        ("PreferredBackupWindow", text(&snapshot.preferred_backup_window)),
        ("IAMDatabaseAuthenticationEnabled", snapshot.iam_database_authentication_enabled.map(Value::from)),
        ("TdeCredentialArn", text(&snapshot.tde_credential_arn)),
        ("Timezone", text(&snapshot.timezone)),
        ("DBSystemId", text(&snapshot.db_system_id)),
        ("MultiTenant", snapshot.multi_tenant.map(Value::from)),
        ("DedicatedLogVolume", snapshot.dedicated_log_volume.map(Value::from)),
    ];
    let named = |(name, value): (&'static str, Option<Value>)| Some((attributes::name(name), value?));
    members.into_iter().filter_map(named).collect()
}

/// Collects the part of the configuration that a cluster's snapshot stores.
#[rustfmt::skip]
fn stored_settings_of_cluster(snapshot: &sdk::DbClusterSnapshot) -> Settings {
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let members = [
        ("Engine", text(&snapshot.engine)),
        ("EngineVersion", text(&snapshot.engine_version)),
        ("MasterUsername", text(&snapshot.master_username)),
        ("StorageType", text(&snapshot.storage_type)),
        ("StorageEncrypted", snapshot.storage_encrypted.map(Value::from)),
        ("KmsKeyId", text(&snapshot.kms_key_id)),
        ("Port", snapshot.port.map(Value::from)),
        ("BackupRetentionPeriod", snapshot.backup_retention_period.map(Value::from)),
        ("PreferredBackupWindow", text(&snapshot.preferred_backup_window)),
        ("IAMDatabaseAuthenticationEnabled", snapshot.iam_database_authentication_enabled.map(Value::from)),
    ];
    let named = |(name, value): (&'static str, Option<Value>)| Some((attributes::name(name), value?));
    members.into_iter().filter_map(named).collect()
}
