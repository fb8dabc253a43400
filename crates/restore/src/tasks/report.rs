//! Report: what has changed, what it cost, what is left over and what to do, in the result
//! document and to everybody who wants to be told. It reads only what the states before it
//! returned. Who can't be told is named in the result; the outcome is what it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Options, TargetResult};
use crate::alert::{Alert, AlertKind, Delivery, Notify};
use crate::error::{ErrorName, TaskError};
use crate::record::Record;
use crate::whereabouts;

/// The longest that telling people may hold up an execution; who carries alerts gives up earlier.
pub(super) const TELL_WITHIN: Duration = Duration::from_secs(60);

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
    execution: String,
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

/// A report, and who has been told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reported {
    /// What people are told.
    #[serde(flatten)]
    pub report: Report,
    /// What became of the alert, channel by channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
}

pub(super) async fn run(call: ReportCall, options: &Options) -> Result<Reported, TaskError> {
    let record: Record = Record::deserialize(&call.state).map_err(|error| {
        TaskError::new(
            ErrorName::Internal,
            format!("the state can't be read: {error}"),
        )
    })?;
    let alert = alert(&call, &record, options);
    let asked = match &record.plan {
        Some(plan) => plan.notify.clone(),
        // Without a plan there is the input, which may be what was refused.
        None => Notify::deserialize(&call.state["notify"]).unwrap_or_default(),
    };
    let deliveries = tell(options, &alert, &asked).await;
    Ok(Reported {
        report: alert.report,
        deliveries,
    })
}

/// Tells everybody who wants to know, and waits for nobody for long.
pub(super) async fn tell(options: &Options, alert: &Alert, asked: &Notify) -> Vec<Delivery> {
    let told = options.notifier.tell(alert, asked);
    tokio::time::timeout(TELL_WITHIN, told)
        .await
        .unwrap_or_else(|_| {
            vec![Delivery {
                channel: "any channel".to_owned(),
                error: Some(format!("not told within {} s", TELL_WITHIN.as_secs())),
            }]
        })
}

fn alert(call: &ReportCall, record: &Record, options: &Options) -> Alert {
    let plan = record.plan.as_deref();
    let input = |key: &str| call.state[key].clone();
    let kind = kind(call.outcome, record);
    Alert {
        kind,
        execution_id: call.execution.clone(),
        task: plan
            .map(|plan| plan.task)
            .or_else(|| serde_json::from_value(input("task")).ok()),
        identifier: plan
            .map(|plan| plan.identifier.clone())
            .or_else(|| serde_json::from_value(input("identifier")).ok()),
        at: (options.clock)(),
        report: Report {
            headline: headline(call.outcome, record),
            changed: changed(record),
            outage_seconds: record.outage_seconds(),
            left_over: record.left_over(),
            warnings: match call.outcome {
                Outcome::Succeeded | Outcome::LeftOver => record.warnings(),
                Outcome::Failed | Outcome::RollbackFailed => Vec::new(),
            },
            what_to_do: what_to_do(call, record),
        },
        databases: whereabouts::of(record),
        undo: undo(record),
    }
}

fn kind(outcome: Outcome, record: &Record) -> AlertKind {
    match outcome {
        Outcome::Succeeded if record.left_over().is_empty() => AlertKind::Succeeded,
        Outcome::Succeeded | Outcome::LeftOver => AlertKind::LeftOver,
        Outcome::Failed if record.was_refused() => AlertKind::Refused,
        Outcome::Failed => AlertKind::Failed,
        Outcome::RollbackFailed => AlertKind::RollbackFailed,
    }
}

/// The command that undoes a restore, as long as its original is there.
fn undo(record: &Record) -> Option<String> {
    let plan = record.plan.as_ref()?;
    let has_original = plan.original.is_some() && record.retired.is_none();
    let stays = plan.keep_original_seconds > 0 || record.left_over.is_some();
    let is_restored = record.promoted.is_some() && record.rolled_back.is_none();
    (is_restored && has_original && stays).then(|| format!("trapheus rollback {}", plan.execution))
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
        Outcome::Succeeded if record.unshared.is_some() => {
            format!("{name} is restored in {}", places(record).join(", "))
        }
        Outcome::Succeeded => format!("the snapshot of {name} is made"),
        Outcome::LeftOver => format!("{name} is restored, and something is left over"),
        Outcome::Failed if record.was_refused() => format!("nothing has changed: {error}"),
        Outcome::Failed if record.is_elsewhere() => match places(record).as_slice() {
            [] => format!("{name} is restored nowhere else: {error}"),
            places => format!("{name} is restored in {} only: {error}", places.join(", ")),
        },
        Outcome::Failed if record.is_gone_again() => {
            format!("{name} does not exist, as before: {error}")
        }
        Outcome::Failed if record.original_serves() => {
            format!("{name} is as it was before: {error}")
        }
        Outcome::Failed => {
            format!("{name} is what somebody else has made of it meanwhile: {error}")
        }
        Outcome::RollbackFailed => match &record.roll_back_error {
            Some(failure) => format!(
                "{name} needs a person: {}; it was to undo this: {error}",
                failure.cause().text()
            ),
            None => format!("{name} needs a person: {error}"),
        },
    }
}

/// Where else it is restored.
fn places(record: &Record) -> Vec<String> {
    let targets = record
        .unshared
        .iter()
        .flat_map(|unshared| &unshared.targets);
    let restored = targets.filter(|target| target.is_restored());
    let place = |target: &TargetResult| format!("{}/{}", target.account, target.region);
    restored.map(place).collect()
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
    let targets = record
        .unshared
        .iter()
        .flat_map(|unshared| &unshared.targets);
    changed.extend(targets.filter_map(|target| {
        let (account, region) = (&target.account, &target.region);
        let endpoint = target.endpoint.as_ref().filter(|_| target.is_restored())?;
        let (address, port) = (&endpoint.address, endpoint.port);
        Some(format!(
            "in {account}/{region} it answers at {address}:{port}"
        ))
    }));
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

fn what_to_do(call: &ReportCall, record: &Record) -> Vec<String> {
    let outcome = call.outcome;
    let failure = match outcome {
        Outcome::Succeeded => None,
        Outcome::LeftOver => record.left_over.as_ref(),
        Outcome::Failed => record.error.as_ref(),
        Outcome::RollbackFailed => return record.repair(),
    };
    let mut what = failure
        .map(|failure| failure.cause().remedy)
        .unwrap_or_default();
    if outcome == Outcome::LeftOver && what.is_empty() {
        what.extend(record.plan.iter().map(|plan| {
            format!(
                "delete {} when nobody needs it: it is yours now, and in the way of another restore",
                plan.names.aside
            )
        }));
    }
    if outcome == Outcome::Failed && what.is_empty() && !record.was_refused() {
        let id = &call.execution;
        what.push(format!(
            "to see what happened: trapheus executions show {id}"
        ));
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
