//! Goal: whatever touches a database or a snapshot is sent only to the one that was meant.
//! Method: the name is given to another one, and nothing but looks may reach the server.

use crate::server::{ORDERS, Reply, Server, instance, orders, snapshot};
use trapheus_rds::{
    AutomatedBackups, Class, Error, FinalSnapshot, Kind, Limits, Rds, Settings, Snapshot, Tags,
};

const MADE_AT: &str = "2026-03-01T02:00:00Z";

fn tags() -> Tags {
    Tags::from([("trapheus:role".to_owned(), "original".to_owned())])
}

/// Tries everything that touches an existing instance.
async fn touch_all(rds: &Rds) -> Vec<Result<(), Error>> {
    let of = orders();
    let snapshot = "nightly".parse().unwrap();
    vec![
        rds.create_snapshot(&of, &snapshot, &tags())
            .await
            .map(|_| ()),
        rds.modify(&of, &Settings::new()).await.map(|_| ()),
        rds.rename(&of, &"orders-temp".parse().unwrap())
            .await
            .map(|_| ()),
        rds.reboot(&of).await.map(|_| ()),
        rds.delete(&of, &FinalSnapshot::Skip, AutomatedBackups::Keep)
            .await
            .map(|_| ()),
        rds.add_tags(&of, &tags()).await,
        rds.remove_tags(&of, &["trapheus:role"]).await,
    ]
}

#[tokio::test(start_paused = true)]
async fn a_name_that_belongs_to_another_database_is_not_touched() {
    let server =
        Server::new(|_| Reply::instances(&[instance("orders", "db-SOMEBODYELSE", "available")]));
    let results = touch_all(&server.door(Limits::default())).await;
    assert_eq!(results.len(), 7);
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(error.class, Class::IdentityMismatch);
        let both = format!("orders was {ORDERS}, but now it is db-SOMEBODYELSE");
        assert!(error.message.contains(&both), "{error}");
    }
    assert_eq!(server.actions(), vec!["DescribeDBInstances"; 7]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_belongs_to_nobody_is_not_touched() {
    let server = Server::new(|_| Reply::error(404, "DBInstanceNotFound"));
    for result in touch_all(&server.door(Limits::default())).await {
        assert_eq!(result.unwrap_err().class, Class::NotFound);
    }
    assert_eq!(server.actions(), vec!["DescribeDBInstances"; 7]);
}

#[tokio::test(start_paused = true)]
async fn the_right_one_is_looked_at_immediately_before_it_is_touched() {
    let server = Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
        "CreateDBSnapshot" => Reply::result(
            "CreateDBSnapshot",
            snapshot("nightly", "orders", ORDERS, MADE_AT),
        ),
        action => Reply::result(action, instance("orders", ORDERS, "modifying")),
    });
    for result in touch_all(&server.door(Limits::default())).await {
        result.unwrap();
    }
    let touches = [
        "CreateDBSnapshot",
        "ModifyDBInstance",
        "ModifyDBInstance",
        "RebootDBInstance",
        "DeleteDBInstance",
        "AddTagsToResource",
        "RemoveTagsFromResource",
    ];
    let expected: Vec<&str> = touches
        .into_iter()
        .flat_map(|touch| ["DescribeDBInstances", touch])
        .collect();
    assert_eq!(server.actions(), expected);
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
