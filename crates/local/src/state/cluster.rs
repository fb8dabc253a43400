//! DB clusters: a volume with the data, and the instances that serve it.

use std::fmt;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use super::instance::{AfterBackup, Instance, Naming, Operation, ParameterStatus, Role};
use super::table::Record;
use super::values::{Scope, Settings, Tags, arn};
use crate::clusters::settings::is_aurora;
use crate::engines::Secret;

/// A DB cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// `DbClusterResourceId`.
    pub(crate) resource_id: String,
    pub(crate) scope: Scope,
    pub(crate) identifier: String,
    pub(crate) naming: Naming,
    pub(crate) status: ClusterStatus,
    pub(crate) settings: Settings,
    /// Changes that wait for the maintenance window, as settings.
    pub(crate) pending: Settings,
    pub(crate) tags: Tags,
    /// `ClusterCreateTime`: shown once the cluster is there.
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) password: Secret,
    /// Where the data lives: the directory of the writer's server, which outlives the last member.
    pub(crate) volume: Utf8PathBuf,
    /// The member that takes writes, by resource id.
    pub(crate) writer: Option<String>,
    /// That another member is becoming the writer.
    pub(crate) succession: Option<Succession>,
    pub(crate) roles: Vec<Role>,
    pub(crate) operation: Option<Operation<ClusterWork>>,
}

/// That one member takes over from another. Until it has, neither of the two answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Succession {
    /// The writer before, by resource id.
    pub(crate) from: String,
    /// The writer afterwards, by resource id.
    pub(crate) to: String,
}

/// What an instance is in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Membership {
    /// The cluster's resource id.
    pub(crate) cluster: String,
    /// `DBClusterParameterGroupStatus`.
    pub(crate) parameter_status: ParameterStatus,
    /// The DB cluster parameter group that the server was last started with.
    #[serde(default)]
    pub(crate) parameter_group_in_force: String,
}

/// `Status` of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClusterStatus {
    Available,
    BackingUp,
    Creating,
    Deleting,
    FailingOver,
    /// A snapshot is being restored.
    Migrating,
    Modifying,
    Rebooting,
    Renaming,
    ResettingMasterCredentials,
    Starting,
    Stopped,
    Stopping,
    Upgrading,
    /// A failure that an operation ended in.
    Failed(String),
}

impl fmt::Display for ClusterStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Available => "available",
            Self::BackingUp => "backing-up",
            Self::Creating => "creating",
            Self::Deleting => "deleting",
            Self::FailingOver => "failing-over",
            Self::Migrating => "migrating",
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

/// The kinds of operations on clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ClusterWork {
    /// A new, empty volume.
    Create,
    /// A volume from a snapshot, named by its key.
    Restore {
        snapshot: String,
    },
    /// A volume from the automated backups of a cluster, named by its resource id.
    RestoreToPointInTime {
        source: String,
        until: Timestamp,
    },
    /// These changes come into force; a new `DBClusterIdentifier` among them is a rename.
    Modify {
        changes: Settings,
    },
    /// The succession takes place.
    FailOver,
    Reboot,
    Start,
    Stop,
    /// A snapshot is taken; it is named by its key. Deleting may take one first.
    Backup {
        snapshot: String,
        then: AfterBackup,
    },
    Delete,
}

impl Cluster {
    /// `DBClusterArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "cluster", &self.identifier)
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

    /// `Engine`.
    pub(crate) fn engine(&self) -> &str {
        self.text("Engine")
    }

    /// Whether it is a Multi-AZ DB cluster, which makes and removes its members itself, and not one of Aurora.
    pub(crate) fn is_multi_az(&self) -> bool {
        !is_aurora(self.engine())
    }

    /// Whether nothing is being done to it, and it can be worked with.
    pub(crate) fn is_available(&self) -> bool {
        self.status == ClusterStatus::Available && self.operation.is_none()
    }
}

impl State {
    /// The cluster that has the identifier, also while a rename hides it.
    pub(crate) fn cluster_named(&self, scope: &Scope, identifier: &str) -> Option<&Cluster> {
        self.clusters
            .values()
            .find(|cluster| cluster.scope == *scope && cluster.identifier == identifier)
    }

    /// The cluster that an instance is a member of.
    pub(crate) fn cluster_of(&self, instance: &Instance) -> Option<&Cluster> {
        self.clusters.get(&instance.member_of.as_ref()?.cluster)
    }

    /// The members of a cluster, by its resource id, in the order of their names.
    pub(crate) fn members_of(&self, cluster: &str) -> Vec<&Instance> {
        let is_member = |instance: &&Instance| {
            let membership = instance.member_of.as_ref();
            membership.is_some_and(|membership| membership.cluster == cluster)
        };
        let mut members: Vec<_> = self.instances.values().filter(is_member).collect();
        members.sort_by(|one, other| one.identifier.cmp(&other.identifier));
        members
    }
}

impl Record for Cluster {
    const TABLE: &'static str = "cluster";
}
