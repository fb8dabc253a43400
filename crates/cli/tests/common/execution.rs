//! One execution by the real binary, in a home of its own: started, looked at, killed, resumed.

use std::fs::{self, File};
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::patience::until;
use super::trapheus::trapheus;

/// A home for one execution, and the local RDS that it talks to.
pub(crate) struct Home {
    pub(super) directory: TempDir,
    endpoint_url: String,
}

/// A `trapheus` that runs. Dropped, it is killed.
pub(crate) struct Running<'a> {
    home: &'a Home,
    pub(super) child: Child,
}

/// How a `trapheus` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// The document that it printed.
    pub(crate) result: Value,
}

impl Home {
    /// An empty home.
    pub(crate) fn new(endpoint_url: &str) -> Self {
        Self {
            directory: TempDir::new().expect("there is room for a temporary directory"),
            endpoint_url: endpoint_url.to_owned(),
        }
    }

    /// Starts `trapheus`, and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running<'_> {
        self.start_with(arguments, &[])
    }

    /// The same, with further environment variables.
    pub(crate) fn start_with(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Running<'_> {
        let file = |name: &str| {
            File::create(self.directory.path().join(name)).expect("the home can be written to")
        };
        let child = trapheus(self.directory.path())
            .env("AWS_ENDPOINT_URL", &self.endpoint_url)
            .envs(environment.iter().copied())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("trapheus starts");
        Running { home: self, child }
    }

    /// The newest execution with its history, as another process sees it; nothing while there is
    /// none.
    pub(crate) fn look(&self) -> Option<Value> {
        let shown = trapheus(self.directory.path())
            .args(["executions", "show", "last", "--history"])
            .output()
            .expect("trapheus starts");
        serde_json::from_slice(&shown.stdout).ok()
    }

    /// The state that the newest execution is in.
    pub(crate) fn state(&self) -> Option<String> {
        let execution = self.look()?;
        let history = execution["history"].as_array()?;
        let entered = |event: &&Value| {
            let kind = event["kind"].as_str().unwrap_or_default();
            kind.ends_with("StateEntered")
        };
        let state = history.iter().rev().find(entered)?["state"].as_str()?;
        Some(state.to_owned())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
    }
}

impl Running<'_> {
    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let status = until("trapheus ends", || {
            self.child.try_wait().expect("a child can be looked at")
        });
        let messages = self.home.read("stderr");
        let printed = self.home.read("stdout");
        let result = serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{printed}\n{messages}"));
        Ended {
            code: status.code(),
            result,
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}
