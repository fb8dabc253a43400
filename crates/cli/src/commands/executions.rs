//! `trapheus executions`: what ran, what runs, and going on with it.

use serde_json::{Value, json};

use super::{result, rollback, start};
use crate::arguments::{Executions, ExecutionsOf, Follow};
use crate::engines::{self, Engine, Found, Stopped, Until};
use crate::error::Failure;
use crate::exit::Exit;
use crate::follow::{self, lines};
use crate::printer::Printer;
use crate::settings::Settings;
use crate::story::Story;

pub(crate) async fn run(
    executions: ExecutionsOf,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let engine = engines::open(settings, &settings.machine(&executions.engine)).await?;
    let engine = &*engine;
    match executions.command {
        Executions::List { limit } => list(engine, limit, printer).await,
        Executions::Show { execution, history } => show(engine, &execution, history, printer).await,
        Executions::Watch { execution, events } => {
            let id = engine.find(&execution).await?.id;
            let follower = engine.follow(&id, Until::Serving).await?;
            follow::to_the_end(engine, follower, events, printer).await
        }
        Executions::Resume {
            execution: Some(execution),
            events,
            wait,
            ..
        } => {
            let id = engine.find(&execution).await?.id;
            resume(engine, &id, Until::of(wait), events, printer).await
        }
        Executions::Resume {
            execution: None, ..
        } => resume_all(engine, printer).await,
        Executions::Stop { execution, confirm } => {
            stop(engine, &execution, confirm, settings, printer).await
        }
    }
}

async fn list(
    engine: &dyn Engine,
    limit: Option<usize>,
    printer: Printer,
) -> Result<Exit, Failure> {
    let found = engine.list(limit).await?;
    let mut summaries = Vec::new();
    for execution in &found {
        summaries.push(result::document(engine, execution).await?);
    }
    let text = if found.is_empty() {
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

async fn show(
    engine: &dyn Engine,
    name: &str,
    whole: bool,
    printer: Printer,
) -> Result<Exit, Failure> {
    let found = engine.find(name).await?;
    let history = engine.history(&found.id).await?;
    let mut document = json!(result::summary_of(&found, &history));
    if whole {
        document["history"] = json!(history);
    }
    let mut text = vec![heading(&found, &document)];
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

fn heading(found: &Found, document: &Value) -> String {
    let word = |key: &str| document[key].as_str().unwrap_or("-").to_owned();
    format!(
        "{}  {}  {} of {}",
        found.id,
        word("status"),
        word("task"),
        word("identifier")
    )
}

async fn resume(
    engine: &dyn Engine,
    id: &str,
    until: Until,
    events: bool,
    printer: Printer,
) -> Result<Exit, Failure> {
    let follower = engine.resume(id, until).await?;
    follow::to_the_end(engine, follower, events, printer).await
}

/// Everything that waits for somebody to go on with it, one after the other; the worst end
/// decides the exit code.
async fn resume_all(engine: &dyn Engine, printer: Printer) -> Result<Exit, Failure> {
    let mut worst = Exit::Succeeded;
    for execution in engine.waiting().await? {
        let exit = resume(engine, &execution.id, Until::Serving, false, printer).await?;
        if exit != Exit::Succeeded {
            worst = exit;
        }
    }
    Ok(worst)
}

async fn stop(
    engine: &dyn Engine,
    name: &str,
    confirm: Option<String>,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let found = engine.find(name).await?;
    let id = &found.id;
    if engine.goes_on_by_itself() {
        rollback::confirmed(engine, &found, confirm.as_deref(), settings).await?;
    }
    let undoing = match engine.stop(id).await? {
        Stopped::Resumable => None,
        Stopped::ForGood => {
            printer.say(&format!("stopped {id}"));
            rollback::undoing(engine, id).await?
        }
    };
    if let Some(document) = undoing {
        return start::begin(engine, &document, &Follow::default(), printer).await;
    }
    let document = result::document(engine, &engine.find(id).await?).await?;
    let status = document["status"].as_str().unwrap_or("-");
    printer.result(&document, &format!("{id}  {status}"));
    if !engine.goes_on_by_itself() {
        printer.hint(&format!(
            "`trapheus executions resume {id}` goes on, `trapheus rollback {id}` undoes it"
        ));
    }
    Ok(Exit::Succeeded)
}
