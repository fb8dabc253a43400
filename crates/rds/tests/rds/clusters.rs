//! Goal: what is asked about clusters, members and replicas is what reaches the server, and their
//! answers are read whole. Method: a scripted server.

use serde_json::json;
use trapheus_rds::{
    ActivityStream, AuditPolicy, AutomatedBackups, BackupReplication, Class, CreateMember,
    CreateReplica, Database, FinalSnapshot, Kind, Limits, Membership, PointInTimeSource, Restore,
    RestoreFrom, Role, Settings, SnapshotStatus, Subject, Tags,
};

use crate::server::{
    ORDERS, ORDERS_CLUSTER, Reply, Server, cluster, cluster_snapshot, cluster_with, instance,
    instance_with, orders, orders_cluster,
};

const MADE_AT: &str = "2026-03-01T02:00:00.250Z";

/// Answers everything about a cluster, its snapshot and an instance that are all there.
fn any_database() -> Server {
    Server::new(|request| {
        let clusters = cluster("orders", ORDERS_CLUSTER, "available");
        let snapshots = cluster_snapshot("nightly", "orders", MADE_AT);
        match request.action.as_str() {
            "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
            "DescribeDBClusters" => Reply::clusters(&[clusters]),
            action @ "DescribeDBClusterSnapshots" => {
                let list = format!("<DBClusterSnapshots>{snapshots}</DBClusterSnapshots>");
                Reply::result(action, list)
            }
            action if action.ends_with("DBClusterSnapshot") => Reply::result(action, snapshots),
            action if action.contains("Cluster") => Reply::result(action, clusters),
            action => Reply::result(action, instance("orders", ORDERS, "modifying")),
        }
    })
}

fn tags() -> Tags {
    Tags::from([("trapheus:role".to_owned(), "restored".to_owned())])
}

fn settings(members: &serde_json::Value) -> Settings {
    serde_json::from_value(members.clone()).unwrap()
}

