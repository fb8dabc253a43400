//! `trapheus restore | refresh | snapshot | start`: begins an execution and follows it.

use std::io::Read;

use camino::Utf8Path;
use serde_json::Value;
use trapheus_restore::Request;

use super::input;
use crate::arguments::{Follow, SnapshotOnly, Start, StartInput};
use crate::engines::{self, Engine};
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::follow;
use crate::printer::Printer;
use crate::protect;
use crate::settings::Settings;

pub(crate) async fn restore(
    start: &Start,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let document = input::document("db_restore", &start.identifier, &start.shape)?;
    run(document, &start.follow, settings, printer).await
}

pub(crate) async fn refresh(
    start: &Start,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let document = input::document("create_snapshot", &start.identifier, &start.shape)?;
    run(document, &start.follow, settings, printer).await
}

pub(crate) async fn snapshot(
    snapshot: &SnapshotOnly,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let document = input::snapshot_only(&snapshot.identifier, snapshot.keep_snapshots);
    run(document, &snapshot.follow, settings, printer).await
}

pub(crate) async fn input(
    start: &StartInput,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let text = read(&start.input)?;
    let document = serde_json::from_str(&text).map_err(|error| {
        Failure::refused(format!("{} is not JSON: {error}", start.input))
            .hint(r#"the smallest document is {"identifier": "orders", "task": "db_restore"}"#)
    })?;
    run(document, &start.follow, settings, printer).await
}

fn read(file: &Utf8Path) -> Result<String, Failure> {
    if file != "-" {
        return std::fs::read_to_string(file).context(format_args!("read {file}"));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("read standard input")?;
    Ok(text)
}

/// Checks the document, starts the execution, follows it to its end.
async fn run(
    document: Value,
    options: &Follow,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let request = Request::parse(&document).map_err(|error| super::input_refused(&error))?;
    let confirmed = options.confirm.as_deref();
    protect::check(settings, &request.identifier, confirmed).await?;
    let engine = engines::open(settings, &settings.machine(&options.engine)).await?;
    begin(&*engine, &document, options, printer).await
}

/// Starts an execution that may start, and follows it to its end.
pub(crate) async fn begin(
    engine: &dyn Engine,
    document: &Value,
    options: &Follow,
    printer: Printer,
) -> Result<Exit, Failure> {
    if let Some(warning) = engine.warning().await? {
        printer.say(&format!("warning: {warning}"));
    }
    let follower = engine.start(document, options.until()).await?;
    follow::to_the_end(engine, follower, options.events, printer).await
}
