//! The definition that the product ships is accepted, and takes the ways it is meant to take.

use serde_json::json;
use trapheus_asl::{HistoryKind, StateMachine, Status};

use crate::support::{Run, Script, Scripted};

const DEFINITION: &str = include_str!("../../../../workflow/restore.asl.json");

fn output(value: serde_json::Value) -> Vec<Scripted> {
    vec![Scripted::Output(value)]
}

/// Every task succeeds; the plan is for a swap without a new snapshot, original deleted at once.
fn script() -> Script {
    let machine = StateMachine::parse(DEFINITION).unwrap_or_else(|error| panic!("{error}"));
    let mut script: Script = machine
        .resources()
        .iter()
        .map(|name| ((*name).to_owned(), output(json!({}))))
        .collect();
    let plan = json!({
        "task": "db_restore", "strategy": "swap", "keepOriginalSeconds": 0,
    });
    script.insert("${Plan}".to_owned(), output(plan));
    script
}

#[test]
fn a_swap_promotes_before_it_retires() {
    let run = Run::new(DEFINITION, json!({ "identifier": "orders" }), &script());
    assert!(
        matches!(run.status(), Status::Succeeded { .. }),
        "{:?}",
        run.status()
    );
    let expected = [
        "Plan",
        "WhatIsAsked",
        "WhichStrategy",
        "Restore",
        "Configure",
        "Prepare",
        "Verify",
        "MoveAside",
        "Promote",
        "Report",
        "WhatOfTheOriginal",
        "Retire",
        "Done",
    ];
    assert_eq!(run.path(), expected);
}

#[test]
fn a_failure_before_promote_rolls_back_and_fails_with_its_own_error() {
    let mut script = script();
    script.insert(
        "${Verify}".to_owned(),
        vec![Scripted::Error {
            error: "Trapheus.VerificationFailed".into(),
            cause: "no".into(),
        }],
    );
    let run = Run::new(DEFINITION, json!({ "identifier": "orders" }), &script);
    let path = run.path();
    assert_eq!(
        path[path.len() - 4..],
        ["Verify", "RollBack", "ReportFailure", "Failed"]
    );
    let expected = Status::Failed {
        error: "Trapheus.VerificationFailed".into(),
        cause: "no".into(),
    };
    assert_eq!(run.status(), &expected);
}

#[test]
fn in_progress_is_polled_ever_more_slowly() {
    let mut script = script();
    let waiting = Scripted::Error {
        error: "Trapheus.InProgress".into(),
        cause: "{}".into(),
    };
    let mut runs = vec![waiting; 3];
    runs.push(Scripted::Output(json!({})));
    script.insert("${Restore}".to_owned(), runs);
    let run = Run::new(DEFINITION, json!({ "identifier": "orders" }), &script);
    assert!(
        matches!(run.status(), Status::Succeeded { .. }),
        "{:?}",
        run.status()
    );
    // 1 s, 1.02 s, 1.0404 s, to the millisecond.
    assert_eq!(run.elapsed_milliseconds(), 1000 + 1020 + 1040);
}

#[test]
fn a_kept_original_is_retired_when_its_time_is_over() {
    let mut script = script();
    let plan = json!({
        "task": "create_snapshot", "strategy": "in_place", "keepOriginalSeconds": 3600,
    });
    script.insert("${Plan}".to_owned(), output(plan));
    let run = Run::new(DEFINITION, json!({ "identifier": "orders" }), &script);
    assert!(
        matches!(run.status(), Status::Succeeded { .. }),
        "{:?}",
        run.status()
    );
    assert_eq!(run.elapsed_milliseconds(), 3_600_000);
    assert!(run.path().contains(&"MoveAsideFirst".to_owned()));
}

/// Fails one resource for good; returns the end of the path from the failure on.
fn path_after_failing(resource: &str, strategy: &str) -> (Vec<String>, Status) {
    let mut script = script();
    let plan = json!({
        "task": "create_snapshot", "strategy": strategy, "keepOriginalSeconds": 0,
    });
    script.insert("${Plan}".to_owned(), output(plan));
    let denied = Scripted::Error {
        error: "Trapheus.Denied".into(),
        cause: "no".into(),
    };
    script.insert(format!("${{{resource}}}"), vec![denied]);
    let run = Run::new(DEFINITION, json!({ "identifier": "orders" }), &script);
    let path = run.path();
    let failed = run
        .history()
        .into_iter()
        .find(|event| event.kind == HistoryKind::TaskFailed)
        .and_then(|event| event.state.clone())
        .expect("a task failed");
    let position = path
        .iter()
        .position(|state| *state == failed)
        .expect("it was entered");
    (path[position + 1..].to_vec(), run.status().clone())
}

#[test]
fn a_failure_up_to_promote_rolls_back_wherever_it_is() {
    let denied = Status::Failed {
        error: "Trapheus.Denied".into(),
        cause: "no".into(),
    };
    for strategy in ["swap", "in_place"] {
        for resource in [
            "Snapshot",
            "Restore",
            "Configure",
            "Prepare",
            "Verify",
            "MoveAside",
            "Promote",
        ] {
            let (path, status) = path_after_failing(resource, strategy);
            assert_eq!(
                path,
                ["RollBack", "ReportFailure", "Failed"],
                "{strategy} {resource}"
            );
            assert_eq!(status, denied, "{strategy} {resource}");
        }
    }
}

#[test]
fn a_refused_plan_rolls_nothing_back() {
    let (path, _) = path_after_failing("Plan", "swap");
    assert_eq!(path, ["ReportFailure", "Failed"]);
}

#[test]
fn a_failure_after_promote_never_rolls_back() {
    let (path, status) = path_after_failing("Retire", "swap");
    assert_eq!(path, ["ReportLeftOver", "Done"]);
    assert!(matches!(status, Status::Succeeded { .. }), "{status:?}");
}

#[test]
fn a_report_that_cannot_be_sent_changes_nothing() {
    let (path, status) = path_after_failing("Report", "swap");
    assert_eq!(path, ["WhatOfTheOriginal", "Retire", "Done"]);
    assert!(matches!(status, Status::Succeeded { .. }), "{status:?}");
}
