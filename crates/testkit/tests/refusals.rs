//! What is refused, is refused before anything changes, with exit code 2 and a reason that says
//! what to do.

use serde_json::{Value, json};
use trapheus_testkit::{Run, Simulation, World};

async fn prepared() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation
}

fn message(run: &Run) -> &str {
    &run.summary.error.as_ref().unwrap().message
}

async fn assert_refused(simulation: &Simulation, input: Value, reason: &str) {
    let before: World = simulation.world().await;
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    assert!(message(&run).contains(reason), "{}", message(&run));
    assert_eq!(simulation.world().await, before);
}

#[tokio::test(start_paused = true)]
async fn inputs_that_are_not_understood() {
    let simulation = prepared().await;
    let refusals = [
        (
            json!({"identifier": "orders", "task": "snapshot_only"}),
            "must be one of",
        ),
        (
            json!({"identifier": "orders", "task": ""}),
            "must be one of",
        ),
        (json!({"identifier": "orders"}), "`task` is missing"),
        (
            json!({"identifier": "orders", "task": "db_restore", "keepOrignal": "24h"}),
            "did you mean `keepOriginal`",
        ),
        (
            json!({"identifier": "or ders", "task": "db_restore"}),
            "only letters",
        ),
        (
            json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "long"}),
            "duration",
        ),
        (
            json!({"identifier": "orders", "task": "db_restore", "export": {}}),
            "not supported yet",
        ),
    ];
    for (input, reason) in refusals {
        assert_refused(&simulation, input, reason).await;
    }
}

#[tokio::test(start_paused = true)]
async fn targets_that_are_not_as_they_must_be() {
    let simulation = prepared().await;
    let restore = |identifier: &str| json!({"identifier": identifier, "task": "db_restore"});
    assert_refused(
        &simulation,
        restore("nothing"),
        "there is no database nothing",
    )
    .await;
    let cluster = json!({"identifier": "orders", "task": "db_restore", "isCluster": true});
    assert_refused(&simulation, cluster, "is no cluster").await;
    simulation.create_database("empty").await;
    assert_refused(
        &simulation,
        restore("empty"),
        "there is no snapshot empty-snapshot",
    )
    .await;
    simulation
        .client()
        .stop_db_instance()
        .db_instance_identifier("orders")
        .send()
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_refused(&simulation, restore("orders"), "must be available").await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_database_unless_it_is_meant() {
    let simulation = prepared().await;
    simulation.create_database("staging").await;
    simulation.put("orders", "state", "production");
    simulation
        .create_snapshot("orders", "staging-snapshot")
        .await;
    let input = json!({"identifier": "staging", "task": "db_restore"});
    assert_refused(&simulation, input, "was taken from orders").await;
    let input = json!({"identifier": "staging", "task": "db_restore", "snapshotIdentifier": "staging-snapshot"});
    assert_refused(&simulation, input, "\"sourceIdentifier\": \"orders\"").await;
    let input = json!({
        "identifier": "staging", "task": "db_restore",
        "snapshotIdentifier": "staging-snapshot", "sourceIdentifier": "orders"
    });
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    assert_eq!(
        simulation.get("staging", "state").as_deref(),
        Some("production")
    );
}

#[tokio::test(start_paused = true)]
async fn a_foreign_database_under_a_name_that_is_needed() {
    for name in ["orders-temp", "orders-trapheus-new"] {
        let simulation = prepared().await;
        simulation.create_database(name).await;
        let input = json!({"identifier": "orders", "task": "db_restore"});
        assert_refused(&simulation, input, "Trapheus did not make it").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_database_that_takes_the_aside_name_during_the_run_is_not_touched() {
    let simulation = prepared().await;
    simulation.put("orders", "state", "before");
    let run = simulation.run(json!({"identifier": "orders", "task": "db_restore"}));
    let intrude = async {
        while !simulation
            .requests()
            .iter()
            .any(|action| action == "RestoreDBInstanceFromDBSnapshot")
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        simulation.create_database("orders-temp").await;
    };
    let (run, ()) = tokio::join!(run, intrude);
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    assert_eq!(simulation.world().await.names(), ["orders", "orders-temp"]);
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("before"));
}

/// The lock is taken between the look at it and the mark on the original.
#[tokio::test(start_paused = true)]
async fn in_place_moves_nothing_when_another_execution_was_faster() {
    let simulation = prepared().await;
    let input = json!({"identifier": "orders", "task": "db_restore", "strategy": "in_place"});
    let run = simulation.interfere_in_change(input, 1, async |simulation| {
        let mark = |key: &str, value: &str| json!({"Key": format!("trapheus:{key}"), "Value": value});
        let restored = json!({
            "DBInstanceIdentifier": "orders-trapheus-new", "DBSnapshotIdentifier": "orders-snapshot",
            "Tags": [mark("execution", "run_2"), mark("target", "orders"), mark("role", "restored")],
        });
        let answer = simulation.ask("RestoreDBInstanceFromDBSnapshot", restored).await;
        answer.unwrap();
    });
    let run = run.await.expect("the mark is a change");
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    assert!(message(&run).contains("run_2"), "{}", message(&run));
    let world = simulation.world().await;
    assert_eq!(world.names(), ["orders", "orders-trapheus-new"]);
    let marks = &world.databases["orders"].tags;
    assert!(!marks.contains_key("trapheus:execution"), "{marks:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_restores_at_once_one_runs() {
    for strategies in [
        ["swap", "swap"],
        ["swap", "in_place"],
        ["in_place", "swap"],
        ["in_place", "in_place"],
    ] {
        let simulation = Simulation::with_aws_durations(1).await;
        simulation.create_database("orders").await;
        simulation.put("orders", "state", "good");
        simulation
            .create_snapshot("orders", "orders-snapshot")
            .await;
        simulation.put("orders", "state", "damaged");
        let [one, other] = strategies.map(
            |strategy| json!({"identifier": "orders", "task": "db_restore", "strategy": strategy}),
        );
        let (one, other) = simulation.run_both(one, other).await;
        let codes = [one.summary.exit_code(), other.summary.exit_code()];
        assert!(
            codes.contains(&0),
            "{strategies:?} {codes:?}: {:#?} {:#?}",
            one.summary,
            other.summary
        );
        assert!(
            codes.contains(&2),
            "{strategies:?} {codes:?}: {:#?} {:#?}",
            one.summary,
            other.summary
        );
        assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
        assert_eq!(simulation.world().await.names(), ["orders"]);
    }
}
