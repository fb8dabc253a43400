//! Every case of `tests/conformance` in our interpreter and in moto's, which was written by others.
//!
//! A case has a definition, an input, a script of task results, and the expected outcome. Where
//! moto does something else than AWS documents, we follow AWS, and the case says under `moto`
//! what moto does and why that is a deviation; a deviation that disappears is noticed too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_asl::Status;

use crate::support::{Run, Script};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    definition: Option<Value>,
    /// A path from the directory of the cases, instead of a definition.
    definition_file: Option<PathBuf>,
    input: Value,
    #[serde(default)]
    tasks: Script,
    expected: Outcome,
    /// What moto does instead.
    moto: Option<Deviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    because: String,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Outcome {
    status: String,
    path: Vec<String>,
    waited_seconds: f64,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Reads a member that is there: `null` is an output too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[test]
fn our_outcomes_are_the_recorded_ones() {
    let mut differences = Vec::new();
    for (name, case) in cases() {
        let outcome = play(&case);
        if outcome != case.expected {
            differences.push(difference(&name, &case.expected, &outcome));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn moto_comes_to_the_same_outcomes_but_for_the_recorded_deviations() {
    let mut moto = play_in_moto();
    let mut differences = Vec::new();
    for (name, case) in cases() {
        let found = moto.remove(&name).expect("moto has played every case");
        let (expected, said) = match &case.moto {
            Some(deviation) => (&deviation.outcome, deviation.because.as_str()),
            None => (&case.expected, "no deviation is recorded"),
        };
        let (expected, found) = (comparable(&case, expected), comparable(&case, &found));
        if expected != found {
            differences.push(format!("{said}: {}", difference(&name, &expected, &found)));
        }
        if case.moto.is_some() && found == comparable(&case, &case.expected) {
            differences.push(format!("{name}: the deviation is gone: {said}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn cases() -> BTreeMap<String, Case> {
    let mut cases = BTreeMap::new();
    for entry in std::fs::read_dir(directory()).expect("the cases are there") {
        let path = entry.expect("the cases can be listed").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).expect("the case can be read");
            let case =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            cases.insert(name, case);
        }
    }
    assert!(cases.len() >= 40, "only {} cases were found", cases.len());
    cases
}

fn definition(case: &Case) -> String {
    match (&case.definition, &case.definition_file) {
        (Some(definition), None) => definition.to_string(),
        (None, Some(file)) => {
            std::fs::read_to_string(directory().join(file)).expect("the definition can be read")
        }
        (Some(_), Some(_)) | (None, None) => panic!("a case has one definition"),
    }
}

fn play(case: &Case) -> Outcome {
    let run = Run::new(&definition(case), case.input.clone(), &case.tasks);
    let (status, output, failure) = match run.status() {
        Status::Succeeded { output } => ("SUCCEEDED", Some(output.clone()), None),
        Status::Failed { error, cause } => ("FAILED", None, Some((error, cause))),
        Status::TimedOut => ("TIMED_OUT", None, None),
        Status::Running | Status::Aborted { .. } => panic!("no case ends so: {:?}", run.status()),
    };
    Outcome {
        status: status.to_owned(),
        path: run.path(),
        waited_seconds: run.waited_seconds(),
        output,
        error: failure.map(|(error, _)| error.clone()),
        cause: failure.map(|(_, cause)| cause.clone()),
    }
}

/// Runs the script that plays every case in moto.
fn play_in_moto() -> BTreeMap<String, Outcome> {
    let python = std::env::var_os("TRAPHEUS_PYTHON").expect(
        "TRAPHEUS_PYTHON names no Python that has moto: run `cargo xtask test`, which makes one",
    );
    let script = directory().join("run_moto.py");
    let output = Command::new(python)
        .arg(script)
        .output()
        .expect("Python can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "moto could not play the cases: {errors}"
    );
    serde_json::from_slice(&output.stdout).expect("the script prints outcomes")
}

/// What both interpreters must agree on. Branches and iterations run at once, so the order in
/// which their states are entered says nothing, nor does the time that branches waited before
/// they were given up; and each has its own words for the cause of the language's own errors.
fn comparable(case: &Case, outcome: &Outcome) -> Outcome {
    let definition = definition(case);
    let mut outcome = outcome.clone();
    if definition.contains("\"Parallel\"") {
        outcome.waited_seconds = 0.0;
    }
    if definition.contains("\"Parallel\"") || definition.contains("\"Map\"") {
        outcome.path.sort();
    }
    if outcome
        .error
        .as_deref()
        .is_some_and(|error| error.starts_with("States."))
    {
        outcome.cause = None;
    }
    if let Some(output) = &mut outcome.output {
        forget_causes(output);
    }
    outcome
}

/// Removes the causes of the language's own errors from what was caught.
fn forget_causes(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let error = members.get("Error").and_then(Value::as_str);
            if error.is_some_and(|error| error.starts_with("States.")) {
                members.remove("Cause");
            }
            members.values_mut().for_each(forget_causes);
        }
        Value::Array(elements) => elements.iter_mut().for_each(forget_causes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn difference(name: &str, expected: &Outcome, found: &Outcome) -> String {
    let shown = |outcome| serde_json::to_string(outcome).expect("an outcome is JSON");
    format!(
        "{name}\n  expected {}\n  found    {}",
        shown(expected),
        shown(found)
    )
}
