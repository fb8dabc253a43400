//! The attributes of a cluster, as [`crate::attributes`] has those of an instance, and what its members have of them.
//!
//! An attribute has RDS's name of it in `DescribeDBClusters`, or the name of the request member where it isn't shown.
//! A restore to a point in time takes what a restore from a snapshot takes, as far as it has such a member.

use crate::attributes::{Attribute, created, everywhere, modified};

/// All attributes that a request can set or a snapshot can hold.
pub(crate) const ATTRIBUTES: &[Attribute] = &[
    created("Engine").restored_as("Engine").stored("Engine"),
    everywhere("EngineVersion")
        .stored("EngineVersion")
        .pending("EngineVersion"),
    everywhere("EngineMode").stored("EngineMode"),
    everywhere("EngineLifecycleSupport"),
    created("MasterUsername")
        .stored("MasterUsername")
        .inherited(),
    modified("ManageMasterUserPassword").in_structure(),
    modified("MasterUserSecretKmsKeyId").in_structure(),
    modified("MasterUserAuthenticationType").hidden(),
    created("DatabaseName").restored_as("DatabaseName"),
    created("CharacterSetName").inherited(),
    created("DBSystemId").stored("DBSystemId").inherited(),
    created("AvailabilityZones").restored_as("AvailabilityZones"),
    everywhere("Port").stored("Port").inherited(),
    created("DBSubnetGroup")
        .created_as("DBSubnetGroupName")
        .restored_as("DBSubnetGroupName"),
    everywhere("VpcSecurityGroupIds").in_structure(),
    created("PubliclyAccessible").restored_as("PubliclyAccessible"),
    everywhere("NetworkType"),
    restored("VPCNetworkingEnabled").restored_as("EnableVPCNetworking"),
    restored("InternetAccessGatewayEnabled").restored_as("EnableInternetAccessGateway"),
    everywhere("DBClusterParameterGroup")
        .created_as("DBClusterParameterGroupName")
        .restored_as("DBClusterParameterGroupName")
        .modified_as("DBClusterParameterGroupName"),
    everywhere("OptionGroupName").in_structure(),
    everywhere("BackupRetentionPeriod")
        .stored("BackupRetentionPeriod")
        .pending("BackupRetentionPeriod")
        .inherited(),
    everywhere("PreferredBackupWindow").stored("PreferredBackupWindow"),
    modified("PreferredMaintenanceWindow"),
    modified("AutoMinorVersionUpgrade"),
    everywhere("BacktrackWindow"),
    everywhere("CopyTagsToSnapshot"),
    everywhere("DeletionProtection"),
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
    created("StorageEncrypted")
        .stored("StorageEncrypted")
        .inherited(),
    created("KmsKeyId")
        .restored_as("KmsKeyId")
        .stored("KmsKeyId")
        .inherited(),
    everywhere("StorageType")
        .stored("StorageType")
        .pending("StorageType"),
    modified("AllocatedStorage")
        .stored("AllocatedStorage")
        .pending("AllocatedStorage")
        .inherited(),
    everywhere("Iops").pending("Iops"),
    everywhere("DBClusterInstanceClass"),
    everywhere("ScalingConfigurationInfo")
        .created_as("ScalingConfiguration")
        .restored_as("ScalingConfiguration")
        .modified_as("ScalingConfiguration"),
    everywhere("ServerlessV2ScalingConfiguration"),
    everywhere("Domain").in_structure(),
    everywhere("DomainIAMRoleName").in_structure(),
    everywhere("MonitoringInterval"),
    everywhere("MonitoringRoleArn"),
    modified("DatabaseInsightsMode"),
    everywhere("PerformanceInsightsEnabled")
        .created_as("EnablePerformanceInsights")
        .restored_as("EnablePerformanceInsights")
        .modified_as("EnablePerformanceInsights"),
    everywhere("PerformanceInsightsKMSKeyId"),
    everywhere("PerformanceInsightsRetentionPeriod"),
    modified("CACertificateIdentifier").in_structure(),
    modified("HttpEndpointEnabled")
        .created_as("EnableHttpEndpoint")
        .modified_as("EnableHttpEndpoint"),
    modified("GlobalWriteForwardingRequested")
        .created_as("EnableGlobalWriteForwarding")
        .modified_as("EnableGlobalWriteForwarding"),
    modified("EnableLocalWriteForwarding").in_structure(),
    modified("EnableLimitlessDatabase").in_structure(),
    created("ClusterScalabilityType"),
    created("GlobalClusterIdentifier"),
    created("ReplicationSourceIdentifier"),
    created("WithExpressConfiguration").hidden(),
    created("RdsCustomClusterConfiguration").restored_as("RdsCustomClusterConfiguration"),
    modified("AwsBackupRecoveryPointArn").created_never(),
    created("TagSpecifications")
        .restored_as("TagSpecifications")
        .hidden(),
];

