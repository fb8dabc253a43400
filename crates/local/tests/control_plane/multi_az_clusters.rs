//! Multi-AZ DB clusters, whose members come, go and are renamed with them.

use std::time::Duration;

use aws_sdk_rds::Client;

use crate::support::{available, cluster_available, code, create, local};

async fn create_multi_az(rds: &Client, identifier: &str) {
    let create = rds
        .create_db_cluster()
        .db_cluster_identifier(identifier)
        .engine("postgres")
        .db_cluster_instance_class("db.r6gd.large")
        .storage_type("io1")
        .iops(1000)
        .allocated_storage(100)
        .master_username("app")
        .master_user_password("secret-1234");
    create.send().await.unwrap();
    cluster_available(rds, identifier).await;
}

async fn instances(rds: &Client) -> Vec<String> {
    let found = rds.describe_db_instances().send().await.unwrap();
    let names = found
        .db_instances()
        .iter()
        .map(|one| one.db_instance_identifier().unwrap().to_owned());
    names.collect()
}

#[tokio::test(start_paused = true)]
async fn members_live_with_their_cluster() {
    let (plane, rds) = local().await;
    create_multi_az(&rds, "orders").await;
    let of_orders = [
        "orders-instance-1",
        "orders-instance-2",
        "orders-instance-3",
    ];
    assert_eq!(instances(&rds).await, of_orders);
    let member = available(&rds, "orders-instance-2").await;
    assert_eq!(member.db_instance_class(), Some("db.r6gd.large"));
    assert_eq!(member.storage_type(), Some("io1"));
    let client = plane.simulated_client("orders");
    client.put("row", "good").unwrap();
    let delete = rds
        .delete_db_instance()
        .db_instance_identifier("orders-instance-2");
    assert_eq!(code(delete.send().await), "InvalidDBClusterStateFault");
    let modify = rds
        .modify_db_instance()
        .db_instance_identifier("orders-instance-2");
    let refused = modify.promotion_tier(3).send().await;
    assert_eq!(code(refused), "InvalidDBClusterStateFault");

    rds.failover_db_cluster()
        .db_cluster_identifier("orders")
        .send()
        .await
        .unwrap();
    cluster_available(&rds, "orders").await;
    rds.reboot_db_cluster()
        .db_cluster_identifier("orders")
        .send()
        .await
        .unwrap();
    cluster_available(&rds, "orders").await;
    client.put("row", "better").unwrap();

    create(&rds, "aside-instance-3").await;
    let rename = || {
        rds.modify_db_cluster()
            .db_cluster_identifier("orders")
            .new_db_cluster_identifier("aside")
            .apply_immediately(true)
            .send()
    };
    assert_eq!(code(rename().await), "DBInstanceAlreadyExists");
    let delete = rds
        .delete_db_instance()
        .db_instance_identifier("aside-instance-3");
    delete.skip_final_snapshot(true).send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    rename().await.unwrap();
    cluster_available(&rds, "aside").await;
    let of_aside = ["aside-instance-1", "aside-instance-2", "aside-instance-3"];
    assert_eq!(instances(&rds).await, of_aside);
    let renamed = plane.simulated_client("aside-instance-1");
    assert_eq!(renamed.get("row").unwrap().as_deref(), Some("better"));

    let delete = rds.delete_db_cluster().db_cluster_identifier("aside");
    let delete = delete.final_db_snapshot_identifier("final");
    delete.send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(instances(&rds).await, [""; 0]);

    let restore = rds
        .restore_db_cluster_from_snapshot()
        .db_cluster_identifier("orders")
        .snapshot_identifier("final")
        .engine("postgres")
        .db_cluster_instance_class("db.r6gd.large")
        .iops(1000);
    restore.send().await.unwrap();
    cluster_available(&rds, "orders").await;
    assert_eq!(instances(&rds).await, of_orders);
    assert_eq!(client.get("row").unwrap().as_deref(), Some("better"));
    let single = rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("single")
        .db_cluster_snapshot_identifier("final");
    single.send().await.unwrap();
    assert_eq!(
        available(&rds, "single").await.allocated_storage(),
        Some(100)
    );
    let single = plane.simulated_client("single");
    assert_eq!(single.get("row").unwrap().as_deref(), Some("better"));
}
