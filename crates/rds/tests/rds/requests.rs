//! Goal: requests say what was asked, and answers are read whole. Method: a scripted server.

use jiff::Timestamp;
use trapheus_rds::{
    AutomatedBackups, Database, DbIdentifier, FinalSnapshot, Kind, Limits, Rds, Restore,
    RestoreFrom, SnapshotKind, SnapshotStatus, StatusClass, Tags,
};

use crate::server::{ORDERS, Reply, Server, instance, instance_with, orders, snapshot};

const MADE_AT: &str = "2026-03-01T02:00:00.250Z";

fn any_instance() -> Server {
    Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
        "CreateDBSnapshot" => {
            Reply::result("CreateDBSnapshot", snapshot("n", "orders", ORDERS, MADE_AT))
        }
        action => Reply::result(action, instance("orders", ORDERS, "modifying")),
    })
}

fn tags() -> Tags {
    Tags::from([("trapheus:role".to_owned(), "restored".to_owned())])
}

fn temp() -> DbIdentifier {
    "orders-temp".parse().unwrap()
}

/// Looks at an instance that has further members.
async fn seen(status: &'static str, members: &'static str) -> Database {
    let server =
        Server::new(move |_| Reply::instances(&[instance_with("orders", ORDERS, status, members)]));
    let instance = server
        .door(Limits::default())
        .instance(&orders().name)
        .await
        .unwrap();
    instance.expect("it is there")
}

