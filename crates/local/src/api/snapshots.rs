//! DB snapshots.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{instances, paging};
use crate::describe;
use crate::names;
use crate::operations::Job;
use crate::state::instance::{AfterBackup, Instance, InstanceStatus, Work};
use crate::state::snapshot::{CopySource, Snapshot, SnapshotStatus};
use crate::state::{Garbage, Tags};

/// `SnapshotQuotaExceeded` beyond.
pub(super) const SNAPSHOTS_MAX: usize = 1000;

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    let name = input.required("DBSnapshotIdentifier")?;
    instances::must_be_available(&instance)?;
    let given = Tags::from_request(input.list("Tags"));
    // Any tag in the request switches copying off for this snapshot.
    let tags = match given.len() == 0 && instance.is_on("CopyTagsToSnapshot") {
        true => instance.tags.clone(),
        false => given,
    };
    let key = add(context, &instance, "DBSnapshotIdentifier", name, tags)?;
    let work = Work::Backup {
        snapshot: key.clone(),
        then: AfterBackup::Nothing,
    };
    instances::begin_as(context, &instance, InstanceStatus::BackingUp, work)?;
    shown(context, &key)
}

/// Adds a snapshot of an instance, as it is before anything is copied; gives its key.
pub(super) fn add(
    context: &mut Context<'_>,
    instance: &Instance,
    parameter: &str,
    name: &str,
    tags: Tags,
) -> Result<String, ApiError> {
    let identifier = names::parse(parameter, name, names::OTHER_LENGTH_MAX)?;
    let snapshot = Snapshot {
        scope: instance.scope.clone(),
        identifier,
        source_identifier: instance.identifier.clone(),
        source_resource_id: instance.resource_id.clone(),
        source_created_at: instance.created_at,
        status: SnapshotStatus::Creating,
        begun_at: context.now,
        original_begun_at: context.now,
        settings: instance.settings.clone(),
        password: instance.password.clone(),
        tags,
        directory: context.paths.snapshot(context.state),
        size_bytes: 0,
        copied_from: None,
        shared_with: std::collections::BTreeSet::new(),
    };
    insert(context, snapshot, "Creating manual snapshot")
}

const FILTERS: [&str; 5] = [
    "db-instance-id",
    "db-snapshot-id",
    "dbi-resource-id",
    "snapshot-type",
    "engine",
];

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut snapshots: Vec<&Snapshot> = context
        .state
        .snapshots
        .values()
        .filter(|snapshot| snapshot.scope == *context.scope)
        .collect();
    if let Some(name) = input.text("DBSnapshotIdentifier") {
        let key = find(context, name)?.key();
        snapshots.retain(|snapshot| snapshot.key() == key);
    }
    if let Some(name) = input.text("DBInstanceIdentifier") {
        let identifier = names::referred(name);
        snapshots.retain(|snapshot| snapshot.source_identifier == identifier);
    }
    if let Some(resource_id) = input.text("DbiResourceId") {
        snapshots.retain(|snapshot| snapshot.source_resource_id == resource_id);
    }
    if input
        .text("SnapshotType")
        .is_some_and(|kind| !matches!(kind, "manual" | "shared" | "public"))
    {
        snapshots.clear();
    }
    let found = paging::filtered(
        input,
        snapshots,
        &FILTERS,
        |snapshot, filter, value| match filter {
            "db-instance-id" => snapshot.source_identifier == value,
            "db-snapshot-id" => snapshot.identifier == value,
            "dbi-resource-id" => snapshot.source_resource_id == value,
            "snapshot-type" => value == "manual",
            "engine" => snapshot.engine() == value,
            _ => false,
        },
    )?;
    let records = found.into_iter().map(|snapshot| {
        (
            snapshot.identifier.clone(),
            describe::snapshot(snapshot, percent(context, snapshot)),
        )
    });
    paging::page(input, "DBSnapshots", records.collect())
}

pub(super) fn copy(context: &mut Context<'_>, input: &Input) -> Answer {
    let source = find(context, input.required("SourceDBSnapshotIdentifier")?)?.clone();
    if source.status != SnapshotStatus::Available {
        return Err(not_available(&source));
    }
    let target = input.required("TargetDBSnapshotIdentifier")?;
    let mut settings = source.settings.clone();
    if let Some(key) = input.text("KmsKeyId") {
        settings.insert("KmsKeyId".to_owned(), json!(key));
        settings.insert("StorageEncrypted".to_owned(), json!(true));
    }
    if let Some(group) = input.text("OptionGroupName") {
        settings.insert("OptionGroupName".to_owned(), json!(group));
    }
    let mut tags = Tags::from_request(input.list("Tags"));
    if input.flag("CopyTags") && tags.len() == 0 {
        tags = source.tags.clone();
    }
    let snapshot = Snapshot {
        scope: context.scope.clone(),
        identifier: names::parse(
            "TargetDBSnapshotIdentifier",
            target,
            names::OTHER_LENGTH_MAX,
        )?,
        status: SnapshotStatus::Creating,
        begun_at: context.now,
        settings,
        tags,
        directory: context.paths.snapshot(context.state),
        copied_from: Some(CopySource {
            key: source.key(),
            arn: source.arn(),
        }),
        shared_with: std::collections::BTreeSet::new(),
        ..source
    };
    let key = insert(context, snapshot, "Started copy of snapshot")?;
    context.jobs.push(Job::Snapshot(key.clone()));
    shown(context, &key)
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let snapshot = find(context, input.required("DBSnapshotIdentifier")?)?.clone();
    let key = snapshot.key();
    let is_read = context.state.instances.values().any(|instance| {
        let work = instance.operation.as_ref().map(|operation| &operation.work);
        matches!(work, Some(Work::Restore { snapshot }) if *snapshot == key)
    }) || context.state.snapshots.values().any(|other| {
        other.is_being_copied()
            && other
                .copied_from
                .as_ref()
                .is_some_and(|source| source.key == key)
    });
    if is_read || snapshot.status == SnapshotStatus::Creating {
        return Err(not_available(&snapshot));
    }
    context.state.snapshots.remove(&key);
    let path = snapshot.directory.to_string();
    context.state.garbage.insert(
        path.clone(),
        Garbage {
            engine: snapshot.engine().to_owned(),
        },
    );
    context.jobs.push(Job::Garbage(path));
    context.tell_snapshot(
        &snapshot.identifier,
        snapshot.arn(),
        "deletion",
        "Deleted manual snapshot".to_owned(),
    );
    let mut shown = describe::snapshot(&snapshot, 100);
    shown["Status"] = json!("deleted");
    Ok(result("DBSnapshot", shown))
}

