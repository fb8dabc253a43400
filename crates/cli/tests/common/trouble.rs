//! Things that go wrong because a test asks for it.

use serde_json::{Value, json};

use super::http::ask;

/// Asks for a fault: these requests go wrong in this way, so often (`null`: for ever).
pub(crate) fn fault(endpoint_url: &str, action: &str, when: &Value, times: &Value, effect: &Value) {
    let fault = json!({ "action": action, "when": when, "times": times, "effect": effect });
    ask(
        endpoint_url,
        "POST",
        "/_trapheus/faults",
        &fault.to_string(),
    );
}
