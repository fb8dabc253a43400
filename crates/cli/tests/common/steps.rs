//! Somebody else's Step Functions, whose tasks are processes of the real bootstrap: see
//! `tests/python/step_functions.py`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::background::Background;
use super::http::ask;
use super::python::python;

/// A running harness.
pub(crate) struct StepFunctions {
    _server: Background,
    _directory: TempDir,
    /// Where Step Functions and all other services answer, but not RDS.
    pub(crate) endpoint_url: String,
}

impl StepFunctions {
    /// Starts it, with functions that work on that RDS and have this in their environment.
    pub(crate) fn up(rds: &str, environment: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().expect("there is room for a temporary directory");
        let mut command = python();
        command.args(["step_functions.py", "--pace", "0.1", "--timeout", "60"]);
        let rds = ("AWS_ENDPOINT_URL_RDS", rds);
        for (name, value) in environment.iter().chain([&rds]) {
            command.args(["--env", &format!("{name}={value}")]);
        }
        command.arg("--").arg(bootstrap());
        let log = directory.path().join("step-functions.log");
        let (server, ready) = Background::start(&mut command, &log);
        let endpoint_url = ready["endpointUrl"].as_str().expect("it says where");
        Self {
            endpoint_url: endpoint_url.to_owned(),
            _server: server,
            _directory: directory,
        }
    }

    /// Runs an execution to its end.
    pub(crate) fn execute(&self, name: &str, input: &Value) -> Value {
        let asked = json!({ "name": name, "input": input }).to_string();
        ask(&self.endpoint_url, "POST", "/_execute", &asked)
    }

    /// Calls one function by itself.
    pub(crate) fn invoke(&self, function: &str, payload: &Value) -> Value {
        let asked = json!({ "function": function, "payload": payload }).to_string();
        ask(&self.endpoint_url, "POST", "/_invoke", &asked)
    }

    /// Makes one call of another service with boto3.
    pub(crate) fn boto3(&self, service: &str, call: &str, arguments: &Value) -> Value {
        let asked = json!({ "service": service, "call": call, "arguments": arguments });
        ask(&self.endpoint_url, "POST", "/_boto3", &asked.to_string())
    }

    /// Has Lambda itself, or a function's process, fail.
    pub(crate) fn fail(&self, fault: &Value) {
        ask(&self.endpoint_url, "POST", "/_faults", &fault.to_string());
    }

    /// One of the harness's lists: `/_invocations`, `/_messages` or `/_events`.
    pub(crate) fn list(&self, page: &str) -> Vec<Value> {
        let list = ask(&self.endpoint_url, "GET", page, "");
        list.as_array().expect("it is a list").clone()
    }
}

/// Cargo builds it for the tests of its own crate, into the directory of all programs.
fn bootstrap() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_trapheus")).with_file_name("bootstrap");
    assert!(
        built.exists(),
        "{} is not built: run all tests, or these with `--test lambda --test bootstrap`",
        built.display()
    );
    built
}
