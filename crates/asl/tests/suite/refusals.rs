//! Every kind of finding, each with the JSON path of the offender; and that nothing wrong is
//! accepted, nor anything right refused.

use serde_json::{Value, json};
use trapheus_asl::{Problem, StateMachine};

/// The findings about a definition, as `path: problem`.
fn findings(definition: &Value) -> Vec<String> {
    findings_in(&definition.to_string())
}

fn findings_in(definition: &str) -> Vec<String> {
    match StateMachine::parse(definition) {
        Ok(_) => Vec::new(),
        Err(error) => error.findings().iter().map(ToString::to_string).collect(),
    }
}

/// A machine of one state named A.
fn machine(state: Value) -> Value {
    json!({ "StartAt": "A", "States": { "A": state } })
}

/// A Task with more fields than it needs.
fn task(more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": "work", "End": true });
    for (name, value) in more.as_object().expect("fields") {
        state[name] = value.clone();
    }
    machine(state)
}

/// Asserts that the one thing wrong with a definition is this.
#[track_caller]
fn refused(definition: Value, finding: &str) {
    assert_eq!(findings(&definition), [finding]);
}

#[test]
fn what_is_right_is_accepted() {
    assert_eq!(findings(&task(json!({}))), [""; 0]);
    let everything = json!({
        "Comment": "c", "Version": "1.0", "QueryLanguage": "JSONPath", "TimeoutSeconds": 60,
        "StartAt": "A", "States": { "A": {
            "Type": "Map", "Comment": "c", "QueryLanguage": "JSONPath",
            "ItemsPath": "$.l", "MaxConcurrencyPath": "$.m",
            "ItemSelector": { "a.$": "$$.Map.Item.Value.x", "b": [1, { "c.$": "States.Array()" }] },
            "ItemProcessor": {
                "Comment": "c", "ProcessorConfig": { "Mode": "INLINE" },
                "StartAt": "B", "States": { "B": { "Type": "Succeed" } },
            },
            "Retry": [{ "Comment": "c", "ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL" }],
            "Catch": [{ "Comment": "c", "ErrorEquals": ["States.ALL"], "Next": "C" }],
            "End": true,
        }, "C": { "Type": "Fail" } },
    });
    assert_eq!(findings(&everything), [""; 0]);
}

#[test]
fn all_findings_are_reported_at_once() {
    let definition = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Task", "Next": "B", "Nonsense": 1 },
        "B": { "Type": "Wait", "Seconds": "ten", "End": true },
    } });
    assert_eq!(
        findings(&definition),
        [
            "$.States.A: the field Resource is missing",
            "$.States.A.Nonsense: the field is unknown here",
            "$.States.B.Seconds: an integer is expected",
        ]
    );
}

#[test]
fn text_that_is_not_json() {
    let error = StateMachine::parse("{").expect_err("it is not JSON");
    assert!(matches!(
        error.findings()[0].problem,
        Problem::NotJson { .. }
    ));
    assert_eq!(error.findings()[0].at, "$");
}

#[test]
fn a_member_that_stands_twice() {
    let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}"#;
    assert_eq!(
        findings_in(text),
        ["$.States.A: the field stands here twice"]
    );
}

#[test]
fn fields_that_are_missing_unknown_or_of_the_wrong_type() {
    refused(json!({ "StartAt": "A" }), "$: the field States is missing");
    refused(json!([]), "$: an object is expected");
    refused(
        machine(json!({ "Type": "Succeed", "End": true })),
        "$.States.A.End: the field is unknown here",
    );
    refused(
        task(json!({ "Parameters": [] })),
        "$.States.A.Parameters: an object is expected",
    );
    refused(
        task(json!({ "Retry": {} })),
        "$.States.A.Retry: an array is expected",
    );
    refused(
        task(json!({ "End": "true" })),
        "$.States.A.End: a boolean is expected",
    );
    refused(
        machine(json!({ "Type": "Fail", "Error": 5 })),
        "$.States.A.Error: a string is expected",
    );
    refused(
        json!({ "StartAt": "A", "States": {} }),
        "$.States: it must not be empty",
    );
    refused(
        task(json!({ "Resource": "" })),
        "$.States.A.Resource: it must not be empty",
    );
}

