//! From the SDK's DB cluster to [`Database`].

use aws_sdk_rds::types as sdk;

use super::{
    Database, Endpoint, Kind, Member, Membership, PENDING_REBOOT, Role, Window, domains,
    membership, secret, security_groups,
};
use crate::attributes;
use crate::convert::{self, tags_from_sdk, timestamp};
use crate::error::Error;
use crate::status::Status;

/// A parameter group acts everywhere.
const IN_SYNC: &str = "in-sync";

impl Database {
    /// Reads an answer of `operation`.
    pub(crate) fn from_cluster(
        operation: &'static str,
        cluster: &sdk::DbCluster,
    ) -> Result<Self, Error> {
        let lacking = |member| move || Error::incomplete(operation, member);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let members: Vec<Member> = cluster
            .db_cluster_members()
            .iter()
            .filter_map(member)
            .collect();
        Ok(Self {
            kind: Kind::Cluster,
            identifier: convert::parse(cluster.db_cluster_identifier())
                .ok_or_else(lacking("DBClusterIdentifier"))?,
            resource_id: convert::parse(cluster.db_cluster_resource_id())
                .ok_or_else(lacking("DbClusterResourceId"))?,
            arn: convert::parse(cluster.db_cluster_arn()).ok_or_else(lacking("DBClusterArn"))?,
            status: Status::new(cluster.status().unwrap_or_default()),
            engine: text(&cluster.engine),
            engine_version: text(&cluster.engine_version),
            endpoint: endpoint(cluster),
            master_username: cluster.master_username.clone(),
            created_at: timestamp(cluster.cluster_create_time()),
            tags: tags_from_sdk(cluster.tag_list()),
            parameter_groups: parameter_group(cluster, &members).into_iter().collect(),
            option_groups: option_groups(cluster),
            security_groups: security_groups(cluster.vpc_security_groups()),
            domains: domains(cluster.domain_memberships()),
            pending_changes: pending_changes(cluster),
            cluster: None,
            members,
            reader_endpoint: cluster.reader_endpoint.clone(),
            replica_source: cluster.replication_source_identifier.clone(),
            replicas: cluster.read_replica_identifiers().to_vec(),
            master_user_secret: cluster.master_user_secret().map(secret),
            roles: cluster.associated_roles().iter().map(role).collect(),
            deletion_protection: cluster.deletion_protection.unwrap_or_default(),
            restorable: timestamp(cluster.latest_restorable_time()).map(|latest| Window {
                earliest: timestamp(cluster.earliest_restorable_time()),
                latest,
            }),
            percent: cluster
                .percent_progress()
                .and_then(|percent| percent.parse().ok()),
            settings: attributes::capture_cluster(cluster),
        })
    }
}

fn member(member: &sdk::DbClusterMember) -> Option<Member> {
    Some(Member {
        identifier: convert::parse(member.db_instance_identifier())?,
        is_writer: member.is_cluster_writer.unwrap_or_default(),
        promotion_tier: member.promotion_tier,
        parameter_group_status: member
            .db_cluster_parameter_group_status()
            .unwrap_or(IN_SYNC)
            .to_owned(),
    })
}

fn endpoint(cluster: &sdk::DbCluster) -> Option<Endpoint> {
    Some(Endpoint {
        address: cluster.endpoint()?.to_owned(),
        port: u16::try_from(cluster.port?).ok()?,
    })
}

/// The cluster's parameter group, with the status of the member that has the longest way to go:
/// one that is being changed, else one that waits for a reboot.
fn parameter_group(cluster: &sdk::DbCluster, members: &[Member]) -> Option<Membership> {
    let distance = |status: &str| match status {
        IN_SYNC => 0,
        PENDING_REBOOT => 1,
        _ => 2,
    };
    let statuses = members
        .iter()
        .map(|member| member.parameter_group_status.as_str());
    let status = statuses.max_by_key(|status| distance(status));
    let name = cluster.db_cluster_parameter_group()?;
    Some(membership(Some(name), status.or(Some(IN_SYNC))))
}

fn option_groups(cluster: &sdk::DbCluster) -> Vec<Membership> {
    let groups = cluster.db_cluster_option_group_memberships().iter();
    groups
        .map(|group| membership(group.db_cluster_option_group_name(), group.status()))
        .collect()
}

fn role(role: &sdk::DbClusterRole) -> Role {
    Role {
        arn: role.role_arn().unwrap_or_default().to_owned(),
        feature: role.feature_name().unwrap_or_default().to_owned(),
        status: role.status().unwrap_or_default().to_owned(),
    }
}

/// Names the members of PendingModifiedValues that hold something.
#[rustfmt::skip]
fn pending_changes(cluster: &sdk::DbCluster) -> Vec<&'static str> {
    let Some(pending) = cluster.pending_modified_values() else { return Vec::new() };
    let members = [
        ("PendingCloudwatchLogsExports", pending.pending_cloudwatch_logs_exports.is_some()),
        ("DBClusterIdentifier", pending.db_cluster_identifier.is_some()),
        ("MasterUserPassword", pending.master_user_password.is_some()),
        ("IAMDatabaseAuthenticationEnabled", pending.iam_database_authentication_enabled.is_some()),
        ("EngineVersion", pending.engine_version.is_some()),
        ("BackupRetentionPeriod", pending.backup_retention_period.is_some()),
        ("StorageType", pending.storage_type.is_some()),
        ("AllocatedStorage", pending.allocated_storage.is_some()),
        ("RdsCustomClusterConfiguration", pending.rds_custom_cluster_configuration.is_some()),
        ("Iops", pending.iops.is_some()),
        ("CertificateDetails", pending.certificate_details.is_some()),
    ];
    members.into_iter().filter_map(|(name, is_pending)| is_pending.then_some(name)).collect()
}
