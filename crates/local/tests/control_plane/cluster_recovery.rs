//! Goal: a control plane that dies at any moment of any operation on a cluster is taken up where it was, and nothing is
//! left over. Method: each step of a cluster's life is followed by a crash after so many seconds, which lie before,
//! within and after each of its phases.

use std::time::Duration;

use crate::support::{Processes, available, cluster_available};

/// Longer than any operation.
const LONG: Duration = Duration::from_secs(3600);

async fn settled(processes: &Processes, cluster: &str) {
    let cluster = cluster_available(&processes.rds, cluster).await;
    for member in cluster.db_cluster_members() {
        available(&processes.rds, member.db_instance_identifier().unwrap()).await;
    }
}

fn row(processes: &Processes, at: &str) -> Option<String> {
    processes.plane.simulated_client(at).get("row").unwrap()
}

fn put(processes: &Processes, at: &str, value: &str) {
    processes
        .plane
        .simulated_client(at)
        .put("row", value)
        .unwrap();
}

async fn member(processes: &mut Processes, cluster: &str, member: &str) {
    let create = processes
        .rds
        .create_db_instance()
        .db_instance_identifier(member)
        .db_cluster_identifier(cluster)
        .db_instance_class("db.r6g.large")
        .engine("aurora-postgresql");
    create.send().await.unwrap();
    processes.crash().await;
    settled(processes, cluster).await;
}

async fn a_life_survives(crash_after: Duration) {
    let mut processes = Processes::start(crash_after).await;
    let create = processes
        .rds
        .create_db_cluster()
        .db_cluster_identifier("orders");
    let create = create.engine("aurora-postgresql").master_username("app");
    create
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    settled(&processes, "orders").await;
    member(&mut processes, "orders", "one").await;
    put(&processes, "orders", "good");
    member(&mut processes, "orders", "two").await;
    member(&mut processes, "orders", "three").await;
    assert_eq!(row(&processes, "two").as_deref(), Some("good"));

    let snapshot = processes.rds.create_db_cluster_snapshot();
    let snapshot = snapshot
        .db_cluster_identifier("orders")
        .db_cluster_snapshot_identifier("s");
    snapshot.send().await.unwrap();
    processes.crash().await;
    settled(&processes, "orders").await;
    put(&processes, "orders", "bad");
    let fail_over = processes
        .rds
        .failover_db_cluster()
        .db_cluster_identifier("orders");
    fail_over
        .target_db_instance_identifier("two")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    settled(&processes, "orders").await;
    put(&processes, "two", "worse");
    for reader in ["one", "three"] {
        assert_eq!(
            row(&processes, reader).as_deref(),
            Some("worse"),
            "after {crash_after:?}"
        );
    }

    let restore = processes.rds.restore_db_cluster_from_snapshot();
    let restore = restore
        .db_cluster_identifier("new")
        .snapshot_identifier("s");
    restore.engine("aurora-postgresql").send().await.unwrap();
    processes.crash().await;
    settled(&processes, "new").await;
    member(&mut processes, "new", "new-one").await;
    for (from, to) in [("orders", "aside"), ("new", "orders")] {
        let rename = processes
            .rds
            .modify_db_cluster()
            .db_cluster_identifier(from);
        let rename = rename.new_db_cluster_identifier(to).apply_immediately(true);
        rename.send().await.unwrap();
        processes.crash().await;
        settled(&processes, to).await;
    }
    assert_eq!(row(&processes, "orders").as_deref(), Some("good"));

    processes
        .rds
        .stop_db_cluster()
        .db_cluster_identifier("aside")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    tokio::time::sleep(LONG).await;
    assert_eq!(processes.servers.running(), 1, "after {crash_after:?}");
    processes
        .rds
        .start_db_cluster()
        .db_cluster_identifier("aside")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    settled(&processes, "aside").await;
    // The writer goes first, so that another one has to take over.
    for member in ["two", "one", "three"] {
        let delete = processes
            .rds
            .delete_db_instance()
            .db_instance_identifier(member);
        delete.send().await.unwrap();
        processes.crash().await;
        tokio::time::sleep(LONG).await;
    }
    let delete = processes
        .rds
        .delete_db_cluster()
        .db_cluster_identifier("aside");
    delete
        .final_db_snapshot_identifier("final")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    tokio::time::sleep(LONG).await;

    let clusters = processes.rds.describe_db_clusters().send().await.unwrap();
    assert_eq!(clusters.db_clusters().len(), 1);
    let instances = processes.rds.describe_db_instances().send().await.unwrap();
    assert_eq!(instances.db_instances().len(), 1);
    let left = processes.servers.directories();
    assert_eq!(
        left.len(),
        5,
        "one volume, two snapshots, the base and the log of backups after {crash_after:?}: {left:?}"
    );
    assert_eq!(processes.servers.running(), 1);
    let restore = processes.rds.restore_db_cluster_from_snapshot();
    let restore = restore
        .db_cluster_identifier("again")
        .snapshot_identifier("final");
    restore.engine("aurora-postgresql").send().await.unwrap();
    settled(&processes, "again").await;
    member(&mut processes, "again", "again-one").await;
    assert_eq!(row(&processes, "again").as_deref(), Some("worse"));
}

#[tokio::test(start_paused = true)]
async fn every_step_of_a_cluster_survives_a_crash() {
    for seconds in [0, 4, 16, 31, 61, 305] {
        a_life_survives(Duration::from_secs(seconds)).await;
    }
}
