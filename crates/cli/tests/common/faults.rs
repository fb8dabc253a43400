//! Faults on request, to hold an execution in the middle of its work.

use serde_json::json;

use super::http::ask;
use super::world::World;

impl World {
    /// A world with a local RDS of its own, since faults are everybody's in it.
    pub(crate) fn alone() -> Self {
        Self::own()
    }

    /// Throttles every request for an action whose parameter has this value, until [`Self::let_go`].
    pub(crate) fn hold(&self, action: &str, parameter: &str, value: &str) {
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
