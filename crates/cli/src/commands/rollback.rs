//! `trapheus rollback`: undoes an execution, whether it keeps its original or was interrupted.
//!
//! The earlier execution is ended first, so that it can't go on, nor its time for the original run
//! out, while the names are being swapped; then a new execution undoes it, from the earlier plan.

use serde_json::json;
use trapheus_engine::ExecutionStatus;
use trapheus_restore::RollbackOf;

use super::start;
use crate::arguments::Rollback;
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::home;
use crate::printer::Printer;
use crate::settings::Settings;

pub(crate) async fn run(
    rollback: &Rollback,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let engine = home::reader(&settings.home.value)?;
    let record = home::find(&engine, &rollback.execution)?;
    let id = &record.id;
    match record.status {
        ExecutionStatus::Running => {
            return Err(Failure::refused(format!("{id} is running"))
                .hint(format!("`trapheus executions stop {id}` first")));
        }
        ExecutionStatus::Interrupted | ExecutionStatus::Stopped => {
            engine
                .abort(id, "Trapheus.RolledBack", "a roll-back was asked for")
                .context(format_args!("end {id}"))?;
        }
        ExecutionStatus::Succeeded
        | ExecutionStatus::Failed
        | ExecutionStatus::Aborted
        | ExecutionStatus::TimedOut => {}
    }
    // Read when nothing is added to it any more.
    let history = engine.history(id).context("read the history")?;
    let of = RollbackOf::from_history(id.as_str(), &history).ok_or_else(|| {
        Failure::refused(format!(
            "{id} has not begun to replace a database: there is nothing to undo"
        ))
        .hint(format!("`trapheus executions show {id}` tells what it did"))
    })?;
    let document = json!({
        "task": "rollback",
        "identifier": of.plan.identifier,
        "rollbackOf": of,
    });
    start::run(document, &rollback.follow, settings, printer).await
}
