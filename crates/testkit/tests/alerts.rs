//! What people are told of an execution, and that nothing hangs on whether they can be: exactly
//! the alert that belongs to the outcome, which every other test asks for as well.

use serde_json::{Value, json};
use trapheus_restore::{Alert, AlertKind, SummaryStatus};
use trapheus_testkit::{Calls, Moment, Run, Simulation, Trouble};

/// So many calls does a restore of AWS's durations make in about ten minutes.
const CALLS_OF_TEN_MINUTES: u32 = 160;

async fn prepared() -> Simulation {
    prepare(Simulation::new(1).await).await
}

async fn prepare(simulation: Simulation) -> Simulation {
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation
}

fn restore() -> Value {
    json!({"identifier": "orders", "task": "db_restore"})
}

fn kinds(alerts: &[Alert]) -> Vec<AlertKind> {
    alerts.iter().map(|alert| alert.kind).collect()
}

/// The alerts of a simulation as programs get them.
fn shown(simulation: &Simulation) -> String {
    let alerts = simulation.alerts();
    serde_json::to_string_pretty(&alerts).expect("alerts are JSON")
}

#[tokio::test(start_paused = true)]
async fn a_success_says_where_everything_is_and_how_to_undo_it() {
    let simulation = prepared().await;
    let mut input = restore();
    input["keepOriginal"] = json!("24h");
    let run = simulation.run_until_kept(input).await;
    insta::assert_snapshot!("succeeded", shown(&simulation));

    let undone = simulation.rollback_input(&run, "orders");
    simulation.abort(&run.id);
    simulation.run(undone).await;
    let told = simulation.alerts();
    // The restored database is kept aside, for a person to look after.
    assert_eq!(kinds(&told), [AlertKind::Succeeded, AlertKind::LeftOver]);
    insta::assert_json_snapshot!("swapped_back", told[1]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_that_nothing_is_lost() {
    let simulation = prepared().await;
    let failed = simulation.run_failing(restore(), "${Verify}", Moment::After);
    assert!(failed.await.is_some());
    insta::assert_snapshot!("failed", shown(&simulation));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_that_nothing_has_changed() {
    let simulation = Simulation::new(1).await;
    simulation.run(restore()).await;
    insta::assert_snapshot!("refused", shown(&simulation));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_over_is_told_after_the_success() {
    let simulation = prepared().await;
    simulation.arm(json!({
        "action": "DeleteDBInstance",
        "effect": {"error": {"code": "AccessDenied", "status": 400}},
    }));
    simulation.run(restore()).await;
    let told = simulation.alerts();
    assert_eq!(kinds(&told), [AlertKind::Succeeded, AlertKind::LeftOver]);
    insta::assert_json_snapshot!("left_over", told[1]);
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_that_failed_calls_a_person_with_the_commands() {
    let simulation = prepared().await;
    let mut input = restore();
    input["strategy"] = json!("in_place");
    simulation.arm(json!({
        "action": "ModifyDBInstance",
        "when": {"DBInstanceIdentifier": "orders-temp"},
        "effect": {"error": {"code": "AccessDenied", "status": 400}},
    }));
    let failed = simulation.run_failing(input, "${Verify}", Moment::After);
    assert!(failed.await.is_some());
    insta::assert_snapshot!("rollback_failed", shown(&simulation));
}

/// P20: a dead channel aborted the Python tool's roll-back.
#[tokio::test(start_paused = true)]
async fn a_dead_channel_changes_no_outcome() {
    for (trouble, says) in [
        (Trouble::Refuses, "no alert to recorder: it refuses"),
        (
            Trouble::Hangs,
            "no alert to any channel: not told within 60 s",
        ),
    ] {
        let simulation = prepared().await;
        simulation.disturb_alerts(trouble);
        let failed = simulation
            .run_failing(restore(), "${Configure}", Moment::After)
            .await
            .expect("Configure runs");
        assert_eq!(failed.summary.exit_code(), 1);
        assert_undelivered(&failed, says);
        assert!(simulation.get("orders", "key").is_none());

        let succeeded = simulation.run(restore()).await;
        assert_eq!(succeeded.summary.status, SummaryStatus::Succeeded);
        assert_eq!(succeeded.summary.exit_code(), 0);
        assert_undelivered(&succeeded, says);
    }
}

fn assert_undelivered(run: &Run, says: &str) {
    let warnings = &run.summary.warnings;
    assert!(
        warnings.iter().any(|warning| warning == says),
        "{warnings:?}"
    );
    let took = run
        .summary
        .finished_at
        .unwrap()
        .duration_since(run.summary.started_at.unwrap());
    assert!(took.as_secs() < 90, "it was held up for {took:#}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_channel_is_refused_before_anything_changes() {
    let simulation = prepared().await;
    let mut input = restore();
    input["notify"] = json!({"to": ["opps"]});
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 2);
    let message = &run.summary.error.as_ref().unwrap().message;
    assert!(message.contains("no channel `opps`"), "{message}");
}

/// With the durations of AWS, a restore of this size takes about a quarter of an hour.
#[tokio::test(start_paused = true)]
async fn an_execution_that_takes_long_is_told_of_once() {
    let simulation = prepare(Simulation::with_aws_durations(1).await).await;
    let run = simulation.run(restore()).await;
    assert_eq!(run.summary.exit_code(), 0);
    assert_eq!(kinds(&simulation.alerts()), [AlertKind::Succeeded]);

    let mut input = restore();
    input["notify"] = json!({"longRunningAfter": "5m"});
    simulation.run(input).await;
    let told = simulation.alerts();
    assert_eq!(
        kinds(&told[1..]),
        [AlertKind::LongRunning, AlertKind::Succeeded]
    );
    insta::assert_json_snapshot!("long_running", told[1]);
}

/// A process that takes over finds on the restored database that people know.
#[tokio::test(start_paused = true)]
async fn what_takes_long_is_not_told_again_by_another_process() {
    let simulation = prepare(Simulation::with_aws_durations(1).await).await;
    let mut input = restore();
    input["notify"] = json!({"longRunningAfter": "5m"});
    let run = simulation
        .stop_in_call(input, CALLS_OF_TEN_MINUTES, Calls::All)
        .await
        .expect("it makes more calls");
    assert_eq!(kinds(&simulation.alerts()), [AlertKind::LongRunning]);
    simulation.resume(&run.id).await;
    assert_eq!(
        kinds(&simulation.alerts()),
        [AlertKind::LongRunning, AlertKind::Succeeded]
    );
}
