//! `trapheus plan`: what a restore would do, as a checklist. Changes nothing.

use serde_json::{Value, json};
use trapheus_rds::{DbIdentifier, Kind};
use trapheus_restore::{Blueprint, Check, PartRole, Plan, Refusal, Request, Task, Verdict};

use super::input;
use crate::arguments;
use crate::blueprints;
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::home;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::story::shown;

/// What stands for the execution that a plan alone does not have.
const NO_EXECUTION: &str = "plan";

pub(crate) async fn run(
    options: &arguments::Plan,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let task = if options.refresh {
        "create_snapshot"
    } else {
        "db_restore"
    };
    let document = input::document(task, &options.identifier, &options.shape)?;
    let request = Request::parse(&document).map_err(|error| super::input_refused(&error))?;
    let tasks = home::tasks(home::connect(settings).await?, settings).await?;
    if let Some(file) = &options.save {
        let captured = tasks.capture(&request.identifier).await;
        let captured = captured.map_err(|error| Failure::refused(error.to_string()))?;
        blueprints::write(file, &captured).context(format_args!("write {file}"))?;
    }
    match tasks.plan(NO_EXECUTION, request).await {
        Ok(plan) => {
            printer.result(&json!(plan), &text(&plan));
            Ok(Exit::Succeeded)
        }
        Err(Refusal { error, plan }) => {
            if let Some(plan) = plan {
                printer.result(&json!(plan), &text(&plan));
            }
            let mut failure = Failure::refused(error.to_string());
            failure.hint = error.cause.remedy.first().cloned();
            Err(failure)
        }
    }
}

/// The checklist: what is to be done, whether it can be, how, and what it leaves as it is.
fn text(plan: &Plan) -> String {
    let mut lines = head(plan);
    let mut section = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(items.into_iter().map(|item| format!("  {item}")));
        }
    };
    section("Before anything changes", checks(plan));
    section("What is done", steps(plan));
    section("What stays as it is", what_stays(plan));
    section(
        "What does not, and what to do about it",
        what_does_not(plan),
    );
    lines.join("\n")
}

fn head(plan: &Plan) -> Vec<String> {
    let kind = match plan.kind {
        Kind::Instance => "instance",
        Kind::Cluster => "cluster",
    };
    let mut lines = vec![format!(
        "{} of {} ({kind}, {} {}), strategy {}",
        plan.task.as_str(),
        plan.identifier,
        plan.engine,
        plan.engine_version,
        plan.strategy.as_str()
    )];
    lines.extend(data(plan).map(|data| format!("  data     {data}")));
    let outage = &plan.expected_outage;
    if plan.task != Task::CreateSnapshotOnly {
        lines.push(format!(
            "  outage   {} to {} s: {}",
            outage.from_seconds, outage.to_seconds, outage.why
        ));
        let limit = i64::try_from(plan.limits.execution_seconds).unwrap_or(i64::MAX);
        lines.push(format!(
            "  limit    rolled back if it is not ready for the name within {}",
            shown(jiff::SignedDuration::from_secs(limit))
        ));
    }
    lines
}

fn data(plan: &Plan) -> Option<String> {
    if let Some(moment) = &plan.point_in_time {
        let whose = format!("{} ({})", moment.source, moment.source_resource_id);
        return Some(format!("the backups of {whose}: {}", moment.moment()));
    }
    let snapshot = plan.snapshot.as_ref()?;
    let age = match (snapshot.create, snapshot.age_seconds) {
        (true, _) => "made by this execution".to_owned(),
        (false, Some(seconds)) => {
            format!("{} old", shown(jiff::SignedDuration::from_secs(seconds)))
        }
        (false, None) => "its age is not known".to_owned(),
    };
    Some(format!(
        "snapshot {} of {}, {age}",
        snapshot.id, snapshot.source
    ))
}

/// What is in the way comes first, then what to know, then what holds.
fn checks(plan: &Plan) -> Vec<String> {
    let mut checks: Vec<&Check> = plan.checks.iter().collect();
    checks.sort_by_key(|check| match check.verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Pass => 2,
    });
    let line = |check: &&Check| {
        let sign = match check.verdict {
            Verdict::Pass => "✓",
            Verdict::Warn => "!",
            Verdict::Fail => "✗",
        };
        format!("{sign} {}: {}", check.name, check.detail)
    };
    checks.iter().map(line).collect()
}

fn steps(plan: &Plan) -> Vec<String> {
    let numbered = plan.steps.iter().enumerate();
    numbered
        .map(|(number, step)| format!("{:>2}. {:<13} {}", number + 1, step.state, step.what))
        .collect()
}

fn what_stays(plan: &Plan) -> Vec<String> {
    if plan.task == Task::CreateSnapshotOnly {
        return Vec::new();
    }
    let kind = match plan.kind {
        Kind::Instance => "instance",
        Kind::Cluster => "cluster",
    };
    let mut lines = vec![format!(
        "{} of {} attributes, of everything that is made",
        plan.forecast.kept, plan.forecast.compared
    )];
    lines.extend(configuration(&plan.identifier, kind, &plan.blueprint));
    for part in &plan.parts {
        let role = match part.role {
            PartRole::Writer => "writer",
            PartRole::Reader => "reader",
            PartRole::Replica => "read replica",
        };
        lines.extend(configuration(&part.names.target, role, &part.blueprint));
    }
    for endpoint in &plan.custom_endpoints {
        let list = |names: &[DbIdentifier]| {
            let names: Vec<&str> = names.iter().map(DbIdentifier::as_str).collect();
            names.join(", ")
        };
        let whom = match (&*endpoint.static_members, &*endpoint.excluded_members) {
            ([], []) => "all members".to_owned(),
            ([], excluded) => format!("all members but {}", list(excluded)),
            (members, _) => list(members),
        };
        lines.push(format!(
            "{} (custom endpoint, {}): {whom}",
            endpoint.identifier, endpoint.kind
        ));
    }
    lines.extend(plan.proxies.iter().map(|proxy| format!("{proxy} (proxy)")));
    lines
}

fn configuration(name: &DbIdentifier, role: &str, blueprint: &Blueprint) -> Vec<String> {
    let mut lines = vec![format!("{name} ({role})")];
    // The tags are shown one by one.
    let settings = blueprint.settings.iter();
    let settings = settings.filter(|(name, _)| name.as_str() != "TagList");
    lines.extend(
        settings.map(|(name, value)| format!("  {:<36} {}", name.as_str(), setting(value))),
    );
    let tags = blueprint.tags.iter();
    lines.extend(tags.map(|(key, value)| format!("  tag {key:<32} {value}")));
    lines
}

fn what_does_not(plan: &Plan) -> Vec<String> {
    let forecast = &plan.forecast;
    let lost = forecast.lost.iter().map(|lost| format!("✗ {lost}"));
    let others = forecast.not_restorable.iter().chain(&forecast.breaks);
    lost.chain(others.map(|other| format!("! {other}")))
        .collect()
}

fn setting(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
