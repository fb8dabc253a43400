//! The control plane in memory, through the AWS SDK: what simulations rely on.

use crate::support::{available, code, create, local, snapshot};
use aws_sdk_rds::types::Filter;
use trapheus_local::{Effect, Fault};

/// Goal: the swap of a restored database for its original, as a restore does it, with the data following the names.
#[tokio::test(start_paused = true)]
async fn a_restored_instance_takes_the_place_of_its_original() {
    let (plane, rds) = local().await;
    create(&rds, "orders").await;
    let client = plane.simulated_client("orders");
    client.put("row", "good").unwrap();
    snapshot(&rds, "orders", "orders-snapshot").await;
    client.put("row", "bad").unwrap();

    let restore = rds.restore_db_instance_from_db_snapshot();
    restore
        .db_instance_identifier("orders-new")
        .db_snapshot_identifier("orders-snapshot")
        .send()
        .await
        .unwrap();
    let restored = available(&rds, "orders-new").await;
    let original = available(&rds, "orders").await;
    for (from, to) in [("orders", "orders-temp"), ("orders-new", "orders")] {
        let modify = rds
            .modify_db_instance()
            .db_instance_identifier(from)
            .new_db_instance_identifier(to);
        modify.apply_immediately(true).send().await.unwrap();
        available(&rds, to).await;
    }
    assert_eq!(client.get("row").unwrap().as_deref(), Some("good"));
    assert_eq!(client.writes().unwrap(), 1);
    let now = available(&rds, "orders").await;
    assert_eq!(now.dbi_resource_id(), restored.dbi_resource_id());
    assert_eq!(
        now.endpoint().unwrap().address(),
        original.endpoint().unwrap().address()
    );

    let delete = rds
        .delete_db_instance()
        .db_instance_identifier("orders-temp")
        .skip_final_snapshot(true);
    delete.send().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let gone = rds
        .describe_db_instances()
        .db_instance_identifier("orders-temp")
        .send()
        .await;
    assert_eq!(code(gone), "DBInstanceNotFound");
    assert_eq!(plane.simulated_client("orders-temp").writes().ok(), None);
}

/// Goal: what a restore request doesn't mention is lost where RDS loses it, and kept where RDS keeps it.
#[tokio::test(start_paused = true)]
async fn a_restore_loses_what_it_does_not_mention() {
    let (_, rds) = local().await;
    let create = rds
        .create_db_instance()
        .db_instance_identifier("orders")
        .engine("postgres");
    let create = create
        .db_instance_class("db.r6g.large")
        .master_username("app")
        .master_user_password("secret-1234");
    let create = create
        .allocated_storage(100)
        .storage_type("gp2")
        .max_allocated_storage(500)
        .port(5433);
    let create = create
        .deletion_protection(true)
        .backup_retention_period(7)
        .copy_tags_to_snapshot(true);
    let create = create.preferred_maintenance_window("sun:03:00-sun:03:30");
    create.send().await.unwrap();
    available(&rds, "orders").await;
    snapshot(&rds, "orders", "s").await;
    let restore = rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("copy");
    restore.db_snapshot_identifier("s").send().await.unwrap();
    let copy = available(&rds, "copy").await;
    assert_eq!(copy.db_instance_class(), Some("db.r6g.large"));
    assert_eq!(copy.allocated_storage(), Some(100));
    assert_eq!(copy.endpoint().unwrap().port(), Some(5433));
    assert_eq!(copy.backup_retention_period(), Some(7));
    assert_eq!(copy.master_username(), Some("app"));
    assert_eq!(copy.storage_type(), Some("gp3"));
    assert_eq!(copy.max_allocated_storage(), None);
    assert_eq!(copy.deletion_protection(), Some(false));
    assert_eq!(copy.copy_tags_to_snapshot(), Some(false));
    assert_ne!(
        copy.preferred_maintenance_window(),
        Some("sun:03:00-sun:03:30")
    );
}

/// Goal: with AWS's durations a rename goes through all the stages that a client may meet.
#[tokio::test(start_paused = true)]
async fn a_rename_passes_through_its_stages() {
    let (plane, rds) = crate::support::local_with_aws_durations().await;
    create(&rds, "orders").await;
    let resource_id = available(&rds, "orders")
        .await
        .dbi_resource_id()
        .unwrap()
        .to_owned();
    let modify = rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .new_db_instance_identifier("aside");
    modify.apply_immediately(true).send().await.unwrap();

    let mut stages: Vec<String> = Vec::new();
    for _ in 0..200 {
        let found = |name: &str| {
            rds.describe_db_instances()
                .db_instance_identifier(name)
                .send()
        };
        let (old, new) = (found("orders").await.is_ok(), found("aside").await.is_ok());
        let filter = Filter::builder()
            .name("dbi-resource-id")
            .values(&resource_id)
            .build();
        let by_resource = rds
            .describe_db_instances()
            .filters(filter)
            .send()
            .await
            .unwrap();
        let instance = &by_resource.db_instances()[0];
        let answers = plane.simulated_client("orders").get("x").is_ok()
            || plane.simulated_client("aside").get("x").is_ok();
        let stage = format!(
            "old {old}, new {new}, {}, endpoint {}, answers {answers}",
            instance.db_instance_status().unwrap(),
            instance.endpoint().is_some()
        );
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(
        stages,
        [
            "old true, new false, available, endpoint true, answers true",
            "old false, new false, renaming, endpoint false, answers false",
            "old false, new true, renaming, endpoint false, answers false",
            "old false, new true, available, endpoint true, answers true",
        ]
    );
}

/// Goal: faults that are asked for happen, as often as asked for.
#[tokio::test(start_paused = true)]
async fn faults_happen_on_request() {
    let (plane, rds) = local().await;
    create(&rds, "orders").await;
    let fault = |action: &str, effect: Effect| Fault {
        action: action.into(),
        when: Default::default(),
        times: Some(1),
        skip: 0,
        effect,
    };
    plane.arm(fault("DescribeDBInstances", Effect::Throttle));
    assert_eq!(code(rds.describe_db_instances().send().await), "Throttling");
    assert!(rds.describe_db_instances().send().await.is_ok());

    plane.arm(fault("CreateDBSnapshot", Effect::LostAnswer));
    let lost = rds
        .create_db_snapshot()
        .db_instance_identifier("orders")
        .db_snapshot_identifier("s")
        .send()
        .await;
    assert!(lost.is_err());
    available(&rds, "orders").await;
    assert_eq!(
        rds.describe_db_snapshots()
            .send()
            .await
            .unwrap()
            .db_snapshots()
            .len(),
        1
    );

    plane.arm(fault(
        "RestoreDBInstanceFromDBSnapshot",
        Effect::EndsIn("incompatible-restore".into()),
    ));
    let restore = rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("copy");
    restore.db_snapshot_identifier("s").send().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let found = rds
        .describe_db_instances()
        .db_instance_identifier("copy")
        .send()
        .await
        .unwrap();
    assert_eq!(
        found.db_instances()[0].db_instance_status(),
        Some("incompatible-restore")
    );

    plane.arm(fault("ModifyDBInstance", Effect::ModifyFails));
    let modify = rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .db_instance_class("db.r6g.large");
    modify.apply_immediately(true).send().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(
        available(&rds, "orders").await.db_instance_class(),
        Some("db.t3.micro")
    );
    let events = rds.describe_events().send().await.unwrap();
    assert!(events.events().iter().any(|event| {
        event
            .message()
            .unwrap()
            .starts_with("Unable to modify database instance")
    }));
}