/// What a member has from its cluster: the cluster's attribute, and the instance's.
pub(crate) const PASSED_ON: &[(&str, &str)] = &[
    ("Engine", "Engine"),
    ("EngineVersion", "EngineVersion"),
    ("EngineLifecycleSupport", "EngineLifecycleSupport"),
    ("MasterUsername", "MasterUsername"),
    ("DatabaseName", "DBName"),
    ("Port", "Port"),
    ("DBSubnetGroup", "DBSubnetGroupName"),
    ("VpcSecurityGroupIds", "VpcSecurityGroupIds"),
    ("NetworkType", "NetworkType"),
    ("OptionGroupName", "OptionGroupName"),
    ("BackupRetentionPeriod", "BackupRetentionPeriod"),
    ("PreferredBackupWindow", "PreferredBackupWindow"),
    ("CopyTagsToSnapshot", "CopyTagsToSnapshot"),
    (
        "IAMDatabaseAuthenticationEnabled",
        "IAMDatabaseAuthenticationEnabled",
    ),
    (
        "EnabledCloudwatchLogsExports",
        "EnabledCloudwatchLogsExports",
    ),
    ("StorageEncrypted", "StorageEncrypted"),
    ("KmsKeyId", "KmsKeyId"),
    ("DatabaseInsightsMode", "DatabaseInsightsMode"),
];

/// What a member has from its cluster besides where Database Insights is advanced: the cluster manages it then.
pub(crate) const PASSED_ON_ADVANCED: &[(&str, &str)] = &[
    ("MonitoringInterval", "MonitoringInterval"),
    ("MonitoringRoleArn", "MonitoringRoleArn"),
    ("PerformanceInsightsEnabled", "PerformanceInsightsEnabled"),
    ("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId"),
    (
        "PerformanceInsightsRetentionPeriod",
        "PerformanceInsightsRetentionPeriod",
    ),
];

/// What a member of a Multi-AZ DB cluster has from its cluster besides: all of it, since none can be set on a member.
pub(crate) const PASSED_ON_MULTI_AZ: &[(&str, &str)] = &[
    ("DBClusterInstanceClass", "DBInstanceClass"),
    ("StorageType", "StorageType"),
    ("AllocatedStorage", "AllocatedStorage"),
    ("Iops", "Iops"),
    ("PubliclyAccessible", "PubliclyAccessible"),
    ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"),
    ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"),
    ("MonitoringInterval", "MonitoringInterval"),
    ("MonitoringRoleArn", "MonitoringRoleArn"),
    ("PerformanceInsightsEnabled", "PerformanceInsightsEnabled"),
    ("PerformanceInsightsKMSKeyId", "PerformanceInsightsKMSKeyId"),
    (
        "PerformanceInsightsRetentionPeriod",
        "PerformanceInsightsRetentionPeriod",
    ),
    ("CACertificateIdentifier", "CACertificateIdentifier"),
];

