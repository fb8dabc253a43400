//! Goal: a control plane that dies at any moment of any operation is taken up where it was: every operation ends as
//! without the crash, and nothing is left over. Method: each step of a restore is followed by a crash after so many
//! seconds, which lie before, within and after each of its phases.

use std::time::Duration;

use crate::support::{Processes, available};

impl Processes {
    async fn rename(&mut self, from: &str, to: &str) {
        let modify = self.rds.modify_db_instance().db_instance_identifier(from);
        let modify = modify
            .new_db_instance_identifier(to)
            .apply_immediately(true);
        modify.send().await.unwrap();
        self.crash().await;
        available(&self.rds, to).await;
        let old = self
            .rds
            .describe_db_instances()
            .db_instance_identifier(from)
            .send()
            .await;
        assert!(old.is_err(), "{from} is still there after a rename");
    }
}

async fn a_restore_survives(crash_after: Duration) {
    let mut processes = Processes::start(crash_after).await;
    let create = processes
        .rds
        .create_db_instance()
        .db_instance_identifier("orders");
    let create = create
        .engine("postgres")
        .db_instance_class("db.t3.micro")
        .allocated_storage(20);
    create
        .master_username("app")
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    available(&processes.rds, "orders").await;
    processes
        .plane
        .simulated_client("orders")
        .put("row", "good")
        .unwrap();

    let snapshot = processes
        .rds
        .create_db_snapshot()
        .db_instance_identifier("orders");
    snapshot.db_snapshot_identifier("s").send().await.unwrap();
    processes.crash().await;
    available(&processes.rds, "orders").await;
    processes
        .plane
        .simulated_client("orders")
        .put("row", "bad")
        .unwrap();

    let copy = processes
        .rds
        .copy_db_snapshot()
        .source_db_snapshot_identifier("s");
    copy.target_db_snapshot_identifier("copy")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    let restore = processes.rds.restore_db_instance_from_db_snapshot();
    let restore = restore
        .db_instance_identifier("new")
        .db_snapshot_identifier("s");
    restore.send().await.unwrap();
    processes.crash().await;
    available(&processes.rds, "new").await;
    processes.rename("orders", "aside").await;
    processes.rename("new", "orders").await;
    assert_eq!(
        processes
            .plane
            .simulated_client("orders")
            .get("row")
            .unwrap()
            .as_deref(),
        Some("good")
    );

    let reboot = processes
        .rds
        .reboot_db_instance()
        .db_instance_identifier("orders");
    reboot.send().await.unwrap();
    processes.crash().await;
    available(&processes.rds, "orders").await;
    let delete = processes
        .rds
        .delete_db_instance()
        .db_instance_identifier("aside");
    delete
        .final_db_snapshot_identifier("final")
        .send()
        .await
        .unwrap();
    processes.crash().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let delete = processes
        .rds
        .delete_db_snapshot()
        .db_snapshot_identifier("copy");
    delete.send().await.unwrap();
    processes.crash().await;
    tokio::time::sleep(Duration::from_secs(60)).await;

    let instances = processes.rds.describe_db_instances().send().await.unwrap();
    assert_eq!(
        instances.db_instances().len(),
        1,
        "after crashes {crash_after:?} into each step"
    );
    let snapshots = processes.rds.describe_db_snapshots().send().await.unwrap();
    let statuses: Vec<_> = snapshots
        .db_snapshots()
        .iter()
        .map(|one| (one.db_snapshot_identifier().unwrap(), one.status().unwrap()))
        .collect();
    assert_eq!(statuses, [("final", "available"), ("s", "available")]);
    assert_eq!(
        processes.servers.directories().len(),
        5,
        "one server, two snapshots, and the base and the log of the automated backups"
    );
    assert_eq!(processes.servers.running(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_step_of_a_restore_survives_a_crash() {
    for seconds in [0, 4, 6, 16, 61, 181, 305] {
        a_restore_survives(Duration::from_secs(seconds)).await;
    }
}
