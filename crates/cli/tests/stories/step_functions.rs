//! The commands with `--engine step-functions`: the same stories are told, whoever runs them.
//!
//! moto interprets the state machine, and its tasks answer what the tasks of an embedded execution
//! have answered: so every difference in what is told is a fault of the telling.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::common::moto::Moto;
use super::common::patience::until;
use super::common::state_machine::{Answers, StateMachine, end_of};
use super::orders;

/// What the embedded engine made of some commands.
struct Recorded {
    answers: Answers,
    /// The exit code and the document of each.
    ended: Vec<(Option<i32>, Value)>,
    /// The history of each.
    histories: Vec<Value>,
}

impl Recorded {
    /// Runs each command to its end.
    fn of(moto: &Moto, commands: &[&[&str]]) -> Self {
        orders(moto);
        let mut recorded = Self {
            answers: BTreeMap::new(),
            ended: Vec::new(),
            histories: Vec::new(),
        };
        for command in commands {
            let ended = moto.trapheus(command);
            recorded.ended.push((ended.code, ended.result));
        }
        for (_, result) in &recorded.ended {
            let id = result["executionId"].as_str().expect("it has an id");
            let shown = moto.trapheus(&["executions", "show", id, "--history"]);
            let history = shown.result["history"].clone();
            collect_answers(&history, &mut recorded.answers);
            recorded.histories.push(history);
        }
        recorded
    }

    /// A restore that keeps its original for an hour, and its roll-back.
    fn of_a_rollback() -> Self {
        let moto = Moto::start(&[]);
        let keep = ["restore", "orders", "--keep-original", "1h"];
        let recorded = Self::of(&moto, &[&keep, &["rollback", "last"]]);
        moto.stop();
        recorded
    }
}

/// What the tasks of a history answered, by their functions.
fn collect_answers(history: &Value, answers: &mut Answers) {
    let mut function = String::new();
    for event in history.as_array().expect("a history is a list") {
        let answer = match event["kind"].as_str().expect("it has a kind") {
            "TaskScheduled" => {
                let resource = event["resource"].as_str().expect("it has a resource");
                function = resource.trim_matches(['$', '{', '}']).to_owned();
                continue;
            }
            "TaskSucceeded" => event["output"].clone(),
            "TaskFailed" => json!({ "error": [event["error"], event["cause"]] }),
            _ => continue,
        };
        answers.entry(function.clone()).or_default().push(answer);
    }
}

/// A document without what two executions never share.
fn without_identity(document: &Value) -> Value {
    let mut document = document.clone();
    for key in ["executionId", "startedAt", "finishedAt"] {
        document[key] = Value::Null;
    }
    document
}

/// What happened, in which state, by which error.
fn lines(history: &Value) -> Vec<String> {
    let events = history.as_array().expect("a history is a list").iter();
    let line = |event: &Value| format!("{} {} {}", event["kind"], event["state"], event["error"]);
    // Whether a wait that was cut short is told of by itself is the engine's affair.
    events
        .map(line)
        .filter(|line| !line.contains("StateAborted"))
        .collect()
}

/// The words of a history, but not its ids and times.
fn told(machine: &StateMachine, id: &Value) -> Vec<String> {
    let id = id.as_str().expect("an id is a text");
    let shown = machine.trapheus(&["executions", "show", id, "--history"]);
    lines(&shown.result["history"])
}

