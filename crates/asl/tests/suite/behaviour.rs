//! What no comparison with another interpreter can show: time, actions, histories, ends.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trapheus_asl::{Action, Event, HistoryKind, IllegalEvent, Status, TaskId, TimerId};

use crate::support::{Run, Script, Scripted, execution, start_time};

fn machine(states: Value) -> String {
    let start = states
        .as_object()
        .expect("states")
        .keys()
        .next()
        .expect("a state")
        .clone();
    json!({ "StartAt": start, "States": states }).to_string()
}

fn started(definition: &str, input: Value) -> (trapheus_asl::Execution, Vec<Action>) {
    let mut execution = execution(definition);
    let event = Event::ExecutionStarted {
        at: start_time(),
        input,
    };
    let actions = execution.apply(&event).expect("it can start");
    (execution, actions)
}

fn started_tasks(actions: &[Action]) -> Vec<TaskId> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::StartTask { task, .. } => Some(*task),
            _ => None,
        })
        .collect()
}

fn due(actions: &[Action]) -> Option<(TimerId, i64)> {
    actions.iter().find_map(|action| match action {
        Action::StartTimer { timer, due } => {
            Some((*timer, due.as_second() - start_time().as_second()))
        }
        _ => None,
    })
}

fn script(entries: &[(&str, Scripted)]) -> Script {
    entries
        .iter()
        .map(|(name, runs)| ((*name).to_owned(), vec![runs.clone()]))
        .collect()
}

#[test]
fn a_wait_until_a_time_is_a_timer_of_that_time() {
    let at = "2026-01-02T03:05:05Z";
    for state in [
        json!({ "Type": "Wait", "Timestamp": at, "End": true }),
        json!({ "Type": "Wait", "TimestampPath": "$.at", "End": true }),
        json!({ "Type": "Wait", "SecondsPath": "$.seconds", "End": true }),
    ] {
        let input = json!({ "at": at, "seconds": 60 });
        let (_, actions) = started(&machine(json!({ "A": state })), input);
        assert_eq!(due(&actions).map(|(_, seconds)| seconds), Some(60));
    }
}

#[test]
fn an_answered_task_gives_up_its_time_out() {
    let task = json!({ "Type": "Task", "Resource": "work", "TimeoutSeconds": 9, "End": true });
    let (mut execution, actions) = started(&machine(json!({ "A": task })), json!({}));
    let (timer, seconds) = due(&actions).expect("a time-out");
    assert_eq!(seconds, 9);
    let task = started_tasks(&actions)[0];
    let answer = Event::TaskSucceeded {
        at: start_time(),
        task,
        output: json!(1),
    };
    let actions = execution.apply(&answer).expect("it runs");
    assert!(actions.contains(&Action::CancelTimer { timer }));
    assert_eq!(
        actions.last(),
        Some(&Action::End(Status::Succeeded { output: json!(1) }))
    );
    assert_eq!(execution.apply(&answer), Err(IllegalEvent::Ended));
}

#[test]
fn a_task_out_of_time_is_given_up() {
    let retry = json!([{ "ErrorEquals": ["States.Timeout"] }]);
    let task = json!({
        "Type": "Task", "Resource": "work", "TimeoutSeconds": 9, "Retry": retry, "End": true,
    });
    let (mut execution, actions) = started(&machine(json!({ "A": task })), json!({}));
    let (timer, _) = due(&actions).expect("a time-out");
    let task = started_tasks(&actions)[0];
    let actions = execution
        .apply(&Event::TimerFired {
            at: start_time(),
            timer,
        })
        .expect("legal");
    assert!(actions.contains(&Action::CancelTask { task }));
    let late = Event::TaskSucceeded {
        at: start_time(),
        task,
        output: json!(1),
    };
    assert_eq!(execution.apply(&late), Err(IllegalEvent::UnknownTask(task)));
    assert_eq!(execution.outstanding().len(), 1, "the back-off");
}

