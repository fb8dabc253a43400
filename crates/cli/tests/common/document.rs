//! The final document of an execution, as programs rely on it.

use serde_json::{Value, json};

/// Every key, in the order of the documentation.
const KEYS: [&str; 19] = [
    "executionId",
    "status",
    "task",
    "identifier",
    "kind",
    "engine",
    "snapshotIdentifier",
    "strategy",
    "originalResourceId",
    "restoredResourceId",
    "endpoint",
    "startedAt",
    "finishedAt",
    "outageSeconds",
    "fidelity",
    "apiCalls",
    "leftOver",
    "warnings",
    "error",
];

/// Every key is there, and no other.
pub(crate) fn assert_whole(document: &Value) {
    let keys: Vec<_> = document
        .as_object()
        .expect("the document is an object")
        .keys()
        .collect();
    assert_eq!(keys, KEYS);
}

/// It went well, with nothing to add.
pub(crate) fn assert_succeeded(document: &Value) {
    assert_eq!(document["status"], "SUCCEEDED", "{document:#}");
    assert_eq!(document["error"], Value::Null);
    assert_eq!(document["leftOver"], json!([]));
    let kinds = [("instance", "postgres"), ("cluster", "aurora-postgresql")];
    let kind = (text(&document["kind"]), text(&document["engine"]));
    assert!(kinds.contains(&kind), "{kind:?}");
    assert!(text(&document["startedAt"]) < text(&document["finishedAt"]));
    if document["task"] == "create_snapshot_only" {
        return;
    }
    let fidelity = &document["fidelity"];
    assert_eq!(fidelity["lost"], json!([]));
    assert_eq!(fidelity["kept"], fidelity["compared"]);
    assert!(fidelity["compared"].as_u64() > Some(50), "{fidelity}");
    assert!(fidelity["notRestorable"].is_array());
}

/// A value that has to be text.
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
