//! Clusters in memory, through the AWS SDK: what simulations of their restores rely on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbCluster, Filter};
use trapheus_local::{ClientError, ControlPlane, SimulatedClient};

use crate::support::{available, cluster_available, code, create_cluster, create_member, local};

/// A client of an endpoint as the API shows it.
fn client_at(plane: &Arc<ControlPlane>, address: Option<&str>) -> SimulatedClient {
    let address: IpAddr = address.unwrap().parse().unwrap();
    plane.simulated_client_at(address)
}

fn is_read_only(result: Result<(), ClientError>) -> bool {
    matches!(result, Err(ClientError::ReadOnly { .. }))
}

/// The members, the writer first.
fn members(cluster: &DbCluster) -> Vec<&str> {
    let mut members: Vec<_> = cluster.db_cluster_members().iter().collect();
    members.sort_by_key(|member| member.is_cluster_writer() != Some(true));
    let names = members
        .into_iter()
        .map(|member| member.db_instance_identifier());
    names.map(Option::unwrap).collect()
}

async fn three_members(rds: &Client, cluster: &str) {
    create_cluster(rds, cluster).await;
    for number in 1..=3 {
        create_member(rds, cluster, &format!("{cluster}-{number}")).await;
    }
}

/// Goal: the writer takes writes, readers have them, and every endpoint leads where it should.
#[tokio::test(start_paused = true)]
async fn a_cluster_serves_at_each_of_its_endpoints() {
    let (plane, rds) = local().await;
    three_members(&rds, "orders").await;
    let cluster = cluster_available(&rds, "orders").await;
    assert_eq!(members(&cluster), ["orders-1", "orders-2", "orders-3"]);
    assert_eq!(cluster.multi_az(), Some(true));
    let writer = client_at(&plane, cluster.endpoint());
    writer.put("row", "good").unwrap();
    assert_eq!(
        writer.resource_id(),
        plane.simulated_client("orders-1").resource_id()
    );

    let reader = client_at(&plane, cluster.reader_endpoint());
    let mut answering = std::collections::BTreeSet::new();
    for _ in 0..6 {
        answering.insert(reader.resource_id().unwrap());
    }
    assert_eq!(
        answering.len(),
        2,
        "the reader endpoint is balanced over the readers"
    );
    assert_eq!(reader.get("row").unwrap().as_deref(), Some("good"));
    assert!(is_read_only(reader.put("row", "bad")));
    let member = available(&rds, "orders-2").await;
    assert_eq!(member.db_cluster_identifier(), Some("orders"));
    assert_eq!(member.master_username(), Some("app"));
    assert_eq!(member.endpoint().unwrap().port(), cluster.port());
    let at_member = client_at(&plane, member.endpoint().unwrap().address());
    assert_eq!(at_member.get("row").unwrap().as_deref(), Some("good"));
    assert!(is_read_only(at_member.put("row", "bad")));

    let of_cluster = Filter::builder().name("db-cluster-id").values("orders");
    let found = rds
        .describe_db_instances()
        .filters(of_cluster.build())
        .send()
        .await
        .unwrap();
    assert_eq!(found.db_instances().len(), 3);
}

/// Goal: another member becomes the writer, with everything that was written, and the old one follows it.
#[tokio::test(start_paused = true)]
async fn a_fail_over_changes_the_writer() {
    let (plane, rds) = local().await;
    three_members(&rds, "orders").await;
    let client = plane.simulated_client("orders");
    client.put("row", "before").unwrap();
    let fail_over = rds.failover_db_cluster().db_cluster_identifier("orders");
    fail_over
        .target_db_instance_identifier("orders-3")
        .send()
        .await
        .unwrap();
    let cluster = cluster_available(&rds, "orders").await;
    assert_eq!(members(&cluster)[0], "orders-3");
    assert_eq!(client.get("row").unwrap().as_deref(), Some("before"));
    client.put("row", "after").unwrap();
    for member in ["orders-1", "orders-2"] {
        let member = plane.simulated_client(member);
        assert_eq!(member.get("row").unwrap().as_deref(), Some("after"));
        assert!(is_read_only(member.put("row", "bad")));
    }
    let unknown = rds.failover_db_cluster().db_cluster_identifier("orders");
    let unknown = unknown.target_db_instance_identifier("orders-3").send();
    assert_eq!(code(unknown.await), "InvalidDBInstanceState");
}

