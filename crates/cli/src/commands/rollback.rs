//! `trapheus rollback`: swaps back to the original that an execution kept.
//!
//! The earlier execution is ended first, so that its time for the original cannot run out while
//! the names are being swapped; then a new execution does the swap, from the earlier plan.

use serde_json::{Value, json};
use trapheus_asl::{HistoryEvent, HistoryKind};
use trapheus_engine::ExecutionStatus;

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
    let history = engine.history(id).context("read the history")?;
    let result = |state: &str| {
        task_result(&history, state).ok_or_else(|| {
            Failure::refused(format!(
                "{id} never came to {state}: there is nothing to swap back"
            ))
            .hint(format!("`trapheus executions show {id}` tells what it did"))
        })
    };
    let document = json!({
        "task": "rollback",
        "identifier": record.input["identifier"],
        "rollbackOf": {
            "execution": id,
            "plan": result("Plan")?,
            "restored": result("Restore")?,
        },
    });
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
    start::run(document, &rollback.follow, settings, printer).await
}

/// What the task of a state returned the last time.
fn task_result<'a>(history: &'a [HistoryEvent], state: &str) -> Option<&'a Value> {
    history
        .iter()
        .rev()
        .find(|event| {
            event.kind == HistoryKind::TaskSucceeded && event.state.as_deref() == Some(state)
        })
        .and_then(|event| event.output.as_ref())
}
