//! The real bootstrap, as Lambda starts it, with a Runtime API that gives it one event.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:restore";
const INVOCATIONS: &str = "/2018-06-01/runtime/invocation";

/// What a function has answered, and what it has logged.
struct Answered {
    kind: String,
    answer: Value,
    log: Vec<Value>,
}

/// Gives the function one event, with nothing in its environment but this.
async fn invoke(environment: &[(&str, &str)], event: Value) -> Answered {
    let (answers, mut answered) = mpsc::unbounded_channel();
    let events = Arc::new(Mutex::new(vec![event]));
    let next = |State(events): State<Arc<Mutex<Vec<Value>>>>| async move {
        let Some(event) = events.lock().await.pop() else {
            return std::future::pending().await;
        };
        let headers = [
            ("Lambda-Runtime-Aws-Request-Id", "the-request"),
            ("Lambda-Runtime-Deadline-Ms", "4102444800000"),
        ];
        (headers, event.to_string()).into_response()
    };
    let answer = move |Path((request, kind)): Path<(String, String)>, body: String| async move {
        assert_eq!(request, "the-request");
        let _taken = answers.send((kind, body));
    };
    let router = Router::new()
        .route(&format!("{INVOCATIONS}/next"), get(next))
        .route(&format!("{INVOCATIONS}/{{request}}/{{kind}}"), post(answer))
        .with_state(events);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut function = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        // Nobody answers there, and nobody is asked.
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the bootstrap starts");
    let (kind, body) = answered.recv().await.expect("it answers");
    function.kill().expect("it can be ended");
    let Output { stdout, .. } = function.wait_with_output().expect("it has ended");
    let lines = String::from_utf8(stdout).expect("a log is text");
    Answered {
        kind,
        answer: serde_json::from_str(&body).expect("an answer is JSON"),
        log: lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of the log is JSON"))
            .collect(),
    }
}

#[tokio::test]
async fn a_failure_has_its_name_and_its_cause_and_one_line_in_the_log() {
    let environment = [
        ("_HANDLER", "Plan"),
        ("TRAPHEUS_STATE_MACHINE_ARN", MACHINE),
    ];
    let event = json!({ "execution": "nightly", "input": { "identifier": "orders", "taks": "x" } });
    let Answered { kind, answer, log } = invoke(&environment, event).await;
    assert_eq!(kind, "error");
    assert_eq!(answer["errorType"], "Trapheus.Refused");
    let cause: Value = serde_json::from_str(answer["errorMessage"].as_str().unwrap()).unwrap();
    let message = cause["message"].as_str().unwrap();
    assert!(message.contains("taks"), "{message}");
    let [line] = &log[..] else {
        panic!("one line: {log:?}");
    };
    assert_eq!(line["execution"], "nightly");
    assert_eq!(line["task"], "Plan");
    assert_eq!(line["outcome"], "Trapheus.Refused");
    assert!(line["milliseconds"].is_u64());
}

#[tokio::test]
async fn what_is_wrong_with_the_environment_is_told_to_the_execution() {
    let sound = [
        ("_HANDLER", "Plan"),
        ("TRAPHEUS_STATE_MACHINE_ARN", MACHINE),
    ];
    let wrong = ("TRAPHEUS_ALERT_EMAIL_TO", "nobody");
    let Answered { kind, answer, .. } = invoke(&[sound[0], sound[1], wrong], json!({})).await;
    assert_eq!(kind, "error");
    assert_eq!(answer["errorType"], "Trapheus.Refused");
    assert!(answer["errorMessage"].as_str().unwrap().contains(wrong.0));
}

#[test]
fn nobody_but_lambda_starts_it() {
    let mut function = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
    let done = function.env_clear().output().expect("it starts");
    assert!(!done.status.success());
    assert!(String::from_utf8_lossy(&done.stdout).contains("AWS_LAMBDA_RUNTIME_API"));
}