/// Goal: when the writer is deleted a reader takes over, the one of the best tier; the data outlives the last member.
#[tokio::test(start_paused = true)]
async fn the_data_outlives_its_members() {
    let (plane, rds) = local().await;
    three_members(&rds, "orders").await;
    let modify = rds.modify_db_instance().db_instance_identifier("orders-3");
    modify.promotion_tier(0).send().await.unwrap();
    available(&rds, "orders-3").await;
    plane.simulated_client("orders").put("row", "good").unwrap();
    for (deleted, next) in [
        ("orders-1", Some("orders-3")),
        ("orders-3", Some("orders-2")),
        ("orders-2", None),
    ] {
        let refused = rds.delete_db_cluster().db_cluster_identifier("orders");
        let refused = refused.skip_final_snapshot(true).send().await;
        assert_eq!(code(refused), "InvalidDBClusterStateFault");
        let delete = rds.delete_db_instance().db_instance_identifier(deleted);
        delete.send().await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let cluster = cluster_available(&rds, "orders").await;
        assert_eq!(members(&cluster).first().copied(), next);
    }
    assert!(plane.simulated_client("orders").get("row").is_err());
    create_member(&rds, "orders", "orders-9").await;
    let client = plane.simulated_client("orders");
    assert_eq!(client.get("row").unwrap().as_deref(), Some("good"));
    client.put("row", "better").unwrap();
}

