//! Looks that are behind: RDS shows every database as it was some seconds ago, all the time. A
//! restore may take longer then, and must end as it does otherwise.

use serde_json::json;
use trapheus_restore::SummaryStatus;
use trapheus_testkit::Simulation;

/// How far behind the looks are, in seconds; beyond the second that a poll waits at first.
const BEHIND_SECONDS: [u32; 3] = [1, 3, 8];

#[tokio::test(start_paused = true)]
async fn looks_that_are_behind_change_nothing_about_the_end() {
    for strategy in ["swap", "in_place"] {
        for behind_seconds in BEHIND_SECONDS {
            let simulation = Simulation::new(1).await;
            simulation.create_database("orders").await;
            simulation.put("orders", "state", "good");
            simulation
                .create_snapshot("orders", "orders-snapshot")
                .await;
            simulation.put("orders", "state", "damaged");
            simulation.arm(json!({
                "action": "DescribeDBInstances",
                "effect": {"stale_seconds": behind_seconds},
            }));
            let run = simulation
                .run(json!({"identifier": "orders", "task": "db_restore", "strategy": strategy}))
                .await;
            let case = format!("{strategy}, {behind_seconds} s behind: {:#?}", run.summary);
            assert_eq!(run.summary.status, SummaryStatus::Succeeded, "{case}");
            // It had to wait for what it saw: the looks really were behind.
            let took = run.summary.finished_at.unwrap() - run.summary.started_at.unwrap();
            assert!(took.get_seconds() >= behind_seconds.into(), "{case}");
            assert_eq!(run.summary.left_over, [""; 0], "{case}");
            assert_eq!(
                simulation.get("orders", "state").as_deref(),
                Some("good"),
                "{case}"
            );
        }
    }
}
