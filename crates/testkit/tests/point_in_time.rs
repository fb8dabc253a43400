//! Restores to a moment: of the living source, of one that is gone, and of neither.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Run, Simulation};

fn input(time: &str, strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "restoreTime": time, "strategy": strategy})
}

fn assert_succeeded(run: &Run) {
    assert_eq!(
        run.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        run.summary
    );
}

async fn wait(minutes: u64) {
    tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
}

/// A database that was good at a moment, and is damaged since.
async fn damaged() -> (Simulation, Timestamp) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    wait(30).await;
    simulation.put("orders", "state", "good");
    wait(30).await;
    let good = simulation.now();
    wait(30).await;
    simulation.put("orders", "state", "damaged");
    wait(30).await;
    (simulation, good)
}

#[tokio::test(start_paused = true)]
async fn a_moment_comes_back_in_either_strategy() {
    for strategy in ["swap", "in_place"] {
        let (simulation, good) = damaged().await;
        let run = simulation.run(input(&good.to_string(), strategy)).await;
        assert_succeeded(&run);
        assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
        assert_eq!(run.summary.restore_time, Some(good.to_string()));
        assert_eq!(simulation.world().await.names(), ["orders"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_latest_moment_is_one_too() {
    let (simulation, _) = damaged().await;
    assert_succeeded(&simulation.run(input("latest", "swap")).await);
    assert_eq!(
        simulation.get("orders", "state").as_deref(),
        Some("damaged")
    );
}

#[tokio::test(start_paused = true)]
async fn a_moment_outside_is_refused_with_what_there_is() {
    let (simulation, _) = damaged().await;
    let before = simulation.world().await;
    let run = simulation.run(input("2020-01-01T00:00:00Z", "swap")).await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.unwrap().message;
    assert!(
        message.contains("is outside of what the backups of orders hold"),
        "{message}"
    );
    assert!(message.contains(" to 2026-01-01T"), "{message}");
    assert_eq!(simulation.world().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_moment_before_the_last_restore_is_in_the_backups_that_stayed() {
    let (simulation, good) = damaged().await;
    let first = simulation.world().await.resource_id("orders").to_owned();
    assert_succeeded(&simulation.run(input("latest", "swap")).await);
    wait(30).await;
    let run = simulation.run(input(&good.to_string(), "swap")).await;
    assert_succeeded(&run);
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
    let warnings = format!("{:?}", run.summary.warnings);
    assert!(warnings.contains(&first), "{warnings}");
}
