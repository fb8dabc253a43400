//! `trapheus executions`: what ran, what runs, and going on with it.

use std::sync::Arc;

use serde_json::{Value, json};
use trapheus_engine::{Engine, ExecutionRecord, ExecutionStatus};

use super::result;
use crate::arguments::Executions;
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::follow::{self, View, lines};
use crate::home::{self, RestoreTasks};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::story::Story;

pub(crate) async fn run(
    command: Executions,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let home = &settings.home.value;
    match command {
        Executions::List => list(&home::reader(home)?, printer),
        Executions::Show { execution, history } => {
            show(&home::reader(home)?, &execution, history, printer)
        }
        Executions::Watch { execution, events } => {
            let engine = home::reader(home)?;
            let record = home::find(&engine, &execution)?;
            follow::from_outside(&engine, &record.id, events, printer).await?;
            result::print(&engine, &record.id, printer.for_events(events))
        }
        Executions::Resume {
            execution: Some(execution),
            events,
            wait,
            ..
        } => resume(&execution, View::of(events, wait), settings, printer).await,
        Executions::Resume {
            execution: None, ..
        } => resume_all(settings, printer).await,
        Executions::Stop { execution } => stop(&home::reader(home)?, &execution, printer).await,
    }
}

fn list(engine: &Engine, printer: Printer) -> Result<Exit, Failure> {
    let mut records = engine.executions().context("list the executions")?;
    records.sort_by(|one, other| other.id.cmp(&one.id));
    let summaries = records
        .iter()
        .map(|record| result::document(engine, record))
        .collect::<Result<Vec<_>, _>>()?;
    let text = if records.is_empty() {
        "there is no execution yet".to_owned()
    } else {
        let head = format!(
            "{:<20}  {:<18}  {:<21}  {:<20}  {}",
            "EXECUTION", "STATUS", "TASK", "STARTED", "TARGET"
        );
        let rows = summaries.iter().map(|summary| {
            let word = |key: &str| summary[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{:<20}  {:<18}  {:<21}  {:<20.19}  {}",
                word("executionId"),
                word("status"),
                word("task"),
                word("startedAt"),
                word("identifier")
            )
        });
        std::iter::once(head)
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n")
    };
    printer.result(&json!({ "executions": summaries }), &text);
    Ok(Exit::Succeeded)
}

fn show(engine: &Engine, name: &str, whole: bool, printer: Printer) -> Result<Exit, Failure> {
    let record = home::find(engine, name)?;
    let history = engine.history(&record.id).context("read the history")?;
    let mut document = result::document(engine, &record)?;
    if whole {
        document["history"] = json!(history);
    }
    let mut text = vec![heading(&record, &document)];
    if whole {
        text.extend(history.iter().map(|event| {
            let state = event.state.as_deref().unwrap_or_default();
            let error = event.error.as_deref().unwrap_or_default();
            format!(
                "  {:>4}  {:.19}  {:<22} {state:<16} {error}",
                event.id, event.at, event.kind
            )
        }));
    } else {
        let story = Story::of(&history);
        text.extend(
            story
                .steps
                .iter()
                .map(|step| format!("  {}", lines::told(step))),
        );
    }
    text.push(String::new());
    text.push(result::text(&document));
    printer.result(&document, &text.join("\n"));
    Ok(Exit::Succeeded)
}

fn heading(record: &ExecutionRecord, document: &Value) -> String {
    let word = |key: &str| document[key].as_str().unwrap_or("-").to_owned();
    format!(
        "{}  {}  {} of {}",
        record.id,
        word("status"),
        word("task"),
        word("identifier")
    )
}

async fn resume(
    name: &str,
    view: View,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let record = home::find(&home::reader(&settings.home.value)?, name)?;
    let tasks = home::tasks(home::connect(settings).await?, settings).await?;
    let engine = home::engine(&settings.home.value, Arc::new(RestoreTasks(tasks)))?;
    let handle = engine
        .resume(&record.id)
        .map_err(|error| home::refused(&error))?;
    follow::to_the_end(&engine, &handle, view, printer).await
}

/// Everything that waits for somebody to go on with it, one after the other; the worst end
/// decides the exit code.
async fn resume_all(settings: &Settings, printer: Printer) -> Result<Exit, Failure> {
    let engine = home::reader(&settings.home.value)?;
    let records = engine.executions().context("list the executions")?;
    let mut worst = Exit::Succeeded;
    for record in records
        .iter()
        .filter(|record| waits_for_somebody(record.status))
    {
        let exit = resume(
            record.id.as_str(),
            View::of(false, false),
            settings,
            printer,
        )
        .await?;
        if exit != Exit::Succeeded {
            worst = exit;
        }
    }
    Ok(worst)
}

fn waits_for_somebody(status: ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Interrupted | ExecutionStatus::Stopped => true,
        ExecutionStatus::Running
        | ExecutionStatus::Succeeded
        | ExecutionStatus::Failed
        | ExecutionStatus::Aborted
        | ExecutionStatus::TimedOut => false,
    }
}

async fn stop(engine: &Engine, name: &str, printer: Printer) -> Result<Exit, Failure> {
    let record = home::find(engine, name)?;
    engine
        .request_stop(&record.id)
        .map_err(|error| home::refused(&error))?;
    let stopped = home::settled(engine, &record.id).await?;
    let document = result::document(engine, &stopped)?;
    let id = &record.id;
    printer.result(
        &document,
        &format!("{id}  {}", document["status"].as_str().unwrap_or("-")),
    );
    printer.hint(&format!(
        "`trapheus executions resume {id}` goes on, `trapheus rollback {id}` undoes it"
    ));
    Ok(Exit::Succeeded)
}
