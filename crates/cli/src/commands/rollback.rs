//! `trapheus rollback`: undoes an execution, whether it keeps its original or was interrupted.
//!
//! The earlier execution is ended first, so that it can't go on, nor its time for the original run
//! out, while the names are being swapped; then a new execution undoes it, from the earlier plan.

use serde_json::{Value, json};
use trapheus_restore::RollbackOf;

use super::{result, start};
use crate::arguments::Rollback;
use crate::engines::{self, Engine, Found};
use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::protect;
use crate::settings::Settings;

pub(crate) async fn run(
    rollback: &Rollback,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let follow = &rollback.follow;
    let engine = engines::open(settings, &settings.machine(&follow.engine)).await?;
    let found = engine.find(&rollback.execution).await?;
    confirmed(&*engine, &found, follow.confirm.as_deref(), settings).await?;
    engine.end(&found.id).await?;
    let id = &found.id;
    let document = undoing(&*engine, id).await?.ok_or_else(|| {
        Failure::refused(format!(
            "{id} has not begun to replace a database: there is nothing to undo"
        ))
        .hint(format!("`trapheus executions show {id}` tells what it did"))
    })?;
    start::begin(&*engine, &document, follow, printer).await
}

/// Asks for a protected target's identifier, before the execution is ended.
pub(crate) async fn confirmed(
    engine: &dyn Engine,
    found: &Found,
    confirmed: Option<&str>,
    settings: &Settings,
) -> Result<(), Failure> {
    match result::summary(engine, found).await?.identifier {
        Some(identifier) => protect::check(settings, &identifier, confirmed).await,
        None => Ok(()),
    }
}

/// The document that undoes an execution which has ended; none where there is nothing to undo.
pub(crate) async fn undoing(engine: &dyn Engine, id: &str) -> Result<Option<Value>, Failure> {
    // Read when nothing is added to it any more.
    let history = engine.history(id).await?;
    Ok(RollbackOf::from_history(id, &history).map(|of| {
        json!({
            "task": "rollback",
            "identifier": of.plan.identifier,
            "rollbackOf": of,
        })
    }))
}
