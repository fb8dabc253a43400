//! Whole restores that go well, in virtual time: both strategies, all tasks, a kept original.
//!
//! Method: local RDS with simulated servers holds one row per database, which tells whose data
//! answers at a name; the end is asserted on what RDS holds, not on what the tool says alone.

use serde_json::json;
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Calls, Run, Simulation};

/// A database whose data was damaged after its snapshot.
async fn damaged() -> Simulation {
    let simulation = Simulation::new(1).await;
    damage(&simulation).await;
    simulation
}

async fn damage(simulation: &Simulation) {
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
}

fn assert_succeeded(run: &Run) {
    assert_eq!(
        run.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        run.summary
    );
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
}

#[tokio::test(start_paused = true)]
async fn the_snapshots_data_answers_at_the_name_with_the_configuration_as_it_was() {
    for strategy in ["swap", "in_place"] {
        let simulation = damaged().await;
        let before = simulation.world().await;
        let run = simulation
            .run(json!({"identifier": "orders", "task": "db_restore", "strategy": strategy}))
            .await;
        assert_succeeded(&run);
        assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
        let after = simulation.world().await;
        assert_eq!(after.names(), ["orders"]);
        assert_ne!(after.resource_id("orders"), before.resource_id("orders"));
        let (before, after) = (&before.databases["orders"], &after.databases["orders"]);
        assert_eq!(after.deletion_protection, before.deletion_protection);
        assert_eq!(
            after.max_allocated_storage_gib,
            before.max_allocated_storage_gib
        );
        assert_eq!(after.tags["team"], "shop");
        let fidelity = run.summary.fidelity.unwrap();
        assert_eq!(fidelity.lost, []);
        assert_eq!(
            fidelity.kept + fidelity.not_restorable.len(),
            fidelity.compared
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_snapshot_is_made_first_and_older_ones_go_after() {
    let simulation = damaged().await;
    simulation.put("orders", "state", "now");
    let run = simulation
        .run(json!({"identifier": "orders", "task": "create_snapshot"}))
        .await;
    assert_succeeded(&run);
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("now"));
    let world = simulation.world().await;
    let made = run.summary.snapshot_identifier.unwrap().to_string();
    assert!(made.starts_with("orders-snapshot-2026"), "{made}");
    let manual: Vec<&String> = world
        .snapshots
        .keys()
        .filter(|id| !id.starts_with("rds:"))
        .collect();
    assert_eq!(
        manual,
        [&made],
        "the one that it replaces was of the same database"
    );
}

/// An execution that is resumed late finds a newer snapshot, which another one has made meanwhile.
#[tokio::test(start_paused = true)]
async fn a_newer_snapshot_is_not_replaced_by_an_older_one() {
    let simulation = damaged().await;
    let input = json!({"identifier": "orders", "task": "create_snapshot_only"});
    let mut made = Vec::new();
    for _ in 0..2 {
        let stopped = simulation.stop_in_call(input.clone(), 1, Calls::Changes);
        let run = stopped.await.expect("a snapshot is a change");
        simulation.wait_until_available("orders").await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        made.push(run);
    }
    let late = simulation.resume(&made[0].id).await;
    assert_succeeded(&late);
    let newer = made[1].summary.snapshot_identifier.as_ref().unwrap();
    let world = simulation.world().await;
    assert!(
        world.snapshots.contains_key(&newer.to_string()),
        "{world:#?}"
    );
}

/// Whoever made a snapshot for a purpose of their own finds it there.
#[tokio::test(start_paused = true)]
async fn snapshots_that_somebody_else_made_stay() {
    let simulation = damaged().await;
    simulation
        .create_snapshot("orders", "before-the-audit")
        .await;
    for task in ["create_snapshot", "create_snapshot_only"] {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let input = json!({"identifier": "orders", "task": task});
        assert_succeeded(&simulation.run(input).await);
        let world = simulation.world().await;
        assert_eq!(world.snapshots["before-the-audit"], "available", "{task}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_alone_is_waited_for_and_named_as_ever() {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation.create_database("orders").await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "create_snapshot_only"}))
        .await;
    assert_succeeded(&run);
    let world = simulation.world().await;
    assert_eq!(world.snapshots["orders-snapshot"], "available");
    assert_eq!(world.names(), ["orders"]);
}

#[tokio::test(start_paused = true)]
async fn several_snapshots_are_kept_where_they_are_asked_for() {
    let simulation = damaged().await;
    let input = json!({"identifier": "orders", "task": "create_snapshot_only", "keepSnapshots": 2});
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert_succeeded(&simulation.run(input.clone()).await);
    }
    let world = simulation.world().await;
    assert_eq!(
        world
            .snapshots
            .keys()
            .filter(|id| !id.starts_with("rds:"))
            .count(),
        2
    );
}

/// After each restore the database has another identity; what trapheus made of the name goes all
/// the same, and what only has the fixed name and is of another database stays.
#[tokio::test(start_paused = true)]
async fn a_refresh_every_week_piles_no_snapshots_up() {
    let simulation = damaged().await;
    let restore = json!({"identifier": "orders", "task": "db_restore"});
    assert_succeeded(&simulation.run(restore).await);
    let mut made = String::new();
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_secs(7 * 86_400)).await;
        let refresh = json!({"identifier": "orders", "task": "create_snapshot"});
        let run = simulation.run(refresh).await;
        assert_succeeded(&run);
        made = run.summary.snapshot_identifier.unwrap().to_string();
    }
    let world = simulation.world().await;
    let manual = world.snapshots.keys().filter(|id| !id.starts_with("rds:"));
    assert_eq!(manual.collect::<Vec<_>>(), ["orders-snapshot", &made]);
}

#[tokio::test(start_paused = true)]
async fn staging_is_refreshed_from_production() {
    let simulation = damaged().await;
    simulation.create_database("staging").await;
    let input =
        json!({"identifier": "staging", "sourceIdentifier": "orders", "task": "db_restore"});
    assert_succeeded(&simulation.run(input).await);
    assert_eq!(simulation.get("staging", "state").as_deref(), Some("good"));
    assert_eq!(
        simulation.get("orders", "state").as_deref(),
        Some("damaged")
    );
    assert_eq!(simulation.world().await.names(), ["orders", "staging"]);
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_can_be_swapped_back_and_what_was_written_since_stays() {
    let simulation = damaged().await;
    let before = simulation.world().await;
    let input = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let restore = simulation.run_until_kept(input).await;
    assert_eq!(restore.summary.status, SummaryStatus::KeepingOriginal);
    simulation.put("orders", "written", "since");
    let rollback = simulation
        .run(simulation.rollback_input(&restore, "orders"))
        .await;
    assert_eq!(
        rollback.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        rollback.summary
    );
    assert_eq!(
        simulation.get("orders", "state").as_deref(),
        Some("damaged")
    );
    let after = simulation.world().await;
    assert_eq!(
        after.databases["orders"], before.databases["orders"],
        "as it was, tags included"
    );
    let [left_over] = &rollback.summary.left_over[..] else {
        panic!("{:#?}", rollback.summary)
    };
    let kept = *after
        .names()
        .iter()
        .find(|name| name.contains("rolled-back"))
        .unwrap();
    assert!(left_over.contains(kept), "{left_over}");
    assert_eq!(simulation.get(kept, "written").as_deref(), Some("since"));
    assert!(rollback.summary.outage_seconds.unwrap() < 5.0);
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_goes_when_its_time_is_over() {
    let simulation = damaged().await;
    let input = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let begun = simulation.now();
    let run = simulation.run(input).await;
    assert_succeeded(&run);
    assert!(simulation.now().duration_since(begun).as_hours() >= 24);
    assert_eq!(simulation.world().await.names(), ["orders"]);
}

#[tokio::test(start_paused = true)]
async fn while_an_original_is_kept_another_restore_must_say_what_becomes_of_it() {
    // Whose original was deleted has nothing left to do; whose was released may not touch it.
    for (becomes, databases, late_code) in [("delete", 1, 0), ("release", 2, 5)] {
        let simulation = damaged().await;
        let input = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
        let first = simulation.run_until_kept(input).await;
        let again = json!({"identifier": "orders", "task": "db_restore"});
        let refused = simulation.run(again).await;
        assert_eq!(refused.summary.exit_code(), 2, "{:#?}", refused.summary);
        let again = json!({"identifier": "orders", "task": "db_restore", "keptOriginal": becomes});
        assert_succeeded(&simulation.run(again).await);
        let world = simulation.world().await;
        assert_eq!(world.names().len(), databases, "{:?}", world.names());
        let late = simulation.resume(&first.id).await;
        assert_eq!(late.summary.exit_code(), late_code, "{:#?}", late.summary);
        assert_eq!(simulation.world().await, world);
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_contain_the_tools_own_words_are_ordinary() {
    let long = "a".repeat(63);
    for name in ["my-temp-db", "a-snapshot", "db-temperature", long.as_str()] {
        let simulation = Simulation::new(1).await;
        simulation.create_database(name).await;
        let run = simulation
            .run(json!({"identifier": name, "task": "create_snapshot"}))
            .await;
        assert_succeeded(&run);
        assert_eq!(simulation.world().await.names(), [name]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_in_capitals_is_the_same_name() {
    let simulation = damaged().await;
    assert_succeeded(
        &simulation
            .run(json!({"identifier": "ORDERS", "task": "db_restore"}))
            .await,
    );
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
}

#[tokio::test(start_paused = true)]
async fn with_aws_durations_the_outage_is_two_renames() {
    let simulation = Simulation::with_aws_durations(1).await;
    damage(&simulation).await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_succeeded(&run);
    let outage = run.summary.outage_seconds.unwrap();
    assert!((95.0..240.0).contains(&outage), "{outage}");
}

#[tokio::test(start_paused = true)]
async fn a_restored_database_is_restored_again_and_again() {
    let simulation = damaged().await;
    for _ in 0..3 {
        simulation.put("orders", "state", "damaged again");
        assert_succeeded(
            &simulation
                .run(json!({"identifier": "orders", "task": "db_restore"}))
                .await,
        );
        assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_fails_replaces_nothing_and_is_a_failure() {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    let input = json!({"identifier": "orders", "task": "create_snapshot_only"});
    let run = simulation.run(input.clone()).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    simulation.arm(json!({
        "action": "CreateDBSnapshot", "times": 1, "effect": {"ends_in": "failed"},
    }));
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    let snapshots = simulation.world().await.snapshots;
    let status = snapshots.get("orders-snapshot").map(String::as_str);
    assert_eq!(status, Some("available"), "{snapshots:?}");
}
