//! Restores of an instance with read replicas: they are made again from the restored database,
//! with their own settings, and those of the original come back or go with it.

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Moment, Run, Simulation, World};

const STRATEGIES: [&str; 2] = ["swap", "in_place"];
const NAMES: [&str; 3] = ["orders", "orders-near", "orders-reports"];

/// A database with two replicas, one of them of another class, whose data was damaged after its
/// snapshot.
async fn damaged() -> (Simulation, World) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    for (name, class) in [
        ("orders-near", "db.t3.medium"),
        ("orders-reports", "db.r6g.large"),
    ] {
        let replicate = simulation.client().create_db_instance_read_replica();
        let replicate = replicate
            .source_db_instance_identifier("orders")
            .db_instance_identifier(name)
            .db_instance_class(class);
        replicate.send().await.expect("it can be replicated");
        simulation.wait_until_available(name).await;
    }
    simulation.put("orders", "state", "damaged");
    let world = simulation.world().await;
    (simulation, world)
}

fn input(strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "strategy": strategy})
}

/// The class of a database, and whom it replicates.
async fn about(simulation: &Simulation, name: &str) -> (String, Option<String>) {
    let describe = simulation.client().describe_db_instances();
    let found = describe.db_instance_identifier(name).send().await;
    let found = found.expect("it exists");
    let found = &found.db_instances()[0];
    let text = |text: Option<&str>| text.map(str::to_owned);
    (
        text(found.db_instance_class()).unwrap_or_default(),
        text(found.read_replica_source_db_instance_identifier()),
    )
}

/// The same data at all names, and what is written to the source is seen at the replicas.
async fn assert_replicating(simulation: &Simulation, state: &str, at: &str) {
    let source = Some("orders".to_owned());
    let near = about(simulation, "orders-near").await;
    assert_eq!(near, ("db.t3.medium".to_owned(), source.clone()), "{at}");
    let reports = about(simulation, "orders-reports").await;
    assert_eq!(reports, ("db.r6g.large".to_owned(), source), "{at}");
    simulation.put("orders", "written", at);
    for name in NAMES {
        let read = |key| simulation.get(name, key);
        assert_eq!(read("state").as_deref(), Some(state), "{at}: {name}");
        assert_eq!(read("written").as_deref(), Some(at), "{at}: {name}");
    }
}

async fn assert_restored(simulation: &Simulation, before: &World, at: &str) {
    let world = simulation.world().await;
    assert_eq!(world.names(), NAMES, "{at}");
    for name in NAMES {
        assert_ne!(world.resource_id(name), before.resource_id(name), "{at}");
    }
    assert_replicating(simulation, "good", at).await;
}

async fn assert_as_before(simulation: &Simulation, before: &World, run: &Run, at: &str) {
    assert_eq!(run.summary.status, SummaryStatus::Failed, "{at}");
    assert_eq!(run.summary.left_over, [""; 0], "{at}");
    assert_eq!(simulation.world().await, *before, "{at}");
    assert_replicating(simulation, "damaged", at).await;
}

