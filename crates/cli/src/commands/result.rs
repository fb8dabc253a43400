//! The result of an execution: the document that programs read, and the same for people.

use serde_json::{Value, json};
use trapheus_asl::HistoryEvent;
use trapheus_restore::Summary;

use crate::engines::{Engine, Found};
use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::Printer;

/// The final document of an execution, made from its history alone.
pub(crate) fn summary_of(found: &Found, history: &[HistoryEvent]) -> Summary {
    trapheus_restore::summary(&found.id, found.standing, history)
}

/// The same of an execution whose history has to be read.
pub(crate) async fn summary(engine: &dyn Engine, found: &Found) -> Result<Summary, Failure> {
    let history = engine.history(&found.id).await?;
    Ok(summary_of(found, &history))
}

/// The same as JSON.
pub(crate) async fn document(engine: &dyn Engine, found: &Found) -> Result<Value, Failure> {
    summary(engine, found).await.map(|summary| json!(summary))
}

/// Prints the result and says how the command ends.
pub(crate) async fn print(
    engine: &dyn Engine,
    id: &str,
    printer: Printer,
) -> Result<Exit, Failure> {
    let summary = summary(engine, &engine.find(id).await?).await?;
    let document = json!(summary);
    printer.result(&document, &text(&document));
    if let Some(hint) = hint(&document, engine) {
        printer.hint(&hint);
    }
    Ok(Exit::from_code(summary.exit_code()))
}

/// What the user may want to do next.
fn hint(document: &Value, engine: &dyn Engine) -> Option<String> {
    let id = document["executionId"].as_str()?;
    match document["status"].as_str()? {
        "KEEPING_ORIGINAL" if engine.goes_on_by_itself() => Some(format!(
            "`trapheus rollback {id}` swaps back, until the original's time is over and it is \
             deleted"
        )),
        "KEEPING_ORIGINAL" => Some(format!(
            "`trapheus rollback {id}` swaps back; `trapheus executions resume {id}` waits until the \
             original's time is over and deletes it"
        )),
        "STOPPED" => Some(format!(
            "`trapheus executions resume {id}` goes on, `trapheus rollback {id}` undoes it"
        )),
        "FAILED" | "ROLLBACK_FAILED" => Some(format!(
            "`trapheus executions show {id}` tells the whole story"
        )),
        _nothing_to_do => None,
    }
}

/// What the document says, for people.
pub(crate) fn text(document: &Value) -> String {
    let mut lines = vec![headline(document)];
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name:<14} {value}"));
        }
    };
    line("configuration", fidelity(&document["fidelity"]));
    line("master secret", word(&document["masterUserSecretArn"]));
    for item in list(&document["quarantined"]) {
        line("switched off", item);
    }
    for answer in document["verified"].as_array().into_iter().flatten() {
        line(
            "verified",
            format!("`{}`: {}", word(&answer["statement"]), word(&answer["saw"])),
        );
    }
    for target in document["targets"].as_array().into_iter().flatten() {
        line("target", place(target));
    }
    line("outage", outage(&document["outageSeconds"]));
    line("took", took(document));
    for item in list(&document["leftOver"]) {
        line("left over", item);
    }
    for item in list(&document["warnings"]) {
        line("warning", item);
    }
    for item in list(&document["error"]["remedy"]) {
        line("to do", item);
    }
    lines.join("\n")
}

/// How it went in one account and Region.
fn place(target: &Value) -> String {
    let word = |key: &str| target[key].as_str().unwrap_or("-");
    let at = match (target["endpoint"]["address"].as_str(), &target["error"]) {
        (_, error @ Value::Object(_)) => self::error(error),
        (Some(address), _) => format!("at {address}:{}", target["endpoint"]["port"]),
        (None, _) => String::new(),
    };
    let (account, region) = (word("account"), word("region"));
    let (status, execution) = (word("status"), word("executionId"));
    format!("{account}/{region} {status} ({execution}) {at}")
}

fn headline(document: &Value) -> String {
    let word = |key: &str| document[key].as_str().unwrap_or("-");
    let (target, snapshot) = (word("identifier"), word("snapshotIdentifier"));
    let data = document["restoreTime"].as_str().unwrap_or(snapshot);
    let endpoint = match (
        &document["endpoint"]["address"],
        &document["endpoint"]["port"],
    ) {
        (Value::String(address), port) => format!(", at {address}:{port}"),
        _none => String::new(),
    };
    match (word("status"), word("task")) {
        ("SUCCEEDED", "create_snapshot_only") => format!("{snapshot} of {target} is available"),
        ("SUCCEEDED", "restore_rds_in_target_accounts") => {
            format!("{target} has the data of {data} wherever it was asked for")
        }
        ("SUCCEEDED", "rollback") => format!("{target} is the kept original again{endpoint}"),
        ("SUCCEEDED" | "KEEPING_ORIGINAL", _) => {
            format!("{target} has the data of {data}{endpoint}")
        }
        ("FAILED", _) => format!("{target} was not restored: {}", error(&document["error"])),
        ("ROLLBACK_FAILED", _) => {
            format!(
                "{target} NEEDS A PERSON: the roll-back failed: {}",
                error(&document["error"])
            )
        }
        (status, task) => format!("{task} of {target}: {status}"),
    }
}

fn error(error: &Value) -> String {
    match error {
        Value::Object(error) => {
            let word = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or("-");
            format!("{}: {}", word("name"), word("message"))
        }
        other => other
            .as_str()
            .unwrap_or("the reason is not known")
            .to_owned(),
    }
}

fn fidelity(fidelity: &Value) -> String {
    let (Some(kept), Some(compared)) = (fidelity["kept"].as_u64(), fidelity["compared"].as_u64())
    else {
        return String::new();
    };
    let lost = list(&fidelity["lost"]);
    if lost.is_empty() {
        format!("{kept} of {compared} attributes kept")
    } else {
        format!(
            "{kept} of {compared} attributes kept, lost: {}",
            lost.join(", ")
        )
    }
}

fn took(document: &Value) -> String {
    let time = |key: &str| {
        document[key]
            .as_str()
            .and_then(|at| at.parse::<jiff::Timestamp>().ok())
    };
    let (Some(started), Some(finished)) = (time("startedAt"), time("finishedAt")) else {
        return String::new();
    };
    let calls: u64 = document["apiCalls"]
        .as_object()
        .map(|calls| calls.values().filter_map(Value::as_u64).sum())
        .unwrap_or_default();
    let calls = match calls {
        1 => "1 API call".to_owned(),
        calls => format!("{calls} API calls"),
    };
    format!(
        "{}, {calls}",
        crate::story::shown(finished.duration_since(started))
    )
}

/// How long the name did not answer; nothing where it always did.
fn outage(seconds: &Value) -> String {
    let seconds = seconds.as_f64().filter(|seconds| *seconds > 0.0);
    seconds
        .map(|seconds| format!("{seconds:.2} s"))
        .unwrap_or_default()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .map(|item| {
            item.as_str()
                .map_or_else(|| item.to_string(), str::to_owned)
        })
        .collect()
}