/// Goal: members that go at the same time don't stand in each other's way.
#[tokio::test(start_paused = true)]
async fn members_may_go_together() {
    let (plane, rds) = crate::support::local_with_aws_durations().await;
    three_members(&rds, "orders").await;
    plane.simulated_client("orders").put("row", "good").unwrap();
    for member in ["orders-2", "orders-1"] {
        let delete = rds.delete_db_instance().db_instance_identifier(member);
        delete.send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = rds
        .delete_db_instance()
        .db_instance_identifier("orders-3")
        .send();
    assert_eq!(code(refused.await), "InvalidDBClusterStateFault");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let cluster = cluster_available(&rds, "orders").await;
    assert_eq!(members(&cluster), ["orders-3"]);
    plane
        .simulated_client("orders")
        .put("row", "better")
        .unwrap();
    let delete = rds.delete_db_instance().db_instance_identifier("orders-3");
    delete.send().await.unwrap();
    // The last member is on its way, so the cluster may go, too.
    let delete = rds
        .delete_db_cluster()
        .db_cluster_identifier("orders")
        .skip_final_snapshot(true);
    delete.send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let clusters = rds.describe_db_clusters().send().await.unwrap();
    assert_eq!(clusters.db_clusters().len(), 0);
}

/// Goal: a cluster that gets another name keeps its members, their names and their clients.
#[tokio::test(start_paused = true)]
async fn a_rename_leaves_members_alone() {
    let (plane, rds) = crate::support::local_with_aws_durations().await;
    create_cluster(&rds, "orders").await;
    create_member(&rds, "orders", "orders-1").await;
    let before = cluster_available(&rds, "orders").await;
    let rename = rds
        .modify_db_cluster()
        .db_cluster_identifier("orders")
        .new_db_cluster_identifier("aside")
        .apply_immediately(true);
    rename.send().await.unwrap();
    let by_member = plane.simulated_client("orders-1");
    let refused = rds.modify_db_instance().db_instance_identifier("orders-1");
    let refused = refused.promotion_tier(3).send().await;
    assert_eq!(code(refused), "InvalidDBClusterStateFault");

    let mut stages: Vec<String> = Vec::new();
    for _ in 0..150 {
        let filter = Filter::builder()
            .name("db-cluster-resource-id")
            .values(before.db_cluster_resource_id().unwrap());
        let found = rds
            .describe_db_clusters()
            .filters(filter.build())
            .send()
            .await
            .unwrap();
        let named = |name: &str| {
            rds.describe_db_clusters()
                .db_cluster_identifier(name)
                .send()
        };
        let (old, new) = (named("orders").await.is_ok(), named("aside").await.is_ok());
        by_member.put("row", "good").unwrap();
        let stage = format!(
            "old {old}, new {new}, {}, endpoint {}",
            found.db_clusters()[0].status().unwrap(),
            found.db_clusters()[0].endpoint().is_some()
        );
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(
        stages,
        [
            "old true, new false, available, endpoint true",
            "old false, new false, renaming, endpoint false",
            "old false, new true, renaming, endpoint false",
            "old false, new true, available, endpoint true",
        ]
    );
    let after = cluster_available(&rds, "aside").await;
    assert_eq!(members(&after), ["orders-1"]);
    assert_ne!(after.endpoint(), before.endpoint());
    let client = client_at(&plane, after.endpoint());
    assert_eq!(client.get("row").unwrap().as_deref(), Some("good"));
    assert!(client_at(&plane, before.endpoint()).get("row").is_err());
}

/// Goal: a restored cluster has the data and little else, and no members.
#[tokio::test(start_paused = true)]
async fn a_restore_brings_the_data_and_little_else() {
    let (plane, rds) = local().await;
    create_cluster(&rds, "orders").await;
    create_member(&rds, "orders", "orders-1").await;
    let modify = rds
        .modify_db_cluster()
        .db_cluster_identifier("orders")
        .backup_retention_period(7)
        .port(5433)
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .preferred_backup_window("03:00-03:30")
        .apply_immediately(true);
    modify.send().await.unwrap();
    cluster_available(&rds, "orders").await;
    assert_eq!(
        available(&rds, "orders-1").await.endpoint().unwrap().port(),
        Some(5433)
    );
    let client = plane.simulated_client("orders");
    client.put("row", "good").unwrap();
    let snapshot = rds
        .create_db_cluster_snapshot()
        .db_cluster_identifier("orders")
        .db_cluster_snapshot_identifier("s");
    snapshot.send().await.unwrap();
    cluster_available(&rds, "orders").await;
    client.put("row", "bad").unwrap();

    let restore = rds
        .restore_db_cluster_from_snapshot()
        .db_cluster_identifier("copy")
        .snapshot_identifier("s")
        .engine("aurora-postgresql");
    let restored = restore.send().await.unwrap();
    assert_eq!(restored.db_cluster().unwrap().status(), Some("migrating"));
    let copy = cluster_available(&rds, "copy").await;
    assert_eq!(copy.db_cluster_members().len(), 0);
    assert_eq!(copy.backup_retention_period(), Some(7));
    assert_eq!(copy.port(), Some(5433));
    assert_eq!(copy.master_username(), Some("app"));
    assert_eq!(copy.deletion_protection(), Some(false));
    assert_eq!(copy.copy_tags_to_snapshot(), Some(false));
    assert_ne!(copy.preferred_backup_window(), Some("03:00-03:30"));
    create_member(&rds, "copy", "copy-1").await;
    let restored = plane.simulated_client("copy");
    assert_eq!(restored.get("row").unwrap().as_deref(), Some("good"));
    restored.put("row", "better").unwrap();
    assert_eq!(client.get("row").unwrap().as_deref(), Some("bad"));
}

/// Goal: what a member has from its cluster can't be set on the member.
#[tokio::test(start_paused = true)]
async fn a_member_has_most_from_its_cluster() {
    let (_, rds) = local().await;
    create_cluster(&rds, "orders").await;
    let member = || {
        rds.create_db_instance()
            .db_instance_identifier("orders-1")
            .db_cluster_identifier("orders")
            .db_instance_class("db.r6g.large")
            .engine("aurora-postgresql")
    };
    let combination = "InvalidParameterCombination";
    assert_eq!(
        code(member().engine_version("16.8").send().await),
        combination
    );
    assert_eq!(code(member().port(5433).send().await), combination);
    assert_eq!(
        code(member().allocated_storage(20).send().await),
        combination
    );
    assert_eq!(
        code(member().master_user_password("secret-1234").send().await),
        combination
    );
    assert_eq!(
        code(member().deletion_protection(true).send().await),
        combination
    );
    let nowhere = member().db_cluster_identifier("nowhere").send().await;
    assert_eq!(code(nowhere), "DBClusterNotFoundFault");
    member().promotion_tier(2).send().await.unwrap();
    available(&rds, "orders-1").await;
    let modify = rds.modify_db_instance().db_instance_identifier("orders-1");
    let refused = modify.backup_retention_period(9).send().await;
    assert_eq!(code(refused), combination);
    let stop = rds.stop_db_instance().db_instance_identifier("orders-1");
    assert_eq!(code(stop.send().await), "InvalidDBClusterStateFault");
    let exists = rds
        .create_db_cluster()
        .db_cluster_identifier("orders")
        .engine("aurora-postgresql")
        .master_username("app")
        .master_user_password("secret-1234");
    assert_eq!(code(exists.send().await), "DBClusterAlreadyExistsFault");
}
