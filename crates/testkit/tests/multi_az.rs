//! Restores of Multi-AZ DB clusters, whose members are made, renamed and deleted with them.

use std::time::Duration;

use serde_json::{Value, json};
use trapheus_testkit::{Moment, Simulation, World};

const STRATEGIES: [&str; 2] = ["swap", "in_place"];
const MEMBERS: [&str; 3] = [
    "orders-instance-1",
    "orders-instance-2",
    "orders-instance-3",
];

/// The identity of each cluster by its name.
async fn clusters(simulation: &Simulation) -> Vec<(String, String, bool)> {
    let clusters = simulation.client().describe_db_clusters().send().await;
    let clusters = clusters.expect("local RDS answers");
    let clusters = clusters.db_clusters().iter().map(|cluster| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (
            text(cluster.db_cluster_identifier()),
            text(cluster.db_cluster_resource_id()),
            cluster.status() == Some("available"),
        )
    });
    clusters.collect()
}

async fn wait_until_available(simulation: &Simulation) {
    while !clusters(simulation).await.iter().all(|(_, _, is)| *is) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for member in MEMBERS {
        simulation.wait_until_available(member).await;
    }
}

fn writer(simulation: &Simulation) -> &'static str {
    let is_writer = |member: &&&str| simulation.client_of(member).put("probe", "1").is_ok();
    MEMBERS.iter().find(is_writer).expect("there is a writer")
}

/// A cluster whose data was damaged after its snapshot.
async fn damaged() -> (Simulation, World) {
    let simulation = Simulation::new(1).await;
    let create = simulation.client().create_db_cluster();
    let create = create
        .db_cluster_identifier("orders")
        .engine("postgres")
        .db_cluster_instance_class("db.r6gd.large")
        .allocated_storage(100)
        .storage_type("io1")
        .iops(1000)
        .master_username("app")
        .master_user_password("secret-1234")
        .backup_retention_period(7)
        .deletion_protection(true);
    create.send().await.expect("it can be created");
    wait_until_available(&simulation).await;
    simulation.put(writer(&simulation), "state", "good");
    let snapshot = simulation.client().create_db_cluster_snapshot();
    let snapshot = snapshot
        .db_cluster_identifier("orders")
        .db_cluster_snapshot_identifier("orders-snapshot");
    snapshot.send().await.expect("it can be snapshotted");
    tokio::time::sleep(Duration::from_secs(60)).await;
    wait_until_available(&simulation).await;
    simulation.put(writer(&simulation), "state", "damaged");
    let world = simulation.world().await;
    (simulation, world)
}

fn input(strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "strategy": strategy})
}

fn assert_answers(simulation: &Simulation, state: &str, at: &str) {
    for member in MEMBERS {
        let found = simulation.get(member, "state");
        assert_eq!(found.as_deref(), Some(state), "{at}: {member}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_members_come_and_go_with_the_cluster() {
    for strategy in STRATEGIES {
        let (simulation, before) = damaged().await;
        let original = clusters(&simulation).await;
        let run = simulation.run(input(strategy)).await;
        assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
        assert_eq!(run.summary.fidelity.expect("it has compared").lost, []);
        let restored = clusters(&simulation).await;
        assert_eq!(restored.len(), 1, "{restored:?}");
        assert_eq!(restored[0].0, "orders");
        assert_ne!(restored[0].1, original[0].1, "it is another cluster");
        let world = simulation.world().await;
        assert_eq!(world.names(), MEMBERS);
        for member in MEMBERS {
            assert_ne!(world.resource_id(member), before.resource_id(member));
        }
        assert_answers(&simulation, "good", strategy);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_step_fails_the_original_answers_again() {
    for strategy in STRATEGIES {
        for step in ["Restore", "Configure", "Verify", "MoveAside"] {
            for moment in [Moment::Before, Moment::After] {
                let at = format!("{strategy}, {moment:?} {step}");
                let (simulation, before) = damaged().await;
                let original = clusters(&simulation).await;
                let task = format!("${{{step}}}");
                let run = simulation.run_failing(input(strategy), &task, moment).await;
                let run = run.expect("the step is taken");
                assert_eq!(run.summary.exit_code(), 1, "{at}: {:#?}", run.summary);
                assert_eq!(run.summary.left_over, [""; 0], "{at}");
                assert_eq!(clusters(&simulation).await, original, "{at}");
                assert_eq!(simulation.world().await, before, "{at}");
                assert_answers(&simulation, "damaged", &at);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_gives_way_and_leaves_a_final_snapshot() {
    for (becomes, left) in [("delete", 1), ("release", 2)] {
        let (simulation, _) = damaged().await;
        let mut keep = input("swap");
        keep["keepOriginal"] = json!("24h");
        simulation.run_until_kept(keep).await;
        let mut again = input("swap");
        again["keptOriginal"] = json!(becomes);
        again["finalSnapshot"] = json!("orders-last");
        let run = simulation.run(again).await;
        assert_eq!(run.summary.exit_code(), 0, "{becomes}: {:#?}", run.summary);
        assert_answers(&simulation, "good", becomes);
        assert_eq!(clusters(&simulation).await.len(), left, "{becomes}");
        let snapshots = simulation.client().describe_db_cluster_snapshots();
        let found = snapshots
            .db_cluster_snapshot_identifier("orders-last")
            .send();
        assert_eq!(
            found
                .await
                .expect("it was made")
                .db_cluster_snapshots()
                .len(),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_as_target_is_refused() {
    let (simulation, before) = damaged().await;
    let run = simulation
        .run(json!({"identifier": "orders-instance-2", "task": "create_snapshot"}))
        .await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.expect("it says why").message;
    assert!(message.contains("\"identifier\": \"orders\""), "{message}");
    assert_eq!(simulation.world().await, before);
}
