//! The table of attributes of a DB instance, in the order of RDS's documentation.
//!
//! `shown!` reads the member of DescribeDBInstances of that name, `by!` says which requests have
//! the member that a setter sets; a closure stands where a member is nested or has a form of its
//! own.
//!
//! A replica's request differs: it takes a parameter group of few engines only, SQL Server's has
//! the option group of its source, and Database Insights need a modify.

use AttributeClass::{Modify, NotRestorable, OtherApi, Restore, RestoreOfSomeEngines};
use Engines::{Except, Only};
use Family::{Custom, Db2, MariaDb, MySql, Oracle, PostgreSql, SqlServer};

use super::setters::{Setters, by};
use super::value::{ToSetting, backup_tags, log_exports, role, shown, sorted_list};
use super::{Attribute, AttributeClass, Engines, Family, Omit, Restart};

const OPEN_SOURCE: Engines = Only(&[MariaDb, MySql, PostgreSql]);
const COMMERCIAL: Engines = Only(&[Oracle, SqlServer]);
const NOT_CUSTOM: Engines = Except(&[Custom]);
/// SQL Server's restore refuses storage members and Multi-AZ in cases that a modify accepts.
const NOT_SQL_SERVER: Engines = Except(&[SqlServer]);
const WITH_INSIGHTS: Engines = Except(&[Db2, Custom]);
const WITH_DIRECTORY: Engines = Only(&[Db2, MySql, Oracle, PostgreSql, SqlServer]);