#[tokio::test(start_paused = true)]
async fn a_rename_happens_now_and_never_onto_itself() {
    let server = any_instance();
    let rds = server.door(Limits::default());
    rds.rename(&orders(), &temp()).await.unwrap();
    insta::assert_debug_snapshot!(server.last().parameters, @r#"
    {
        "ApplyImmediately": "true",
        "DBInstanceIdentifier": "orders",
        "NewDBInstanceIdentifier": "orders-temp",
    }
    "#);
    rds.rename(&orders(), &orders().name).await.unwrap_err();
    assert_eq!(
        server.requests().len(),
        2,
        "the second rename reached the server"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restore_names_itself_its_snapshot_and_all_its_tags() {
    let server = any_instance();
    let request = Restore {
        kind: Kind::Instance,
        identifier: "orders-trapheus-new".parse().unwrap(),
        from: RestoreFrom::Snapshot("rds:orders-2026-03-01-02-00".parse().unwrap()),
        settings: [("Port".parse().unwrap(), 5433.into())].into(),
        tags: tags(),
    };
    server
        .door(Limits::default())
        .restore(&request)
        .await
        .unwrap();
    insta::assert_debug_snapshot!(server.last().parameters, @r#"
    {
        "DBInstanceIdentifier": "orders-trapheus-new",
        "DBSnapshotIdentifier": "rds:orders-2026-03-01-02-00",
        "Port": "5433",
        "Tags.Tag.1.Key": "trapheus:role",
        "Tags.Tag.1.Value": "restored",
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_says_what_stays() {
    let server = any_instance();
    let rds = server.door(Limits::default());
    rds.delete(&orders(), &FinalSnapshot::Skip, AutomatedBackups::Keep)
        .await
        .unwrap();
    assert_eq!(server.last().get("SkipFinalSnapshot"), "true");
    assert_eq!(server.last().get("DeleteAutomatedBackups"), "false");
    let last = FinalSnapshot::Create("orders-final".parse().unwrap());
    rds.delete(&orders(), &last, AutomatedBackups::Delete)
        .await
        .unwrap();
    assert_eq!(server.last().get("SkipFinalSnapshot"), "false");
    assert_eq!(server.last().get("DeleteAutomatedBackups"), "true");
    assert_eq!(
        server.last().get("FinalDBSnapshotIdentifier"),
        "orders-final"
    );
}

#[tokio::test(start_paused = true)]
async fn tags_go_to_the_resource_that_was_identified() {
    let server = any_instance();
    let rds = server.door(Limits::default());
    rds.add_tags(&orders(), &tags()).await.unwrap();
    assert_eq!(
        server.last().get("ResourceName"),
        "arn:aws:rds:eu-west-1:123456789012:db:orders"
    );
    assert_eq!(server.last().get("Tags.Tag.1.Key"), "trapheus:role");
    rds.remove_tags(&orders(), &["trapheus:role"])
        .await
        .unwrap();
    assert_eq!(server.last().list("TagKeys"), ["trapheus:role"]);
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_read_to_the_last_page() {
    let server = Server::new(|request| {
        let first: usize = request.get("Marker").parse().unwrap_or(0);
        let list: String = (first..first + 2)
            .map(|n| snapshot(&format!("nightly-{n}"), "orders", ORDERS, MADE_AT))
            .collect();
        let marker = if first < 4 {
            format!("<Marker>{}</Marker>", first + 2)
        } else {
            String::new()
        };
        Reply::result(
            "DescribeDBSnapshots",
            format!("<DBSnapshots>{list}</DBSnapshots>{marker}"),
        )
    });
    let rds = server.door(Limits::default());
    let snapshots = rds
        .snapshots_of(Kind::Instance, &orders().name)
        .await
        .unwrap();
    assert_eq!(snapshots.len(), 6);
    assert_eq!(server.requests().len(), 3);
    let first = &snapshots[0];
    assert_eq!(
        (first.id.as_str(), &first.status),
        ("nightly-0", &SnapshotStatus::Available)
    );
    assert_eq!(
        (&first.kind, &first.source),
        (&SnapshotKind::Manual, &orders().name)
    );
    assert_eq!(
        first.created_at,
        Some(MADE_AT.parse::<Timestamp>().unwrap())
    );
    assert_eq!(first.settings["EngineVersion"], "17.4");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_none_and_no_error() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::error(404, "DBInstanceNotFound"),
        "DescribeDBSnapshots" => Reply::error(404, "DBSnapshotNotFound"),
        "DescribeDBClusters" => Reply::error(404, "DBClusterNotFoundFault"),
        "DescribeDBParameterGroups" => Reply::error(404, "DBParameterGroupNotFound"),
        "DescribeOptionGroups" => Reply::error(404, "OptionGroupNotFoundFault"),
        "DescribeDBSubnetGroups" => Reply::error(404, "DBSubnetGroupNotFoundFault"),
        action => panic!("{action} was not expected"),
    });
    let rds = server.door(Limits::default());
    assert_eq!(rds.instance(&orders().name).await.unwrap(), None);
    assert_eq!(
        rds.snapshot(Kind::Instance, &"nightly".parse().unwrap())
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        rds.snapshots_of(Kind::Instance, &orders().name)
            .await
            .unwrap(),
        []
    );
    assert_eq!(rds.cluster(&orders().name).await.unwrap(), None);
    assert!(!rds.parameter_group_exists("tuned").await.unwrap());
    assert!(!rds.option_group_exists("options").await.unwrap());
    assert!(!rds.subnet_group_exists("private").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_page_without_it_means_that_it_is_not_there() {
    let server = Server::new(|request| Reply::result(&request.action, ""));
    let rds = server.door(Limits::default());
    assert_eq!(rds.cluster(&orders().name).await.unwrap(), None);
    assert!(!rds.parameter_group_exists("tuned").await.unwrap());
    assert!(!rds.option_group_exists("options").await.unwrap());
    assert!(!rds.subnet_group_exists("private").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn surroundings_are_read() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBEngineVersions" if request.get("EngineVersion") == "17.4" => {
            let version = "<DBEngineVersion><Engine>postgres</Engine></DBEngineVersion>";
            let list = format!("<DBEngineVersions>{version}</DBEngineVersions>");
            Reply::result("DescribeDBEngineVersions", list)
        }
        "DescribeDBEngineVersions" => Reply::result("DescribeDBEngineVersions", ""),
        "DescribeDBParameterGroups" => {
            let group = "<DBParameterGroup><DBParameterGroupName>tuned</DBParameterGroupName>\
                         </DBParameterGroup>";
            let list = format!("<DBParameterGroups>{group}</DBParameterGroups>");
            Reply::result("DescribeDBParameterGroups", list)
        }
        "DescribeAccountAttributes" => {
            let quota = "<AccountQuota><AccountQuotaName>DBInstances</AccountQuotaName>\
                         <Used>38</Used><Max>40</Max></AccountQuota>";
            let list = format!("<AccountQuotas>{quota}</AccountQuotas>");
            Reply::result("DescribeAccountAttributes", list)
        }
        action => panic!("{action} was not expected"),
    });
    let rds = server.door(Limits::default());
    assert!(
        rds.engine_version_is_offered("postgres", "17.4")
            .await
            .unwrap()
    );
    assert!(
        !rds.engine_version_is_offered("postgres", "9.6")
            .await
            .unwrap()
    );
    assert!(rds.parameter_group_exists("tuned").await.unwrap());
    let quotas = rds.quotas().await.unwrap();
    assert_eq!(
        (quotas[0].name.as_str(), quotas[0].left()),
        ("DBInstances", 2)
    );
    assert_eq!(rds.region(), Some("eu-west-1"));
}

#[tokio::test(start_paused = true)]
async fn events_come_oldest_first_and_from_the_instant_asked_for() {
    let server = Server::new(|_| {
        let event = |at, message| {
            format!(
                "<Event><Message>{message}</Message><Date>{at}</Date><EventCategories>\
                 <EventCategory>failure</EventCategory></EventCategories></Event>"
            )
        };
        let list = [
            event("2026-03-01T02:05:00Z", "later"),
            event("2026-03-01T02:01:00Z", "first"),
        ];
        Reply::result(
            "DescribeEvents",
            format!("<Events>{}</Events>", list.concat()),
        )
    });
    let rds = server.door(Limits::default());
    let events = rds
        .events(Kind::Instance, &orders().name, MADE_AT.parse().unwrap())
        .await
        .unwrap();
    let messages: Vec<&str> = events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(messages, ["first", "later"]);
    assert_eq!(events[0].categories, ["failure"]);
    assert_eq!(server.last().get("StartTime"), "2026-03-01T02:00:00Z");
    assert_eq!(server.last().get("SourceType"), "db-instance");
}

#[tokio::test(start_paused = true)]
async fn available_is_not_settled_yet() {
    assert_eq!(seen("available", "").await.unsettled(), None);
    let reasons = [
        seen("renaming", "").await,
        seen("available", "<PendingModifiedValues><MultiAZ>true</MultiAZ></PendingModifiedValues>").await,
        seen(
            "available",
            "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>tuned</DBParameterGroupName>\
             <ParameterApplyStatus>applying</ParameterApplyStatus></DBParameterGroup></DBParameterGroups>",
        )
        .await,
        seen(
            "available",
            "<MasterUserSecret><SecretArn>arn</SecretArn><SecretStatus>creating</SecretStatus></MasterUserSecret>",
        )
        .await,
    ]
    .map(|instance| instance.unsettled().expect("something is to be done"));
    insta::assert_debug_snapshot!(reasons, @r#"
    [
        "orders is renaming",
        "orders has pending changes: MultiAZ",
        "parameter group tuned of orders is applying",
        "the master secret of orders is being created",
    ]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_pending_reboot_is_settled_and_asks_for_a_reboot() {
    let instance = seen(
        "available",
        "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>tuned</DBParameterGroupName>\
         <ParameterApplyStatus>pending-reboot</ParameterApplyStatus></DBParameterGroup></DBParameterGroups>",
    )
    .await;
    assert_eq!(
        (instance.unsettled(), instance.needs_reboot()),
        (None, true)
    );
    assert_eq!(instance.status.class(), StatusClass::Steady);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_identity_is_no_instance() {
    let server = Server::new(|_| {
        let nameless =
            "<DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier></DBInstance>";
        Reply::instances(&[nameless.to_owned()])
    });
    let rds: Rds = server.door(Limits::default());
    let error = rds.instance(&orders().name).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "DescribeDBInstances: the answer has no usable DbiResourceId"
    );
}
