//! `RestoreDBInstanceFromDBSnapshot`, and what is the same for a restore to a point in time: what the request says, else what the snapshot holds, else RDS's defaults.

use serde_json::json;

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances::{self, NewInstance};
use super::{option_groups, snapshots};
use crate::attributes::ATTRIBUTES;
use crate::clusters::members;
use crate::clusters::settings::is_aurora;
use crate::rules::Request;
use crate::settings;
use crate::state::instance::Work;
use crate::state::snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
use crate::state::{Settings, Tags};

pub(super) fn restore(context: &mut Context<'_>, input: &Input) -> Answer {
    let snapshot = source(context, input)?;
    if snapshot.status != SnapshotStatus::Available {
        return Err(snapshots::not_available(&snapshot));
    }
    let settings = settings::of_request(input, |attribute| attribute.restore);
    let target = input.required("DBInstanceIdentifier")?;
    let work = Work::Restore {
        snapshot: snapshot.key(),
    };
    add(context, input, &snapshot, settings, target, work)
}

/// Adds an instance with the settings that the request gives; the others are inherited or RDS's defaults.
pub(super) fn add(
    context: &mut Context<'_>,
    input: &Input,
    snapshot: &Snapshot,
    mut settings: Settings,
    target: &str,
    work: Work,
) -> Answer {
    let product = context.product(snapshot.engine())?;
    if input.flag("UseDefaultProcessorFeatures") {
        settings.insert("ProcessorFeatures".to_owned(), serde_json::Value::Null);
    }
    let asked = settings.clone();
    check_lasting_options(context, snapshot, &asked)?;
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
    // What the storage has is inherited, but not its type.
    settings
        .entry("StorageType")
        .or_insert(json!(settings::default_storage_type(&asked)));
    settings::inherit(ATTRIBUTES, &mut settings, &snapshot.settings);
    settings::fill_in(context, &mut settings, product);
    settings::check(context, product, Request::Restore, &settings, &asked)?;
    let given = input
        .get("Tags")
        .map(|_| Tags::from_request(input.list("Tags")));
    let new = NewInstance {
        identifier: target.to_owned(),
        settings,
        tags: given.unwrap_or_else(|| snapshot.tags.clone()),
        password: snapshot.password.clone(),
        cluster: None,
        replica_of: None,
    };
    instances::add(context, new, Some(work))
}

/// The snapshot of an instance, or that of a Multi-AZ DB cluster as if it were one.
fn source(context: &Context<'_>, input: &Input) -> Result<Snapshot, ApiError> {
    let Some(name) = input.text("DBClusterSnapshotIdentifier") else {
        let name = input.required("DBSnapshotIdentifier")?;
        return snapshots::find(context, SnapshotKind::Instance, name).cloned();
    };
    let snapshot = snapshots::find(context, SnapshotKind::Cluster, name)?;
    if is_aurora(snapshot.engine()) {
        let message = "A snapshot of an Aurora DB cluster can't be restored to a DB instance.";
        return Err(ApiError::new("InvalidRestoreFault", message));
    }
    Ok(Snapshot {
        settings: members::as_of_instance(&snapshot.settings),
        ..snapshot.clone()
    })
}

/// Options that can't be taken off a database: where the snapshot's has one, the restored database must get it.
const LASTING_OPTIONS: [&str; 4] = ["TDE", "TDE_HSM", "Timezone", "OLS"];

fn check_lasting_options(
    context: &Context<'_>,
    snapshot: &Snapshot,
    asked: &Settings,
) -> Result<(), ApiError> {
    let group = |settings: &Settings| {
        let name = settings.get("OptionGroupName")?.as_str()?;
        option_groups::find(context, name).ok()
    };
    let has = |option: &str| group(asked).is_some_and(|group| group.options.contains_key(option));
    let of_snapshot = group(&snapshot.settings).map(|group| group.options);
    let mut names = of_snapshot.iter().flat_map(|options| options.keys());
    match names.find(|name| LASTING_OPTIONS.contains(&name.as_str()) && !has(name)) {
        Some(name) => Err(ApiError::combination(format!(
            "The snapshot requires a target option group with the following option: {name}"
        ))),
        None => Ok(()),
    }
}