#[test]
fn a_failing_branch_gives_up_the_others() {
    let branch = |name: &str, resource: &str| {
        json!({ "StartAt": name, "States": {
            name: { "Type": "Task", "Resource": resource, "TimeoutSeconds": 60, "End": true },
        } })
    };
    let inner = json!({ "StartAt": "I", "States": { "I": {
        "Type": "Parallel", "Branches": [branch("D", "hang")], "End": true,
    } } });
    let wait =
        json!({ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": 5, "End": true } } });
    let parallel = json!({
        "Type": "Parallel", "End": true,
        "Branches": [branch("B", "hang"), branch("C", "fail"), inner, wait],
    });
    let error = Scripted::Error {
        error: "E".into(),
        cause: "c".into(),
    };
    let script = script(&[("hang", Scripted::Hang), ("fail", error)]);
    let run = Run::new(&machine(json!({ "P": parallel })), json!({}), &script);
    assert_eq!(
        run.status(),
        &Status::Failed {
            error: "E".into(),
            cause: "c".into()
        }
    );
    assert_eq!(run.elapsed_milliseconds(), 0);
    let aborted: Vec<_> = run
        .history()
        .iter()
        .filter(|event| format!("{}", event.kind).ends_with("StateAborted"))
        .map(|event| event.state.clone().expect("a state"))
        .collect();
    assert_eq!(aborted, ["B", "D", "I", "W"]);
    let cancelled = |action: &&Action| {
        matches!(
            action,
            Action::CancelTask { .. } | Action::CancelTimer { .. }
        )
    };
    // Two tasks, three time-outs (one of them the failed task's own), one Wait.
    assert_eq!(run.actions.iter().filter(cancelled).count(), 6);
}

#[test]
fn a_map_runs_no_more_iterations_at_once_than_it_may() {
    let state = json!({
        "Type": "Map", "MaxConcurrency": 2, "End": true, "ItemProcessor": {
            "StartAt": "B", "States": { "B": { "Type": "Task", "Resource": "work", "End": true } },
        },
    });
    let (mut execution, actions) = started(&machine(json!({ "A": state })), json!([0, 1, 2, 3, 4]));
    let mut running: BTreeSet<TaskId> = started_tasks(&actions).into_iter().collect();
    let mut answers = 0;
    while let Some(task) = running.pop_last() {
        assert!(running.len() < 2);
        let answer = Event::TaskSucceeded {
            at: start_time(),
            task,
            output: json!(answers),
        };
        running.extend(started_tasks(&execution.apply(&answer).expect("it runs")));
        answers += 1;
    }
    assert_eq!(answers, 5);
    // Always the newest was answered first, so the first item's iteration came last.
    assert_eq!(
        execution.status(),
        &Status::Succeeded {
            output: json!([4, 0, 1, 2, 3])
        }
    );
}

#[test]
fn jitter_is_repeatable_spread_and_bounded() {
    let retry = json!([{
        "ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 50,
        "JitterStrategy": "FULL",
    }]);
    let task = json!({ "Type": "Task", "Resource": "work", "Retry": retry, "End": true });
    let definition = machine(json!({ "A": task }));
    let error = Scripted::Error {
        error: "E".into(),
        cause: String::new(),
    };
    let delays = |run: &Run| {
        let times: Vec<i64> = run
            .events
            .iter()
            .map(|event| event.at().as_millisecond())
            .collect();
        times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|delay| *delay > 0)
            .collect::<Vec<_>>()
    };
    let run = Run::new(&definition, json!({}), &script(&[("work", error.clone())]));
    let again = Run::new(&definition, json!({}), &script(&[("work", error)]));
    let found = delays(&run);
    assert_eq!(found, delays(&again));
    assert_eq!(found.len(), 50);
    assert!(found.iter().all(|delay| *delay <= 10_000));
    assert!(found.iter().any(|delay| *delay < 3_000) && found.iter().any(|delay| *delay > 7_000));
}

#[test]
fn an_abort_ends_everything() {
    let task = json!({ "Type": "Task", "Resource": "work", "TimeoutSeconds": 9, "End": true });
    let definition = json!({ "TimeoutSeconds": 100, "StartAt": "A", "States": { "A": task } });
    let (mut execution, _) = started(&definition.to_string(), json!({}));
    let abort = Event::ExecutionAborted {
        at: start_time(),
        error: "E".into(),
        cause: "c".into(),
    };
    let actions = execution.apply(&abort).expect("it runs");
    let kinds: Vec<_> = actions
        .iter()
        .filter_map(|action| match action {
            Action::Record(event) => Some(event.kind),
            _ => None,
        })
        .collect();
    assert_eq!(
        kinds,
        [HistoryKind::TaskStateAborted, HistoryKind::ExecutionAborted]
    );
    assert_eq!(
        actions.len(),
        6,
        "task, its time-out, the execution's, two records, the end"
    );
    assert_eq!(
        execution.status(),
        &Status::Aborted {
            error: "E".into(),
            cause: "c".into()
        }
    );
    assert_eq!(execution.outstanding(), []);
}

#[test]
fn a_loop_that_takes_no_time_is_ended() {
    let definition = machine(json!({
        "A": { "Type": "Choice", "Default": "B", "Choices": [
            { "Variable": "$.stop", "IsPresent": true, "Next": "End" },
        ] },
        "B": { "Type": "Pass", "Next": "A" },
        "End": { "Type": "Succeed" },
    }));
    let run = Run::new(&definition, json!({}), &Script::new());
    assert!(matches!(run.status(), Status::Failed { error, .. } if error == "States.Runtime"));
}

#[test]
fn a_long_chain_of_states_does_not_need_a_deep_stack() {
    let mut states = serde_json::Map::new();
    for number in 0..5_000 {
        let next = format!("S{}", number + 1);
        states.insert(
            format!("S{number}"),
            json!({ "Type": "Pass", "Next": next }),
        );
    }
    states.insert("S5000".into(), json!({ "Type": "Succeed" }));
    let definition = json!({ "StartAt": "S0", "States": states }).to_string();
    let run = Run::new(&definition, json!(7), &Script::new());
    assert_eq!(run.status(), &Status::Succeeded { output: json!(7) });
}

#[test]
fn the_context_object_tells_the_times() {
    let pass = json!({ "Type": "Pass", "End": true, "Parameters": { "context.$": "$$" } });
    let wait = json!({ "Type": "Wait", "Seconds": 60, "Next": "B" });
    let run = Run::new(
        &machine(json!({ "A": wait, "B": pass })),
        json!({ "i": 1 }),
        &Script::new(),
    );
    let expected = json!({ "context": {
        "Execution": {
            "Id": "the-execution", "Name": "the-execution", "Input": { "i": 1 },
            "StartTime": "2026-01-02T03:04:05.000Z",
        },
        "State": { "Name": "B", "EnteredTime": "2026-01-02T03:05:05.000Z", "RetryCount": 0 },
        "StateMachine": { "Id": "the-machine", "Name": "the-machine" },
    } });
    assert_eq!(run.status(), &Status::Succeeded { output: expected });
}

#[test]
fn a_history_is_numbered_and_linked() {
    let map = json!({ "Type": "Map", "MaxConcurrency": 1, "End": true, "ItemProcessor": {
        "StartAt": "B", "States": { "B": { "Type": "Task", "Resource": "work", "End": true } },
    } });
    let run = Run::new(
        &machine(json!({ "A": map })),
        json!([1]),
        &script(&[("work", Scripted::Echo)]),
    );
    let told: Vec<_> = run
        .history()
        .iter()
        .map(|event| format!("{} after {}: {}", event.id, event.previous_id, event.kind))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    1 after 0: ExecutionStarted
    2 after 1: MapStateEntered
    3 after 2: MapStateStarted
    4 after 3: MapIterationStarted
    5 after 4: TaskStateEntered
    6 after 5: TaskScheduled
    7 after 6: TaskSucceeded
    8 after 7: TaskStateExited
    9 after 8: MapIterationSucceeded
    10 after 9: MapStateSucceeded
    11 after 10: MapStateExited
    12 after 11: ExecutionSucceeded
    ");
}