#[tokio::test(start_paused = true)]
async fn replicas_follow_the_restored_database() {
    for strategy in STRATEGIES {
        let (simulation, before) = damaged().await;
        let run = simulation.run(input(strategy)).await;
        assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
        assert_eq!(run.summary.fidelity.expect("it has compared").lost, []);
        assert_restored(&simulation, &before, strategy).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_step_fails_the_replicas_replicate_again() {
    for strategy in STRATEGIES {
        for step in ["Restore", "Configure", "Verify", "MoveAside"] {
            for moment in [Moment::Before, Moment::After] {
                let at = format!("{strategy}, {moment:?} {step}");
                let (simulation, before) = damaged().await;
                let task = format!("${{{step}}}");
                let run = simulation.run_failing(input(strategy), &task, moment).await;
                let run = run.expect("the step is taken");
                assert_as_before(&simulation, &before, &run, &at).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_original_that_may_not_leave_gets_its_replicas_back() {
    for strategy in STRATEGIES {
        let (simulation, before) = damaged().await;
        simulation.arm(json!({
            "action": "ModifyDBInstance", "when": {"NewDBInstanceIdentifier": "orders-temp"},
            "effect": {"error": {"code": "AccessDenied", "status": 400}},
        }));
        let run = simulation.run(input(strategy)).await;
        assert_as_before(&simulation, &before, &run, strategy).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_never_becomes_available() {
    let fault = json!({
        "action": "CreateDBInstanceReadReplica", "times": 1, "skip": 1,
        "effect": {"ends_in": "incompatible-network"},
    });
    for strategy in STRATEGIES {
        let (simulation, before) = damaged().await;
        simulation.arm(fault.clone());
        let run = simulation.run(input(strategy)).await;
        assert_as_before(&simulation, &before, &run, strategy).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_comes_back_with_its_replicas() {
    let (simulation, before) = damaged().await;
    let keep = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let kept = simulation.run_until_kept(keep).await;
    assert_replicating(&simulation, "good", "kept").await;
    let back = simulation.rollback_input(&kept, "orders");
    let run = simulation.run(back).await;
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    let mut world = simulation.world().await;
    world
        .databases
        .retain(|name, _| !name.contains("rolled-back"));
    assert_eq!(world, before);
    assert_replicating(&simulation, "damaged", "swapped back").await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_gives_way_with_its_replicas() {
    for (becomes, left) in [("delete", 0), ("release", 3)] {
        let (simulation, before) = damaged().await;
        let keep = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
        simulation.run_until_kept(keep).await;
        let mut again = input("swap");
        again["keptOriginal"] = json!(becomes);
        let run = simulation.run(again).await;
        assert_eq!(run.summary.exit_code(), 0, "{becomes}: {:#?}", run.summary);
        assert_replicating(&simulation, "good", becomes).await;
        let world = simulation.world().await;
        let names = world.names();
        let released = names.iter().filter(|name| name.contains("released"));
        assert_eq!(released.count(), left, "{becomes}: {names:?}");
        assert_eq!(names.len(), before.names().len() + left, "{names:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_with_somebodys_replica_does_not_give_way() {
    let (simulation, _) = damaged().await;
    let keep = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    simulation.run_until_kept(keep).await;
    let replicate = simulation.client().create_db_instance_read_replica();
    let replicate = replicate
        .source_db_instance_identifier("orders-temp")
        .db_instance_identifier("somebodys");
    replicate.send().await.expect("it can be replicated");
    simulation.wait_until_available("somebodys").await;
    let mut again = input("swap");
    again["keptOriginal"] = json!("delete");
    let run = simulation.run(again).await;
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    let message = run.summary.error.expect("it says why").message;
    assert!(message.contains("somebodys"), "{message}");
    let (_, source) = about(&simulation, "somebodys").await;
    assert_eq!(source.as_deref(), Some("orders-temp"));
    assert_replicating(&simulation, "good", "kept").await;
}

#[tokio::test(start_paused = true)]
async fn a_replica_as_target_is_refused() {
    let (simulation, before) = damaged().await;
    let run = simulation
        .run(json!({"identifier": "orders-near", "task": "create_snapshot"}))
        .await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.expect("it says why").message;
    assert!(message.contains("a replica of orders"), "{message}");
    assert_eq!(simulation.world().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_the_plan_does_not_know_keeps_its_source() {
    let (simulation, _) = damaged().await;
    let keep = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let kept = simulation.run_until_kept(keep).await;
    let replicate = simulation.client().create_db_instance_read_replica();
    let replicate = replicate
        .source_db_instance_identifier("orders-temp")
        .db_instance_identifier("somebodys");
    replicate.send().await.expect("it can be replicated");
    simulation.wait_until_available("somebodys").await;
    let run = simulation.resume(&kept.id).await;
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    assert!(run.summary.left_over[0].contains("somebodys"));
    assert_eq!(
        simulation.get("somebodys", "state").as_deref(),
        Some("damaged")
    );
    assert_replicating(&simulation, "good", "left over").await;
}
