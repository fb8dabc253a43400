//! Restores in which a step fails for no reason that anybody knows, before or after its work: up
//! to Promote everything is as before, and after it only what is left to do is left over.

use serde_json::json;
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Moment, Simulation};

/// The steps in which a failure is undone, in both strategies.
const UNDONE: [&str; 6] = [
    "Restore",
    "Configure",
    "Prepare",
    "Verify",
    "MoveAside",
    "Promote",
];

#[tokio::test(start_paused = true)]
async fn whatever_step_fails_the_original_answers_again() {
    for strategy in ["swap", "in_place"] {
        for step in UNDONE {
            for moment in [Moment::Before, Moment::After] {
                let at = format!("{strategy}, {moment:?} {step}");
                let simulation = Simulation::new(1).await;
                simulation.create_database("orders").await;
                simulation
                    .create_snapshot("orders", "orders-snapshot")
                    .await;
                simulation.put("orders", "state", "damaged");
                let before = simulation.world().await;
                let input = json!({
                    "identifier": "orders", "task": "db_restore", "strategy": strategy,
                });
                let task = format!("${{{step}}}");
                let run = simulation.run_failing(input, &task, moment).await;
                let run = run.unwrap_or_else(|| panic!("{at}: the step is not taken"));
                assert_eq!(
                    run.summary.status,
                    SummaryStatus::Failed,
                    "{at}: {:#?}",
                    run.summary
                );
                assert_eq!(run.summary.error.unwrap().name, "Trapheus.Struck", "{at}");
                assert_eq!(
                    simulation.get("orders", "state").as_deref(),
                    Some("damaged"),
                    "{at}"
                );
                let mut world = simulation.world().await;
                if (step, moment) == ("Promote", Moment::After) {
                    // Clients may have written to it.
                    let kept = world
                        .databases
                        .keys()
                        .find(|name| name.contains("rolled-back"));
                    let kept = kept
                        .unwrap_or_else(|| panic!("{at}: {:?}", world.names()))
                        .clone();
                    assert!(run.summary.left_over[0].contains(&kept), "{at}");
                    world.databases.remove(&kept);
                } else {
                    assert_eq!(run.summary.left_over, [""; 0], "{at}");
                }
                assert_eq!(world, before, "{at}");
            }
        }
    }
}
