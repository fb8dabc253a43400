//! Restores that fail, wherever they fail: the original answers at its name again with all its
//! rows, nothing is left over, and the failure is called one.

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Moment, Run, Simulation, World};

async fn damaged() -> (Simulation, World) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put("orders", "state", "damaged");
    let world = simulation.world().await;
    (simulation, world)
}

fn input(strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "strategy": strategy})
}

/// Nothing is different from before, and the run says that it failed.
async fn assert_rolled_back(simulation: &Simulation, before: &World, run: &Run, error: &str) {
    assert_eq!(
        run.summary.status,
        SummaryStatus::Failed,
        "{:#?}",
        run.summary
    );
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    assert_eq!(
        run.summary.error.as_ref().unwrap().name,
        error,
        "{:#?}",
        run.summary
    );
    assert_eq!(run.summary.left_over, [""; 0]);
    assert_eq!(simulation.world().await, *before);
    assert_eq!(
        simulation.get("orders", "state").as_deref(),
        Some("damaged")
    );
}

async fn assert_fault_is_rolled_back(fault: Value, error: &str) {
    for strategy in ["swap", "in_place"] {
        let (simulation, before) = damaged().await;
        simulation.arm(fault.clone());
        let run = simulation.run(input(strategy)).await;
        assert_rolled_back(&simulation, &before, &run, error).await;
    }
}

/// A fault in the rename to a name.
fn rename_fault(to: &str, effect: Value) -> Value {
    json!({"action": "ModifyDBInstance", "when": {"NewDBInstanceIdentifier": to}, "times": 1, "effect": effect})
}