#[test]
fn fields_of_the_language_that_are_not_supported() {
    let unsupported = |name: &str| {
        let found = findings(&task(json!({ name: 10 })));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("$.States.A.{name}: the field is not supported")));
    };
    for name in [
        "HeartbeatSeconds",
        "HeartbeatSecondsPath",
        "Credentials",
        "Assign",
    ] {
        unsupported(name);
    }
    refused(
        machine(json!({ "Type": "Activity", "End": true })),
        "$.States.A.Type: Activity is not supported; supported: Task, Choice, Wait, Pass, \
         Parallel, Map, Succeed, Fail",
    );
    let mut jsonata = task(json!({}));
    jsonata["QueryLanguage"] = json!("JSONata");
    refused(
        jsonata,
        "$.QueryLanguage: \"JSONata\" is not supported; supported: JSONPath",
    );
    let map = json!({
        "Type": "Map", "End": true, "ItemProcessor": {
            "ProcessorConfig": { "Mode": "DISTRIBUTED" },
            "StartAt": "B", "States": { "B": { "Type": "Succeed" } },
        },
    });
    refused(
        machine(map),
        "$.States.A.ItemProcessor.ProcessorConfig.Mode: \"DISTRIBUTED\" is not supported; \
         supported: INLINE",
    );
}

#[test]
fn one_of_several_fields() {
    refused(
        machine(json!({ "Type": "Pass" })),
        "$.States.A: exactly one of Next and End is needed, not 0",
    );
    refused(
        machine(json!({ "Type": "Wait", "Seconds": 1, "SecondsPath": "$", "End": true })),
        "$.States.A: exactly one of Seconds, SecondsPath, Timestamp and TimestampPath is needed, \
         not 2",
    );
    refused(
        task(json!({ "TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t" })),
        "$.States.A: exactly one of TimeoutSeconds and TimeoutSecondsPath is needed, not 2",
    );
    refused(
        machine(json!({ "Type": "Map", "End": true })),
        "$.States.A: exactly one of ItemProcessor and Iterator is needed, not 0",
    );
    let rule = json!({ "Variable": "$.a", "IsNull": true, "IsString": true, "Next": "B" });
    refused(
        json!({ "StartAt": "A", "States": {
            "A": { "Type": "Choice", "Choices": [rule] }, "B": { "Type": "Succeed" },
        } }),
        "$.States.A.Choices[0]: exactly one of the comparison operators is needed, not 2",
    );
}

#[test]
fn numbers_beyond_their_limits() {
    refused(
        task(json!({ "TimeoutSeconds": 0 })),
        "$.States.A.TimeoutSeconds: 0 is not between 1 and 99999999",
    );
    refused(
        task(json!({ "Retry": [{ "ErrorEquals": ["E"], "MaxAttempts": -1 }] })),
        "$.States.A.Retry[0].MaxAttempts: -1 is not between 0 and 99999999",
    );
    refused(
        task(json!({ "Retry": [{ "ErrorEquals": ["E"], "BackoffRate": 0.5 }] })),
        "$.States.A.Retry[0].BackoffRate: 0.5 is less than 1",
    );
    refused(
        task(json!({ "Retry": [{ "ErrorEquals": ["E"], "IntervalSeconds": 1.5 }] })),
        "$.States.A.Retry[0].IntervalSeconds: an integer is expected",
    );
}