/// The attributes of an instance that are an Aurora member's own: those that a request about a member may set.
pub(crate) const OF_MEMBERS: &[&str] = &[
    "DBInstanceClass",
    "Engine",
    "AvailabilityZone",
    "DBSubnetGroupName",
    "PromotionTier",
    "DBParameterGroupName",
    "PreferredMaintenanceWindow",
    "AutoMinorVersionUpgrade",
    "PubliclyAccessible",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "CACertificateIdentifier",
    "DBCapacityReservationIdentifier",
    // Taken, and without effect.
    "CopyTagsToSnapshot",
];

/// The attribute of that name.
pub(crate) fn attribute(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

/// Only a restore request sets it.
const fn restored(name: &'static str) -> Attribute {
    created(name).created_never().restored_as(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::model::MODEL;
    use crate::attributes::Shown;

    /// Members that say which cluster, from what and when, that are secrets, or that the handlers treat themselves.
    const HANDLED_APART: &[&str] = &[
        "DBClusterIdentifier",
        "NewDBClusterIdentifier",
        "SnapshotIdentifier",
        "SourceDBClusterIdentifier",
        "SourceDbClusterResourceId",
        "RestoreType",
        "RestoreToTime",
        "UseLatestRestorableTime",
        "ApplyImmediately",
        "AllowMajorVersionUpgrade",
        "AllowEngineModeChange",
        "DBInstanceParameterGroupName",
        "MasterUserPassword",
        "RotateMasterUserPassword",
        "AssociatedRoles",
        "Tags",
        "PreSignedUrl",
        "SourceRegion",
    ];

    /// The member that an attribute has in a request.
    type Column = fn(&Attribute) -> Option<&'static str>;

    const REQUESTS: &[(&str, Column)] = &[
        ("CreateDBClusterMessage", |attribute| attribute.create),
        ("RestoreDBClusterFromSnapshotMessage", |attribute| {
            attribute.restore
        }),
        ("ModifyDBClusterMessage", |attribute| attribute.modify),
    ];

    fn members(structure: &str) -> BTreeSet<&'static str> {
        let members = MODEL.members(structure).iter();
        members.map(|member| member.name).collect()
    }

    fn covered(member: Column) -> BTreeSet<&'static str> {
        let named = ATTRIBUTES.iter().filter_map(member);
        named.chain(HANDLED_APART.iter().copied()).collect()
    }

    #[test]
    fn every_member_of_the_requests_has_its_attribute() {
        let to_point_in_time: (&str, Column) =
            ("RestoreDBClusterToPointInTimeMessage", |attribute| {
                attribute.restore
            });
        for (request, member) in REQUESTS.iter().chain([&to_point_in_time]) {
            let uncovered: Vec<_> = members(request)
                .difference(&covered(*member))
                .copied()
                .collect();
            assert_eq!(uncovered, Vec::<&str>::new(), "{request}");
        }
    }

    #[test]
    fn every_member_that_is_named_is_in_the_model() {
        let missing = |structure: &str, member: Column| {
            let known = members(structure);
            let named = ATTRIBUTES.iter().filter_map(member);
            named
                .filter(|name| !known.contains(name))
                .collect::<Vec<_>>()
        };
        let none: Vec<&str> = Vec::new();
        for (request, member) in REQUESTS {
            assert_eq!(missing(request, *member), none, "{request}");
        }
        assert_eq!(
            missing("DBClusterSnapshot", |attribute| attribute.snapshot),
            none
        );
        assert_eq!(
            missing("ClusterPendingModifiedValues", |attribute| {
                attribute.pending
            }),
            none
        );
        assert_eq!(
            missing("DBCluster", |attribute| (attribute.shown == Shown::AsIs)
                .then_some(attribute.name)),
            none
        );
    }

    #[test]
    fn members_have_attributes_of_instances() {
        let passed_on = PASSED_ON.iter().chain(PASSED_ON_MULTI_AZ);
        for (of_cluster, of_instance) in passed_on {
            assert!(attribute(of_cluster).is_some(), "{of_cluster}");
            assert!(
                crate::attributes::attribute(of_instance).is_some(),
                "{of_instance}"
            );
        }
        for name in OF_MEMBERS {
            assert!(crate::attributes::attribute(name).is_some(), "{name}");
        }
    }
}
