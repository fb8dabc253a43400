//! Two executions for one target, and one execution in two processes: whoever comes second stops
//! before it changes anything, and whoever comes back from the dead changes nothing any more.

use serde_json::{Value, json};
use trapheus_engine::Error;
use trapheus_testkit::{Frozen, Simulation};

const STRATEGIES: [&str; 2] = ["swap", "in_place"];

async fn damaged() -> Frozen {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
    simulation.freeze()
}

fn restore(strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "strategy": strategy})
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_stopped_for_longer_than_its_lease_changes_nothing_when_it_wakes() {
    let frozen = damaged().await;
    for strategy in STRATEGIES {
        for change in 1.. {
            let simulation = frozen.thaw().await;
            let woken = simulation.stopped_in_change(restore(strategy), change);
            let Some(woken) = woken.await else {
                assert!(change > 8, "{strategy}: it made only {change} changes");
                break;
            };
            let at = format!("{strategy}, stopped in change {change}");
            assert_eq!(
                woken.run.summary.exit_code(),
                0,
                "{at}: {:#?}",
                woken.run.summary
            );
            assert_eq!(woken.changes, Vec::<String>::new(), "{at}");
            assert!(
                matches!(woken.error, Some(Error::TakenOver { .. })),
                "{at}: {:?}",
                woken.error
            );
            assert_eq!(
                simulation.get("orders", "state").as_deref(),
                Some("good"),
                "{at}"
            );
            assert_eq!(simulation.world().await.names(), ["orders"], "{at}");
        }
    }
}

/// Begins a second execution in the middle of every other call of the first.
async fn second_at_calls(is_elsewhere: bool) {
    let frozen = damaged().await;
    for first in STRATEGIES {
        let (mut refused, mut ran) = (0, 0);
        // Odd calls in the same home, even ones on another machine: what the lock is made of knows
        // nothing of homes.
        for call in (1 + u32::from(is_elsewhere)..).step_by(2) {
            // The second one's strategy decides nothing that its first look does not.
            let second = STRATEGIES[call as usize / 2 % 2];
            let simulation = frozen.thaw().await;
            let there = match is_elsewhere {
                true => simulation.elsewhere(),
                false => simulation.beside(),
            };
            let both =
                simulation.overtaken_in_call(restore(first), call, (&there, restore(second)));
            let Some((one, other, changes)) = both.await else {
                break;
            };
            let at = format!("{second} during call {call} of {first}");
            let codes = (one.summary.exit_code(), other.summary.exit_code());
            let message = |run: &trapheus_testkit::Run| {
                run.summary
                    .error
                    .as_ref()
                    .map(|error| error.message.clone())
            };
            if codes.1 == 2 {
                refused += 1;
                assert_eq!(changes, Vec::<String>::new(), "{at}");
                assert_eq!(codes.0, 0, "{at}: {:#?}", one.summary);
                let said = message(&other).unwrap_or_default();
                assert!(said.contains(one.id.as_str()), "{at}: {said}");
                assert!(
                    said.contains(": trapheus ") || said.contains("(trapheus "),
                    "{at}: {said}"
                );
            } else {
                // Before the first has taken the lock. Overtaken, it finds its original replaced,
                // and leaves that so; what it made itself by then is for a person to look at (3).
                ran += 1;
                assert_eq!(codes.1, 0, "{at}: {:#?}", other.summary);
                let has_made = simulation.world().await.names() != ["orders"];
                assert_eq!(codes.0 == 3, has_made, "{at}: {:#?}", one.summary);
                assert!((0..=3).contains(&codes.0), "{at}: {:#?}", one.summary);
            }
            assert_eq!(
                simulation.get("orders", "state").as_deref(),
                Some("good"),
                "{at}"
            );
            if codes.0 != 3 {
                assert_eq!(simulation.world().await.names(), ["orders"], "{at}");
            }
        }
        assert!(
            refused > 10 && ran > 0,
            "{first}: {refused} refused, {ran} ran"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_execution_at_any_call_of_the_first_in_the_same_home() {
    second_at_calls(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_execution_at_any_call_of_the_first_on_another_machine() {
    second_at_calls(true).await;
}
