//! Restores of clusters that fail: the original answers at all its endpoints again.

use serde_json::{Value, json};
use trapheus_testkit::Moment;

use crate::stage::{STRATEGIES, damaged, input};

#[tokio::test(start_paused = true)]
async fn whatever_step_fails_all_endpoints_answer_again() {
    for strategy in STRATEGIES {
        for step in ["Restore", "Configure", "Verify", "MoveAside", "Promote"] {
            for moment in [Moment::Before, Moment::After] {
                let at = format!("{strategy}, {moment:?} {step}");
                let stage = damaged().await;
                let task = format!("${{{step}}}");
                let run = stage
                    .simulation
                    .run_failing(input(strategy), &task, moment)
                    .await;
                let run = run.unwrap_or_else(|| panic!("{at}: the step is not taken"));
                assert_eq!(run.summary.exit_code(), 1, "{at}: {:?}", run.summary.error);
                assert_eq!(
                    run.summary.error.as_ref().unwrap().name,
                    "Trapheus.Struck",
                    "{at}"
                );
                let answered = (step, moment) == ("Promote", Moment::After);
                assert_eq!(run.summary.left_over.len(), usize::from(answered), "{at}");
                stage.assert_undone(&run, &at).await;
            }
        }
    }
}

/// What goes wrong with one thing of a cluster, whichever it is.
async fn assert_fault_is_undone(fault: Value, error: &str) {
    for strategy in STRATEGIES {
        assert_fault_is_undone_in(strategy, &fault, error).await;
    }
}

async fn assert_fault_is_undone_in(strategy: &str, fault: &Value, error: &str) {
    let at = format!("{strategy}, {fault}");
    let stage = damaged().await;
    stage.simulation.arm(fault.clone());
    let run = stage.simulation.run(input(strategy)).await;
    assert_eq!(run.summary.exit_code(), 1, "{at}: {:?}", run.summary.error);
    assert_eq!(run.summary.error.as_ref().unwrap().name, error, "{at}");
    stage.assert_undone(&run, &at).await;
}

fn refused(code: &str) -> Value {
    json!({"error": {"code": code, "status": 400}})
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_restored() {
    for effect in [
        json!({"ends_in": "restore-failed"}),
        refused("InvalidRestoreFault"),
    ] {
        let error = match effect {
            Value::Object(ref effect) if effect.contains_key("error") => "Trapheus.Invalid",
            _ => "Trapheus.RestoreFailed",
        };
        let fault = json!({"action": "RestoreDBClusterFromSnapshot", "times": 1, "effect": effect});
        assert_fault_is_undone(fault, error).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_never_becomes_available() {
    for skip in 0..3 {
        let fault = json!({
            "action": "CreateDBInstance", "times": 1, "skip": skip,
            "effect": {"ends_in": "incompatible-network"},
        });
        assert_fault_is_undone(fault, "Trapheus.RestoreFailed").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_for_which_there_is_no_room() {
    // Room may be found within hours, which are waited for in virtual time only.
    let fault = json!({
        "action": "CreateDBInstance", "skip": 2,
        "effect": refused("InsufficientDBInstanceCapacity"),
    });
    assert_fault_is_undone_in("swap", &fault, "Trapheus.TimeLimit").await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_one_member_may_not_take() {
    for member in ["orders-1", "orders-2", "orders-3"] {
        let fault = json!({
            "action": "ModifyDBInstance", "when": {"NewDBInstanceIdentifier": member}, "times": 1,
            "effect": refused("AccessDenied"),
        });
        assert_fault_is_undone(fault, "Trapheus.Denied").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_cluster_may_not_take() {
    let fault = json!({
        "action": "ModifyDBCluster", "when": {"NewDBClusterIdentifier": "orders"}, "times": 1,
        "effect": refused("AccessDenied"),
    });
    assert_fault_is_undone(fault, "Trapheus.Denied").await;
}

#[tokio::test(start_paused = true)]
async fn a_custom_endpoint_that_may_not_be_made_again() {
    let fault = json!({
        "action": "CreateDBClusterEndpoint", "times": 1, "effect": refused("AccessDenied"),
    });
    assert_fault_is_undone(fault, "Trapheus.Denied").await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_with_a_name_that_one_member_needs_stops_it_in_plan() {
    for strategy in STRATEGIES {
        for name in ["orders-3-temp", "orders-3-trapheus-new"] {
            let stage = damaged().await;
            stage.simulation.create_database(name).await;
            let before = stage.simulation.world().await;
            let run = stage.simulation.run(input(strategy)).await;
            assert_eq!(
                run.summary.exit_code(),
                2,
                "{name}: {:?}",
                run.summary.error
            );
            assert!(run.summary.error.unwrap().message.contains(name));
            assert_eq!(stage.simulation.world().await, before, "{name}");
        }
    }
}
