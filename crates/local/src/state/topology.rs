//! What databases are part of beyond themselves, and what stands in the way of renaming and deleting them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use super::settling::Settling;
use super::table::Record;
use super::values::{Scope, Settings, Tags, arn};

/// A global database. It is of the account, not of a Region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GlobalCluster {
    pub(crate) account: String,
    pub(crate) identifier: String,
    pub(crate) resource_id: String,
    /// Members of `GlobalCluster` that are shown as they are.
    pub(crate) settings: Settings,
    /// The clusters by resource id, the primary one first.
    pub(crate) clusters: Vec<String>,
    pub(crate) tags: Tags,
}

/// A zero-ETL integration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Integration {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) id: String,
    /// The source's resource id.
    pub(crate) source: String,
    /// Members of `Integration` that are shown as they are.
    pub(crate) settings: Settings,
    pub(crate) created_at: Timestamp,
    pub(crate) status: Settling,
    pub(crate) tags: Tags,
}

/// A blue/green deployment. Its green database isn't made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BlueGreenDeployment {
    pub(crate) scope: Scope,
    pub(crate) id: String,
    pub(crate) name: String,
    /// ARNs.
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) created_at: Timestamp,
    pub(crate) status: Settling,
    pub(crate) tags: Tags,
}

/// A shard group of an Aurora Limitless database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ShardGroup {
    pub(crate) scope: Scope,
    pub(crate) identifier: String,
    pub(crate) resource_id: String,
    /// The cluster's resource id.
    pub(crate) cluster: String,
    /// Members of `DBShardGroup` that are shown as they are.
    pub(crate) settings: Settings,
    pub(crate) status: Settling,
    pub(crate) tags: Tags,
}

impl GlobalCluster {
    /// The key in its table.
    pub(crate) fn key(account: &str, identifier: &str) -> String {
        format!("{account}/{identifier}")
    }

    /// `GlobalClusterArn`, which has no Region.
    pub(crate) fn arn(&self) -> String {
        let (account, identifier) = (&self.account, &self.identifier);
        format!("arn:aws:rds::{account}:global-cluster:{identifier}")
    }
}

impl Integration {
    /// `IntegrationArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "integration", &self.id)
    }
}

impl ShardGroup {
    /// `DBShardGroupArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "shard-group", &self.resource_id)
    }
}

impl State {
    /// Why RDS neither renames nor deletes a database now, if it doesn't.
    pub(crate) fn what_holds(&self, resource_id: &str) -> Option<&'static str> {
        let mut global_clusters = self.global_clusters.values();
        let mut integrations = self.integrations.values();
        let mut shard_groups = self.shard_groups.values();
        if global_clusters.any(|global| global.clusters.iter().any(|one| one == resource_id)) {
            Some(
                "This cluster is a part of a global cluster, please remove it from globalcluster first",
            )
        } else if integrations.any(|integration| integration.source == resource_id) {
            Some("It is the source of a zero-ETL integration: delete the integration first")
        } else if shard_groups.any(|group| group.cluster == resource_id) {
            Some("It has a DB shard group: delete the shard group first")
        } else {
            None
        }
    }

    /// The global database that a cluster is in.
    pub(crate) fn global_cluster_of(&self, cluster: &str) -> Option<&GlobalCluster> {
        let mut all = self.global_clusters.values();
        all.find(|global| global.clusters.iter().any(|one| one == cluster))
    }
}

impl Record for GlobalCluster {
    const TABLE: &'static str = "global_cluster";
}

impl Record for Integration {
    const TABLE: &'static str = "integration";
}

impl Record for BlueGreenDeployment {
    const TABLE: &'static str = "blue_green_deployment";
}

impl Record for ShardGroup {
    const TABLE: &'static str = "shard_group";
}
