//! The attributes of an instance: which request members set them, how they are shown, and what a restore makes of them.
//!
//! Everything that is settable goes through this table, so that the handlers need not know attributes one by one. An
//! attribute has RDS's name of it in `DescribeDBInstances`, or the name of the request member where it isn't shown.

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    /// Member of `CreateDBInstance`.
    pub(crate) create: Option<&'static str>,
    /// Member of `RestoreDBInstanceFromDBSnapshot`.
    pub(crate) restore: Option<&'static str>,
    /// Member of `ModifyDBInstance`.
    pub(crate) modify: Option<&'static str>,
    pub(crate) shown: Shown,
    /// Member of `DBSnapshot`.
    pub(crate) snapshot: Option<&'static str>,
    /// Member of `PendingModifiedValues`; a change of such an attribute waits for the maintenance window, unless
    /// `ApplyImmediately` says otherwise.
    pub(crate) pending: Option<&'static str>,
    pub(crate) when_restored: WhenRestored,
}

/// How `DescribeDBInstances` shows an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As a member that has the attribute's value.
    AsIs,
    /// In a structure that [`crate::describe`] builds.
    InStructure,
    /// Not at all.
    Never,
}

/// What an attribute is after a restore that doesn't mention it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenRestored {
    /// As it was when the snapshot was made.
    Inherited,
    /// As in a new instance: what the original had is lost.
    Default,
}

