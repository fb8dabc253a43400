//! A DB instance as one answer of DescribeDBInstances shows it.

use std::collections::BTreeMap;

use aws_sdk_rds::types as sdk;
use jiff::Timestamp;

use crate::attributes::{self, Settings};
use crate::convert::{self, tags_from_sdk, timestamp};
use crate::error::Error;
use crate::id::{Arn, DbIdentifier, ResourceId};
use crate::status::InstanceStatus;

/// Keys and values on a resource. RDS allows 50 of them, and none that begins with `aws:` or `rds:`.
pub type Tags = BTreeMap<String, String>;

/// A DB instance, seen once.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The name, which a rename changes.
    pub identifier: DbIdentifier,
    /// The identity, which nothing changes.
    pub resource_id: ResourceId,
    /// The ARN; it contains the name.
    pub arn: Arn,
    /// The status at that instant.
    pub status: InstanceStatus,
    /// The engine, for instance `postgres`.
    pub engine: String,
    /// The engine's version.
    pub engine_version: String,
    /// Where clients connect; absent until the instance has been created.
    pub endpoint: Option<Endpoint>,
    /// The name of the master user.
    pub master_username: Option<String>,
    /// When the instance was created.
    pub created_at: Option<Timestamp>,
    /// The tags.
    pub tags: Tags,
    /// The DB parameter groups and whether their values act.
    pub parameter_groups: Vec<Membership>,
    /// The option groups and whether their options act.
    pub option_groups: Vec<Membership>,
    /// The VPC security groups.
    pub security_groups: Vec<Membership>,
    /// The Active Directory domains.
    pub domains: Vec<Membership>,
    /// Changes that RDS has accepted and not made yet, by RDS's member names.
    pub pending_changes: Vec<&'static str>,
    /// The cluster that the instance is a member of.
    pub cluster: Option<String>,
    /// The instance or cluster that the instance replicates.
    pub replica_source: Option<String>,
    /// The instances and clusters that replicate this one.
    pub replicas: Vec<String>,
    /// The secret with the master password, when RDS manages it.
    pub master_user_secret: Option<MasterUserSecret>,
    /// Roles that the instance may take, with the features they serve.
    pub roles: Vec<Role>,
    /// Whether a DeleteDBInstance is refused.
    pub deletion_protection: bool,
    /// How far the running operation is, in percent, where RDS says so.
    pub percent: Option<u8>,
    /// Everything configurable that the answer shows; see [`attributes`](crate::attributes()).
    pub settings: Settings,
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Endpoint {
    /// The host name.
    pub address: String,
    /// The TCP port.
    pub port: u16,
}

/// A group or a domain that an instance belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The name or id of the group.
    pub name: String,
    /// How far the membership is, in RDS's words, for instance `in-sync` or `pending-reboot`.
    pub status: String,
}

/// A secret in Secrets Manager that RDS keeps the master password in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterUserSecret {
    /// The secret's ARN.
    pub arn: String,
    /// `creating`, `active`, `rotating` or `impaired`.
    pub status: String,
    /// The key that encrypts it.
    pub kms_key_id: Option<String>,
}

/// A role that an instance may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's ARN.
    pub arn: String,
    /// The feature that it serves, for instance `s3Import`.
    pub feature: String,
    /// `ACTIVE`, `PENDING` or `INVALID`.
    pub status: String,
}