#[test]
fn a_rollback_of_a_kept_original_is_told_as_the_embedded_engine_tells_it() {
    let recorded = Recorded::of_a_rollback();
    let machine = StateMachine::start(&recorded.answers);
    let kept = machine.trapheus(&["restore", "orders", "--keep-original", "1h"]);
    assert_eq!(kept.result["status"], "KEEPING_ORIGINAL", "{kept:#?}");
    let listed = machine.trapheus(&["executions", "list"]);
    assert_eq!(listed.result["executions"], json!([kept.result]));
    // Nothing happens until the original's time is over, so nobody who watches is kept.
    let watched = machine.trapheus(&["executions", "watch", "last"]);
    assert_eq!((watched.code, &watched.result), (Some(0), &kept.result));

    // A stop is no way to take away what clients write to.
    let stopped = machine.trapheus(&["executions", "stop", "last"]);
    stopped.assert_refused("a stop is too late");
    assert_eq!(machine.count("StopExecution"), 0);

    let back = machine.trapheus(&["rollback", "last"]);
    for (number, run) in [kept, back].into_iter().enumerate() {
        let (code, document) = &recorded.ended[number];
        assert_eq!(run.code, *code, "{run:#?}");
        assert_eq!(
            without_identity(&run.result),
            without_identity(document),
            "{run:#?}"
        );
        assert_eq!(
            told(&machine, &run.result["executionId"]),
            lines(&recorded.histories[number])
        );
    }
    let newest = machine.trapheus(&["executions", "list", "--limit", "1"]);
    let newest = newest.result["executions"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!((newest.len(), &newest[0]["task"]), (1, &json!("rollback")));
    machine.stop();
}

#[test]
fn a_failure_is_told_as_the_embedded_engine_tells_it() {
    let moto = Moto::start(&["--imposter", "orders-trapheus-new"]);
    let recorded = Recorded::of(&moto, &[&["restore", "orders"]]);
    moto.stop();
    let machine = StateMachine::start(&recorded.answers);
    let run = machine.trapheus(&["restore", "orders"]);
    let (code, document) = &recorded.ended[0];
    assert_eq!((run.code, *code), (Some(1), Some(1)), "{run:#?}");
    assert_eq!(without_identity(&run.result), without_identity(document));
    assert_eq!(
        told(&machine, &run.result["executionId"]),
        lines(&recorded.histories[0])
    );

    // A program that reads events is told the same, and the result at the end.
    let output = machine
        .command(&["executions", "watch", "last", "--events"])
        .output()
        .expect("trapheus starts");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let mut events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is a document"))
        .collect();
    assert_eq!(events.pop(), Some(run.result));
    assert_eq!(lines(&Value::from(events)), lines(&recorded.histories[0]));
    machine.stop();
}

#[test]
fn a_stop_rolls_back_and_nobody_goes_on_with_what_was_rolled_back() {
    let mut recorded = Recorded::of_a_rollback();
    let waits = json!({ "error": ["Trapheus.InProgress", r#"{"waiting":"creating it"}"#] });
    recorded.answers.insert("Restore".into(), vec![waits]);
    // A restore and a roll-back, and once more.
    let plans = recorded.answers.get_mut("Plan").expect("it plans");
    plans.extend(plans.clone());
    let machine = StateMachine::start(&recorded.answers);
    let restore = machine.begin(&["restore", "orders"], "Restore");
    let stopped = machine.trapheus(&["executions", "stop", "last"]);
    assert_eq!(stopped.result["task"], "rollback", "{stopped:#?}");
    assert_eq!(stopped.result["status"], "SUCCEEDED", "{stopped:#?}");

    // Whoever watched sees the end.
    let ended = end_of(restore);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(ended.result["status"], "FAILED");
    assert_eq!(ended.result["error"]["name"], "Trapheus.RolledBack");
    let id = ended.result["executionId"].as_str().expect("it has an id");
    let resumed = machine.trapheus(&["executions", "resume", id]);
    resumed.assert_refused("has ended");

    // Started by hand in the console, and stopped there, without a word.
    let name = "1c9f6b2e-3f0a-4f0e-9a56-orders";
    let input = json!({ "identifier": "orders", "task": "db_restore" }).to_string();
    let start = json!({ "stateMachineArn": machine.arn, "name": name, "input": input });
    machine.boto3(&[("start_execution", start)]);
    machine.await_state("Restore");
    let arn = machine.execution(name);
    machine.boto3(&[("stop_execution", json!({ "executionArn": arn }))]);
    let shown = machine.trapheus(&["executions", "show", &arn]);
    assert_eq!(shown.result["status"], "STOPPED", "{shown:#?}");
    assert_eq!(shown.result["executionId"], name);
    machine
        .trapheus(&["executions", "stop", name])
        .assert_refused("has ended");
    let back = machine.trapheus(&["rollback", name]);
    assert_eq!(back.result["status"], "SUCCEEDED", "{back:#?}");
    let resumed = machine.trapheus(&["executions", "resume", name]);
    resumed.assert_refused("was rolled back by");
    machine.stop();
}

#[test]
fn an_execution_goes_on_without_whoever_started_it_and_after_a_stop_by_hand() {
    let moto = Moto::start(&[]);
    let mut recorded = Recorded::of(&moto, &[&["restore", "orders"]]);
    moto.stop();
    let waits = json!({ "error": ["Trapheus.InProgress", r#"{"waiting":"creating it"}"#] });
    let restore = recorded.answers.get_mut("Restore").expect("it restores");
    restore.splice(..0, vec![waits; 80]);
    let machine = StateMachine::start(&recorded.answers);

    let restore = machine.begin(&["restore", "orders"], "Restore");
    // Looks are a second apart at least, and each is one call.
    let (before, began) = (machine.count("GetExecutionHistory"), Instant::now());
    until("it is looked at three times", || {
        (machine.count("GetExecutionHistory") >= before + 3).then_some(())
    });
    assert!(began.elapsed() >= Duration::from_secs(2));
    let interrupted = Command::new("kill")
        .args(["-INT", &restore.id().to_string()])
        .status()
        .expect("kill can be run");
    assert!(interrupted.success());
    let left = end_of(restore);
    assert_eq!(left.code, Some(4), "{left:#?}");
    assert_eq!(left.result["status"], "RUNNING");
    assert!(left.said.contains("goes on"), "{left:#?}");
    assert_eq!(machine.count("StopExecution"), 0);

    let shown = machine.trapheus(&["executions", "show", "last"]);
    assert_eq!(shown.result["status"], "RUNNING", "{shown:#?}");
    let id = shown.result["executionId"].as_str().expect("it has an id");
    machine
        .trapheus(&["rollback", id])
        .assert_refused("is running");
    machine
        .trapheus(&["executions", "resume", id])
        .assert_refused("is running");
    machine.boto3(&[(
        "stop_execution",
        json!({ "executionArn": machine.execution(id) }),
    )]);
    let watched = machine.trapheus(&["executions", "watch", id]);
    assert_eq!(
        (watched.code, &watched.result["status"]),
        (Some(4), &json!("STOPPED"))
    );
    assert!(watched.said.contains("executions resume"), "{watched:#?}");

    let resumed = machine.trapheus(&["executions", "resume", id]);
    assert_eq!(resumed.code, Some(0), "{resumed:#?}");
    assert_eq!(machine.count("RedriveExecution"), 1);
    let mut result = without_identity(&resumed.result);
    let mut document = without_identity(&recorded.ended[0].1);
    for document in [&mut result, &mut document] {
        document["apiCalls"].take();
    }
    assert_eq!(result, document);
    let history = told(&machine, &resumed.result["executionId"]);
    assert!(
        history
            .iter()
            .any(|line| line.contains("ExecutionRedriven"))
    );
    machine
        .trapheus(&["executions", "resume", id])
        .assert_refused("has ended");
    machine.stop();
}

#[test]
fn what_is_in_the_way_of_a_start_is_said_and_nothing_is_started() {
    let machine = StateMachine::start(&BTreeMap::new());
    let role = "arn:aws:iam::123456789012:role/trapheus";
    let other = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } });
    let create = |name: &str, kind: &str| {
        let definition = other.to_string();
        let parameters = json!({
            "name": name, "type": kind, "definition": definition, "roleArn": role,
        });
        ("create_state_machine", parameters)
    };
    machine.boto3(&[
        create("quick", "EXPRESS"),
        create("mine-restore", "STANDARD"),
    ]);
    let start =
        |arguments: &[&str]| machine.trapheus(&[&["restore", "orders"], arguments].concat());

    start(&["--state-machine", "nowhere"])
        .assert_refused("which of trapheus-restore, mine-restore?");
    start(&["--state-machine", "quick"]).assert_refused("EXPRESS");
    let quick = machine.arn.replace("trapheus-restore", "quick");
    start(&["--state-machine", &quick]).assert_refused("EXPRESS");
    let nowhere = machine.arn.replace("trapheus-restore", "nowhere");
    start(&["--state-machine", &nowhere]).assert_refused("trapheus deploy");
    start(&["--region", "eu-west-1"])
        .assert_refused("no state machine trapheus-restore in eu-west-1");
    machine
        .trapheus(&["executions", "show", "run_1"])
        .assert_refused("no execution run_1");
    machine
        .trapheus(&["executions", "show", "last"])
        .assert_refused("no execution yet");
    machine
        .trapheus(&["executions", "show", &quick])
        .assert_refused("is no execution of");
    machine
        .trapheus(&["executions", "resume", "--all"])
        .assert_refused("Step Functions");

    let lost = "x".repeat(256 * 1024);
    let long = json!({ "identifier": "orders", "task": "db_restore", "allowLost": [lost] });
    let long = machine.file("long.json", &long.to_string());
    machine
        .trapheus(&["start", "--input", &long])
        .assert_refused("262144");
    machine.file("trapheus.toml", "protect = [\"ord*\"]\n");
    start(&[]).assert_refused("is protected");
    start(&["--confirm", "other"]).assert_refused("is protected");
    for action in [
        "StartExecution",
        "DescribeStateMachine",
        "ListStateMachines",
    ] {
        machine.deny(Some(action));
        start(&["--confirm", "orders"]).assert_refused(&format!("states:{action}"));
    }
    machine.deny(None);
    let listed = machine.trapheus(&["executions", "list"]);
    assert_eq!(listed.result, json!({ "executions": [] }));

    // Another definition may be meant: it is said, and found by the settings.
    let settings =
        "engine = \"step-functions\"\n[step-functions]\nstate-machine = \"mine-restore\"\n";
    machine.file("trapheus.toml", settings);
    let mut doctor = machine.command(&["doctor"]);
    doctor.env_remove("TRAPHEUS_ENGINE");
    let found = doctor.output().expect("trapheus starts");
    let found: Value = serde_json::from_slice(&found.stdout).expect("it prints JSON");
    let findings = found["findings"].as_array().expect("a list");
    let engine = findings.iter().find(|finding| finding["what"] == "engine");
    let engine = engine.expect("it tells of the engine");
    assert_eq!(engine["state"], "missing", "{engine:#}");
    assert!(
        engine["detail"].to_string().contains("mine-restore"),
        "{engine:#}"
    );
    let started = start(&[]);
    assert!(started.said.contains("at $.Comment"), "{started:#?}");
    assert_eq!(
        (started.code, &started.result["status"]),
        (Some(0), &json!("SUCCEEDED"))
    );
    machine.stop();
}
