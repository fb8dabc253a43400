//! Restores of clusters that go well.

use serde_json::json;

use crate::stage::{STRATEGIES, damaged, input};

#[tokio::test(start_paused = true)]
async fn every_endpoint_serves_the_snapshot_again() {
    for strategy in STRATEGIES {
        let stage = damaged().await;
        let run = stage.simulation.run(input(strategy)).await;
        assert_eq!(
            run.summary.exit_code(),
            0,
            "{strategy}: {:?}",
            run.summary.error
        );
        stage.assert_restored(strategy).await;
        let fidelity = run.summary.fidelity.expect("it has compared");
        assert_eq!(fidelity.lost, []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refreshed_cluster_has_the_rows_of_its_new_snapshot() {
    let stage = damaged().await;
    let run = stage
        .simulation
        .run(json!({"identifier": "orders", "task": "create_snapshot"}))
        .await;
    assert_eq!(run.summary.exit_code(), 0, "{:?}", run.summary.error);
    stage.assert_answers("damaged", "refreshed");
    let world = stage.simulation.world().await;
    assert_eq!(world.names(), ["orders-1", "orders-2", "orders-3"]);
    let made = run
        .summary
        .snapshot_identifier
        .expect("it has made one")
        .to_string();
    let manual = world
        .snapshots
        .keys()
        .filter(|name| !name.starts_with("rds:"));
    assert_eq!(manual.collect::<Vec<_>>(), [&made]);
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_can_be_swapped_back() {
    let stage = damaged().await;
    let keep = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let restore = stage.simulation.run_until_kept(keep).await;
    stage.assert_answers("good", "kept");
    let back = stage.simulation.rollback_input(&restore, "orders");
    let rollback = stage.simulation.run(back).await;
    assert_eq!(
        rollback.summary.exit_code(),
        5,
        "{:?}",
        rollback.summary.error
    );
    let [left_over] = &rollback.summary.left_over[..] else {
        panic!("{:?}", rollback.summary.error)
    };
    let mut world = stage.simulation.world().await;
    let kept = world
        .clusters
        .keys()
        .find(|name| name.contains("rolled-back"));
    let kept = kept.expect("what has answered is kept").clone();
    assert!(left_over.contains(&kept), "{left_over}");
    let members = world.clusters.remove(&kept).expect("it is there").members;
    world
        .databases
        .retain(|name, _| !members.contains_key(name));
    assert_eq!(world, stage.before, "as it was, tags included");
    stage.assert_answers("damaged", "swapped back");
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_goes_when_its_time_is_over() {
    let stage = damaged().await;
    let keep = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let run = stage.simulation.run(keep).await;
    assert_eq!(run.summary.exit_code(), 0, "{:?}", run.summary.error);
    stage.assert_restored("after its time").await;
}

#[tokio::test(start_paused = true)]
async fn a_restored_cluster_is_restored_again() {
    let stage = damaged().await;
    for strategy in ["swap", "in_place", "swap"] {
        let run = stage.simulation.run(input(strategy)).await;
        assert_eq!(
            run.summary.exit_code(),
            0,
            "{strategy}: {:?}",
            run.summary.error
        );
        stage.assert_restored(strategy).await;
    }
}

#[tokio::test(start_paused = true)]
async fn kinds_that_are_confused_are_refused_in_plan() {
    let stage = damaged().await;
    for (input, words) in [
        (
            json!({"identifier": "orders", "task": "db_restore", "isCluster": false}),
            "cluster",
        ),
        (
            json!({"identifier": "orders-2", "task": "db_restore"}),
            "orders",
        ),
        (
            json!({"identifier": "orders-2", "task": "db_restore", "isCluster": true}),
            "orders-2",
        ),
    ] {
        let run = stage.simulation.run(input.clone()).await;
        assert_eq!(
            run.summary.exit_code(),
            2,
            "{input}: {:?}",
            run.summary.error
        );
        let message = run.summary.error.expect("it says why").message;
        assert!(message.contains(words), "{input}: {message}");
        stage.assert_as_before(&input.to_string()).await;
    }
}
