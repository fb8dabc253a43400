//! How long clients go without an answer, measured by the clients themselves, in virtual time and
//! with AWS's durations.

use std::time::Duration;

use serde_json::json;
use trapheus_testkit::{Silence, Simulation, Use, Watch};

/// Sizes whose restores differ by hours, in GiB.
const SIZES_GIB: [i32; 2] = [10, 10 * 1024];

/// What a client that asks every second can't tell.
const UNSEEN: Duration = Duration::from_secs(2);

async fn outage(strategy: &str, storage_gib: i32) -> Silence {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation
        .create_databases_of(storage_gib, &["orders"])
        .await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let client = simulation.client_of("orders");
    let watch = Watch::begin(vec![("orders".to_owned(), client, Use::Writes)]);
    let input = json!({"identifier": "orders", "task": "db_restore", "strategy": strategy});
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    tokio::time::sleep(UNSEEN).await;
    let silence = watch.end()["orders"];
    assert_eq!(silence.times, 1, "{strategy}: {silence:?}");
    let told = run
        .summary
        .outage_seconds
        .expect("it tells how long the name was down");
    let is_true = (told - silence.longest.as_secs_f64()).abs() <= 10.0;
    assert!(is_true, "{strategy}: {told} s told, {silence:?} seen");
    silence
}

#[tokio::test(start_paused = true)]
async fn the_outage_of_a_swap_does_not_grow_with_the_database() {
    let [small, large] = SIZES_GIB;
    let (small, large) = (outage("swap", small).await, outage("swap", large).await);
    assert!(
        small.longest.abs_diff(large.longest) <= UNSEEN,
        "{small:?} {large:?}"
    );
    assert!(large.longest < Duration::from_secs(150), "{large:?}");
}

#[tokio::test(start_paused = true)]
async fn the_outage_in_place_is_the_whole_restore() {
    let [small, large] = SIZES_GIB;
    let (small, large) = (
        outage("in_place", small).await,
        outage("in_place", large).await,
    );
    // A second per GiB, by the table of local RDS.
    let longer = Duration::from_secs(10 * 1024 - 10);
    assert!(
        large.longest - small.longest >= longer.mul_f64(0.99),
        "{small:?} {large:?}"
    );
}
