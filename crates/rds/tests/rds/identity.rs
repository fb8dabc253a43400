//! Goal: whatever touches a database or a snapshot is sent only to the one that was meant.
//! Method: the name is given to another one, and nothing but looks may reach the server.

use trapheus_rds::{
    ActivityStream, AuditPolicy, AutomatedBackups, BackupReplication, Class, CreateMember,
    CreateReplica, Error, FinalSnapshot, Identified, Kind, Limits, PointInTimeSource, Rds, Restore,
    RestoreFrom, Role, Settings, Snapshot, Tags,
};

use crate::server::{
    ORDERS, ORDERS_CLUSTER, Reply, Server, cluster, cluster_snapshot, cluster_with, instance,
    orders, orders_cluster, snapshot,
};

const MADE_AT: &str = "2026-03-01T02:00:00Z";

type Touches = Vec<(&'static str, Result<(), Error>)>;

fn tags() -> Tags {
    Tags::from([("trapheus:role".to_owned(), "original".to_owned())])
}

/// Tries everything that touches an existing database of either kind.
async fn touch(rds: &Rds, of: &Identified) -> Touches {
    let snapshot = "nightly".parse().unwrap();
    let aside = "orders-temp".parse().unwrap();
    let role = Role {
        arn: "arn:aws:iam::123456789012:role/load".to_owned(),
        feature: "s3Import".to_owned(),
        status: String::new(),
    };
    let stream = ActivityStream {
        mode: "async".to_owned(),
        kms_key_id: "key".to_owned(),
        native_audit_fields: None,
    };
    let restore = Restore {
        kind: of.kind,
        identifier: "orders-new".parse().unwrap(),
        from: RestoreFrom::PointInTime {
            source: PointInTimeSource::Live(of.clone()),
            at: None,
        },
        settings: Settings::new(),
        tags: Tags::new(),
    };
    let replica = CreateReplica {
        identifier: "orders-replica".parse().unwrap(),
        source: of.clone(),
        settings: Settings::new(),
        tags: Tags::new(),
    };
    let name = |instance, cluster| match of.kind {
        Kind::Instance => instance,
        Kind::Cluster => cluster,
    };
    let (skip, keep) = (FinalSnapshot::Skip, AutomatedBackups::Keep);
    vec![
        (
            name("CreateDBSnapshot", "CreateDBClusterSnapshot"),
            rds.create_snapshot(of, &snapshot, &tags()).await.map(drop),
        ),
        (
            name("ModifyDBInstance", "ModifyDBCluster"),
            rds.modify(of, &Settings::new()).await.map(drop),
        ),
        (
            name("ModifyDBInstance", "ModifyDBCluster"),
            rds.rename(of, &aside).await.map(drop),
        ),
        (
            name("RebootDBInstance", "RebootDBCluster"),
            rds.reboot(of).await.map(drop),
        ),
        (
            name("DeleteDBInstance", "DeleteDBCluster"),
            rds.delete(of, &skip, keep).await.map(drop),
        ),
        ("AddTagsToResource", rds.add_tags(of, &tags()).await),
        (
            "RemoveTagsFromResource",
            rds.remove_tags(of, &["trapheus:role"]).await,
        ),
        (
            name("AddRoleToDBInstance", "AddRoleToDBCluster"),
            rds.add_role(of, &role).await,
        ),
        (
            name("RemoveRoleFromDBInstance", "RemoveRoleFromDBCluster"),
            rds.remove_role(of, &role).await,
        ),
        (
            "StartActivityStream",
            rds.start_activity_stream(of, &stream).await,
        ),
        (
            name(
                "RestoreDBInstanceToPointInTime",
                "RestoreDBClusterToPointInTime",
            ),
            rds.restore(&restore).await.map(drop),
        ),
        (
            "CreateDBInstanceReadReplica",
            rds.create_replica(&replica).await.map(drop),
        ),
    ]
}

/// Tries everything that touches an existing instance only.
async fn touch_instance(rds: &Rds, of: &Identified) -> Touches {
    let replication = BackupReplication {
        region: "eu-west-1".to_owned(),
        retention_days: Some(7),
        kms_key_id: None,
        tags: Tags::new(),
    };
    let policy = rds.set_audit_policy(of, AuditPolicy::Locked).await;
    let replication = rds.start_backup_replication(of, &replication).await;
    vec![
        ("ModifyActivityStream", policy),
        ("StartDBInstanceAutomatedBackupsReplication", replication),
    ]
}

/// Tries everything that touches an existing cluster only.
async fn touch_cluster(rds: &Rds, of: &Identified) -> Touches {
    let member = CreateMember {
        identifier: "orders-1".parse().unwrap(),
        cluster: of.clone(),
        settings: Settings::new(),
        tags: Tags::new(),
    };
    let failover = rds.failover(of, &"orders-2".parse().unwrap()).await;
    let endpoint = rds.enable_http_endpoint(of).await;
    let member = rds.create_member(&member).await;
    vec![
        ("FailoverDBCluster", failover.map(drop)),
        ("EnableHttpEndpoint", endpoint),
        ("CreateDBInstance", member.map(drop)),
    ]
}

/// Tries everything on the instance and the cluster that are called `orders`.
async fn touch_all(rds: &Rds) -> Touches {
    let (instance, cluster) = (orders(), orders_cluster());
    let mut touches = touch(rds, &instance).await;
    touches.extend(touch_instance(rds, &instance).await);
    touches.extend(touch(rds, &cluster).await);
    touches.extend(touch_cluster(rds, &cluster).await);
    touches
}

fn are_looks(server: &Server) -> bool {
    let looks = ["DescribeDBInstances", "DescribeDBClusters"];
    let mut actions = server.actions().into_iter();
    actions.all(|action| looks.contains(&action.as_str()))
}

#[tokio::test(start_paused = true)]
async fn a_name_that_belongs_to_another_database_is_not_touched() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => {
            Reply::instances(&[instance("orders", "db-SOMEBODYELSE", "available")])
        }
        _ => Reply::clusters(&[cluster("orders", "cluster-SOMEBODYELSE", "available")]),
    });
    for (operation, result) in touch_all(&server.door(Limits::default())).await {
        let error = result.expect_err(operation);
        assert_eq!(error.class, Class::IdentityMismatch, "{operation}");
        let both = [
            format!("orders was {ORDERS}, but now it is db-SOMEBODYELSE"),
            format!("orders was {ORDERS_CLUSTER}, but now it is cluster-SOMEBODYELSE"),
        ];
        let is_told = both.iter().any(|both| error.message.contains(both));
        assert!(is_told, "{error}");
    }
    assert!(are_looks(&server), "{:?}", server.actions());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_belongs_to_nobody_is_not_touched() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::error(404, "DBInstanceNotFound"),
        _ => Reply::error(404, "DBClusterNotFoundFault"),
    });
    for (operation, result) in touch_all(&server.door(Limits::default())).await {
        let error = result.expect_err(operation);
        assert_eq!(error.class, Class::NotFound, "{operation}");
    }
    assert!(are_looks(&server), "{:?}", server.actions());
}

