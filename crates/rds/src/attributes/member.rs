//! The table of attributes of a member of an Aurora cluster: a DB instance that has most of its
//! configuration from the cluster. What a request for a member must not say has no row here.

use super::AttributeClass::{Create, NotRestorable, OtherApi};
use super::setters::by;
use super::value::{ToSetting, role, shown, sorted_list};
use super::{Attribute, Omit, Restart};

#[rustfmt::skip]
pub(super) static TABLE: &[Attribute] = &[
    Attribute::new("DBInstanceIdentifier", Create)
        .capture(shown!(db_instance_identifier))
        .set(by!([member] set_db_instance_identifier))
        .set(by!([modify] set_new_db_instance_identifier))
        .restart(Restart::Outage),
    Attribute::new("DBClusterIdentifier", Create)
        .capture(shown!(db_cluster_identifier))
        .set(by!([member] set_db_cluster_identifier)),
    Attribute::new("DBInstanceClass", Create)
        .capture(shown!(db_instance_class))
        .set(by!([member, modify] set_db_instance_class))
        .restart(Restart::Outage),
    Attribute::new("Engine", Create)
        .capture(shown!(engine))
        .set(by!([member] set_engine)),
    Attribute::new("AvailabilityZone", Create)
        .capture(shown!(availability_zone))
        .set(by!([member] set_availability_zone)),
    Attribute::new("DBSubnetGroupName", Create)
        .capture(|instance| instance.db_subnet_group()?.db_subnet_group_name.to_setting())
        .set(by!([member] set_db_subnet_group_name)),
    Attribute::new("PromotionTier", Create)
        .capture(shown!(promotion_tier))
        .set(by!([member, modify] set_promotion_tier)),
    Attribute::new("DBParameterGroupName", Create)
        .capture(|instance| instance.db_parameter_groups().first()?.db_parameter_group_name.to_setting())
        .set(by!([member, modify] set_db_parameter_group_name))
        .restart(Restart::AtNextReboot),
    Attribute::new("PreferredMaintenanceWindow", Create)
        .capture(shown!(preferred_maintenance_window))
        .set(by!([member, modify] set_preferred_maintenance_window)),
    Attribute::new("AutoMinorVersionUpgrade", Create)
        .capture(shown!(auto_minor_version_upgrade))
        .set(by!([member, modify] set_auto_minor_version_upgrade)),
    Attribute::new("PubliclyAccessible", Create)
        .capture(shown!(publicly_accessible))
        .set(by!([member, modify] set_publicly_accessible)),
    Attribute::new("MonitoringInterval", Create)
        .capture(shown!(monitoring_interval))
        .set(by!([member, modify] set_monitoring_interval)),
    Attribute::new("MonitoringRoleArn", Create)
        .capture(shown!(monitoring_role_arn))
        .set(by!([member, modify] set_monitoring_role_arn))
        .omit(&[Omit::WithoutMonitoring]),
    Attribute::new("PerformanceInsightsEnabled", Create)
        .capture(shown!(performance_insights_enabled))
        .set(by!([member, modify] set_enable_performance_insights))
        .omit(&[Omit::PerCluster]),
    Attribute::new("PerformanceInsightsKMSKeyId", Create)
        .capture(shown!(performance_insights_kms_key_id))
        .set(by!([member, modify] set_performance_insights_kms_key_id))
        .omit(&[Omit::PerCluster, Omit::WithoutPerformanceInsights]),
    Attribute::new("PerformanceInsightsRetentionPeriod", Create)
        .capture(shown!(performance_insights_retention_period))
        .set(by!([member, modify] set_performance_insights_retention_period))
        .omit(&[Omit::PerCluster, Omit::WithoutPerformanceInsights]),
    Attribute::new("CACertificateIdentifier", Create)
        .capture(|instance| {
            let details = instance.certificate_details();
            instance.ca_certificate_identifier.to_setting().or_else(|| details?.ca_identifier.to_setting())
        })
        .set(by!([member, modify] set_ca_certificate_identifier))
        .restart(Restart::Outage),
    Attribute::new("TagList", Create)
        .capture(shown!(tag_list))
        .set(by!([member] set_tags)),
    Attribute::new("DBCapacityReservationIdentifier", Create)
        .capture(shown!(db_capacity_reservation_identifier))
        .set(by!([member, modify] set_db_capacity_reservation_identifier)),

    // What the cluster decides. Who writes is shown by the cluster.
    Attribute::new("IsClusterWriter", OtherApi("FailoverDBCluster")),
    Attribute::new("DatabaseInsightsMode", NotRestorable).capture(shown!(database_insights_mode)),
    Attribute::new("CopyTagsToSnapshot", NotRestorable).capture(shown!(copy_tags_to_snapshot)),
    Attribute::new("AssociatedRoles", OtherApi("AddRoleToDBCluster"))
        .capture(|instance| {
            let roles = instance.associated_roles().iter();
            sorted_list(roles.filter_map(|it| role(it.role_arn(), it.feature_name())))
        }),
];
