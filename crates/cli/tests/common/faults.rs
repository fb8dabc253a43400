//! Faults on request, to hold an execution in the middle of its work.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Child;
use tokio::time::sleep;

use super::http::ask;
use super::world::World;

impl World {
    /// A world with a local RDS of its own, since faults are everybody's in it.
    pub(crate) fn alone() -> Self {
        Self::own()
    }

    /// Starts a command, and waits until it has tried the request that it is held at.
    pub(crate) async fn start_held(
        &self,
        arguments: &[&str],
        action: &str,
        parameter: &str,
        value: &str,
    ) -> Child {
        self.hold(action, parameter, value);
        let since = self.now();
        let child = self
            .trapheus(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("trapheus starts");
        while !self
            .changes_since(since, value)
            .contains(&action.to_owned())
        {
            sleep(Duration::from_millis(20)).await;
        }
        child
    }

    /// Throttles every request for an action whose parameter has this value, until [`Self::let_go`].
    fn hold(&self, action: &str, parameter: &str, value: &str) {
        let fault = json!({
            "action": action,
            "when": { parameter: value },
            "times": null,
            "effect": "throttle",
        });
        let body = fault.to_string();
        ask(self.endpoint_url(), "POST", "/_trapheus/faults", &body);
    }

    /// Ends all faults.
    pub(crate) fn let_go(&self) {
        ask(self.endpoint_url(), "DELETE", "/_trapheus/faults", "");
    }
}
