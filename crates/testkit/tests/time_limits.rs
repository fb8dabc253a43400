//! The limit of an execution: it holds until the name begins to move, and what is over it is
//! rolled back.

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Run, Simulation};

/// A restore of a database of 20 GiB as long as on AWS, where the restore itself takes more than
/// six minutes.
async fn restored_within(limit: &str, strategy: &str) -> (Simulation, Run) {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
    let input: Value = json!({
        "identifier": "orders", "task": "db_restore", "strategy": strategy, "timeLimit": limit,
    });
    let run = simulation.run(input).await;
    (simulation, run)
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_rolled_back() {
    for strategy in ["swap", "in_place"] {
        let (simulation, run) = restored_within("4m", strategy).await;
        assert_eq!(run.summary.status, SummaryStatus::Failed, "{strategy}");
        let error = run.summary.error.as_ref().expect("it has failed");
        assert_eq!(error.name, "Trapheus.TimeLimit", "{error:?}");
        assert!(
            error.message.contains("after 240 s"),
            "{strategy}: {error:?}"
        );
        assert_eq!(simulation.world().await.names(), ["orders"], "{strategy}");
        let state = simulation.get("orders", "state");
        assert_eq!(state.as_deref(), Some("damaged"), "{strategy}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_in_time_gets_the_name() {
    // The renames and the deletion of the original take minutes, and come after the limit.
    let (_, unlimited) = restored_within("8h", "swap").await;
    let entered = |run: &Run, state: &str| {
        let mut events = run.history.iter();
        let event = events
            .find(|event| event.kind.is_state_entered() && event.state.as_deref() == Some(state));
        event.expect("the state is entered").at
    };
    let begun = unlimited.history[0].at;
    let ready = entered(&unlimited, "MoveAside").duration_since(begun);
    let limit = format!("{}s", ready.as_secs() + 1);
    let (simulation, run) = restored_within(&limit, "swap").await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    assert_eq!(simulation.world().await.names(), ["orders"]);
}
