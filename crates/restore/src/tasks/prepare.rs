//! Prepare: the user's SQL has run in the restored database, whatever would act on the outside
//! world is off, and no column that must be masked was forgotten; all of it before anybody can
//! reach the database by name.
//!
//! A script may not run twice. The server remembers it in the script's own transaction, then a tag
//! on the restored database does, and then the server forgets: a process may die in between.

use serde::{Deserialize, Serialize};
use trapheus_rds::{Database, Endpoint};

use super::context::Context;
use super::{sides, sql};
use crate::error::{ErrorName, TaskError};
use crate::input::Preparation;
use crate::marks::{self, Marks};
use crate::plan::{PreparePlan, SqlPlan};
use crate::sql::masking::unmasked;
use crate::sql::{Column, Server};

/// How many columns and switched-off things are named.
const NAMED: usize = 50;

/// The restored database as the input asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// How many statements were run.
    pub statements: usize,
    /// What was switched off.
    pub quarantined: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Result<Prepared, TaskError> {
    let Some((sql, plan)) = context
        .plan()
        .sql
        .as_ref()
        .and_then(|sql| Some((sql, sql.prepare.as_ref()?)))
    else {
        return Ok(Prepared::default());
    };
    let restored = sql::serving(context).await?;
    let limit = (
        ErrorName::PreparationFailed,
        context.plan().limits.prepare_seconds,
    );
    let server = sql::server(context, sql, &plan.scripts, &restored, limit).await?;
    let asked = sql::request(context)?.prepare.unwrap_or_default();
    let mut prepared = Prepared {
        statements: plan.scripts.statements,
        quarantined: Vec::new(),
    };
    if has_served(context, &restored.0)? {
        return Ok(prepared);
    }
    if !Marks(&restored.0.tags).is_prepared() {
        prepared.quarantined = make_so(context, sql, plan, &server, &restored.0, &asked).await?;
    }
    if !asked.sql.is_empty() {
        context.sql.forget(&server).await.map_err(failed)?;
    }
    Ok(prepared)
}

/// Whether this execution has given it the target's name before, and so had prepared it: its
/// journal is older than the world, and clients write to it.
fn has_served(context: &Context, restored: &Database) -> Result<bool, TaskError> {
    let marks = Marks(&restored.tags);
    match restored.identifier == context.plan().names.restored {
        true => Ok(false),
        // The marks go when the execution ends.
        false if marks.was_promoted() || marks.owner().is_none() => Ok(true),
        false => {
            let message = format!(
                "somebody has renamed the restored database to {} before it was prepared",
                restored.identifier
            );
            Err(TaskError::new(ErrorName::PreparationFailed, message))
        }
    }
}

async fn make_so(
    context: &Context,
    sql: &SqlPlan,
    plan: &PreparePlan,
    server: &Server,
    restored: &Database,
    asked: &Preparation,
) -> Result<Vec<String>, TaskError> {
    // Another process may have prepared it since this one looked, and have made the server forget.
    context.rds.ask_leave("Prepare").await?;
    let quarantined = match plan.quarantine {
        true => context.sql.quarantine(server).await.map_err(failed)?,
        false => Vec::new(),
    };
    // Before, so that nobody waits for scripts in vain; after, because they may make tables.
    fail_if_unmasked(context, plan, server, &asked.sql).await?;
    if !asked.sql.is_empty() {
        let execution = context.plan().owner();
        context.rds.ask_leave("Prepare").await?;
        let ran = context.sql.prepare(server, execution, &asked.sql).await;
        ran.map_err(failed)?;
        fail_if_unmasked(context, plan, server, &asked.sql).await?;
        wait_for_replicas(context, sql, plan, restored, &asked.sql).await?;
    }
    context
        .add_tags(restored, &[marks::prepared(context.now())].into())
        .await?;
    Ok(bounded(quarantined))
}

/// Clients of replicas and readers must not see either what the scripts have changed.
async fn wait_for_replicas(
    context: &Context,
    sql: &SqlPlan,
    plan: &PreparePlan,
    restored: &Database,
    scripts: &[String],
) -> Result<(), TaskError> {
    let limit = (
        ErrorName::PreparationFailed,
        context.plan().limits.prepare_seconds,
    );
    let parts = sides::restored_parts(context).await?;
    let parts = parts.into_iter().flatten().filter_map(|part| part.endpoint);
    let port = restored
        .endpoint
        .as_ref()
        .map_or(0, |endpoint| endpoint.port);
    let reader = restored
        .reader_endpoint
        .clone()
        .map(|address| Endpoint { address, port });
    for endpoint in parts.chain(reader) {
        let one = (restored.clone(), endpoint);
        let server = sql::server(context, sql, &plan.scripts, &one, limit).await?;
        let execution = context.plan().owner();
        let has = context
            .sql
            .is_prepared(&server, execution, scripts.len())
            .await;
        if !has.map_err(failed)? {
            let address = &server.endpoint.address;
            return Err(TaskError::in_progress(format!(
                "waiting until {address} has what was prepared"
            )));
        }
    }
    Ok(())
}

async fn fail_if_unmasked(
    context: &Context,
    plan: &PreparePlan,
    server: &Server,
    scripts: &[String],
) -> Result<(), TaskError> {
    if plan.require_masked.is_empty() {
        return Ok(());
    }
    let columns = context.sql.columns(server).await.map_err(failed)?;
    let found = unmasked(server, &plan.require_masked, scripts, &columns);
    if found.is_empty() {
        return Ok(());
    }
    let names = found.iter().map(|column| shown(column)).collect();
    let message = format!(
        "these columns must be masked (`requireMasked`), and the SQL leaves them as they are: {}",
        bounded(names).join(", ")
    );
    let remedy =
        "mask each in a statement that names its table and the column, or narrow `requireMasked`";
    Err(TaskError::new(ErrorName::PreparationFailed, message).with_remedy([remedy.to_owned()]))
}

fn shown(column: &Column) -> String {
    let Column {
        database,
        schema,
        table,
        name,
    } = column;
    match schema == database {
        true => format!("{name} of {table} in the database {database}"),
        false => format!("{name} of {schema}.{table} in the database {database}"),
    }
}

/// The first of many.
fn bounded(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names
}

fn failed(error: crate::sql::SqlError) -> TaskError {
    sql::failed(ErrorName::PreparationFailed, error)
}
