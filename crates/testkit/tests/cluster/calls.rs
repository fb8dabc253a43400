//! Each call of a cluster's restore goes wrong once, in every way in which calls do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::stage::{counts, damaged, input};

const CODES: &str = include_str!("../../../rds/facts/error-codes.txt");

/// A call of a restore: the n-th of its action.
struct Call {
    action: String,
    nth: u32,
    is_look: bool,
}

/// The calls of a restore in which nothing goes wrong; of each kind of look, the first.
async fn calls(strategy: &str) -> Vec<Call> {
    let stage = damaged().await;
    let before = stage.simulation.request_entries().len();
    let run = stage.simulation.run(input(strategy)).await;
    assert_eq!(run.summary.exit_code(), 0, "{:?}", run.summary.error);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut calls = Vec::new();
    for entry in stage.simulation.request_entries().split_off(before) {
        let count = counts.entry(entry.action.clone()).or_default();
        let is_look = entry.action.starts_with("Describe") || entry.action.starts_with("List");
        if !is_look || *count == 0 {
            calls.push(Call {
                action: entry.action.clone(),
                nth: *count,
                is_look,
            });
        }
        *count += 1;
    }
    calls
}

/// How a call that changes something goes wrong: in ways that pass, with an error that the service
/// model has for a state, and with one that lasts.
fn effects(action: &str) -> Vec<Value> {
    let refused = |code: &str| json!({"error": {"code": code, "status": 400}});
    let prefix = format!("{action}: ");
    let codes = CODES.lines().find_map(|line| line.strip_prefix(&prefix));
    let mut codes = codes.unwrap_or_default().split(' ');
    let state = codes.find(|code| code.starts_with("Invalid") && code.contains("State"));
    let mut effects = vec![
        json!("throttle"),
        json!("lost_answer"),
        refused("AccessDenied"),
    ];
    effects.extend(state.map(refused));
    effects
}

async fn sweep(strategy: &str) {
    let mut visited: BTreeMap<String, u32> = BTreeMap::new();
    for call in calls(strategy).await {
        let effects = match call.is_look {
            true => vec![json!("internal")],
            // The calls are the same in another order; what was done unseen is what differs.
            false if strategy == "in_place" => vec![json!("lost_answer")],
            false => effects(&call.action),
        };
        for effect in effects {
            let at = format!("{strategy}, {} {}, {effect}", call.action, call.nth);
            let stage = damaged().await;
            stage.simulation.arm(json!({
                "action": call.action, "times": 1, "skip": call.nth, "effect": effect,
            }));
            let run = stage.simulation.run(input(strategy)).await;
            if effect.is_string() {
                assert_eq!(run.summary.exit_code(), 0, "{at}: {:?}", run.summary.error);
            }
            stage.assert_truth(&run, &at).await;
            *visited.entry(call.action.clone()).or_default() += 1;
        }
    }
    insta::assert_snapshot!(format!("calls_{strategy}"), counts(&visited));
}

#[tokio::test(start_paused = true)]
async fn any_call_of_a_swap_may_go_wrong_once() {
    sweep("swap").await;
}

#[tokio::test(start_paused = true)]
async fn any_call_of_a_restore_in_place_may_go_wrong_once() {
    sweep("in_place").await;
}
