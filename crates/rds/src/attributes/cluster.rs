//! The table of attributes of a DB cluster, in the order of RDS's documentation.

use super::Attribute;
use super::AttributeClass::Restore;
use super::setters::by;
use super::value::{ToSetting, shown};

#[rustfmt::skip]
pub(super) static TABLE: &[Attribute] = &[
    Attribute::new("DBClusterIdentifier", Restore)
        .capture_cluster(shown!(db_cluster_identifier))
        .set(by!([cluster_restore, cluster_point_in_time] set_db_cluster_identifier))
        .set(by!([cluster_modify] set_new_db_cluster_identifier)),
    Attribute::new("Engine", Restore)
        .capture_cluster(shown!(engine))
        .set(by!([cluster_restore] set_engine)),
    Attribute::new("EngineVersion", Restore)
        .capture_cluster(shown!(engine_version))
        .set(by!([cluster_restore, cluster_modify] set_engine_version)),
];
