//! What orchestration adds to what RDS itself takes, in virtual time with AWS's durations, and
//! what it asks of RDS for that. `cargo xtask bench overhead` prints the whole tables.

use serde_json::json;
use trapheus_testkit::{Simulation, TimeSpent};

/// The storage, in GiB, of a database whose restore takes half an hour with all that follows.
const STORAGE_GIB: i32 = 780;
/// What that asks of RDS. Whoever changes a task or a retrier sees here what it costs; fewer are
/// better.
const CALLS: u64 = 522;
/// What Step Functions bills for it, and what its history counts.
const TRANSITIONS: usize = 428;
const EVENTS: usize = 1300;

#[tokio::test(start_paused = true)]
async fn a_restore_of_half_an_hour_takes_hardly_longer_than_rds_itself() {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation
        .create_databases_of(STORAGE_GIB, &["orders"])
        .await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    let time = TimeSpent::of(&run, STORAGE_GIB);
    assert!((1795.0..1805.0).contains(&time.rds_seconds()), "{time:#?}");
    assert!((0.0..0.03).contains(&time.overhead()), "{time:#?}");
    let calls = &run.summary.api_calls;
    assert_eq!(calls.values().sum::<u64>(), CALLS, "{calls:#?}");
    let bill = (run.state_transitions(), run.events_in_step_functions());
    assert_eq!(bill, (TRANSITIONS, EVENTS));
}

/// More storage than this makes a snapshot and a restore together take more than a day.
const DAY_STORAGE_GIB: i32 = 43_200;
/// As many events as the history of an execution may have in Step Functions, which ends it then.
const EVENTS_MAX: usize = 25_000;

#[tokio::test(start_paused = true)]
async fn a_restore_of_a_day_stays_within_the_limits_of_step_functions() {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation
        .create_databases_of(DAY_STORAGE_GIB, &["orders"])
        .await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "create_snapshot"}))
        .await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    let (begun, ended) = (run.summary.started_at, run.summary.finished_at);
    let took = ended.unwrap().duration_since(begun.unwrap());
    assert!(took.as_hours() >= 24, "{took}");
    let events = run.events_in_step_functions();
    // Less than half of the limit: twice as long, it is still in order.
    assert!(events < EVENTS_MAX / 2, "{events}");
}
