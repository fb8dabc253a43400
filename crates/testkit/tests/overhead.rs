//! What orchestration adds to what RDS itself takes, in virtual time with AWS's durations, and
//! what it asks of RDS for that.

#![expect(
    clippy::print_stdout,
    reason = "the figures are what somebody runs this for"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use trapheus_testkit::{Run, Simulation};

/// What RDS itself takes in each state, by the profile's table: everything asked of it begins to
/// show after 5 s, a name is free 10 s after that, and the original's protection is taken off
/// before it is deleted.
const RDS_SECONDS: [(&str, f64); 5] = [
    ("Restore", 360.0 + 1440.0),
    ("Configure", 5.0 + 180.0),
    ("MoveAside", 5.0 + 10.0),
    ("Promote", 5.0 + 90.0),
    ("Retire", 5.0 + 180.0 + 180.0),
];

/// How long the execution was in each state, in seconds.
fn seconds_by_state(run: &Run) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    let mut current: Option<(String, Timestamp)> = None;
    for event in &run.history {
        if event.kind.is_state_entered() {
            current = event.state.clone().map(|state| (state, event.at));
        } else if event.kind.is_state_exited() {
            let Some((state, entered)) = current.take() else {
                continue;
            };
            let duration = event.at.duration_since(entered);
            *seconds.entry(state).or_default() += duration.as_secs_f64();
        }
    }
    seconds
}

#[tokio::test(start_paused = true)]
async fn a_restore_of_half_an_hour_takes_hardly_longer_than_rds_itself() {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation.create_database_of(1440, "orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    let spent = seconds_by_state(&run);
    for (state, rds) in RDS_SECONDS {
        println!(
            "{state:10} {:8.1} s, of which RDS {rds:6.1} s",
            spent[state]
        );
    }
    println!("{:#?}", run.summary.api_calls);
    let rds: f64 = RDS_SECONDS.iter().map(|(_, seconds)| seconds).sum();
    let total: f64 = spent.values().sum();
    let overhead = total / rds - 1.0;
    println!("overhead {:.1} %", overhead * 100.0);
    assert!((0.0..0.03).contains(&overhead), "{overhead}");
}
