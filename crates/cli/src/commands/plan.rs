//! `trapheus plan`: what a restore would do, as a checklist. Changes nothing.

use serde_json::{Value, json};
use trapheus_restore::{Check, Plan, Refusal, Request, Verdict};

use super::input;
use crate::arguments;
use crate::error::Failure;
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
    let document = input::document(task, &options.identifier, &options.shape);
    let request = Request::parse(&document).map_err(|error| super::input_refused(&error))?;
    let tasks = home::tasks(home::connect(settings).await?, settings).await?;
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

fn text(plan: &Plan) -> String {
    let mut lines = vec![format!(
        "{} of {} ({} {}), strategy {}",
        plan.task.as_str(),
        plan.identifier,
        plan.engine,
        plan.engine_version,
        plan.strategy.as_str()
    )];
    lines.extend(snapshot(plan));
    lines.extend(moment(plan));
    lines.push(String::new());
    lines.push("Steps".into());
    for (number, step) in plan.steps.iter().enumerate() {
        lines.push(format!(
            "  {:>2}. {:<13} {}",
            number + 1,
            step.state,
            step.what
        ));
    }
    lines.push(String::new());
    lines.push("Configuration that is kept".into());
    lines.extend(
        plan.blueprint
            .settings
            .iter()
            .map(|(name, value)| format!("  {:<36} {}", name.as_str(), setting(value))),
    );
    lines.extend(
        plan.blueprint
            .tags
            .iter()
            .map(|(key, value)| format!("  tag {key:<32} {value}")),
    );
    lines.push(String::new());
    lines.push("Checks".into());
    lines.extend(plan.checks.iter().map(check));
    lines.push(String::new());
    let outage = &plan.expected_outage;
    lines.push(format!(
        "Expected outage: {} to {} s ({})",
        outage.from_seconds, outage.to_seconds, outage.why
    ));
    lines.join("\n")
}

fn snapshot(plan: &Plan) -> Option<String> {
    let snapshot = plan.snapshot.as_ref()?;
    let age = match (snapshot.create, snapshot.age_seconds) {
        (true, _) => "made by this execution".to_owned(),
        (false, Some(seconds)) => {
            format!("{} old", shown(jiff::SignedDuration::from_secs(seconds)))
        }
        (false, None) => "its age is not known".to_owned(),
    };
    Some(format!(
        "from snapshot {} of {}, {age}",
        snapshot.id, snapshot.source
    ))
}

fn moment(plan: &Plan) -> Option<String> {
    let moment = plan.point_in_time.as_ref()?;
    let whose = format!("{} ({})", moment.source, moment.source_resource_id);
    Some(format!("from the backups of {whose}: {}", moment.moment()))
}

fn setting(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn check(check: &Check) -> String {
    let sign = match check.verdict {
        Verdict::Pass => "✓",
        Verdict::Warn => "!",
        Verdict::Fail => "✗",
    };
    format!("  {sign} {}: {}", check.name, check.detail)
}
