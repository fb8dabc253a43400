//! The table of attributes of a DB cluster, in the order of RDS's documentation. An engine of
//! Aurora's means an Aurora cluster, any other a Multi-AZ DB cluster.

use super::AttributeClass::{Modify, NotRestorable, OtherApi, Restore};
use super::Engines::{Aurora, NotAurora};
use super::Family::{MySql, PostgreSql};
use super::setters::{Setters, by};
use super::value::{
    ToSetting, cluster_backup_tags, log_exports, role, serverless_v2, shown, sorted_list,
};
use super::{Attribute, Engines, Omit, Restart, is_aurora};

const ANY_AURORA: Engines = Aurora(&[MySql, PostgreSql]);
const MULTI_AZ: Engines = NotAurora;

#[rustfmt::skip]
pub(super) static TABLE: &[Attribute] = &[
    // Identity, engine and class. Without its version a restore makes a cluster of the Region's
    // default version, not of the snapshot's.
    Attribute::new("DBClusterIdentifier", Restore)
        .capture_cluster(shown!(db_cluster_identifier))
        .set(by!([cluster_restore, cluster_point_in_time] set_db_cluster_identifier))
        .set(by!([cluster_modify] set_new_db_cluster_identifier)),
    Attribute::new("Engine", Restore)
        .capture_cluster(shown!(engine))
        .set(by!([cluster_restore] set_engine)),
    Attribute::new("EngineVersion", Restore)
        .capture_cluster(shown!(engine_version))
        .set(by!([cluster_restore, cluster_modify] set_engine_version))
        .restart(Restart::Outage)
        .omit(&[Omit::UnlessUpgrade]),
    Attribute::new("EngineMode", Restore)
        .capture_cluster(shown!(engine_mode))
        .set(by!([cluster_restore, cluster_point_in_time] set_engine_mode))
        .set(Setters {
            cluster_modify: Some(|input, mode, _| {
                Some(input.engine_mode(mode.as_str()?).allow_engine_mode_change(true))
            }),
            ..Setters::NONE
        })
        .engines(ANY_AURORA)
        .restart(Restart::Outage),
    Attribute::new("EngineLifecycleSupport", Restore)
        .capture_cluster(shown!(engine_lifecycle_support))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_engine_lifecycle_support)),

    // Network.
    Attribute::new("AvailabilityZones", Restore)
        .capture_cluster(shown!(availability_zones))
        .set(by!([cluster_restore] set_availability_zones))
        .engines(ANY_AURORA),
    Attribute::new("Port", Restore)
        .capture_cluster(shown!(port))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_port))
        .modify_engines(ANY_AURORA)
        .restart(Restart::RebootsAtOnce),
    Attribute::new("DBSubnetGroupName", Restore)
        .capture_cluster(shown!(db_subnet_group))
        .set(by!([cluster_restore, cluster_point_in_time] set_db_subnet_group_name)),
    Attribute::new("VpcSecurityGroupIds", Restore)
        .capture_cluster(|cluster| {
            let groups = cluster.vpc_security_groups().iter();
            sorted_list(groups.filter_map(|group| group.vpc_security_group_id.clone()))
        })
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_vpc_security_group_ids)),
    Attribute::new("PubliclyAccessible", Restore)
        .capture_cluster(shown!(publicly_accessible))
        .set(by!([cluster_restore, cluster_point_in_time] set_publicly_accessible))
        .engines(MULTI_AZ),
    Attribute::new("NetworkType", Restore)
        .capture_cluster(shown!(network_type))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_network_type))
        .engines(ANY_AURORA),

    // The database and its master user.
    Attribute::new("DatabaseName", Restore)
        .capture_cluster(shown!(database_name))
        .set(by!([cluster_restore] set_database_name)),
    Attribute::new("MasterUsername", NotRestorable).capture_cluster(shown!(master_username)),
    Attribute::new("MasterUserPassword", Modify)
        .set(by!([cluster_modify] set_master_user_password)),
    Attribute::new("ManageMasterUserPassword", Modify)
        .capture_cluster(|cluster| cluster.master_user_secret()?.secret_arn().map(|_| true.into()))
        .set(by!([cluster_modify] set_manage_master_user_password)),
    Attribute::new("MasterUserSecretKmsKeyId", Modify)
        .capture_cluster(|cluster| cluster.master_user_secret()?.kms_key_id.to_setting())
        .set(by!([cluster_modify] set_master_user_secret_kms_key_id))
        .omit(&[Omit::WithoutManagedPassword]),
    Attribute::new("MasterUserAuthenticationType", Modify)
        .set(by!([cluster_modify] set_master_user_authentication_type))
        .engines(Engines::Only(&[PostgreSql])),

    // Groups, backups, maintenance and protection.
    Attribute::new("DBClusterParameterGroupName", Restore)
        .capture_cluster(shown!(db_cluster_parameter_group))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_db_cluster_parameter_group_name))
        .restart(Restart::AtNextReboot),
    Attribute::new("OptionGroupName", Restore)
        .capture_cluster(|cluster| {
            let group = cluster.db_cluster_option_group_memberships().first()?;
            group.db_cluster_option_group_name.to_setting()
        })
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_option_group_name))
        .omit(&[Omit::SetByRds]),
    Attribute::new("BackupRetentionPeriod", Restore)
        .capture_cluster(shown!(backup_retention_period))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_backup_retention_period)),
    Attribute::new("PreferredBackupWindow", Restore)
        .capture_cluster(shown!(preferred_backup_window))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_preferred_backup_window)),
    Attribute::new("PreferredMaintenanceWindow", Modify)
        .capture_cluster(shown!(preferred_maintenance_window))
        .set(by!([cluster_modify] set_preferred_maintenance_window)),
    Attribute::new("CopyTagsToSnapshot", Restore)
        .capture_cluster(shown!(copy_tags_to_snapshot))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_copy_tags_to_snapshot)),
    Attribute::new("DeletionProtection", Restore)
        .capture_cluster(shown!(deletion_protection))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_deletion_protection)),
    // A modify can change the window of a cluster that has one, and never give one.
    Attribute::new("BacktrackWindow", Restore)
        .capture_cluster(shown!(backtrack_window))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_backtrack_window))
        .engines(Aurora(&[MySql])),
    Attribute::new("EnabledCloudwatchLogsExports", Restore)
        .capture_cluster(shown!(enabled_cloudwatch_logs_exports))
        .set(by!([cluster_restore, cluster_point_in_time] set_enable_cloudwatch_logs_exports))
        .set(Setters {
            cluster_modify: Some(|input, asked, current| {
                Some(input.cloudwatch_logs_export_configuration(log_exports(asked, current)?))
            }),
            ..Setters::NONE
        }),
    Attribute::new("IAMDatabaseAuthenticationEnabled", Restore)
        .capture_cluster(shown!(iam_database_authentication_enabled))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_enable_iam_database_authentication)),

    // Storage. Aurora does not show its standard type; a Multi-AZ cluster's type is never said
    // without Iops.
    Attribute::new("StorageEncrypted", NotRestorable).capture_cluster(shown!(storage_encrypted)),
    Attribute::new("KmsKeyId", Restore)
        .capture_cluster(shown!(kms_key_id))
        .set(by!([cluster_restore, cluster_point_in_time] set_kms_key_id))
        .restore_engines(ANY_AURORA),
    Attribute::new("StorageType", Restore)
        .capture_cluster(|cluster| {
            let standard = || is_aurora(cluster.engine()?).then(|| "aurora".into());
            cluster.storage_type.to_setting().or_else(standard)
        })
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_storage_type)),
    Attribute::new("Iops", Restore)
        .capture_cluster(shown!(iops))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_iops))
        .engines(MULTI_AZ),
    Attribute::new("AllocatedStorage", Modify)
        .capture_cluster(shown!(allocated_storage))
        .set(by!([cluster_modify] set_allocated_storage))
        .engines(MULTI_AZ),

    // Capacity.
    Attribute::new("DBClusterInstanceClass", Restore)
        .capture_cluster(shown!(db_cluster_instance_class))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_db_cluster_instance_class))
        .engines(MULTI_AZ)
        .restart(Restart::Outage),
    Attribute::new("ScalingConfiguration", Restore)
        .capture_cluster(shown!(scaling_configuration_info))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_scaling_configuration))
        .engines(ANY_AURORA),
    Attribute::new("ServerlessV2ScalingConfiguration", Restore)
        .capture_cluster(shown!(serverless_v2_scaling_configuration))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify]
            serverless_v2_scaling_configuration(serverless_v2)))
        .engines(ANY_AURORA),
    Attribute::new("RdsCustomClusterConfiguration", Restore)
        .capture_cluster(shown!(rds_custom_cluster_configuration))
        .set(by!([cluster_restore, cluster_point_in_time] set_rds_custom_cluster_configuration))
        .omit(&[Omit::SetByRds]),

    // What a Multi-AZ cluster decides for its members, and Aurora leaves to them.
    Attribute::new("AutoMinorVersionUpgrade", Modify)
        .capture_cluster(shown!(auto_minor_version_upgrade))
        .set(by!([cluster_modify] set_auto_minor_version_upgrade))
        .engines(MULTI_AZ),
    Attribute::new("CACertificateIdentifier", Modify)
        .capture_cluster(|cluster| cluster.certificate_details()?.ca_identifier.to_setting())
        .set(by!([cluster_modify] set_ca_certificate_identifier))
        .engines(MULTI_AZ),
    Attribute::new("MonitoringInterval", Restore)
        .capture_cluster(shown!(monitoring_interval))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_monitoring_interval))
        .restore_engines(MULTI_AZ)
        .omit(&[Omit::PerMember]),
    Attribute::new("MonitoringRoleArn", Restore)
        .capture_cluster(shown!(monitoring_role_arn))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_monitoring_role_arn))
        .restore_engines(MULTI_AZ)
        .omit(&[Omit::PerMember, Omit::WithoutMonitoring]),
    Attribute::new("PerformanceInsightsEnabled", Restore)
        .capture_cluster(shown!(performance_insights_enabled))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_enable_performance_insights))
        .restore_engines(MULTI_AZ)
        .omit(&[Omit::PerMember]),
    Attribute::new("PerformanceInsightsKMSKeyId", Restore)
        .capture_cluster(shown!(performance_insights_kms_key_id))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_performance_insights_kms_key_id))
        .restore_engines(MULTI_AZ)
        .omit(&[Omit::PerMember, Omit::WithoutPerformanceInsights]),
    Attribute::new("PerformanceInsightsRetentionPeriod", Restore)
        .capture_cluster(shown!(performance_insights_retention_period))
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_performance_insights_retention_period))
        .restore_engines(MULTI_AZ)
        .omit(&[Omit::PerMember, Omit::WithoutPerformanceInsights]),
    Attribute::new("DatabaseInsightsMode", Modify)
        .capture_cluster(shown!(database_insights_mode))
        .set(by!([cluster_modify] set_database_insights_mode)),

    // Aurora's own. The member of a modify for the HTTP endpoint is Serverless v1's only.
    Attribute::new("HttpEndpointEnabled", OtherApi("EnableHttpEndpoint"))
        .capture_cluster(shown!(http_endpoint_enabled))
        .engines(ANY_AURORA),
    Attribute::new("EnableGlobalWriteForwarding", Modify)
        .capture_cluster(shown!(global_write_forwarding_requested))
        .set(by!([cluster_modify] set_enable_global_write_forwarding))
        .engines(ANY_AURORA)
        .omit(&[Omit::BoundToOriginal]),
    Attribute::new("EnableLocalWriteForwarding", Modify)
        .capture_cluster(|cluster| {
            let status = cluster.local_write_forwarding_status()?.as_str();
            Some(matches!(status, "enabled" | "enabling" | "requested").into())
        })
        .set(by!([cluster_modify] set_enable_local_write_forwarding))
        .engines(ANY_AURORA),
    Attribute::new("Domain", Restore)
        .capture_cluster(|cluster| cluster.domain_memberships().first()?.domain.to_setting())
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_domain))
        .engines(ANY_AURORA),
    Attribute::new("DomainIAMRoleName", Restore)
        .capture_cluster(|cluster| cluster.domain_memberships().first()?.iam_role_name.to_setting())
        .set(by!([cluster_restore, cluster_point_in_time, cluster_modify] set_domain_iam_role_name))
        .engines(ANY_AURORA),
    Attribute::new("AssociatedRoles", Restore)
        .capture_cluster(|cluster| {
            let roles = cluster.associated_roles().iter();
            sorted_list(roles.filter_map(|it| role(it.role_arn(), it.feature_name())))
        })
        .set(by!([cluster_restore, cluster_point_in_time] set_associated_roles))
        .engines(ANY_AURORA),

    // Tags.
    Attribute::new("TagList", Restore)
        .capture_cluster(shown!(tag_list))
        .set(by!([cluster_restore, cluster_point_in_time] set_tags)),
    Attribute::new("AutomatedBackupTags", Restore)
        .set(by!([cluster_restore, cluster_point_in_time] tag_specifications(cluster_backup_tags))),

    // What comes with the data, or is of another place.
    Attribute::new("CharacterSetName", NotRestorable).capture_cluster(shown!(character_set_name)),
    Attribute::new("ClusterScalabilityType", NotRestorable)
        .capture_cluster(shown!(cluster_scalability_type))
        .engines(ANY_AURORA),
    Attribute::new("EnableLimitlessDatabase", Modify)
        .capture_cluster(|cluster| Some((cluster.limitless_database()?.status()?.as_str() == "enabled").into()))
        .set(by!([cluster_modify] set_enable_limitless_database))
        .engines(ANY_AURORA)
        .omit(&[Omit::SetByRds]),
    Attribute::new("DBSystemId", NotRestorable).capture_cluster(shown!(db_system_id)),
    Attribute::new("GlobalClusterIdentifier", OtherApi("CreateGlobalCluster"))
        .capture_cluster(shown!(global_cluster_identifier))
        .engines(ANY_AURORA),
    Attribute::new("ReplicationSourceIdentifier", NotRestorable)
        .capture_cluster(shown!(replication_source_identifier)),
    Attribute::new("VPCNetworkingEnabled", Restore)
        .capture_cluster(shown!(vpc_networking_enabled))
        .set(by!([cluster_restore, cluster_point_in_time] set_enable_vpc_networking))
        .engines(Aurora(&[PostgreSql]))
        .omit(&[Omit::WithoutInternetGateway]),
    Attribute::new("InternetAccessGatewayEnabled", Restore)
        .capture_cluster(shown!(internet_access_gateway_enabled))
        .set(by!([cluster_restore, cluster_point_in_time] set_enable_internet_access_gateway))
        .engines(Aurora(&[PostgreSql]))
        .omit(&[Omit::WithoutInternetGateway]),

    // What only other calls set.
    Attribute::new("CustomEndpoints", OtherApi("CreateDBClusterEndpoint"))
        .capture_cluster(shown!(custom_endpoints))
        .engines(ANY_AURORA),
    Attribute::new("ActivityStreamStatus", OtherApi("StartActivityStream"))
        .capture_cluster(shown!(activity_stream_status))
        .engines(ANY_AURORA),
    Attribute::new("ActivityStreamMode", OtherApi("StartActivityStream"))
        .capture_cluster(shown!(activity_stream_mode))
        .engines(ANY_AURORA),
    Attribute::new("ActivityStreamKmsKeyId", OtherApi("StartActivityStream"))
        .capture_cluster(shown!(activity_stream_kms_key_id))
        .engines(ANY_AURORA),
    Attribute::new("AwsBackupRecoveryPointArn", Modify)
        .capture_cluster(shown!(aws_backup_recovery_point_arn))
        .set(by!([cluster_modify] set_aws_backup_recovery_point_arn))
        .omit(&[Omit::BoundToOriginal]),
    Attribute::new("UpgradeRolloutOrder", OtherApi("AWS Organizations upgrade rollout policy"))
        .capture_cluster(shown!(upgrade_rollout_order)),
    Attribute::new("DBClusterMembers", OtherApi("CreateDBInstance"))
        .capture_cluster(|cluster| {
            let members = cluster.db_cluster_members().iter();
            sorted_list(members.filter_map(|member| member.db_instance_identifier.clone()))
        })
        .engines(ANY_AURORA),
    Attribute::new("ReadReplicaIdentifiers", OtherApi("CreateDBCluster"))
        .capture_cluster(shown!(read_replica_identifiers)),
];