#[rustfmt::skip]
pub(super) static TABLE: &[Attribute] = &[
    // Identity, engine and class. The snapshot says the engine; some engines refuse to be told it.
    Attribute::new("DBInstanceIdentifier", Restore)
        .capture(shown!(db_instance_identifier))
        .set(by!([restore, replica] set_db_instance_identifier))
        .set(by!([point_in_time] set_target_db_instance_identifier))
        .set(by!([modify] set_new_db_instance_identifier))
        .restart(Restart::Outage),
    Attribute::new("DBInstanceClass", Restore)
        .capture(shown!(db_instance_class))
        .set(by!([restore, point_in_time, replica, modify] set_db_instance_class))
        .restart(Restart::Outage),
    Attribute::new("Engine", Restore)
        .capture(shown!(engine))
        .set(by!([restore, point_in_time, modify] set_engine))
        .restart(Restart::Outage)
        .omit(&[Omit::SetByRds]),
    Attribute::new("EngineVersion", Modify)
        .capture(shown!(engine_version))
        .set(by!([modify] set_engine_version))
        .restart(Restart::Outage)
        .omit(&[Omit::UnlessUpgrade]),
    Attribute::new("EngineLifecycleSupport", Restore)
        .capture(shown!(engine_lifecycle_support))
        .set(by!([restore, point_in_time, modify] set_engine_lifecycle_support))
        .engines(Only(&[MySql, PostgreSql])),
    Attribute::new("LicenseModel", Restore)
        .capture(shown!(license_model))
        .set(by!([restore, point_in_time, modify] set_license_model))
        .engines(NOT_CUSTOM)
        .restart(Restart::Outage),
    Attribute::new("DBName", RestoreOfSomeEngines)
        .capture(shown!(db_name))
        .set(by!([restore, point_in_time] set_db_name))
        .restore_engines(COMMERCIAL),

    // The master user.
    Attribute::new("MasterUsername", NotRestorable).capture(shown!(master_username)),
    Attribute::new("MasterUserPassword", Modify)
        .set(by!([modify] set_master_user_password))
        .engines(NOT_CUSTOM),
    Attribute::new("ManageMasterUserPassword", RestoreOfSomeEngines)
        .capture(|instance| instance.master_user_secret()?.secret_arn().map(|_| true.into()))
        .set(by!([restore, point_in_time, modify] set_manage_master_user_password))
        .engines(NOT_CUSTOM)
        .restore_engines(Only(&[Oracle])),
    Attribute::new("MasterUserSecretKmsKeyId", RestoreOfSomeEngines)
        .capture(|instance| instance.master_user_secret()?.kms_key_id.to_setting())
        .set(by!([restore, point_in_time, modify] set_master_user_secret_kms_key_id))
        .engines(NOT_CUSTOM)
        .restore_engines(Only(&[Oracle]))
        .omit(&[Omit::WithoutManagedPassword]),
    Attribute::new("MasterUserAuthenticationType", Modify)
        .set(by!([modify] set_master_user_authentication_type))
        .engines(Only(&[PostgreSql])),

    // Storage.
    Attribute::new("AllocatedStorage", RestoreOfSomeEngines)
        .capture(shown!(allocated_storage))
        .set(by!([restore, point_in_time, replica, modify] set_allocated_storage))
        .restore_engines(NOT_SQL_SERVER),
    Attribute::new("StorageType", Restore)
        .capture(shown!(storage_type))
        .set(by!([restore, point_in_time, replica, modify] set_storage_type))
        .restore_engines(NOT_SQL_SERVER),
    Attribute::new("Iops", Restore)
        .capture(shown!(iops))
        .set(by!([restore, point_in_time, replica, modify] set_iops))
        .restore_engines(NOT_SQL_SERVER)
        .omit(&[Omit::UnlessProvisioned]),
    Attribute::new("StorageThroughput", Restore)
        .capture(shown!(storage_throughput))
        .set(by!([restore, point_in_time, replica, modify] set_storage_throughput))
        .engines(NOT_CUSTOM)
        .restore_engines(NOT_SQL_SERVER)
        .omit(&[Omit::UnlessProvisioned, Omit::UnlessGp3]),
    Attribute::new("MaxAllocatedStorage", Modify)
        .capture(shown!(max_allocated_storage))
        .set(by!([point_in_time, replica, modify] set_max_allocated_storage))
        .engines(NOT_CUSTOM),
    Attribute::new("DedicatedLogVolume", Restore)
        .capture(shown!(dedicated_log_volume))
        .set(by!([restore, point_in_time, replica, modify] set_dedicated_log_volume))
        .engines(OPEN_SOURCE)
        .restart(Restart::AtNextReboot),
    Attribute::new("AdditionalStorageVolumes", Restore)
        .capture(shown!(additional_storage_volumes))
        .set(by!([restore, point_in_time, replica, modify] set_additional_storage_volumes))
        .engines(COMMERCIAL),
    Attribute::new("StorageEncrypted", NotRestorable).capture(shown!(storage_encrypted)),
    Attribute::new("KmsKeyId", NotRestorable)
        .capture(shown!(kms_key_id))
        .set(by!([replica] set_kms_key_id)),

    // Network. The port stands in the endpoint: DbInstancePort is 0 for most instances.
    Attribute::new("Port", Restore)
        .capture(|instance| instance.endpoint()?.port.to_setting())
        .set(by!([restore, point_in_time, replica] set_port))
        .set(by!([modify] set_db_port_number))
        .restart(Restart::RebootsAtOnce),
    Attribute::new("DBSubnetGroupName", Restore)
        .capture(|instance| instance.db_subnet_group()?.db_subnet_group_name.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_db_subnet_group_name))
        .restart(Restart::Outage),
    Attribute::new("VpcSecurityGroupIds", Restore)
        .capture(|instance| {
            let groups = instance.vpc_security_groups().iter();
            sorted_list(groups.filter_map(|group| group.vpc_security_group_id.clone()))
        })
        .set(by!([restore, point_in_time, replica, modify] set_vpc_security_group_ids)),
    Attribute::new("DBSecurityGroups", Modify)
        .capture(|instance| {
            let groups = instance.db_security_groups().iter();
            sorted_list(groups.filter_map(|group| group.db_security_group_name.clone()))
        })
        .set(by!([modify] set_db_security_groups)),
    Attribute::new("PubliclyAccessible", Restore)
        .capture(shown!(publicly_accessible))
        .set(by!([restore, point_in_time, replica, modify] set_publicly_accessible)),
    Attribute::new("NetworkType", Restore)
        .capture(shown!(network_type))
        .set(by!([restore, point_in_time, replica, modify] set_network_type))
        .restart(Restart::Outage),
    Attribute::new("CustomerOwnedIpEnabled", Restore)
        .capture(shown!(customer_owned_ip_enabled))
        .set(by!([restore, point_in_time, replica, modify] set_enable_customer_owned_ip))
        .omit(&[Omit::OutsideOutposts]),
    Attribute::new("AvailabilityZone", Restore)
        .capture(shown!(availability_zone))
        .set(by!([restore, point_in_time, replica] set_availability_zone))
        .omit(&[Omit::WithMultiAz]),
    Attribute::new("MultiAZ", Restore)
        .capture(shown!(multi_az))
        .set(by!([restore, point_in_time, replica, modify] set_multi_az))
        .engines(NOT_CUSTOM)
        .restore_engines(NOT_SQL_SERVER),

    // Backups, maintenance and protection.
    Attribute::new("BackupTarget", Restore)
        .capture(shown!(backup_target))
        .set(by!([restore, point_in_time, replica] set_backup_target))
        .omit(&[Omit::OutsideOutposts]),
    Attribute::new("BackupRetentionPeriod", Restore)
        .capture(shown!(backup_retention_period))
        .set(by!([restore, point_in_time, modify] set_backup_retention_period))
        .restart(Restart::Outage),
    Attribute::new("PreferredBackupWindow", Restore)
        .capture(shown!(preferred_backup_window))
        .set(by!([restore, point_in_time, modify] set_preferred_backup_window)),
    Attribute::new("PreferredMaintenanceWindow", Modify)
        .capture(shown!(preferred_maintenance_window))
        .set(by!([modify] set_preferred_maintenance_window)),
    Attribute::new("AutoMinorVersionUpgrade", Restore)
        .capture(shown!(auto_minor_version_upgrade))
        .set(by!([restore, point_in_time, replica, modify] set_auto_minor_version_upgrade)),
    Attribute::new("CopyTagsToSnapshot", Restore)
        .capture(shown!(copy_tags_to_snapshot))
        .set(by!([restore, point_in_time, replica, modify] set_copy_tags_to_snapshot)),
    Attribute::new("DeletionProtection", Restore)
        .capture(shown!(deletion_protection))
        .set(by!([restore, point_in_time, replica, modify] set_deletion_protection)),

    // Groups, authentication and logs.
    Attribute::new("DBParameterGroupName", Restore)
        .capture(|instance| instance.db_parameter_groups().first()?.db_parameter_group_name.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_db_parameter_group_name))
        .replica_engines(Only(&[Db2, Oracle]))
        .engines(NOT_CUSTOM)
        .restart(Restart::AtNextReboot),
    Attribute::new("OptionGroupName", Restore)
        .capture(|instance| {
            // While one group replaces another, both are shown.
            let mut groups = instance.option_group_memberships().iter();
            let stays = groups.find(|group| !group.status().unwrap_or_default().contains("remov"));
            stays?.option_group_name.to_setting()
        })
        .set(by!([restore, point_in_time, replica, modify] set_option_group_name))
        .replica_engines(NOT_SQL_SERVER)
        .engines(NOT_CUSTOM),
    Attribute::new("IAMDatabaseAuthenticationEnabled", Restore)
        .capture(shown!(iam_database_authentication_enabled))
        .set(by!([restore, point_in_time, replica, modify] set_enable_iam_database_authentication))
        .engines(OPEN_SOURCE),
    Attribute::new("EnabledCloudwatchLogsExports", Restore)
        .capture(shown!(enabled_cloudwatch_logs_exports))
        .set(by!([restore, point_in_time, replica] set_enable_cloudwatch_logs_exports))
        .set(Setters {
            modify: Some(|input, asked, current| {
                Some(input.cloudwatch_logs_export_configuration(log_exports(asked, current)?))
            }),
            ..Setters::NONE
        })
        .engines(NOT_CUSTOM),

    // Monitoring.
    Attribute::new("MonitoringInterval", Modify)
        .capture(shown!(monitoring_interval))
        .set(by!([replica, modify] set_monitoring_interval)),
    Attribute::new("MonitoringRoleArn", Modify)
        .capture(shown!(monitoring_role_arn))
        .set(by!([replica, modify] set_monitoring_role_arn))
        .omit(&[Omit::WithoutMonitoring]),
    Attribute::new("DatabaseInsightsMode", Modify)
        .capture(shown!(database_insights_mode))
        .set(by!([modify] set_database_insights_mode)),
    Attribute::new("PerformanceInsightsEnabled", Modify)
        .capture(shown!(performance_insights_enabled))
        .set(by!([replica, modify] set_enable_performance_insights))
        .engines(WITH_INSIGHTS),
    Attribute::new("PerformanceInsightsKMSKeyId", Modify)
        .capture(shown!(performance_insights_kms_key_id))
        .set(by!([replica, modify] set_performance_insights_kms_key_id))
        .engines(WITH_INSIGHTS)
        .omit(&[Omit::WithoutPerformanceInsights]),
    Attribute::new("PerformanceInsightsRetentionPeriod", Modify)
        .capture(shown!(performance_insights_retention_period))
        .set(by!([replica, modify] set_performance_insights_retention_period))
        .engines(WITH_INSIGHTS)
        .omit(&[Omit::WithoutPerformanceInsights]),

    // Processor, certificate and encryption of the engine.
    Attribute::new("ProcessorFeatures", Restore)
        .capture(shown!(processor_features))
        .set(by!([restore, point_in_time, replica, modify] set_processor_features))
        .engines(COMMERCIAL)
        .restart(Restart::Outage),
    Attribute::new("CACertificateIdentifier", Restore)
        .capture(|instance| {
            let details = instance.certificate_details();
            instance.ca_certificate_identifier.to_setting().or_else(|| details?.ca_identifier.to_setting())
        })
        .set(by!([restore, point_in_time, replica, modify] set_ca_certificate_identifier))
        .engines(NOT_CUSTOM)
        .restart(Restart::Outage),
    Attribute::new("TdeCredentialArn", Restore)
        .capture(shown!(tde_credential_arn))
        .set(by!([restore, point_in_time, modify] set_tde_credential_arn))
        .engines(Only(&[Oracle])),
    Attribute::new("TdeCredentialPassword", Restore)
        .set(by!([restore, point_in_time, modify] set_tde_credential_password))
        .engines(Only(&[Oracle])),

    // Active Directory: an instance is in one domain at most.
    Attribute::new("Domain", Restore)
        .capture(|instance| instance.domain_memberships().first()?.domain.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_domain))
        .engines(WITH_DIRECTORY)
        .restart(Restart::Outage),
    Attribute::new("DomainIAMRoleName", Restore)
        .capture(|instance| instance.domain_memberships().first()?.iam_role_name.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_domain_iam_role_name))
        .engines(WITH_DIRECTORY),
    Attribute::new("DomainFqdn", Restore)
        .capture(|instance| instance.domain_memberships().first()?.fqdn.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_domain_fqdn))
        .engines(Only(&[SqlServer]))
        .omit(&[Omit::WithoutSelfManagedDirectory]),
    Attribute::new("DomainOu", Restore)
        .capture(|instance| instance.domain_memberships().first()?.ou.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_domain_ou))
        .engines(Only(&[SqlServer]))
        .omit(&[Omit::WithoutSelfManagedDirectory]),
    Attribute::new("DomainAuthSecretArn", Restore)
        .capture(|instance| instance.domain_memberships().first()?.auth_secret_arn.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_domain_auth_secret_arn))
        .engines(Only(&[SqlServer])),
    Attribute::new("DomainDnsIps", Restore)
        .capture(|instance| instance.domain_memberships().first()?.dns_ips.to_setting())
        .set(by!([restore, point_in_time, replica, modify] set_domain_dns_ips))
        .engines(Only(&[SqlServer]))
        .omit(&[Omit::WithoutSelfManagedDirectory]),

    // What comes with the data.
    Attribute::new("CharacterSetName", NotRestorable).capture(shown!(character_set_name)).engines(COMMERCIAL),
    Attribute::new("NcharCharacterSetName", NotRestorable)
        .capture(shown!(nchar_character_set_name))
        .engines(Only(&[Oracle])),
    Attribute::new("Timezone", NotRestorable).capture(shown!(timezone)).engines(Only(&[Db2, SqlServer])),
    Attribute::new("DBSystemId", NotRestorable).capture(shown!(db_system_id)).engines(Only(&[Custom])),
    Attribute::new("MultiTenant", Modify)
        .capture(shown!(multi_tenant))
        .set(by!([modify] set_multi_tenant))
        .engines(Only(&[Oracle])),

    // RDS Custom and replicas. What is shown of the automation's pause is the time of its end,
    // what a modify takes is minutes from now.
    Attribute::new("CustomIamInstanceProfile", Restore)
        .capture(shown!(custom_iam_instance_profile))
        .set(by!([restore, point_in_time, replica] set_custom_iam_instance_profile))
        .engines(Only(&[Custom])),
    Attribute::new("AutomationMode", Modify)
        .capture(shown!(automation_mode))
        .set(by!([modify] set_automation_mode))
        .engines(Only(&[Custom])),
    Attribute::new("ResumeFullAutomationModeTime", Modify)
        .capture(|instance| instance.resume_full_automation_mode_time().map(|at| at.to_string().into()))
        .set(by!([modify] set_resume_full_automation_mode_minutes))
        .engines(Only(&[Custom]))
        .omit(&[Omit::BoundToOriginal]),
    Attribute::new("ReplicaMode", Modify)
        .capture(shown!(replica_mode))
        .set(by!([replica, modify] set_replica_mode))
        .engines(Only(&[Oracle, Db2]))
        .omit(&[Omit::BoundToOriginal]),

    // Tags and reservations.
    Attribute::new("TagList", Restore).capture(shown!(tag_list))
        .set(by!([restore, point_in_time, replica] set_tags)),
    Attribute::new("AutomatedBackupTags", Restore)
        .set(by!([restore, point_in_time, replica, modify] tag_specifications(backup_tags))),
    Attribute::new("DBCapacityReservationIdentifier", Restore)
        .capture(shown!(db_capacity_reservation_identifier))
        .set(by!([restore, point_in_time, replica, modify] set_db_capacity_reservation_identifier)),
    Attribute::new("AwsBackupRecoveryPointArn", Modify)
        .capture(shown!(aws_backup_recovery_point_arn))
        .set(by!([modify] set_aws_backup_recovery_point_arn))
        .omit(&[Omit::BoundToOriginal]),

    // What only other calls set.
    Attribute::new("AssociatedRoles", OtherApi("AddRoleToDBInstance"))
        .capture(|instance| {
            let roles = instance.associated_roles().iter();
            sorted_list(roles.filter_map(|it| role(it.role_arn(), it.feature_name())))
        })
        .engines(NOT_CUSTOM),
    Attribute::new("ActivityStreamStatus", OtherApi("StartActivityStream"))
        .capture(shown!(activity_stream_status))
        .engines(COMMERCIAL),
    Attribute::new("ActivityStreamMode", OtherApi("StartActivityStream"))
        .capture(shown!(activity_stream_mode))
        .engines(COMMERCIAL),
    Attribute::new("ActivityStreamKmsKeyId", OtherApi("StartActivityStream"))
        .capture(shown!(activity_stream_kms_key_id))
        .engines(COMMERCIAL),
    Attribute::new("ActivityStreamEngineNativeAuditFieldsIncluded", OtherApi("StartActivityStream"))
        .capture(shown!(activity_stream_engine_native_audit_fields_included))
        .engines(COMMERCIAL),
    Attribute::new("ActivityStreamPolicyStatus", OtherApi("ModifyActivityStream"))
        .capture(shown!(activity_stream_policy_status))
        .engines(COMMERCIAL),
    Attribute::new("DBInstanceAutomatedBackupsReplications", OtherApi("StartDBInstanceAutomatedBackupsReplication"))
        .capture(|instance| {
            let replications = instance.db_instance_automated_backups_replications().iter();
            sorted_list(replications.filter_map(|to| to.db_instance_automated_backups_arn.clone()))
        })
        .engines(WITH_INSIGHTS),
    Attribute::new("ReadReplicaDBInstanceIdentifiers", OtherApi("CreateDBInstanceReadReplica"))
        .capture(shown!(read_replica_db_instance_identifiers)),
    Attribute::new("ReadReplicaDBClusterIdentifiers", OtherApi("CreateDBCluster"))
        .capture(shown!(read_replica_db_cluster_identifiers))
        .engines(Only(&[MySql, PostgreSql])),
    Attribute::new("ReadReplicaSourceDBInstanceIdentifier", NotRestorable)
        .capture(shown!(read_replica_source_db_instance_identifier)),
    Attribute::new("ReadReplicaSourceDBClusterIdentifier", NotRestorable)
        .capture(shown!(read_replica_source_db_cluster_identifier)),
    Attribute::new("UpgradeRolloutOrder", OtherApi("AWS Organizations upgrade rollout policy"))
        .capture(shown!(upgrade_rollout_order)),
    Attribute::new("TenantDatabases", OtherApi("CreateTenantDatabase")).engines(Only(&[Oracle])),
];
