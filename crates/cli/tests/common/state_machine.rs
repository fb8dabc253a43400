//! Somebody else's Step Functions with our state machine, whose tasks answer what they are told to:
//! see `tests/python/step_functions.py`.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::background::Background;
use super::http::ask;
use super::moto::Moto;
use super::patience::until;
use super::python::python;
use super::trapheus::trapheus;

/// What each function answers, call by call; the last answer is given for ever.
pub(crate) type Answers = BTreeMap<String, Vec<Value>>;

/// How a run of the real binary ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) result: Value,
    /// What it said.
    pub(crate) said: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let said = String::from_utf8(output.stderr).expect("trapheus writes UTF-8");
        let result = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            let printed = String::from_utf8_lossy(&output.stdout);
            panic!("no JSON: {error}\n{printed}\n{said}")
        });
        Self {
            code: output.status.code(),
            result,
            said,
        }
    }

    /// It was refused, and says so with these words.
    pub(crate) fn assert_refused(&self, words: &str) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        assert!(
            self.said.contains(words),
            "{words:?} is not in {}",
            self.said
        );
    }
}

/// The harness, and a home for `trapheus`.
pub(crate) struct StateMachine {
    server: Background,
    home: TempDir,
    endpoint_url: String,
    /// The state machine's ARN.
    pub(crate) arn: String,
}

impl StateMachine {
    /// Starts it with functions that answer so.
    pub(crate) fn start(answers: &Answers) -> Self {
        let home = TempDir::new().expect("there is room for a temporary directory");
        // Every execution is answered so, one after the other.
        let answers = json!({ "*": answers }).to_string();
        let python = python();
        let mut command = self::python();
        command
            .args(["step_functions.py", "--pace", "0.05", "--env"])
            .arg(format!("ANSWERS={answers}"))
            .arg("--")
            .arg(python.get_program())
            .arg("stand_in_bootstrap.py");
        let (server, ready) = Background::start(&mut command, &home.path().join("server.log"));
        let text = |key: &str| ready[key].as_str().expect("it says so").to_owned();
        Self {
            server,
            home,
            endpoint_url: text("endpointUrl"),
            arn: text("stateMachineArn"),
        }
    }

    /// Ends it.
    pub(crate) fn stop(self) {
        self.server.wait();
    }

    /// `trapheus` as its user types it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = trapheus(self.home.path());
        command
            .args(arguments)
            .env("TRAPHEUS_ENGINE", "step-functions")
            .env("AWS_ENDPOINT_URL_SFN", &self.endpoint_url);
        command
    }

    /// Runs `trapheus` to its end.
    pub(crate) fn trapheus(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("trapheus starts"))
    }

    /// Starts `trapheus`, and waits until the newest execution is in a state.
    pub(crate) fn begin(&self, arguments: &[&str], state: &str) -> Child {
        let child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("trapheus starts");
        self.await_state(state);
        child
    }

    /// Waits until the newest execution is in a state.
    pub(crate) fn await_state(&self, state: &str) {
        until(&format!("an execution is in {state}"), || {
            let mut show = self.command(&["executions", "show", "last", "--history"]);
            let output = show.output().expect("trapheus starts");
            let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let history = shown["history"].as_array()?;
            history
                .iter()
                .any(|event| event["state"] == state)
                .then_some(())
        });
    }

    /// A file in the working directory of `trapheus`; returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("a temporary file can be written");
        path.to_str().expect("temporary paths are text").to_owned()
    }

    /// Makes calls of Step Functions as others do, with boto3; returns the answers.
    pub(crate) fn boto3(&self, calls: &[(&str, Value)]) -> Vec<Value> {
        let calls = calls
            .iter()
            .map(|(call, parameters)| json!([format!("stepfunctions:{call}"), parameters]));
        Moto::calls(&self.endpoint_url, &calls.collect())
    }

    /// How often a call of Step Functions has been made.
    pub(crate) fn count(&self, action: &str) -> usize {
        let calls = ask(&self.endpoint_url, "GET", "/_calls", "");
        let calls = calls.as_array().expect("it is a list");
        calls.iter().filter(|call| *call == action).count()
    }

    /// Refuses a call from now on.
    pub(crate) fn deny(&self, action: Option<&str>) {
        let asked = json!({ "action": action }).to_string();
        ask(&self.endpoint_url, "POST", "/_deny", &asked);
    }

    /// The ARN of an execution.
    pub(crate) fn execution(&self, name: &str) -> String {
        let machine = self.arn.replace(":stateMachine:", ":execution:");
        format!("{machine}:{name}")
    }
}

/// The end of a process that was started by [`StateMachine::begin`].
pub(crate) fn end_of(child: Child) -> Run {
    Run::of(child.wait_with_output().expect("a child can be waited for"))
}
