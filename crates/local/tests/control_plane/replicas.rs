//! Read replicas, through the AWS SDK.

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::DbInstance;
use trapheus_local::{ClientError, Effect, Fault};

use crate::support::{
    Processes, available, code, create, local, local_with_aws_durations, snapshot,
};

async fn replicate(rds: &Client, source: &str, replica: &str) -> DbInstance {
    let replicate = rds
        .create_db_instance_read_replica()
        .source_db_instance_identifier(source)
        .db_instance_identifier(replica);
    replicate.send().await.unwrap();
    available(rds, replica).await
}

async fn delete(rds: &Client, identifier: &str) {
    let delete = rds
        .delete_db_instance()
        .db_instance_identifier(identifier)
        .skip_final_snapshot(true);
    delete.send().await.unwrap();
    while rds
        .describe_db_instances()
        .db_instance_identifier(identifier)
        .send()
        .await
        .is_ok()
    {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Goal: a replica has what its source has, and takes nothing else; it stays with its source through a rename.
#[tokio::test(start_paused = true)]
async fn a_replica_follows_its_source() {
    let (plane, rds) = local().await;
    create(&rds, "orders").await;
    let (orders, reader) = (
        plane.simulated_client("orders"),
        plane.simulated_client("reader"),
    );
    orders.put("row", "1").unwrap();
    let replica = replicate(&rds, "orders", "reader").await;
    assert_eq!(reader.get("row").unwrap().as_deref(), Some("1"));
    orders.put("row", "2").unwrap();
    assert_eq!(reader.get("row").unwrap().as_deref(), Some("2"));
    let refused = reader.put("row", "3").unwrap_err();
    assert!(matches!(refused, ClientError::ReadOnly { .. }));

    assert_eq!(
        replica.read_replica_source_db_instance_identifier(),
        Some("orders")
    );
    let status = &replica.status_infos()[0];
    assert_eq!(status.status(), Some("replicating"));
    assert_eq!(status.normal(), Some(true));
    let source = available(&rds, "orders").await;
    assert_eq!(source.read_replica_db_instance_identifiers(), ["reader"]);

    let rename = rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .new_db_instance_identifier("aside");
    rename.apply_immediately(true).send().await.unwrap();
    available(&rds, "aside").await;
    let replica = available(&rds, "reader").await;
    assert_eq!(
        replica.read_replica_source_db_instance_identifier(),
        Some("aside")
    );
    plane.simulated_client("aside").put("row", "4").unwrap();
    assert_eq!(reader.get("row").unwrap().as_deref(), Some("4"));

    // A replica has no backups of its own, and what is restored from its snapshot is no replica.
    assert_eq!(replica.backup_retention_period(), Some(0));
    snapshot(&rds, "reader", "of-reader").await;
    let restore = rds
        .restore_db_instance_from_db_snapshot()
        .db_snapshot_identifier("of-reader");
    restore
        .db_instance_identifier("restored")
        .send()
        .await
        .unwrap();
    let restored = available(&rds, "restored").await;
    assert_eq!(restored.read_replica_source_db_instance_identifier(), None);
    plane.simulated_client("restored").put("row", "5").unwrap();
}

/// Goal: a replica becomes an instance of its own by promotion, and by the deletion of its source.
#[tokio::test(start_paused = true)]
async fn replicas_are_set_free() {
    let (plane, rds) = local_with_aws_durations().await;
    create(&rds, "orders").await;
    plane.simulated_client("orders").put("row", "1").unwrap();
    replicate(&rds, "orders", "one").await;
    replicate(&rds, "orders", "two").await;

    let promote = rds.promote_read_replica().db_instance_identifier("one");
    let promoted = promote.backup_retention_period(3).send().await.unwrap();
    let status = promoted.db_instance().unwrap().db_instance_status();
    assert_eq!(status, Some("modifying"));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let one = available(&rds, "one").await;
    assert_eq!(one.read_replica_source_db_instance_identifier(), None);
    assert_eq!(one.backup_retention_period(), Some(3));
    assert!(one.status_infos().is_empty());
    plane.simulated_client("one").put("row", "of one").unwrap();
    let orders = available(&rds, "orders").await;
    assert_eq!(orders.read_replica_db_instance_identifiers(), ["two"]);
    let again = rds.promote_read_replica().db_instance_identifier("one");
    assert_eq!(code(again.send().await), "InvalidDBInstanceState");

    plane.simulated_client("orders").put("row", "last").unwrap();
    delete(&rds, "orders").await;
    let two = available(&rds, "two").await;
    assert_eq!(two.read_replica_source_db_instance_identifier(), None);
    let client = plane.simulated_client("two");
    assert_eq!(client.get("row").unwrap().as_deref(), Some("last"));
    client.put("row", "of two").unwrap();
}

/// Goal: a source that can't have replicas, and what a replica or its source can't do, is refused with RDS's code.
#[tokio::test(start_paused = true)]
async fn what_replication_forbids_is_refused() {
    let (_plane, rds) = local().await;
    create(&rds, "orders").await;
    let modify = |identifier: &str| {
        rds.modify_db_instance()
            .db_instance_identifier(identifier)
            .apply_immediately(true)
    };
    let replicate_orders = || {
        rds.create_db_instance_read_replica()
            .source_db_instance_identifier("orders")
            .db_instance_identifier("reader")
    };
    modify("orders")
        .backup_retention_period(0)
        .send()
        .await
        .unwrap();
    available(&rds, "orders").await;
    assert_eq!(
        code(replicate_orders().send().await),
        "InvalidDBInstanceState"
    );
    modify("orders")
        .backup_retention_period(1)
        .manage_master_user_password(true)
        .send()
        .await
        .unwrap();
    available(&rds, "orders").await;
    assert_eq!(
        code(replicate_orders().send().await),
        "InvalidDBInstanceState"
    );
    modify("orders")
        .manage_master_user_password(false)
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    available(&rds, "orders").await;
    replicate(&rds, "orders", "reader").await;
    assert_eq!(
        code(replicate_orders().send().await),
        "DBInstanceAlreadyExists"
    );

    for identifier in ["orders", "reader"] {
        let stop = rds.stop_db_instance().db_instance_identifier(identifier);
        assert_eq!(code(stop.send().await), "InvalidDBInstanceState");
    }
    let delete = rds
        .delete_db_instance()
        .db_instance_identifier("reader")
        .final_db_snapshot_identifier("last");
    assert_eq!(code(delete.send().await), "InvalidParameterCombination");
    let of_nothing = rds
        .create_db_instance_read_replica()
        .source_db_instance_identifier("nothing")
        .db_instance_identifier("other");
    assert_eq!(code(of_nothing.send().await), "DBInstanceNotFound");
}

/// Goal: a replica takes over from its source what RDS says it does, and what the request says.
#[tokio::test(start_paused = true)]
async fn a_replica_has_the_settings_of_its_source_or_its_own() {
    let (_plane, rds) = local().await;
    create(&rds, "orders").await;
    let group = rds
        .create_db_parameter_group()
        .db_parameter_group_name("tuned")
        .db_parameter_group_family("postgres17");
    group.description("of the test").send().await.unwrap();
    let modify = rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .db_parameter_group_name("tuned");
    modify
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .db_port_number(6000)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    available(&rds, "orders").await;
    let plain = replicate(&rds, "orders", "plain").await;
    assert_eq!(
        plain.db_parameter_groups()[0].db_parameter_group_name(),
        Some("tuned")
    );
    assert_eq!(plain.endpoint().unwrap().port(), Some(6000));
    assert_eq!(plain.db_instance_class(), Some("db.t3.micro"));
    assert_eq!(plain.deletion_protection(), Some(false));
    assert_eq!(plain.copy_tags_to_snapshot(), Some(false));

    let replicate = rds
        .create_db_instance_read_replica()
        .source_db_instance_identifier("orders")
        .db_instance_identifier("own");
    replicate
        .db_instance_class("db.r6g.large")
        .port(7000)
        .deletion_protection(true)
        .max_allocated_storage(100)
        .send()
        .await
        .unwrap();
    let own = available(&rds, "own").await;
    assert_eq!(own.endpoint().unwrap().port(), Some(7000));
    assert_eq!(own.db_instance_class(), Some("db.r6g.large"));
    assert_eq!(own.deletion_protection(), Some(true));
    assert_eq!(own.max_allocated_storage(), Some(100));
}

/// Goal: a replica whose making fails says so, and can be deleted; so can one whose source goes meanwhile.
#[tokio::test(start_paused = true)]
async fn a_replica_that_fails_can_be_deleted() {
    let (plane, rds) = local_with_aws_durations().await;
    create(&rds, "orders").await;
    plane.arm(Fault {
        action: "CreateDBInstanceReadReplica".to_owned(),
        when: [("DBInstanceIdentifier".to_owned(), "one".to_owned())].into(),
        times: None,
        skip: 0,
        effect: Effect::EndsIn("incompatible-network".to_owned()),
    });
    for (replica, deletes_source) in [("one", false), ("two", true)] {
        let replicate = rds
            .create_db_instance_read_replica()
            .source_db_instance_identifier("orders")
            .db_instance_identifier(replica);
        replicate.send().await.unwrap();
        if deletes_source {
            delete(&rds, "orders").await;
        }
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let found = rds.describe_db_instances().send().await.unwrap();
    let shown: Vec<_> = found
        .db_instances()
        .iter()
        .map(|one| {
            (
                one.db_instance_identifier().unwrap(),
                one.db_instance_status().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [("one", "incompatible-network"), ("two", "failed")]);
    delete(&rds, "one").await;
    delete(&rds, "two").await;
}

/// Goal: the making, the promotion and the setting free of replicas survive a crash at any moment.
#[tokio::test(start_paused = true)]
async fn replication_survives_crashes() {
    for seconds in [0, 10, 181, 400] {
        let mut processes = Processes::start(Duration::from_secs(seconds)).await;
        create(&processes.rds, "orders").await;
        for replica in ["one", "two"] {
            let replicate = processes
                .rds
                .create_db_instance_read_replica()
                .source_db_instance_identifier("orders")
                .db_instance_identifier(replica);
            replicate.send().await.unwrap();
            processes.crash().await;
            available(&processes.rds, replica).await;
        }
        let put =
            |name: &str, value: &str| processes.plane.simulated_client(name).put("row", value);
        put("orders", "1").unwrap();
        let promote = processes
            .rds
            .promote_read_replica()
            .db_instance_identifier("one");
        promote.send().await.unwrap();
        processes.crash().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        available(&processes.rds, "one").await;
        let delete = processes
            .rds
            .delete_db_instance()
            .db_instance_identifier("orders")
            .skip_final_snapshot(true);
        delete.send().await.unwrap();
        processes.crash().await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        for replica in ["one", "two"] {
            let client = processes.plane.simulated_client(replica);
            assert_eq!(client.get("row").unwrap().as_deref(), Some("1"));
            client.put("row", replica).unwrap();
        }
        assert_eq!(processes.servers.running(), 2);
    }
}
