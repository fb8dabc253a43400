//! `RestoreDBInstanceFromDBSnapshot`: what the request says, else what the snapshot holds, else RDS's defaults.

use serde_json::json;

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances::{self, NewInstance};
use super::snapshots;
use crate::settings;
use crate::state::Tags;
use crate::state::instance::Work;
use crate::state::snapshot::SnapshotStatus;

pub(super) fn restore(context: &mut Context<'_>, input: &Input) -> Answer {
    if input.text("DBClusterSnapshotIdentifier").is_some() {
        let message = "Local RDS has no DB cluster snapshots.";
        return Err(ApiError::new("DBClusterSnapshotNotFoundFault", message));
    }
    let snapshot = snapshots::find(context, input.required("DBSnapshotIdentifier")?)?.clone();
    if snapshot.status != SnapshotStatus::Available {
        let message = format!(
            "DB snapshot {} is not in available state.",
            snapshot.identifier
        );
        return Err(ApiError::new("InvalidDBSnapshotState", message));
    }
    let product = context.product(snapshot.engine())?;
    let mut settings = settings::of_request(input, |attribute| attribute.restore);
    if input.flag("UseDefaultProcessorFeatures") {
        settings.insert("ProcessorFeatures".to_owned(), serde_json::Value::Null);
    }
    let asked = settings.clone();
    check_scope(product.engine, &asked)?;
    if asked
        .get("Engine")
        .is_some_and(|engine| engine != product.engine)
    {
        return Err(ApiError::combination(format!(
            "The engine {} is not compatible with the engine {} of the snapshot.",
            asked["Engine"], product.engine
        )));
    }
    let smallest_gib = snapshot
        .settings
        .get("AllocatedStorage")
        .and_then(serde_json::Value::as_i64)
        .unwrap_or(0);
    if input
        .number("AllocatedStorage")
        .is_some_and(|gib| gib < smallest_gib)
    {
        let message = format!(
            "The allocated storage size can't be less than the source's {smallest_gib} GiB."
        );
        return Err(ApiError::combination(message));
    }
    settings::inherit(&mut settings, &snapshot.settings);
    settings::fill_in(context, &mut settings, product);
    settings::check(context, &settings, &asked)?;
    let given = input
        .get("Tags")
        .map(|_| Tags::from_request(input.list("Tags")));
    let new = NewInstance {
        identifier: input.required("DBInstanceIdentifier")?.to_owned(),
        settings,
        tags: given.unwrap_or_else(|| snapshot.tags.clone()),
        password: snapshot.password.clone(),
    };
    instances::add(
        context,
        new,
        Work::Restore {
            snapshot: snapshot.key(),
        },
    )
}

/// Members that a restore takes for some engines only.
fn check_scope(engine: &str, asked: &crate::state::Settings) -> Result<(), ApiError> {
    let is_oracle = engine.starts_with("oracle");
    let is_sql_server = engine.starts_with("sqlserver");
    let is_refused = |name: &str| match name {
        "DBName" => !is_oracle && !is_sql_server,
        "ManageMasterUserPassword" | "MasterUserSecretKmsKeyId" => {
            !is_oracle && asked.get(name) != Some(&json!(false))
        }
        "AllocatedStorage" => is_sql_server,
        _ => false,
    };
    match asked.keys().find(|name| is_refused(name)) {
        Some(name) => Err(ApiError::combination(format!(
            "The parameter {name} can't be specified when a {engine} DB instance is restored."
        ))),
        None => Ok(()),
    }
}
