//! What other calls than create, restore and modify attach to a database: neither its settings nor its snapshots hold it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::settling::Settling;
use super::table::Record;
use super::values::{Scope, Settings, Tags, arn};

/// What is attached to one DB instance or DB cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Attachments {
    pub(crate) activity_stream: Option<ActivityStream>,
    pub(crate) secret: Option<MasterSecret>,
    pub(crate) backup_replications: Vec<BackupReplication>,
}

/// A database activity stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActivityStream {
    pub(crate) status: Settling,
    pub(crate) mode: String,
    pub(crate) kms_key_id: String,
    pub(crate) kinesis_stream: String,
    pub(crate) has_native_fields: bool,
    /// `PolicyStatus`.
    pub(crate) policy: Settling,
}

/// The secret in which Secrets Manager keeps a master password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MasterSecret {
    pub(crate) arn: String,
    pub(crate) kms_key_id: String,
    pub(crate) status: Settling,
}

/// Automated backups that are replicated to another Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackupReplication {
    pub(crate) scope: Scope,
    /// The id of `DBInstanceAutomatedBackupsArn`.
    pub(crate) id: String,
    pub(crate) retention_days: i64,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) tags: Tags,
}

impl Attachments {
    /// Whether nothing is attached.
    pub(crate) fn is_empty(&self) -> bool {
        self.activity_stream.is_none()
            && self.secret.is_none()
            && self.backup_replications.is_empty()
    }

    /// The members in which `DBInstance` and `DBCluster` show them.
    pub(crate) fn describe(&self, now: Timestamp) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut put = |member: &str, value: Value| shown.insert(member.to_owned(), value);
        let stream = self.activity_stream.as_ref();
        let status = stream.map_or("stopped", |stream| stream.status.status(now));
        put("ActivityStreamStatus", json!(status));
        if let Some(stream) = stream.filter(|_| status != "stopped") {
            put("ActivityStreamMode", json!(stream.mode));
            put("ActivityStreamKmsKeyId", json!(stream.kms_key_id));
            put(
                "ActivityStreamKinesisStreamName",
                json!(stream.kinesis_stream),
            );
            put(
                "ActivityStreamEngineNativeAuditFieldsIncluded",
                json!(stream.has_native_fields),
            );
            put(
                "ActivityStreamPolicyStatus",
                json!(stream.policy.status(now)),
            );
        }
        if let Some(secret) = &self.secret {
            let status = secret.status.status(now);
            put(
                "MasterUserSecret",
                json!({"SecretArn": secret.arn, "SecretStatus": status, "KmsKeyId": secret.kms_key_id}),
            );
        }
        let backups = self.backup_replications.iter();
        let backups: Vec<Value> = backups
            .map(|backup| json!({"DBInstanceAutomatedBackupsArn": backup.arn()}))
            .collect();
        put(
            "DBInstanceAutomatedBackupsReplications",
            Value::from(backups),
        );
        shown
    }
}

impl BackupReplication {
    /// `DBInstanceAutomatedBackupsArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "auto-backup", &self.id)
    }
}

impl Record for Attachments {
    const TABLE: &'static str = "attachments";
}

impl super::State {
    /// What is attached to a database.
    pub(crate) fn attachments_of(&self, resource_id: &str) -> Attachments {
        self.attachments
            .get(resource_id)
            .cloned()
            .unwrap_or_default()
    }

    /// Changes what is attached to a database.
    pub(crate) fn attach(&mut self, resource_id: &str, change: impl FnOnce(&mut Attachments)) {
        let mut attachments = self.attachments_of(resource_id);
        change(&mut attachments);
        match attachments.is_empty() {
            true => drop(self.attachments.remove(resource_id)),
            false => self.attachments.insert(resource_id, attachments),
        }
    }
}

/// Whether RDS is to manage the master password.
pub(crate) fn is_password_managed(settings: &Settings) -> bool {
    settings.get("ManageMasterUserPassword") == Some(&json!(true))
}
