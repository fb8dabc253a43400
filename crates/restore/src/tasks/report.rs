//! Report: what has changed, what it cost, what is left over and what to do, in the result
//! document. It reads only what the states before it returned.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorName, TaskError};
use crate::record::Record;
use crate::repair;

/// How an execution went, as the definition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Outcome {
    Succeeded,
    LeftOver,
    Failed,
    RollbackFailed,
}

/// What the definition gives to Report.
#[derive(Debug, Deserialize)]
pub(super) struct ReportCall {
    outcome: Outcome,
    state: Value,
}

/// What people are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How it went, in one sentence.
    pub headline: String,
    /// What is different now.
    pub changed: Vec<String>,
    /// How long the name was without a database, in seconds.
    pub outage_seconds: Option<f64>,
    /// What exists that should not, or that somebody has to look after.
    pub left_over: Vec<String>,
    /// What to know although it went well.
    pub warnings: Vec<String>,
    /// What to do now: sentences, or commands as they stand.
    pub what_to_do: Vec<String>,
}

pub(super) fn run(call: ReportCall) -> Result<Report, TaskError> {
    let record: Record = serde_json::from_value(call.state).map_err(|error| {
        TaskError::new(
            ErrorName::Internal,
            format!("the state can't be read: {error}"),
        )
    })?;
    Ok(Report {
        headline: headline(call.outcome, &record),
        changed: changed(&record),
        outage_seconds: record.outage_seconds(),
        left_over: record.left_over(),
        warnings: record.warnings(),
        what_to_do: what_to_do(call.outcome, &record),
    })
}

fn headline(outcome: Outcome, record: &Record) -> String {
    let name = record
        .plan
        .as_ref()
        .map_or("the target", |plan| plan.identifier.as_str());
    let error = record
        .error
        .as_ref()
        .map(|failure| failure.cause().text().to_owned())
        .unwrap_or_default();
    match outcome {
        Outcome::Succeeded if record.rolled_back.is_some() => {
            format!("{name} is the original again")
        }
        Outcome::Succeeded if record.promoted.is_some() => format!("{name} is restored"),
        Outcome::Succeeded => format!("the snapshot of {name} is made"),
        Outcome::LeftOver => format!("{name} is restored, and something is left over"),
        Outcome::Failed if record.was_refused() => format!("nothing has changed: {error}"),
        Outcome::Failed if record.is_gone_again() => {
            format!("{name} does not exist, as before: {error}")
        }
        Outcome::Failed if record.original_serves() => {
            format!("{name} is as it was before: {error}")
        }
        Outcome::Failed => {
            format!("{name} is what somebody else has made of it meanwhile: {error}")
        }
        Outcome::RollbackFailed => format!("{name} needs a person: {error}"),
    }
}

fn changed(record: &Record) -> Vec<String> {
    let mut changed = Vec::new();
    if let Some(snapshot) = &record.snapshot {
        changed.push(format!("the snapshot {} was made", snapshot.id));
        changed.extend(
            snapshot
                .replaced
                .iter()
                .map(|old| format!("the snapshot {old} was deleted")),
        );
    }
    match (&record.rolled_back, &record.promoted) {
        (Some(rolled_back), _) => {
            let serving = rolled_back.serving.as_ref();
            changed.extend(serving.map(|id| format!("{id} answers at the name")));
        }
        (None, Some(promoted)) => changed.push(format!(
            "{} answers at {}:{}",
            promoted.resource_id, promoted.endpoint.address, promoted.endpoint.port
        )),
        (None, None) => {}
    }
    let configured = record
        .configured
        .as_ref()
        .filter(|_| record.promoted.is_some());
    if let Some(secret) = configured.and_then(|configured| configured.master_user_secret.as_ref()) {
        changed.push(format!("the master password is in the secret {secret}"));
    }
    let retired = record.retired.as_ref();
    if let Some(id) = retired.and_then(|retired| retired.resource_id.as_ref()) {
        changed.push(format!("the original {id} is gone"));
    }
    changed
}

fn what_to_do(outcome: Outcome, record: &Record) -> Vec<String> {
    let failure = match outcome {
        Outcome::Succeeded => None,
        Outcome::LeftOver => record.left_over.as_ref(),
        Outcome::Failed => record.error.as_ref(),
        Outcome::RollbackFailed => record.roll_back_error.as_ref().or(record.error.as_ref()),
    };
    let mut what = failure
        .map(|failure| failure.cause().remedy)
        .unwrap_or_default();
    if outcome == Outcome::RollbackFailed && what.is_empty() {
        what.extend(record.plan.iter().flat_map(|plan| repair::by_hand(plan)));
    }
    if outcome == Outcome::Succeeded && record.promoted.is_some() {
        what.extend(
            record
                .plan
                .iter()
                .filter(|plan| plan.keep_original_seconds > 0)
                .map(|plan| {
                    format!(
                        "within {} s, to swap back: trapheus rollback {}",
                        plan.keep_original_seconds, plan.execution
                    )
                }),
        );
    }
    what
}
