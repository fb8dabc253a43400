//! Goal: rows say whose requests take what. Method: the rules that AWS documents, one by one.

use trapheus_rds::{Subject, Way, attribute};

#[test]
fn engines_differ_in_what_a_restore_request_takes() {
    let row = |name: &str| attribute(Subject::Instance, name.parse().unwrap()).unwrap();
    assert!(!row("DBName").is_set_by(Way::Restore, "postgres"));
    assert!(row("DBName").is_set_by(Way::Restore, "oracle-se2"));
    assert!(row("ManageMasterUserPassword").is_set_by(Way::Restore, "oracle-ee"));
    assert!(!row("ManageMasterUserPassword").is_set_by(Way::Restore, "mysql"));
    assert!(row("ManageMasterUserPassword").is_set_by(Way::Modify, "mysql"));
    for name in [
        "AllocatedStorage",
        "StorageType",
        "Iops",
        "StorageThroughput",
        "MultiAZ",
    ] {
        assert!(row(name).is_set_by(Way::Restore, "postgres"), "{name}");
        assert!(!row(name).is_set_by(Way::Restore, "sqlserver-ex"), "{name}");
        assert!(row(name).is_set_by(Way::Modify, "sqlserver-ex"), "{name}");
    }
    assert!(!row("OptionGroupName").applies_to("custom-oracle-ee"));
    assert!(row("Port").applies_to("an-engine-of-the-future"));
}

#[test]
fn a_replica_takes_less() {
    let row = |name: &str| attribute(Subject::Instance, name.parse().unwrap()).unwrap();
    let is_taken = |name: &str, engine| row(name).is_set_by(Way::CreateReplica, engine);
    assert!(!is_taken("DBParameterGroupName", "postgres"));
    assert!(is_taken("DBParameterGroupName", "oracle-ee"));
    assert!(!is_taken("OptionGroupName", "sqlserver-ee"));
    assert!(is_taken("MonitoringInterval", "postgres"));
    assert!(!row("MonitoringInterval").is_set_by(Way::Restore, "postgres"));
}

#[test]
fn clusters_differ_in_what_they_have() {
    let row = |name: &str| attribute(Subject::Cluster, name.parse().unwrap()).unwrap();
    for (name, aurora, multi_az) in [
        ("BacktrackWindow", true, false),
        ("HttpEndpointEnabled", true, false),
        ("Iops", false, true),
        ("DBClusterInstanceClass", false, true),
        ("AutoMinorVersionUpgrade", false, true),
        ("EngineVersion", true, true),
    ] {
        assert_eq!(row(name).applies_to("aurora-mysql"), aurora, "{name}");
        assert_eq!(row(name).applies_to("mysql"), multi_az, "{name}");
    }
    assert!(!row("BacktrackWindow").applies_to("aurora-postgresql"));
    // What one kind of cluster can be made with, and the other not.
    assert!(row("KmsKeyId").is_set_by(Way::Restore, "aurora-mysql"));
    assert!(!row("KmsKeyId").is_set_by(Way::Restore, "mysql"));
    assert!(row("MonitoringInterval").is_set_by(Way::Restore, "postgres"));
    assert!(!row("MonitoringInterval").is_set_by(Way::Restore, "aurora-postgresql"));
    // A Multi-AZ cluster keeps the port that it was made with.
    assert!(row("Port").is_set_by(Way::Restore, "mysql"));
    assert!(row("Port").is_set_by(Way::Modify, "aurora-mysql"));
    assert!(!row("Port").is_set_by(Way::Modify, "mysql"));
}