impl Instance {
    /// Reads an answer of `operation`.
    pub(crate) fn from_sdk(
        operation: &'static str,
        instance: &sdk::DbInstance,
    ) -> Result<Self, Error> {
        let lacking = |member| move || Error::incomplete(operation, member);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(Self {
            identifier: convert::parse(instance.db_instance_identifier())
                .ok_or_else(lacking("DBInstanceIdentifier"))?,
            resource_id: convert::parse(instance.dbi_resource_id())
                .ok_or_else(lacking("DbiResourceId"))?,
            arn: convert::parse(instance.db_instance_arn()).ok_or_else(lacking("DBInstanceArn"))?,
            status: InstanceStatus::new(instance.db_instance_status().unwrap_or_default()),
            engine: text(&instance.engine),
            engine_version: text(&instance.engine_version),
            endpoint: endpoint(instance),
            master_username: instance.master_username.clone(),
            created_at: timestamp(instance.instance_create_time()),
            tags: tags_from_sdk(instance.tag_list()),
            parameter_groups: parameter_groups(instance),
            option_groups: option_groups(instance),
            security_groups: security_groups(instance),
            domains: domains(instance),
            pending_changes: pending_changes(instance),
            cluster: instance.db_cluster_identifier.clone(),
            replica_source: replica_source(instance),
            replicas: replicas(instance),
            master_user_secret: instance.master_user_secret().map(secret),
            roles: instance.associated_roles().iter().map(role).collect(),
            deletion_protection: instance.deletion_protection.unwrap_or_default(),
            percent: instance
                .percent_progress()
                .and_then(|percent| percent.parse().ok()),
            settings: attributes::capture(instance),
        })
    }

    /// Says what RDS still has to do before the instance is as asked; `None` when nothing.
    ///
    /// `available` alone does not say so: a modify that has just been accepted leaves the
    /// status as it is for a while, and groups, domains and secrets follow on their own.
    pub fn unsettled(&self) -> Option<String> {
        let name = &self.identifier;
        if !self.status.is_available() {
            return Some(format!("{name} is {}", self.status));
        }
        if !self.pending_changes.is_empty() {
            let changes = self.pending_changes.join(", ");
            return Some(format!("{name} has pending changes: {changes}"));
        }
        if let Some((kind, group)) = self.settling_membership() {
            return Some(format!(
                "{kind} {} of {name} is {}",
                group.name, group.status
            ));
        }
        let secret = self.master_user_secret.as_ref()?;
        (secret.status == "creating")
            .then(|| format!("the master secret of {name} is being created"))
    }

    /// Finds a group or a domain that RDS is still joining or leaving. A reboot that is pending
    /// and a failure are no reason to wait: waiting doesn't end them.
    fn settling_membership(&self) -> Option<(&'static str, &Membership)> {
        let parameters = ["in-sync", "pending-reboot", "failed-to-apply"];
        let options = ["in-sync", "pending-maintenance-apply", "failed"];
        let domains = ["joined", "kerberos-enabled", "failed"];
        let kinds: [(&'static str, &[Membership], &[&str]); 4] = [
            ("parameter group", &self.parameter_groups, &parameters),
            ("option group", &self.option_groups, &options),
            ("security group", &self.security_groups, &["active"]),
            ("domain", &self.domains, &domains),
        ];
        kinds.into_iter().find_map(|(kind, memberships, settled)| {
            let is_settling = |group: &&Membership| !settled.contains(&group.status.as_str());
            Some((kind, memberships.iter().find(is_settling)?))
        })
    }

    /// Tells whether values of a parameter group act only after a reboot.
    pub fn needs_reboot(&self) -> bool {
        self.parameter_groups
            .iter()
            .any(|group| group.status == "pending-reboot")
    }
}

fn endpoint(instance: &sdk::DbInstance) -> Option<Endpoint> {
    let endpoint = instance.endpoint()?;
    Some(Endpoint {
        address: endpoint.address()?.to_owned(),
        port: u16::try_from(endpoint.port()?).ok()?,
    })
}

fn membership(name: Option<&str>, status: Option<&str>) -> Membership {
    Membership {
        name: name.unwrap_or_default().to_owned(),
        status: status.unwrap_or_default().to_owned(),
    }
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

fn security_groups(instance: &sdk::DbInstance) -> Vec<Membership> {
    let groups = instance.vpc_security_groups().iter();
    groups
        .map(|group| membership(group.vpc_security_group_id(), group.status()))
        .collect()
}

fn domains(instance: &sdk::DbInstance) -> Vec<Membership> {
    let domains = instance.domain_memberships().iter();
    domains
        .map(|domain| membership(domain.domain(), domain.status()))
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

fn secret(secret: &sdk::MasterUserSecret) -> MasterUserSecret {
    MasterUserSecret {
        arn: secret.secret_arn().unwrap_or_default().to_owned(),
        status: secret.secret_status().unwrap_or_default().to_owned(),
        kms_key_id: secret.kms_key_id.clone(),
    }
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
