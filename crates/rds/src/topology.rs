//! What a database may be part of that forbids to rename it.

use crate::error::Error;
use crate::id::{Arn, DbIdentifier};
use crate::look::PAGE_RECORDS;
use crate::rds::Rds;

const DESCRIBE_GLOBAL_CLUSTERS: &str = "DescribeGlobalClusters";
const DESCRIBE_INTEGRATIONS: &str = "DescribeIntegrations";
const DESCRIBE_SHARD_GROUPS: &str = "DescribeDBShardGroups";

impl Rds {
    /// Finds the global database that a cluster is part of.
    ///
    /// # Errors
    /// Every class.
    pub async fn global_cluster_of(&self, cluster: &Arn) -> Result<Option<String>, Error> {
        let request = self.client.describe_global_clusters();
        let request = request.max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE_GLOBAL_CLUSTERS,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.global_clusters.unwrap_or_default(), page.marker),
        );
        let is_member = |global: &aws_sdk_rds::types::GlobalCluster| {
            let mut members = global.global_cluster_members().iter();
            members.any(|member| member.db_cluster_arn() == Some(cluster.as_str()))
        };
        let global = found.await?.into_iter().find(is_member);
        Ok(global.and_then(|global| global.global_cluster_identifier))
    }

    /// Lists the zero-ETL integrations that take their data from a database.
    ///
    /// # Errors
    /// Every class.
    pub async fn integrations_of(&self, source: &Arn) -> Result<Vec<String>, Error> {
        let request = self.client.describe_integrations();
        let request = request.max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE_INTEGRATIONS,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.integrations.unwrap_or_default(), page.marker),
        );
        let integrations = found.await?.into_iter();
        Ok(integrations
            .filter(|integration| integration.source_arn() == Some(source.as_str()))
            .filter_map(|integration| integration.integration_name)
            .collect())
    }

    /// Lists the shard groups of a cluster: those of Aurora PostgreSQL Limitless have one.
    ///
    /// # Errors
    /// Every class.
    pub async fn shard_groups_of(&self, cluster: &DbIdentifier) -> Result<Vec<String>, Error> {
        let request = self.client.describe_db_shard_groups();
        let request = request.max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE_SHARD_GROUPS,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.db_shard_groups.unwrap_or_default(), page.marker),
        );
        let groups = found.await?.into_iter();
        Ok(groups
            .filter(|group| group.db_cluster_identifier() == Some(cluster.as_str()))
            .filter_map(|group| group.db_shard_group_identifier)
            .collect())
    }
}