/// All attributes that a request can set or a snapshot can hold.
pub(crate) const ATTRIBUTES: &[Attribute] = &[
    everywhere("DBInstanceClass")
        .pending("DBInstanceClass")
        .inherited(),
    everywhere("Engine")
        .stored("Engine")
        .pending("Engine")
        .inherited(),
    modified("EngineVersion")
        .stored("EngineVersion")
        .pending("EngineVersion")
        .inherited(),
    everywhere("EngineLifecycleSupport"),
    everywhere("LicenseModel")
        .stored("LicenseModel")
        .pending("LicenseModel")
        .inherited(),
    created("DBName").restored_as("DBName").inherited(),
    created("MasterUsername")
        .stored("MasterUsername")
        .inherited(),
    everywhere("ManageMasterUserPassword").in_structure(),
    everywhere("MasterUserSecretKmsKeyId").in_structure(),
    modified("MasterUserAuthenticationType").hidden(),
    everywhere("AllocatedStorage")
        .stored("AllocatedStorage")
        .pending("AllocatedStorage")
        .inherited(),
    everywhere("StorageType")
        .stored("StorageType")
        .pending("StorageType"),
    everywhere("Iops")
        .stored("Iops")
        .pending("Iops")
        .inherited(),
    everywhere("StorageThroughput")
        .stored("StorageThroughput")
        .pending("StorageThroughput")
        .inherited(),
    modified("MaxAllocatedStorage"),
    everywhere("DedicatedLogVolume")
        .stored("DedicatedLogVolume")
        .pending("DedicatedLogVolume")
        .inherited(),
    everywhere("AdditionalStorageVolumes")
        .stored("AdditionalStorageVolumes")
        .pending("AdditionalStorageVolumes")
        .inherited(),
    created("StorageEncrypted").stored("Encrypted").inherited(),
    created("KmsKeyId").stored("KmsKeyId").inherited(),
    everywhere("Port")
        .modified_as("DBPortNumber")
        .stored("Port")
        .pending("Port")
        .in_structure()
        .inherited(),
    everywhere("DBSubnetGroupName")
        .pending("DBSubnetGroupName")
        .in_structure(),
    everywhere("VpcSecurityGroupIds").in_structure(),
    modified("DBSecurityGroups").in_structure(),
    everywhere("PubliclyAccessible"),
    everywhere("NetworkType"),
    everywhere("CustomerOwnedIpEnabled")
        .created_as("EnableCustomerOwnedIp")
        .restored_as("EnableCustomerOwnedIp")
        .modified_as("EnableCustomerOwnedIp"),
    created("AvailabilityZone")
        .restored_as("AvailabilityZone")
        .stored("AvailabilityZone"),
    everywhere("MultiAZ").pending("MultiAZ"),
    created("BackupTarget")
        .restored_as("BackupTarget")
        .stored("SnapshotTarget"),
    everywhere("BackupRetentionPeriod")
        .stored("BackupRetentionPeriod")
        .pending("BackupRetentionPeriod")
        .inherited(),
    everywhere("PreferredBackupWindow")
        .stored("PreferredBackupWindow")
        .inherited(),
    modified("PreferredMaintenanceWindow"),
    everywhere("AutoMinorVersionUpgrade"),
    everywhere("CopyTagsToSnapshot"),
    everywhere("DeletionProtection"),
    everywhere("DBParameterGroupName").in_structure(),
    everywhere("OptionGroupName")
        .stored("OptionGroupName")
        .in_structure(),
    everywhere("IAMDatabaseAuthenticationEnabled")
        .created_as("EnableIAMDatabaseAuthentication")
        .restored_as("EnableIAMDatabaseAuthentication")
        .modified_as("EnableIAMDatabaseAuthentication")
        .stored("IAMDatabaseAuthenticationEnabled")
        .pending("IAMDatabaseAuthenticationEnabled"),
    everywhere("EnabledCloudwatchLogsExports")
        .created_as("EnableCloudwatchLogsExports")
        .restored_as("EnableCloudwatchLogsExports")
        .modified_as("CloudwatchLogsExportConfiguration"),
    modified("MonitoringInterval"),
    modified("MonitoringRoleArn"),
    modified("DatabaseInsightsMode"),
    modified("PerformanceInsightsEnabled")
        .created_as("EnablePerformanceInsights")
        .modified_as("EnablePerformanceInsights"),
    modified("PerformanceInsightsKMSKeyId"),
    modified("PerformanceInsightsRetentionPeriod"),
    everywhere("ProcessorFeatures")
        .stored("ProcessorFeatures")
        .pending("ProcessorFeatures")
        .inherited(),
    everywhere("CACertificateIdentifier").pending("CACertificateIdentifier"),
    everywhere("TdeCredentialArn")
        .stored("TdeCredentialArn")
        .inherited(),
    everywhere("TdeCredentialPassword").hidden(),
    everywhere("Domain").in_structure(),
    everywhere("DomainIAMRoleName").in_structure(),
    everywhere("DomainFqdn").in_structure(),
    everywhere("DomainOu").in_structure(),
    everywhere("DomainAuthSecretArn").in_structure(),
    everywhere("DomainDnsIps").in_structure(),
    created("CharacterSetName").inherited(),
    created("NcharCharacterSetName").inherited(),
    created("Timezone").stored("Timezone").inherited(),
    created("DBSystemId").stored("DBSystemId").inherited(),
    modified("MultiTenant")
        .stored("MultiTenant")
        .pending("MultiTenant")
        .inherited(),
    created("CustomIamInstanceProfile").restored_as("CustomIamInstanceProfile"),
    modified("AutomationMode")
        .created_never()
        .pending("AutomationMode"),
    modified("ResumeFullAutomationModeTime")
        .created_never()
        .modified_as("ResumeFullAutomationModeMinutes")
        .pending("ResumeFullAutomationModeTime"),
    modified("ReplicaMode").created_never(),
    modified("PromotionTier"),
    everywhere("DBCapacityReservationIdentifier").pending("DBCapacityReservationIdentifier"),
    modified("AwsBackupRecoveryPointArn").created_never(),
    everywhere("TagSpecifications").hidden(),
];

