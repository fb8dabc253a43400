//! DB instances, and what is being done to them.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cluster::Membership;
use super::table::Record;
use super::values::{Scope, Settings, Tags, arn};
use crate::engines::Secret;

/// A DB instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// `DbiResourceId`.
    pub(crate) resource_id: String,
    pub(crate) scope: Scope,
    pub(crate) identifier: String,
    pub(crate) naming: Naming,
    pub(crate) status: InstanceStatus,
    pub(crate) settings: Settings,
    /// Changes that wait for the maintenance window, as settings.
    pub(crate) pending: Settings,
    pub(crate) tags: Tags,
    /// `InstanceCreateTime`: shown once the instance is there.
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) password: Secret,
    /// Where the server's data lives.
    pub(crate) directory: Utf8PathBuf,
    /// The values of the parameter group that the server has been given.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The parameter group that the server was last started with. Another one comes into force at the next start.
    pub(crate) parameter_group_in_force: String,
    pub(crate) parameter_status: ParameterStatus,
    pub(crate) roles: Vec<Role>,
    /// The cluster that it is a member of.
    pub(crate) member_of: Option<Membership>,
    /// Of a read replica: its source, by resource id.
    pub(crate) replica_of: Option<String>,
    pub(crate) operation: Option<Operation>,
}

/// Whether an instance can be found by its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Naming {
    /// By identifier and by resource id.
    Named,
    /// In the middle of a rename: by resource id only.
    Nameless,
}

/// An IAM role that an instance may use for a feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) feature: String,
}

/// `ParameterApplyStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ParameterStatus {
    InSync,
    Applying,
    PendingReboot,
}

impl ParameterStatus {
    /// RDS's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Applying => "applying",
            Self::PendingReboot => "pending-reboot",
        }
    }
}

/// `DBInstanceStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum InstanceStatus {
    Available,
    BackingUp,
    Creating,
    Deleting,
    Modifying,
    Rebooting,
    Renaming,
    ResettingMasterCredentials,
    Starting,
    Stopped,
    Stopping,
    Upgrading,
    /// A failure that an operation ended in, such as `incompatible-parameters`.
    Failed(String),
}

impl fmt::Display for InstanceStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Available => "available",
            Self::BackingUp => "backing-up",
            Self::Creating => "creating",
            Self::Deleting => "deleting",
            Self::Modifying => "modifying",
            Self::Rebooting => "rebooting",
            Self::Renaming => "renaming",
            Self::ResettingMasterCredentials => "resetting-master-credentials",
            Self::Starting => "starting",
            Self::Stopped => "stopped",
            Self::Stopping => "stopping",
            Self::Upgrading => "upgrading",
            Self::Failed(status) => status,
        })
    }
}

/// What is being done to something. It is stored before anything is done, so that it can be taken up after a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation<W = Work> {
    pub(crate) work: W,
    pub(crate) begun_at: Timestamp,
    pub(crate) outcome: Outcome,
}

/// The kinds of operations on instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// A new, empty server.
    Create,
    /// A server from a snapshot, named by its key.
    Restore {
        snapshot: String,
    },
    /// A server from the automated backups of an instance, named by its resource id.
    RestoreToPointInTime {
        source: String,
        until: Timestamp,
    },
    /// A server that follows the source.
    Replicate,
    /// A replica becomes an instance of its own, with these settings.
    Promote {
        changes: Settings,
    },
    /// These changes come into force; a new `DBInstanceIdentifier` among them is a rename.
    Modify {
        changes: Settings,
    },
    /// The parameter group's values are given to the server.
    Reconfigure,
    Reboot,
    Start,
    Stop,
    /// A snapshot is taken; it is named by its key. Stopping and deleting may take one first.
    Backup {
        snapshot: String,
        then: AfterBackup,
    },
    Delete,
}

/// What follows a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AfterBackup {
    Nothing,
    Stop,
    Delete,
}

/// How an operation ends; a fault on request may decide that it doesn't end well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Success,
    /// The instance ends in this status.
    EndsIn(String),
    /// The changes aren't made, the instance is available again, and only an event says so.
    ModifyFails,
}

impl Instance {
    /// `DBInstanceArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "db", &self.identifier)
    }

    /// A setting that is text.
    pub(crate) fn text(&self, attribute: &str) -> &str {
        self.settings
            .get(attribute)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    /// A setting that is a number.
    pub(crate) fn number(&self, attribute: &str) -> Option<i64> {
        self.settings
            .get(attribute)
            .and_then(serde_json::Value::as_i64)
    }

    /// A setting that is on or off.
    pub(crate) fn is_on(&self, attribute: &str) -> bool {
        self.settings
            .get(attribute)
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false)
    }

    /// Whether something is being done that nothing else may interrupt. Giving parameters to the
    /// server may: whatever comes between ends with looking at them again.
    pub(crate) fn is_busy(&self) -> bool {
        match self.operation.as_ref().map(|operation| &operation.work) {
            None | Some(Work::Reconfigure) => false,
            Some(
                Work::Create
                | Work::Restore { .. }
                | Work::RestoreToPointInTime { .. }
                | Work::Replicate
                | Work::Promote { .. }
                | Work::Modify { .. }
                | Work::Reboot
                | Work::Start
                | Work::Stop
                | Work::Backup { .. }
                | Work::Delete,
            ) => true,
        }
    }

    /// `Engine`.
    pub(crate) fn engine(&self) -> &str {
        self.text("Engine")
    }

    /// Whether a server runs, or should.
    pub(crate) fn has_running_server(&self) -> bool {
        match self.status {
            InstanceStatus::Creating
            | InstanceStatus::Deleting
            | InstanceStatus::Starting
            | InstanceStatus::Stopped
            | InstanceStatus::Failed(_) => false,
            InstanceStatus::Available
            | InstanceStatus::BackingUp
            | InstanceStatus::Modifying
            | InstanceStatus::Rebooting
            | InstanceStatus::Renaming
            | InstanceStatus::ResettingMasterCredentials
            | InstanceStatus::Stopping
            | InstanceStatus::Upgrading => true,
        }
    }
}

impl Record for Instance {
    const TABLE: &'static str = "instance";
}