#[tokio::test(start_paused = true)]
async fn the_right_one_is_looked_at_immediately_before_it_is_touched() {
    // A Multi-AZ cluster, because Aurora's have no reboot of their own.
    let members = "<Engine>postgres</Engine>";
    let server = Server::new(move |request| {
        let instances = instance("orders", ORDERS, "available");
        let clusters = cluster_with("orders", ORDERS_CLUSTER, "available", members);
        match request.action.as_str() {
            "DescribeDBInstances" => Reply::instances(&[instances]),
            "DescribeDBClusters" => Reply::clusters(&[clusters]),
            action @ "CreateDBSnapshot" => {
                Reply::result(action, snapshot("nightly", "orders", ORDERS, MADE_AT))
            }
            action @ "CreateDBClusterSnapshot" => {
                Reply::result(action, cluster_snapshot("nightly", "orders", MADE_AT))
            }
            action if action.contains("Cluster") => Reply::result(action, clusters),
            action => Reply::result(action, instances),
        }
    });
    let touches = touch_all(&server.door(Limits::default())).await;
    let mut actions = server.actions().into_iter();
    for (operation, result) in touches {
        result.unwrap_or_else(|error| panic!("{operation}: {error}"));
        let look = actions.next().expect("it was looked at");
        assert!(look.starts_with("DescribeDB"), "{look} before {operation}");
        assert_eq!(actions.next().as_deref(), Some(operation));
    }
    assert_eq!(actions.next(), None);
}

#[tokio::test(start_paused = true)]
async fn the_members_of_aurora_are_rebooted_one_by_one() {
    let server =
        Server::new(|_| Reply::clusters(&[cluster("orders", ORDERS_CLUSTER, "available")]));
    let rds = server.door(Limits::default());
    let error = rds.reboot(&orders_cluster()).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert_eq!(server.actions(), ["DescribeDBClusters"]);
}

async fn seen_snapshot(source: &'static str, made_at: &'static str) -> (Server, Snapshot) {
    let list = |source, made_at| {
        let snapshots = snapshot("nightly", "orders", source, made_at);
        Reply::result(
            "DescribeDBSnapshots",
            format!("<DBSnapshots>{snapshots}</DBSnapshots>"),
        )
    };
    let first = Server::new(move |_| list(ORDERS, MADE_AT));
    let id = "nightly".parse().unwrap();
    let seen = first
        .door(Limits::default())
        .snapshot(Kind::Instance, &id)
        .await
        .unwrap()
        .expect("it is there");
    let later = Server::new(move |request| match request.action.as_str() {
        "DescribeDBSnapshots" => list(source, made_at),
        action => Reply::result(action, ""),
    });
    (later, seen)
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_was_made_anew_under_the_same_name_stays() {
    for (source, made_at) in [(ORDERS, "2026-03-02T02:00:00Z"), ("db-OTHER", MADE_AT)] {
        let (server, seen) = seen_snapshot(source, made_at).await;
        let rds = server.door(Limits::default());
        for result in [
            rds.delete_snapshot(&seen).await,
            rds.add_snapshot_tags(&seen, &tags()).await,
        ] {
            assert_eq!(result.unwrap_err().class, Class::IdentityMismatch);
        }
        assert_eq!(
            server.actions(),
            ["DescribeDBSnapshots", "DescribeDBSnapshots"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_that_was_seen_is_deleted() {
    let (server, seen) = seen_snapshot(ORDERS, MADE_AT).await;
    server
        .door(Limits::default())
        .delete_snapshot(&seen)
        .await
        .unwrap();
    assert_eq!(
        server.actions(),
        ["DescribeDBSnapshots", "DeleteDBSnapshot"]
    );
    assert_eq!(server.last().get("DBSnapshotIdentifier"), "nightly");
}