/// The attribute of that name.
pub(crate) fn attribute(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

/// Create, restore and modify set it, under the name that it is shown by.
pub(crate) const fn everywhere(name: &'static str) -> Attribute {
    modified(name).restored_as(name)
}

/// Create and modify set it; a restore request can't.
pub(crate) const fn modified(name: &'static str) -> Attribute {
    created(name).modified_as(name)
}

/// Only create sets it.
pub(crate) const fn created(name: &'static str) -> Attribute {
    Attribute {
        name,
        create: Some(name),
        restore: None,
        modify: None,
        shown: Shown::AsIs,
        snapshot: None,
        pending: None,
        when_restored: WhenRestored::Default,
    }
}

impl Attribute {
    pub(crate) const fn created_as(mut self, member: &'static str) -> Self {
        self.create = Some(member);
        self
    }

    pub(crate) const fn created_never(mut self) -> Self {
        self.create = None;
        self
    }

    pub(crate) const fn restored_as(mut self, member: &'static str) -> Self {
        self.restore = Some(member);
        self
    }

    pub(crate) const fn modified_as(mut self, member: &'static str) -> Self {
        self.modify = Some(member);
        self
    }

    pub(crate) const fn stored(mut self, member: &'static str) -> Self {
        self.snapshot = Some(member);
        self
    }

    pub(crate) const fn pending(mut self, member: &'static str) -> Self {
        self.pending = Some(member);
        self
    }

    pub(crate) const fn in_structure(mut self) -> Self {
        self.shown = Shown::InStructure;
        self
    }

    pub(crate) const fn hidden(mut self) -> Self {
        self.shown = Shown::Never;
        self
    }

    pub(crate) const fn inherited(mut self) -> Self {
        self.when_restored = WhenRestored::Inherited;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::model::MODEL;

    /// Members that say which instance and when, that are secrets, or that the handlers treat themselves.
    const HANDLED_APART: &[&str] = &[
        "DBInstanceIdentifier",
        "NewDBInstanceIdentifier",
        "DBSnapshotIdentifier",
        "DBClusterSnapshotIdentifier",
        "DBClusterIdentifier",
        "ApplyImmediately",
        "AllowMajorVersionUpgrade",
        "MasterUserPassword",
        "RotateMasterUserPassword",
        "UseDefaultProcessorFeatures",
        "CertificateRotationRestart",
        "DisableDomain",
        "Tags",
    ];

    fn uncovered(
        request: &str,
        member: fn(&Attribute) -> Option<&'static str>,
    ) -> Vec<&'static str> {
        let covered: BTreeSet<_> = ATTRIBUTES
            .iter()
            .filter_map(member)
            .chain(HANDLED_APART.iter().copied())
            .collect();
        MODEL
            .members(request)
            .iter()
            .map(|member| member.name)
            .filter(|name| !covered.contains(name))
            .collect()
    }

    #[test]
    fn every_member_of_the_requests_has_its_attribute() {
        let none: Vec<&str> = Vec::new();
        assert_eq!(
            uncovered("CreateDBInstanceMessage", |attribute| attribute.create),
            none
        );
        assert_eq!(
            uncovered("RestoreDBInstanceFromDBSnapshotMessage", |attribute| {
                attribute.restore
            }),
            none
        );
        assert_eq!(
            uncovered("ModifyDBInstanceMessage", |attribute| attribute.modify),
            none
        );
    }

    #[test]
    fn every_member_that_is_named_is_in_the_model() {
        let known = |structure: &str, name: Option<&str>| {
            name.is_none_or(|name| {
                MODEL
                    .members(structure)
                    .iter()
                    .any(|member| member.name == name)
            })
        };
        for attribute in ATTRIBUTES {
            assert!(
                known("CreateDBInstanceMessage", attribute.create),
                "{}",
                attribute.name
            );
            assert!(
                known("RestoreDBInstanceFromDBSnapshotMessage", attribute.restore),
                "{}",
                attribute.name
            );
            assert!(
                known("ModifyDBInstanceMessage", attribute.modify),
                "{}",
                attribute.name
            );
            assert!(
                known("DBSnapshot", attribute.snapshot),
                "{}",
                attribute.name
            );
            assert!(
                known("PendingModifiedValues", attribute.pending),
                "{}",
                attribute.name
            );
            if attribute.shown == Shown::AsIs {
                assert!(
                    known("DBInstance", Some(attribute.name)),
                    "{}",
                    attribute.name
                );
            }
        }
    }
}
