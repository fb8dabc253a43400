//! From the SDK's DB instance, which a cluster's member is too, to [`Database`].

use aws_sdk_rds::types as sdk;

use super::{
    Database, Endpoint, Kind, Membership, Role, Window, domains, membership, secret,
    security_groups,
};
use crate::attributes::{self, Subject};
use crate::convert::{self, tags_from_sdk, timestamp};
use crate::error::Error;
use crate::status::Status;

impl Database {
    /// Reads an answer of `operation`.
    pub(crate) fn from_instance(
        operation: &'static str,
        instance: &sdk::DbInstance,
    ) -> Result<Self, Error> {
        let lacking = |member| move || Error::incomplete(operation, member);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cluster = convert::parse(instance.db_cluster_identifier());
        let subject = if cluster.is_some() {
            Subject::Member
        } else {
            Subject::Instance
        };
        Ok(Self {
            kind: Kind::Instance,
            identifier: convert::parse(instance.db_instance_identifier())
                .ok_or_else(lacking("DBInstanceIdentifier"))?,
            resource_id: convert::parse(instance.dbi_resource_id())
                .ok_or_else(lacking("DbiResourceId"))?,
            arn: convert::parse(instance.db_instance_arn()).ok_or_else(lacking("DBInstanceArn"))?,
            status: Status::new(instance.db_instance_status().unwrap_or_default()),
            engine: text(&instance.engine),
            engine_version: text(&instance.engine_version),
            endpoint: endpoint(instance),
            master_username: instance.master_username.clone(),
            created_at: timestamp(instance.instance_create_time()),
            tags: tags_from_sdk(instance.tag_list()),
            parameter_groups: parameter_groups(instance),
            option_groups: option_groups(instance),
            security_groups: security_groups(instance.vpc_security_groups()),
            domains: domains(instance.domain_memberships()),
            pending_changes: pending_changes(instance),
            cluster,
            replica_source: replica_source(instance),
            replicas: replicas(instance),
            master_user_secret: instance.master_user_secret().map(secret),
            roles: instance.associated_roles().iter().map(role).collect(),
            deletion_protection: instance.deletion_protection.unwrap_or_default(),
            percent: instance
                .percent_progress()
                .and_then(|percent| percent.parse().ok()),
            restorable: timestamp(instance.latest_restorable_time()).map(|latest| Window {
                earliest: None,
                latest,
            }),
            settings: attributes::capture_instance(subject, instance),
            members: Vec::new(),
            reader_endpoint: None,
        })
    }
}

fn endpoint(instance: &sdk::DbInstance) -> Option<Endpoint> {
    let endpoint = instance.endpoint()?;
    Some(Endpoint {
        address: endpoint.address()?.to_owned(),
        port: u16::try_from(endpoint.port()?).ok()?,
    })
}

fn parameter_groups(instance: &sdk::DbInstance) -> Vec<Membership> {
    let groups = instance.db_parameter_groups().iter();
    groups
        .map(|group| {
            membership(
                group.db_parameter_group_name(),
                group.parameter_apply_status(),
            )
        })
        .collect()
}

fn option_groups(instance: &sdk::DbInstance) -> Vec<Membership> {
    let groups = instance.option_group_memberships().iter();
    groups
        .map(|group| membership(group.option_group_name(), group.status()))
        .collect()
}

fn replica_source(instance: &sdk::DbInstance) -> Option<String> {
    let source = instance.read_replica_source_db_instance_identifier();
    source
        .or(instance.read_replica_source_db_cluster_identifier())
        .map(str::to_owned)
}

fn replicas(instance: &sdk::DbInstance) -> Vec<String> {
    let instances = instance.read_replica_db_instance_identifiers().iter();
    instances
        .chain(instance.read_replica_db_cluster_identifiers())
        .cloned()
        .collect()
}

fn role(role: &sdk::DbInstanceRole) -> Role {
    Role {
        arn: role.role_arn().unwrap_or_default().to_owned(),
        feature: role.feature_name().unwrap_or_default().to_owned(),
        status: role.status().unwrap_or_default().to_owned(),
    }
}

/// Names the members of PendingModifiedValues that hold something.
#[rustfmt::skip]
fn pending_changes(instance: &sdk::DbInstance) -> Vec<&'static str> {
    let Some(pending) = instance.pending_modified_values() else { return Vec::new() };
    let members = [
        ("DBInstanceClass", pending.db_instance_class.is_some()),
        ("AllocatedStorage", pending.allocated_storage.is_some()),
        ("MasterUserPassword", pending.master_user_password.is_some()),
        ("Port", pending.port.is_some()),
        ("BackupRetentionPeriod", pending.backup_retention_period.is_some()),
        ("MultiAZ", pending.multi_az.is_some()),
        ("EngineVersion", pending.engine_version.is_some()),
        ("LicenseModel", pending.license_model.is_some()),
        ("Iops", pending.iops.is_some()),
        ("StorageThroughput", pending.storage_throughput.is_some()),
        ("DBInstanceIdentifier", pending.db_instance_identifier.is_some()),
        ("StorageType", pending.storage_type.is_some()),
        ("CACertificateIdentifier", pending.ca_certificate_identifier.is_some()),
        ("DBSubnetGroupName", pending.db_subnet_group_name.is_some()),
        ("PendingCloudwatchLogsExports", pending.pending_cloudwatch_logs_exports.is_some()),
        ("ProcessorFeatures", !pending.processor_features().is_empty()),
        ("AutomationMode", pending.automation_mode.is_some()),
        ("ResumeFullAutomationModeTime", pending.resume_full_automation_mode_time.is_some()),
        ("MultiTenant", pending.multi_tenant.is_some()),
        ("IAMDatabaseAuthenticationEnabled", pending.iam_database_authentication_enabled.is_some()),
        ("DedicatedLogVolume", pending.dedicated_log_volume.is_some()),
        ("Engine", pending.engine.is_some()),
        ("AdditionalStorageVolumes", !pending.additional_storage_volumes().is_empty()),
        ("DBCapacityReservationIdentifier", pending.db_capacity_reservation_identifier.is_some()),
    ];
    members.into_iter().filter_map(|(name, is_pending)| is_pending.then_some(name)).collect()
}
