//! A process that dies before it writes an event, for every event of a cluster's restore, or in
//! the middle of a change, for every change: the end is as if nobody had died.

use serde_json::json;
use trapheus_testkit::Calls;

use crate::stage::{STRATEGIES, damaged, input};

#[tokio::test(start_paused = true)]
async fn a_restore_ends_as_if_nobody_had_died() {
    for strategy in STRATEGIES {
        for event in 1.. {
            let at = format!("{strategy}, event {event}");
            let stage = damaged().await;
            let Some(run) = stage.simulation.crash_at(input(strategy), event).await else {
                insta::assert_snapshot!(format!("kills_{strategy}"), event - 1);
                break;
            };
            assert_eq!(run.summary.exit_code(), 0, "{at}: {:?}", run.summary.error);
            stage.assert_restored(&at).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_ends_as_if_nobody_had_died_in_a_change() {
    in_every_change("swap").await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_in_place_ends_as_if_nobody_had_died_in_a_change() {
    in_every_change("in_place").await;
}

async fn in_every_change(strategy: &str) {
    for change in 1.. {
        let at = format!("{strategy}, change {change}");
        let stage = damaged().await;
        let input = input(strategy);
        let stopped = stage
            .simulation
            .stop_in_call(input, change, Calls::Changes)
            .await;
        let Some(stopped) = stopped else {
            insta::assert_snapshot!(format!("kills_in_changes_{strategy}"), change - 1);
            break;
        };
        let run = stage.simulation.resume(&stopped.id).await;
        assert_eq!(run.summary.exit_code(), 0, "{at}: {:?}", run.summary.error);
        stage.assert_restored(&at).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_ends_as_if_nobody_had_died() {
    for strategy in STRATEGIES {
        for event in 1.. {
            let at = format!("{strategy}, event {event}");
            let stage = damaged().await;
            stage.simulation.arm(json!({
                "action": "ModifyDBCluster", "when": {"NewDBClusterIdentifier": "orders"},
                "times": 1, "effect": {"error": {"code": "AccessDenied", "status": 400}},
            }));
            let Some(run) = stage.simulation.crash_at(input(strategy), event).await else {
                insta::assert_snapshot!(format!("kills_in_roll_back_{strategy}"), event - 1);
                break;
            };
            // Where the refusal fell to the process that died, the next one was not refused.
            stage.assert_truth(&run, &at).await;
        }
    }
}