pub(super) fn describe_attributes(context: &mut Context<'_>, input: &Input) -> Answer {
    let snapshot = find(context, input.required("DBSnapshotIdentifier")?)?;
    Ok(attributes(snapshot))
}

pub(super) fn modify_attribute(context: &mut Context<'_>, input: &Input) -> Answer {
    if input.required("AttributeName")? != "restore" {
        return Err(ApiError::value(
            "The only attribute of a DB snapshot is restore.",
        ));
    }
    let key = find(context, input.required("DBSnapshotIdentifier")?)?.key();
    let snapshot = context
        .state
        .snapshots
        .get_mut(&key)
        .ok_or_else(|| ApiError::snapshot_not_found(&key))?;
    snapshot.shared_with.extend(input.texts("ValuesToAdd"));
    for account in input.texts("ValuesToRemove") {
        snapshot.shared_with.remove(&account);
    }
    Ok(attributes(snapshot))
}

/// The snapshot that a name, or an ARN, finds. An ARN may name another region, for a copy.
pub(super) fn find<'c>(context: &'c Context<'_>, name: &str) -> Result<&'c Snapshot, ApiError> {
    let identifier = names::referred(name);
    let by_arn = || {
        context
            .state
            .snapshots
            .values()
            .find(|snapshot| snapshot.arn() == name)
    };
    let found = match name.starts_with("arn:") {
        true => by_arn(),
        false => context.state.snapshot_named(context.scope, &identifier),
    };
    found.ok_or_else(|| ApiError::snapshot_not_found(&identifier))
}

fn insert(
    context: &mut Context<'_>,
    snapshot: Snapshot,
    message: &str,
) -> Result<String, ApiError> {
    super::tags::check(&snapshot.tags)?;
    let key = snapshot.key();
    if context.state.snapshots.get(&key).is_some() {
        let message = format!(
            "Cannot create the snapshot because a snapshot with the identifier {} already exists.",
            snapshot.identifier
        );
        return Err(ApiError::new("DBSnapshotAlreadyExists", message));
    }
    if context.state.snapshots.len() >= SNAPSHOTS_MAX {
        let message = format!("You have reached the quota of {SNAPSHOTS_MAX} manual snapshots.");
        return Err(ApiError::new("SnapshotQuotaExceeded", message));
    }
    context.tell_snapshot(
        &snapshot.identifier,
        snapshot.arn(),
        "creation",
        message.to_owned(),
    );
    context.state.snapshots.insert(key.clone(), snapshot);
    Ok(key)
}

/// How much of a snapshot is done: what the server says, or, where durations are AWS's, the share of the time.
fn percent(context: &Context<'_>, snapshot: &Snapshot) -> u8 {
    if snapshot.status == SnapshotStatus::Available {
        return 100;
    }
    let gib = snapshot.storage_gib();
    let takes = match snapshot.copied_from {
        Some(_) => context.pace.copy(gib),
        None => context.pace.work(
            &Work::Backup {
                snapshot: String::new(),
                then: AfterBackup::Nothing,
            },
            gib,
        ),
    };
    match context.pace.is_gradual() {
        true => describe::percent(snapshot.begun_at, context.now, takes),
        false => context.progress.get(&snapshot.key()).min(99),
    }
}

fn shown(context: &Context<'_>, key: &str) -> Answer {
    let snapshot = context
        .state
        .snapshots
        .get(key)
        .ok_or_else(|| ApiError::snapshot_not_found(key))?;
    Ok(result(
        "DBSnapshot",
        describe::snapshot(snapshot, percent(context, snapshot)),
    ))
}

fn attributes(snapshot: &Snapshot) -> Map<String, Value> {
    let restore = json!({"AttributeName": "restore", "AttributeValues": snapshot.shared_with});
    result(
        "DBSnapshotAttributesResult",
        json!({"DBSnapshotIdentifier": snapshot.identifier, "DBSnapshotAttributes": [restore]}),
    )
}

fn not_available(snapshot: &Snapshot) -> ApiError {
    let message = format!(
        "DB snapshot {} is not in available state.",
        snapshot.identifier
    );
    ApiError::new("InvalidDBSnapshotState", message)
}

fn result(member: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(member.to_owned(), value)])
}