fn refused(code: &str) -> Value {
    json!({"error": {"code": code, "status": 400}})
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_ends_in_a_failed_status() {
    for status in [
        "incompatible-parameters",
        "restore-error",
        "incompatible-network",
    ] {
        let fault = json!({"action": "RestoreDBInstanceFromDBSnapshot", "times": 1, "effect": {"ends_in": status}});
        assert_fault_is_rolled_back(fault, "Trapheus.RestoreFailed").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_is_refused() {
    let fault = json!({"action": "RestoreDBInstanceFromDBSnapshot", "times": 1, "effect": refused("InvalidRestoreFault")});
    assert_fault_is_rolled_back(fault, "Trapheus.Invalid").await;
}

#[tokio::test(start_paused = true)]
async fn a_modify_that_fails_later_and_is_only_told_by_an_event() {
    let fault = json!({
        "action": "ModifyDBInstance", "when": {"DBInstanceIdentifier": "orders-trapheus-new"}, "times": 1,
        "effect": "modify_fails"
    });
    assert_fault_is_rolled_back(fault, "Trapheus.ModifyFailed").await;
}

#[tokio::test(start_paused = true)]
async fn a_modify_that_is_refused() {
    let fault = json!({
        "action": "ModifyDBInstance", "when": {"DBInstanceIdentifier": "orders-trapheus-new"}, "times": 1,
        "effect": refused("InvalidParameterValue")
    });
    assert_fault_is_rolled_back(fault, "Trapheus.ModifyFailed").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_otherwise() {
    for strategy in ["swap", "in_place"] {
        let (simulation, before) = damaged().await;
        simulation.refuse_verification_after(1);
        let run = simulation.run(input(strategy)).await;
        assert_rolled_back(&simulation, &before, &run, "Trapheus.VerificationFailed").await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_original_that_may_not_be_renamed() {
    for strategy in ["swap", "in_place"] {
        let (simulation, before) = damaged().await;
        simulation.arm(rename_fault("orders-temp", refused("AccessDenied")));
        let run = simulation.run(input(strategy)).await;
        assert_rolled_back(&simulation, &before, &run, "Trapheus.Denied").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restored_database_that_may_not_take_the_name() {
    assert_fault_is_rolled_back(
        rename_fault("orders", refused("AccessDenied")),
        "Trapheus.Denied",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restored_database_that_has_answered_at_the_name_is_kept() {
    let (simulation, before) = damaged().await;
    // Promote's rename is made, but nobody is told, nor can anybody see it until the roll-back.
    simulation.arm(rename_fault("orders", json!("lost_answer")));
    let fault =
        json!({"action": "DescribeDBInstances", "times": 1, "effect": refused("AccessDenied")});
    let mut fault = fault;
    fault["skip"] = json!(0);
    let run = {
        let run = simulation.run(input("swap"));
        tokio::pin!(run);
        let deny = async {
            while !simulation
                .requests()
                .iter()
                .any(|action| action == "AddTagsToResource")
                || simulation.get("orders", "state").as_deref() != Some("good")
            {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            simulation.put("orders", "written", "by a client");
            simulation.arm(fault);
        };
        tokio::select! {
            run = &mut run => run,
            () = async { deny.await; std::future::pending::<()>().await } => unreachable!("it waits for ever"),
        }
    };
    assert_eq!(
        run.summary.status,
        SummaryStatus::Failed,
        "{:#?}",
        run.summary
    );
    assert_eq!(run.summary.exit_code(), 1);
    assert_eq!(
        simulation.get("orders", "state").as_deref(),
        Some("damaged")
    );
    let world = simulation.world().await;
    assert_eq!(world.databases["orders"], before.databases["orders"]);
    let [left_over] = &run.summary.left_over[..] else {
        panic!("{:#?}", run.summary)
    };
    let kept = *world
        .names()
        .iter()
        .find(|name| name.contains("rolled-back"))
        .unwrap();
    assert!(left_over.contains(kept), "{left_over}");
    assert_eq!(
        simulation.get(kept, "written").as_deref(),
        Some("by a client")
    );
}

#[tokio::test(start_paused = true)]
async fn answers_that_get_lost_change_nothing_about_the_end() {
    for action in [
        "RestoreDBInstanceFromDBSnapshot",
        "ModifyDBInstance",
        "DeleteDBInstance",
        "AddTagsToResource",
    ] {
        for skip in 0..4 {
            for strategy in ["swap", "in_place"] {
                let (simulation, _) = damaged().await;
                simulation.arm(
                    json!({"action": action, "times": 1, "skip": skip, "effect": "lost_answer"}),
                );
                let run = simulation.run(input(strategy)).await;
                assert_eq!(
                    run.summary.exit_code(),
                    0,
                    "{action} {skip} {strategy}: {:#?}",
                    run.summary
                );
                assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
                assert_eq!(simulation.world().await.names(), ["orders"]);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_out() {
    for effect in [json!("throttle"), json!("internal")] {
        for action in [
            "RestoreDBInstanceFromDBSnapshot",
            "ModifyDBInstance",
            "DescribeDBInstances",
            "DeleteDBInstance",
        ] {
            let (simulation, _) = damaged().await;
            simulation.arm(json!({"action": action, "times": 5, "skip": 1, "effect": effect}));
            let run = simulation.run(input("swap")).await;
            assert_eq!(
                run.summary.exit_code(),
                0,
                "{action} {effect}: {:#?}",
                run.summary
            );
            assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_waits_out_what_passes_too() {
    for effect in ["throttle", "internal", "lost_answer"] {
        let (simulation, before) = damaged().await;
        simulation.arm(json!({
            "action": "RestoreDBInstanceFromDBSnapshot", "times": 1, "effect": {"ends_in": "restore-error"},
        }));
        // Only the roll-back deletes here.
        simulation.arm(json!({"action": "DeleteDBInstance", "times": 3, "effect": effect}));
        let run = simulation.run(input("swap")).await;
        assert_rolled_back(&simulation, &before, &run, "Trapheus.RestoreFailed").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_has_the_name_that_was_planned() {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let run = simulation
        .run_failing(input("swap"), "${Promote}", Moment::After)
        .await
        .expect("there is such a step");
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    let world = simulation.world().await;
    let names = world.names();
    let mut times = names
        .iter()
        .filter_map(|name| name.strip_prefix("orders-rolled-back-"));
    let kept = times.next().expect("it has answered at the name");
    // The first to name it is the plan, long before.
    let history = format!("{:?}", run.history);
    let (_, planned) = history
        .split_once("orders-rolled-back-")
        .expect("the plan names it");
    assert!(planned.starts_with(kept), "{kept}");
}

#[tokio::test(start_paused = true)]
async fn an_original_that_cannot_be_deleted_is_left_over_and_protected_as_before() {
    let (simulation, _) = damaged().await;
    simulation.arm(json!({"action": "DeleteDBInstance", "effect": refused("AccessDenied")}));
    let run = simulation.run(input("swap")).await;
    assert_eq!(run.summary.status, SummaryStatus::Succeeded);
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
    let world = simulation.world().await;
    assert_eq!(world.names(), ["orders", "orders-temp"]);
    assert!(world.databases["orders-temp"].deletion_protection);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_cannot_be_given_back_is_loud_and_says_what_to_type() {
    let (simulation, _) = damaged().await;
    simulation.arm(json!({
        "action": "ModifyDBInstance", "when": {"NewDBInstanceIdentifier": "orders"}, "effect": refused("AccessDenied")
    }));
    let run = simulation.run(input("swap")).await;
    assert_eq!(
        run.summary.status,
        SummaryStatus::RollbackFailed,
        "{:#?}",
        run.summary
    );
    assert_eq!(run.summary.exit_code(), 3);
    let remedy = &run.summary.error.as_ref().unwrap().remedy;
    let command = "aws rds modify-db-instance --db-instance-identifier orders-temp \
                   --new-db-instance-identifier orders --apply-immediately";
    assert!(remedy.iter().any(|line| line == command), "{remedy:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_original_whose_final_snapshot_fails_stays() {
    let simulation = damaged().await.0;
    simulation.arm(json!({
        "action": "DeleteDBInstance", "times": 1, "effect": {"ends_in": "failed"},
    }));
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore", "finalSnapshot": true}))
        .await;
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    let left_over = run.summary.left_over.join("\n");
    assert!(left_over.contains("orders-temp"), "{left_over}");
    assert_eq!(
        simulation.get("orders-temp", "state").as_deref(),
        Some("damaged")
    );
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
}
