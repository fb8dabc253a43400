//! `rollback` of executions that were interrupted, wherever they were: the original is back at
//! its name as it was, and what was half made is gone, or kept when clients may have written to it.

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Calls, Run, Simulation, World};

async fn damaged() -> (Simulation, World) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
    let world = simulation.world().await;
    (simulation, world)
}

fn input(strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "strategy": strategy, "keepOriginal": "24h"})
}

/// Undoes an execution that nobody runs.
async fn undo(simulation: &Simulation, run: &Run) -> Run {
    simulation.abort(&run.id);
    simulation
        .run(simulation.rollback_input(run, "orders"))
        .await
}

/// The original is as it was; what has served is kept and named, and nothing else is left.
async fn assert_undone(simulation: &Simulation, before: &World, undone: &Run, what: &str) {
    assert_eq!(
        undone.summary.status,
        SummaryStatus::Succeeded,
        "{what}: {:#?}",
        undone.summary
    );
    let world = simulation.world().await;
    assert_eq!(
        world.databases["orders"], before.databases["orders"],
        "{what}"
    );
    let state = simulation.get("orders", "state");
    assert_eq!(state.as_deref(), Some("damaged"), "{what}");
    let others: Vec<&str> = world
        .names()
        .into_iter()
        .filter(|name| *name != "orders")
        .collect();
    match (&others[..], &undone.summary.left_over[..]) {
        ([], []) => {}
        ([kept], [left_over]) => {
            assert!(kept.contains("rolled-back"), "{what}: {kept}");
            assert!(left_over.contains(kept), "{what}: {left_over}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

async fn is_undone_after_every_change(strategy: &str) {
    for change in 1.. {
        let (simulation, before) = damaged().await;
        let stopped = simulation
            .stop_in_call(input(strategy), change, Calls::Changes)
            .await;
        let Some(stopped) = stopped else {
            assert!(change > 5, "a restore makes more changes");
            return;
        };
        let undone = undo(&simulation, &stopped).await;
        let original = before.resource_id("orders");
        let world = simulation.world().await;
        if !world
            .databases
            .values()
            .any(|database| database.resource_id == original)
        {
            // Its deletion is the last change, and can't be undone: the restored one stays.
            assert!(change > 5, "{change}");
            assert_eq!(undone.summary.exit_code(), 2, "{:#?}", undone.summary);
            assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
            continue;
        }
        assert_undone(&simulation, &before, &undone, &format!("change {change}")).await;
        // Once more, there is nothing to do.
        let again = simulation.rollback_input(&stopped, "orders");
        let world = simulation.world().await;
        let again = simulation.run(again).await;
        assert_eq!(again.summary.status, SummaryStatus::Succeeded);
        assert_eq!(simulation.world().await, world);
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_is_undone_after_every_change() {
    is_undone_after_every_change("swap").await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_in_place_is_undone_after_every_change() {
    is_undone_after_every_change("in_place").await;
}

#[tokio::test(start_paused = true)]
async fn what_has_been_retired_is_not_undone_and_nothing_is_touched() {
    let (simulation, _) = damaged().await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    let world = simulation.world().await;
    let undone = simulation
        .run(simulation.rollback_input(&run, "orders"))
        .await;
    assert_eq!(undone.summary.exit_code(), 2, "{:#?}", undone.summary);
    assert_eq!(simulation.world().await, world);
}

/// Whatever is refused before the names move leaves the restored database serving, and says so.
#[tokio::test(start_paused = true)]
async fn a_swap_back_that_is_refused_has_changed_nothing() {
    for refused in ["AddTagsToResource", "ModifyDBInstance"] {
        let (simulation, _) = damaged().await;
        let run = simulation.run_until_kept(input("swap")).await;
        simulation.abort(&run.id);
        let world = simulation.world().await;
        simulation.arm(json!({
            "action": refused, "effect": {"error": {"code": "AccessDenied", "status": 400}}
        }));
        let undone = simulation
            .run(simulation.rollback_input(&run, "orders"))
            .await;
        assert_eq!(
            undone.summary.exit_code(),
            2,
            "{refused}: {:#?}",
            undone.summary
        );
        assert_eq!(simulation.world().await, world, "{refused}");
    }
}

/// Between the plan and the swap somebody deletes the kept original: the name stays served.
#[tokio::test(start_paused = true)]
async fn a_kept_original_that_is_deleted_meanwhile_costs_no_outage() {
    for change in 1..=2 {
        let (simulation, _) = damaged().await;
        let run = simulation.run_until_kept(input("swap")).await;
        simulation.abort(&run.id);
        let delete = async |simulation: &Simulation| simulation.delete("orders-temp").await;
        let input = simulation.rollback_input(&run, "orders");
        let undone = simulation.interfere_in_change(input, change, delete).await;
        let undone = undone.expect("a swap back makes two changes");
        assert_ne!(
            undone.summary.status,
            SummaryStatus::Succeeded,
            "{change}: {:#?}",
            undone.summary
        );
        let state = simulation.get("orders", "state");
        assert_eq!(state.as_deref(), Some("good"), "{:#?}", undone.summary);
    }
}

/// Somebody gives the restored database its first name back while the original is kept, which is
/// where a roll-back deletes what has never served.
#[tokio::test(start_paused = true)]
async fn what_clients_have_written_to_stays_whoever_has_renamed_it() {
    let (simulation, before) = damaged().await;
    let run = simulation.run_until_kept(input("swap")).await;
    simulation.abort(&run.id);
    simulation.put("orders", "written", "by a client");
    let rename = json!({
        "DBInstanceIdentifier": "orders", "NewDBInstanceIdentifier": "orders-trapheus-new",
        "ApplyImmediately": true,
    });
    let renamed = simulation.ask("ModifyDBInstance", rename).await;
    renamed.expect("a person may rename it");
    simulation.wait_until_available("orders-trapheus-new").await;
    let undone = simulation
        .run(simulation.rollback_input(&run, "orders"))
        .await;
    assert_undone(&simulation, &before, &undone, "renamed by a person").await;
    let world = simulation.world().await;
    let mut names = world.names().into_iter();
    let kept = names.find(|name| name.contains("rolled-back"));
    let kept = kept.expect("the restored database is kept");
    let written = simulation.get(kept, "written");
    assert_eq!(written.as_deref(), Some("by a client"));
}