#[test]
fn paths_and_calls() {
    refused(
        task(json!({ "InputPath": "$.a[*]" })),
        "$.States.A.InputPath: '$.a[*]' is not a reference path: [*] is not an index; only \
         reference paths are supported",
    );
    refused(
        task(json!({ "ResultPath": "$$.State" })),
        "$.States.A.ResultPath: '$$.State' is not a reference path: the context object cannot be \
         written to",
    );
    refused(
        task(json!({ "Parameters": { "deep": [{ "a.$": "$$.Task.Token" }] } })),
        "$.States.A.Parameters.deep[0]['a.$']: the context object has no '$$.Task.Token'",
    );
    refused(
        task(json!({ "Parameters": { "a.$": "States.UUID()" } })),
        "$.States.A.Parameters['a.$']: 'States.UUID()' cannot be called: States.UUID is not \
         supported: a replay could not repeat its value",
    );
    refused(
        task(json!({ "Parameters": { "a.$": "States.Format('{}', $$.No)" } })),
        "$.States.A.Parameters['a.$']: the context object has no '$$.No'",
    );
    for call in [
        "States.Format()",
        "States.MathAdd(1)",
        "States.Format('x",
        "x",
        "States.Array(1))",
    ] {
        let found = findings(&task(json!({ "Parameters": { "a.$": call } })));
        assert!(
            found.len() == 1 && found[0].contains("cannot be called"),
            "{call}: {found:?}"
        );
    }
}

#[test]
fn times_that_are_none() {
    let wait = |at: &str| machine(json!({ "Type": "Wait", "Timestamp": at, "End": true }));
    assert_eq!(findings(&wait("2016-03-14T01:59:00.5+02:00")), [""; 0]);
    for at in [
        "2016-03-14",
        "2016-03-14 01:59:00Z",
        "2016-03-14T01:59:00",
        "2016-03-14t01:59:00z",
    ] {
        refused(
            wait(at),
            &format!(
                "$.States.A.Timestamp: '{at}' is not a timestamp such as 2016-03-14T01:59:00Z"
            ),
        );
    }
}

#[test]
fn transitions() {
    refused(
        machine(json!({ "Type": "Pass", "Next": "B" })),
        "$.States.A: there is no state 'B' here",
    );
    refused(
        json!({ "StartAt": "X", "States": { "A": { "Type": "Succeed" } } }),
        "$.StartAt: there is no state 'X' here",
    );
    refused(
        json!({ "StartAt": "A", "States": {
            "A": { "Type": "Succeed" }, "odd name": { "Type": "Succeed" },
        } }),
        "$.States['odd name']: no transition leads to this state",
    );
    refused(
        machine(json!({ "Type": "Pass", "Next": "A" })),
        "$.States.A: from this state no end can be reached",
    );
    let inner = json!({ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } });
    refused(
        machine(json!({ "Type": "Parallel", "Branches": [inner], "End": true })),
        "$.States.A.Branches[0].States.A: another state of the machine has the same name",
    );
    let long = "x".repeat(81);
    let definition = json!({ "StartAt": long, "States": { &long: { "Type": "Succeed" } } });
    refused(
        definition,
        &format!("$.States.{long}: the name is longer than 80 characters"),
    );
}

#[test]
fn error_names() {
    let retry = |rules: Value| task(json!({ "Retry": rules }));
    let names = |names: Value| json!({ "ErrorEquals": names });
    refused(
        retry(json!([names(json!(["States.ALL", "E"]))])),
        "$.States.A.Retry[0].ErrorEquals: States.ALL must stand alone",
    );
    refused(
        retry(json!([names(json!(["States.ALL"])), names(json!(["E"]))])),
        "$.States.A.Retry[0].ErrorEquals: States.ALL must stand in the last element",
    );
    refused(
        retry(json!([names(json!(["States.Nonsense"]))])),
        "$.States.A.Retry[0].ErrorEquals[0]: 'States.Nonsense' begins with States. but is not one \
         of the language's errors",
    );
    refused(
        retry(json!([names(json!(["States.Runtime"]))])),
        "$.States.A.Retry[0].ErrorEquals[0]: 'States.Runtime' always ends the execution; it can \
         be neither retried nor caught",
    );
    refused(
        retry(json!([names(json!([]))])),
        "$.States.A.Retry[0].ErrorEquals: it must not be empty",
    );
}
