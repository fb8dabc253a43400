//! A process that dies in the middle of a call, carried out and not answered, for every call of
//! a restore, a failed restore and a swap back: the end is the same, and nothing is left over.

use serde_json::{Value, json};
use trapheus_testkit::{Run, Simulation};

async fn damaged() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
    simulation
}

/// Kills in every call, until there are no more of them.
async fn in_every_call(
    input: Value,
    prepare: impl Fn(&Simulation),
    check: impl AsyncFn(&Simulation, &Run, u32),
) {
    for call in 1.. {
        let simulation = damaged().await;
        prepare(&simulation);
        match simulation.kill_in_call(input.clone(), call).await {
            Some(run) => check(&simulation, &run, call).await,
            None => {
                assert!(call > 20, "a restore makes more calls");
                return;
            }
        }
    }
}

async fn a_restore_ends_as_if_nobody_had_died(strategy: &str) {
    let input = json!({"identifier": "orders", "task": "create_snapshot", "strategy": strategy});
    in_every_call(
        input,
        |_| {},
        async |simulation, run, call| {
            assert_eq!(run.summary.exit_code(), 0, "{call}: {:#?}", run.summary);
            assert_eq!(simulation.world().await.names(), ["orders"], "{call}");
            assert_eq!(
                simulation.get("orders", "state").as_deref(),
                Some("damaged")
            );
            assert_eq!(run.summary.fidelity.as_ref().unwrap().lost, []);
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_swap_ends_as_if_nobody_had_died() {
    a_restore_ends_as_if_nobody_had_died("swap").await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_in_place_ends_as_if_nobody_had_died() {
    a_restore_ends_as_if_nobody_had_died("in_place").await;
}
