//! What people do while an original is kept: what is theirs stays, and so does the original as long
//! as the restored database is not seen serving at the name.

use serde_json::{Value, json};
use trapheus_testkit::{Run, Simulation};

/// An execution that keeps its original, whose rows say `damaged`.
async fn keeping() -> (Simulation, Run) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
    let input = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let run = simulation.run_until_kept(input).await;
    (simulation, run)
}

async fn ask(simulation: &Simulation, action: &str, members: Value) {
    let answer = simulation.ask(action, members).await;
    answer.unwrap_or_else(|refusal| panic!("{action}: {refusal:?}"));
}

async fn rename(simulation: &Simulation, from: &str, to: &str) {
    let members = json!({
        "DBInstanceIdentifier": from, "NewDBInstanceIdentifier": to, "ApplyImmediately": true,
    });
    ask(simulation, "ModifyDBInstance", members).await;
    simulation.wait_until_available(to).await;
}

async fn take_the_marks_off(simulation: &Simulation) {
    let shown = simulation.client().describe_db_instances();
    let shown = shown.db_instance_identifier("orders-temp").send().await;
    let arn = shown.expect("it is there").db_instances()[0]
        .db_instance_arn()
        .expect("it has one")
        .to_owned();
    let members = json!({
        "ResourceName": arn, "TagKeys": ["trapheus:execution", "trapheus:role"],
    });
    ask(simulation, "RemoveTagsFromResource", members).await;
}

/// The execution goes on to retire its original, keeps it under this name, and says so.
async fn assert_kept(simulation: &Simulation, run: &Run, name: &str) {
    let run = simulation.resume(&run.id).await;
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    let left_over = run.summary.left_over.join("\n");
    assert!(left_over.contains("kept"), "{left_over}");
    let state = simulation.get(name, "state");
    assert_eq!(state.as_deref(), Some("damaged"), "{left_over}");
}

#[tokio::test(start_paused = true)]
async fn an_original_that_somebody_has_renamed_is_kept_and_so_is_what_got_its_name() {
    let (simulation, run) = keeping().await;
    rename(&simulation, "orders-temp", "mine").await;
    simulation.create_database("orders-temp").await;
    assert_kept(&simulation, &run, "mine").await;
    let state = simulation.get("orders-temp", "state");
    assert_eq!(state.as_deref(), Some("created"));
}

#[tokio::test(start_paused = true)]
async fn an_original_without_its_marks_is_kept() {
    let (simulation, run) = keeping().await;
    take_the_marks_off(&simulation).await;
    assert_kept(&simulation, &run, "orders-temp").await;
}

#[tokio::test(start_paused = true)]
async fn an_original_is_kept_while_nothing_answers_at_the_name() {
    let (simulation, run) = keeping().await;
    rename(&simulation, "orders", "mine").await;
    assert_kept(&simulation, &run, "orders-temp").await;
}

#[tokio::test(start_paused = true)]
async fn an_original_is_kept_while_another_database_answers_at_the_name() {
    let (simulation, run) = keeping().await;
    rename(&simulation, "orders", "mine").await;
    simulation.create_database("orders").await;
    assert_kept(&simulation, &run, "orders-temp").await;
}

#[tokio::test(start_paused = true)]
async fn an_original_is_kept_while_what_answers_at_the_name_has_failed() {
    let (simulation, run) = keeping().await;
    simulation.arm(json!({
        "action": "ModifyDBInstance", "times": 1, "effect": {"ends_in": "incompatible-parameters"},
    }));
    let members = json!({
        "DBInstanceIdentifier": "orders", "BackupRetentionPeriod": 3, "ApplyImmediately": true,
    });
    ask(&simulation, "ModifyDBInstance", members).await;
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_kept(&simulation, &run, "orders-temp").await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_original_that_somebody_has_taken_over_does_not_give_way() {
    let (simulation, _) = keeping().await;
    let input = json!({
        "identifier": "orders", "task": "db_restore", "keptOriginal": "delete",
    });
    let run = simulation
        .interfere_in_change(input, 1, take_the_marks_off)
        .await
        .expect("a restore makes changes");
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    let state = simulation.get("orders-temp", "state");
    assert_eq!(state.as_deref(), Some("damaged"));
}

#[tokio::test(start_paused = true)]
async fn an_original_is_kept_when_the_restored_one_goes_while_its_protection_is_taken_off() {
    let (simulation, run) = keeping().await;
    let deletes = async |simulation: &Simulation| simulation.delete("orders").await;
    let run = simulation.interfere_in_resumed_change(&run.id, 1, deletes);
    let run = run.await.expect("the protection is taken off first");
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    let state = simulation.get("orders-temp", "state");
    assert_eq!(state.as_deref(), Some("damaged"));
}

#[tokio::test(start_paused = true)]
async fn an_original_comes_back_though_somebody_has_the_restored_ones_name() {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let input = json!({"identifier": "orders", "task": "db_restore", "strategy": "in_place"});
    let takes = async |simulation: &Simulation| {
        simulation.create_database("orders-trapheus-new").await;
    };
    // The mark is the first change, the rename the second.
    let run = simulation.interfere_in_change(input, 2, takes).await;
    let run = run.expect("the original is moved aside");
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    let world = simulation.world().await;
    assert_eq!(world.names(), ["orders", "orders-trapheus-new"]);
    assert_eq!(
        run.summary.original_resource_id.unwrap().as_str(),
        world.resource_id("orders")
    );
}