/// Looks at a cluster that has further members.
async fn seen(members: &'static str) -> Database {
    let server = Server::new(move |_| {
        Reply::clusters(&[cluster_with("orders", ORDERS_CLUSTER, "available", members)])
    });
    let rds = server.door(Limits::default());
    let found = rds.cluster(&orders().name).await.unwrap();
    found.expect("it is there")
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_restored_from_a_snapshot() {
    let server = any_database();
    let request = Restore {
        kind: Kind::Cluster,
        identifier: "orders-trapheus-new".parse().unwrap(),
        from: RestoreFrom::Snapshot("rds:orders-2026-03-01-02-00".parse().unwrap()),
        settings: settings(&json!({
            "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.0", "Port": 3307,
            "DBSubnetGroupName": "private", "BacktrackWindow": 86400, "StorageType": "aurora",
            "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 8.0},
        })),
        tags: tags(),
    };
    let rds = server.door(Limits::default());
    let restored = rds.restore(&request).await.unwrap();
    assert_eq!(restored.kind, Kind::Cluster);
    assert_eq!(server.last().action, "RestoreDBClusterFromSnapshot");
    insta::assert_debug_snapshot!(server.last().parameters, @r#"
    {
        "BacktrackWindow": "86400",
        "DBClusterIdentifier": "orders-trapheus-new",
        "DBSubnetGroupName": "private",
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.08.0",
        "Port": "3307",
        "ServerlessV2ScalingConfiguration.MaxCapacity": "8.0",
        "ServerlessV2ScalingConfiguration.MinCapacity": "0.5",
        "SnapshotIdentifier": "rds:orders-2026-03-01-02-00",
        "StorageType": "aurora",
        "Tags.Tag.1.Key": "trapheus:role",
        "Tags.Tag.1.Value": "restored",
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_point_in_time_is_an_instant_of_somebody_or_as_late_as_it_goes() {
    let server = any_database();
    let rds = server.door(Limits::default());
    let request = |kind, source, at| Restore {
        kind,
        identifier: "orders-trapheus-new".parse().unwrap(),
        from: RestoreFrom::PointInTime { source, at },
        settings: Settings::new(),
        tags: Tags::new(),
    };
    let living = PointInTimeSource::Live(orders());
    let at = Some("2026-03-01T02:00:00Z".parse().unwrap());
    rds.restore(&request(Kind::Instance, living, at))
        .await
        .unwrap();
    let of_instance = server.last();
    let gone = PointInTimeSource::Retained(ORDERS_CLUSTER.parse().unwrap());
    rds.restore(&request(Kind::Cluster, gone, None))
        .await
        .unwrap();
    let of_cluster = server.last();
    insta::assert_debug_snapshot!((of_instance.parameters, of_cluster.parameters), @r#"
    (
        {
            "RestoreTime": "2026-03-01T02:00:00Z",
            "SourceDBInstanceIdentifier": "orders",
            "TargetDBInstanceIdentifier": "orders-trapheus-new",
        },
        {
            "DBClusterIdentifier": "orders-trapheus-new",
            "SourceDbClusterResourceId": "cluster-ORDERS",
            "UseLatestRestorableTime": "true",
        },
    )
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_member_names_its_cluster_and_a_replica_its_source() {
    let server = any_database();
    let rds = server.door(Limits::default());
    let member = CreateMember {
        identifier: "orders-1-trapheus-new".parse().unwrap(),
        cluster: orders_cluster(),
        settings: settings(&json!({
            "Engine": "aurora-mysql", "DBInstanceClass": "db.r6g.large", "PromotionTier": 0,
            "PubliclyAccessible": false, "AvailabilityZone": "eu-west-1a",
        })),
        tags: tags(),
    };
    rds.create_member(&member).await.unwrap();
    let member = server.last();
    assert_eq!(member.action, "CreateDBInstance");
    let replica = CreateReplica {
        identifier: "orders-replica-trapheus-new".parse().unwrap(),
        source: orders(),
        settings: settings(&json!({
            "DBInstanceClass": "db.t4g.large", "MultiAZ": false, "MonitoringInterval": 30,
        })),
        tags: tags(),
    };
    rds.create_replica(&replica).await.unwrap();
    let of_instance = server.last();
    let source = orders_cluster();
    rds.create_replica(&CreateReplica { source, ..replica })
        .await
        .unwrap();
    assert_eq!(server.last().get("SourceDBClusterIdentifier"), "orders");
    assert_eq!(server.last().get("SourceDBInstanceIdentifier"), "");
    insta::assert_debug_snapshot!((member.parameters, of_instance.parameters), @r#"
    (
        {
            "AvailabilityZone": "eu-west-1a",
            "DBClusterIdentifier": "orders",
            "DBInstanceClass": "db.r6g.large",
            "DBInstanceIdentifier": "orders-1-trapheus-new",
            "Engine": "aurora-mysql",
            "PromotionTier": "0",
            "PubliclyAccessible": "false",
            "Tags.Tag.1.Key": "trapheus:role",
            "Tags.Tag.1.Value": "restored",
        },
        {
            "DBInstanceClass": "db.t4g.large",
            "DBInstanceIdentifier": "orders-replica-trapheus-new",
            "MonitoringInterval": "30",
            "MultiAZ": "false",
            "SourceDBInstanceIdentifier": "orders",
            "Tags.Tag.1.Key": "trapheus:role",
            "Tags.Tag.1.Value": "restored",
        },
    )
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_changed_renamed_and_failed_over_now() {
    let server = any_database();
    let rds = server.door(Limits::default());
    let of = orders_cluster();
    rds.rename(&of, &"orders-temp".parse().unwrap())
        .await
        .unwrap();
    let rename = server.last();
    rds.rename(&of, &of.name).await.unwrap_err();
    let asked = settings(&json!({"PreferredMaintenanceWindow": "sun:05:00-sun:06:00"}));
    rds.modify(&of, &asked).await.unwrap();
    let modify = server.last();
    rds.failover(&of, &"orders-2".parse().unwrap())
        .await
        .unwrap();
    let failover = server.last();
    let requests = [rename, modify, failover].map(|request| (request.action, request.parameters));
    insta::assert_debug_snapshot!(requests, @r#"
    [
        (
            "ModifyDBCluster",
            {
                "ApplyImmediately": "true",
                "DBClusterIdentifier": "orders",
                "NewDBClusterIdentifier": "orders-temp",
            },
        ),
        (
            "ModifyDBCluster",
            {
                "ApplyImmediately": "true",
                "DBClusterIdentifier": "orders",
                "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
            },
        ),
        (
            "FailoverDBCluster",
            {
                "DBClusterIdentifier": "orders",
                "TargetDBInstanceIdentifier": "orders-2",
            },
        ),
    ]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_says_what_stays_of_a_cluster_and_nothing_of_a_member() {
    let server = Server::new(|request| {
        let member = "<DBClusterIdentifier>orders</DBClusterIdentifier>";
        let instances = instance_with("orders", ORDERS, "available", member);
        let clusters = cluster("orders", ORDERS_CLUSTER, "available");
        match request.action.as_str() {
            "DescribeDBInstances" => Reply::instances(&[instances]),
            "DescribeDBClusters" => Reply::clusters(&[clusters]),
            action if action.contains("Cluster") => Reply::result(action, clusters),
            action => Reply::result(action, instances),
        }
    });
    let rds = server.door(Limits::default());
    let last = FinalSnapshot::Create("orders-final".parse().unwrap());
    rds.delete(&orders_cluster(), &last, AutomatedBackups::Keep)
        .await
        .unwrap();
    let of_cluster = server.last();
    rds.delete(&orders(), &FinalSnapshot::Skip, AutomatedBackups::Delete)
        .await
        .unwrap();
    let of_member = server.last();
    insta::assert_debug_snapshot!((of_cluster.parameters, of_member.parameters), @r#"
    (
        {
            "DBClusterIdentifier": "orders",
            "DeleteAutomatedBackups": "false",
            "FinalDBSnapshotIdentifier": "orders-final",
            "SkipFinalSnapshot": "false",
        },
        {
            "DBInstanceIdentifier": "orders",
            "SkipFinalSnapshot": "true",
        },
    )
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_shows_its_members_and_where_it_is_read() {
    let orders = seen(
        "<Engine>aurora-mysql</Engine><Endpoint>writer</Endpoint><Port>3306</Port>\
         <ReaderEndpoint>reader</ReaderEndpoint>\
         <DBClusterParameterGroup>tuned</DBClusterParameterGroup><DBClusterMembers>\
         <DBClusterMember><DBInstanceIdentifier>orders-1</DBInstanceIdentifier>\
         <IsClusterWriter>false</IsClusterWriter><PromotionTier>2</PromotionTier>\
         <DBClusterParameterGroupStatus>pending-reboot</DBClusterParameterGroupStatus>\
         </DBClusterMember><DBClusterMember>\
         <DBInstanceIdentifier>orders-2</DBInstanceIdentifier>\
         <IsClusterWriter>true</IsClusterWriter>\
         <DBClusterParameterGroupStatus>in-sync</DBClusterParameterGroupStatus>\
         </DBClusterMember></DBClusterMembers>\
         <LatestRestorableTime>2026-03-01T02:00:00Z</LatestRestorableTime>",
    )
    .await;
    let endpoint = orders.endpoint.as_ref().unwrap();
    assert_eq!((endpoint.address.as_str(), endpoint.port), ("writer", 3306));
    assert_eq!(orders.reader_endpoint.as_deref(), Some("reader"));
    assert_eq!(orders.writer().unwrap().identifier.as_str(), "orders-2");
    assert_eq!(orders.members[0].promotion_tier, Some(2));
    assert_eq!(
        (orders.subject(), orders.is_multi_az_cluster()),
        (Subject::Cluster, false)
    );
    assert_eq!(orders.identified(), orders_cluster());
    assert_eq!(orders.restorable.unwrap().earliest, None);
    // The values act in all members but one, which a reboot will help and waiting won't.
    let status = "pending-reboot".to_owned();
    let name = "tuned".to_owned();
    assert_eq!(orders.parameter_groups, [Membership { name, status }]);
    assert_eq!((orders.unsettled(), orders.needs_reboot()), (None, true));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_settled_when_nothing_is_pending_in_any_member() {
    let pending = seen(
        "<Engine>postgres</Engine><PendingModifiedValues><EngineVersion>17.5</EngineVersion>\
         </PendingModifiedValues>",
    )
    .await;
    assert!(pending.is_multi_az_cluster());
    let reason = pending.unsettled().unwrap();
    assert_eq!(reason, "orders has pending changes: EngineVersion");
    let applying = seen(
        "<Engine>aurora-mysql</Engine><DBClusterParameterGroup>tuned</DBClusterParameterGroup>\
         <DBClusterMembers><DBClusterMember>\
         <DBInstanceIdentifier>orders-1</DBInstanceIdentifier>\
         <DBClusterParameterGroupStatus>applying</DBClusterParameterGroupStatus>\
         </DBClusterMember></DBClusterMembers>",
    )
    .await;
    let reason = applying.unsettled().unwrap();
    assert_eq!(reason, "parameter group tuned of orders is applying");
}

#[tokio::test(start_paused = true)]
async fn only_those_who_say_so_are_members() {
    // A server that doesn't know the filter shows everything.
    let server = Server::new(|_| {
        let of = |cluster| format!("<DBClusterIdentifier>{cluster}</DBClusterIdentifier>");
        Reply::instances(&[
            instance_with("orders-1", "db-1", "available", &of("orders")),
            instance_with("stock-1", "db-2", "available", &of("stock")),
            instance("alone", "db-3", "available"),
        ])
    });
    let rds = server.door(Limits::default());
    let members = rds.members_of(&orders().name).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].subject(), Subject::Member);
    assert_eq!(server.last().get("Filters.Filter.1.Name"), "db-cluster-id");
    assert_eq!(server.last().list("Filters.Filter.1.Values"), ["orders"]);
}

#[tokio::test(start_paused = true)]
async fn a_clusters_snapshots_are_found_made_and_deleted() {
    let server = any_database();
    let rds = server.door(Limits::default());
    let id = "nightly".parse().unwrap();
    let made = rds
        .create_snapshot(&orders_cluster(), &id, &tags())
        .await
        .unwrap();
    assert_eq!(
        (made.of, &made.status),
        (Kind::Cluster, &SnapshotStatus::Available)
    );
    assert_eq!(server.last().get("DBClusterIdentifier"), "orders");
    assert_eq!(server.last().get("DBClusterSnapshotIdentifier"), "nightly");
    assert_eq!(made.settings["Port"], 3306);
    let listed = rds
        .snapshots_of(Kind::Cluster, &orders().name)
        .await
        .unwrap();
    assert_eq!(listed, std::slice::from_ref(&made));
    let found = rds.snapshot(Kind::Cluster, &id.into()).await.unwrap();
    assert_eq!(found.as_ref(), Some(&made));
    rds.delete_snapshot(&made).await.unwrap();
    assert_eq!(server.last().action, "DeleteDBClusterSnapshot");
    let long = "a".repeat(64).parse().unwrap();
    let error = rds
        .create_snapshot(&orders_cluster(), &long, &tags())
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::Invalid);
}

#[tokio::test(start_paused = true)]
async fn events_are_asked_for_by_kind() {
    let server = Server::new(|request| Reply::result(&request.action, ""));
    let rds = server.door(Limits::default());
    let since = MADE_AT.parse().unwrap();
    rds.events(Kind::Cluster, &orders().name, since)
        .await
        .unwrap();
    assert_eq!(server.last().get("SourceType"), "db-cluster");
}

#[tokio::test(start_paused = true)]
async fn attachments_are_asked_for_by_arn_or_name() {
    let server = any_database();
    let rds = server.door(Limits::default());
    let role = |feature: &str| Role {
        arn: "arn:aws:iam::123456789012:role/load".to_owned(),
        feature: feature.to_owned(),
        status: String::new(),
    };
    let stream = ActivityStream {
        mode: "sync".to_owned(),
        kms_key_id: "key".to_owned(),
        native_audit_fields: Some(true),
    };
    rds.add_role(&orders_cluster(), &role("")).await.unwrap();
    let without_feature = server.last();
    rds.remove_role(&orders(), &role("s3Import")).await.unwrap();
    let with_feature = server.last();
    rds.start_activity_stream(&orders(), &stream).await.unwrap();
    let stream = server.last();
    rds.set_audit_policy(&orders(), AuditPolicy::Unlocked)
        .await
        .unwrap();
    let policy = server.last();
    rds.enable_http_endpoint(&orders_cluster()).await.unwrap();
    let http = server.last();
    let requests = [without_feature, with_feature, stream, policy, http];
    let requests = requests.map(|request| (request.action, request.parameters));
    insta::assert_debug_snapshot!(requests, @r#"
    [
        (
            "AddRoleToDBCluster",
            {
                "DBClusterIdentifier": "orders",
                "RoleArn": "arn:aws:iam::123456789012:role/load",
            },
        ),
        (
            "RemoveRoleFromDBInstance",
            {
                "DBInstanceIdentifier": "orders",
                "FeatureName": "s3Import",
                "RoleArn": "arn:aws:iam::123456789012:role/load",
            },
        ),
        (
            "StartActivityStream",
            {
                "ApplyImmediately": "true",
                "EngineNativeAuditFieldsIncluded": "true",
                "KmsKeyId": "key",
                "Mode": "sync",
                "ResourceArn": "arn:aws:rds:eu-west-1:123456789012:db:orders",
            },
        ),
        (
            "ModifyActivityStream",
            {
                "AuditPolicyState": "unlocked",
                "ResourceArn": "arn:aws:rds:eu-west-1:123456789012:db:orders",
            },
        ),
        (
            "EnableHttpEndpoint",
            {
                "ResourceArn": "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
            },
        ),
    ]
    "#);
}

#[tokio::test(start_paused = true)]
async fn backups_are_replicated_by_a_call_of_the_other_region() {
    let arn = "arn:aws:rds:us-east-1:123456789012:auto-backup:ab-1";
    let server = Server::new(move |request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
        action @ "DescribeDBInstanceAutomatedBackups" => {
            let backup = format!(
                "<DBInstanceAutomatedBackup><DBInstanceAutomatedBackupsArn>{arn}\
                 </DBInstanceAutomatedBackupsArn><KmsKeyId>key</KmsKeyId>\
                 <BackupRetentionPeriod>14</BackupRetentionPeriod></DBInstanceAutomatedBackup>"
            );
            let name = "DBInstanceAutomatedBackups";
            Reply::result(action, format!("<{name}>{backup}</{name}>"))
        }
        action => Reply::result(action, ""),
    });
    let (rds, counted) = server.door(Limits::default()).counting();
    let found = rds.backup_replication(&arn.parse().unwrap()).await.unwrap();
    let replication = BackupReplication {
        region: "us-east-1".to_owned(),
        retention_days: Some(14),
        kms_key_id: Some("key".to_owned()),
        tags: Tags::new(),
    };
    assert_eq!(found, Some(replication.clone()));
    assert_eq!(server.last().region, "us-east-1");
    rds.start_backup_replication(&orders(), &replication)
        .await
        .unwrap();
    let regions: Vec<String> = server.requests().into_iter().map(|it| it.region).collect();
    assert_eq!(regions, ["us-east-1", "eu-west-1", "us-east-1"]);
    insta::assert_debug_snapshot!(server.last().parameters, @r#"
    {
        "BackupRetentionPeriod": "14",
        "KmsKeyId": "key",
        "SourceDBInstanceArn": "arn:aws:rds:eu-west-1:123456789012:db:orders",
    }
    "#);
    assert_eq!(counted.counts().values().sum::<u64>(), 3);
}
