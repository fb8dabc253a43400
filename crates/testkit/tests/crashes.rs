//! A process that dies before it writes an event, for every event of a restore: whatever was
//! done for that event has been done, and a new process goes on. The end is the same.

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
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

/// Crashes at every event, until there are no more of them.
async fn at_every_event(
    input: &Value,
    prepare: impl Fn(&Simulation),
    check: impl AsyncFn(&Simulation, &Run, u32),
) {
    for event in 1.. {
        let simulation = damaged().await;
        prepare(&simulation);
        match simulation.crash_at(input.clone(), event).await {
            Some(run) => check(&simulation, &run, event).await,
            None => {
                assert!(event > 8, "a restore has more events");
                return;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_ends_as_if_nobody_had_died() {
    for strategy in ["swap", "in_place"] {
        let input =
            json!({"identifier": "orders", "task": "create_snapshot", "strategy": strategy});
        at_every_event(
            &input,
            |_| {},
            async |simulation, run, event| {
                assert_eq!(
                    run.summary.exit_code(),
                    0,
                    "{strategy}, event {event}: {:#?}",
                    run.summary
                );
                assert_eq!(
                    simulation.world().await.names(),
                    ["orders"],
                    "{strategy}, event {event}"
                );
                assert_eq!(
                    simulation.get("orders", "state").as_deref(),
                    Some("damaged")
                );
                assert_eq!(run.summary.fidelity.as_ref().unwrap().lost, []);
            },
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_ends_as_if_nobody_had_died() {
    for strategy in ["swap", "in_place"] {
        let input = json!({"identifier": "orders", "task": "db_restore", "strategy": strategy});
        let denied = json!({
            "action": "ModifyDBInstance", "when": {"NewDBInstanceIdentifier": "orders"}, "times": 1,
            "effect": {"error": {"code": "AccessDenied", "status": 400}}
        });
        let prepare = |simulation: &Simulation| simulation.arm(denied.clone());
        at_every_event(&input, prepare, async |simulation, run, event| {
            assert_eq!(run.summary.left_over, [""; 0], "{strategy}, event {event}");
            let world = simulation.world().await;
            assert_eq!(
                world.names(),
                ["orders"],
                "{strategy}, event {event}: {:#?}",
                run.summary
            );
            let state = simulation.get("orders", "state");
            match run.summary.status {
                SummaryStatus::Failed => assert_eq!(state.as_deref(), Some("damaged")),
                // The refusal fell to the process that died; the next one was not refused.
                _ => assert_eq!(
                    state.as_deref(),
                    Some("good"),
                    "{strategy}, event {event}: {:#?}",
                    run.summary
                ),
            }
        })
        .await;
    }
}
