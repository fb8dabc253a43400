//! DB snapshots and DB cluster snapshots, which differ in their words and in what they are made of.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{clusters, instances, paging};
use crate::describe;
use crate::names;
use crate::operations::Job;
use crate::state::cluster::{Cluster, ClusterStatus, ClusterWork};
use crate::state::instance::{AfterBackup, Instance, InstanceStatus, Work};
use crate::state::snapshot::{CopySource, Snapshot, SnapshotKind, SnapshotStatus};
use crate::state::{Garbage, Tags};

/// `SnapshotQuotaExceeded` beyond.
pub(super) const SNAPSHOTS_MAX: usize = 1000;

/// What RDS calls things about the snapshots of one kind.
struct Words {
    /// The member that has its name, and that with the name of its source.
    identifier: &'static str,
    source: &'static str,
    source_resource: &'static str,
    copied: &'static str,
    copy: &'static str,
    filters: &'static [&'static str],
    /// One of them in an answer, all of them, and what is said about sharing one.
    one: &'static str,
    all: &'static str,
    shared: &'static str,
    shared_with: &'static str,
    identifier_length_max: usize,
    not_found: &'static str,
    already_exists: &'static str,
    state: &'static str,
}

const OF_INSTANCES: Words = Words {
    identifier: "DBSnapshotIdentifier",
    source: "DBInstanceIdentifier",
    source_resource: "DbiResourceId",
    copied: "SourceDBSnapshotIdentifier",
    copy: "TargetDBSnapshotIdentifier",
    filters: &[
        "db-instance-id",
        "db-snapshot-id",
        "dbi-resource-id",
        "snapshot-type",
        "engine",
    ],
    one: "DBSnapshot",
    all: "DBSnapshots",
    shared: "DBSnapshotAttributesResult",
    shared_with: "DBSnapshotAttributes",
    identifier_length_max: names::OTHER_LENGTH_MAX,
    not_found: "DBSnapshotNotFound",
    already_exists: "DBSnapshotAlreadyExists",
    state: "InvalidDBSnapshotState",
};

const OF_CLUSTERS: Words = Words {
    identifier: "DBClusterSnapshotIdentifier",
    source: "DBClusterIdentifier",
    source_resource: "DbClusterResourceId",
    copied: "SourceDBClusterSnapshotIdentifier",
    copy: "TargetDBClusterSnapshotIdentifier",
    filters: &[
        "db-cluster-id",
        "db-cluster-snapshot-id",
        "snapshot-type",
        "engine",
    ],
    one: "DBClusterSnapshot",
    all: "DBClusterSnapshots",
    shared: "DBClusterSnapshotAttributesResult",
    shared_with: "DBClusterSnapshotAttributes",
    identifier_length_max: names::INSTANCE_LENGTH_MAX,
    not_found: "DBClusterSnapshotNotFoundFault",
    already_exists: "DBClusterSnapshotAlreadyExistsFault",
    state: "InvalidDBClusterSnapshotStateFault",
};

fn words(kind: SnapshotKind) -> &'static Words {
    match kind {
        SnapshotKind::Instance => &OF_INSTANCES,
        SnapshotKind::Cluster => &OF_CLUSTERS,
    }
}

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    let name = input.required("DBSnapshotIdentifier")?;
    super::members::check_stand_alone(&instance, "backed up")?;
    instances::must_be_available(&instance)?;
    let tags = tags(input, instance.is_on("CopyTagsToSnapshot"), &instance.tags);
    let key = add(context, &instance, "DBSnapshotIdentifier", name, tags)?;
    let work = Work::Backup {
        snapshot: key.clone(),
        then: AfterBackup::Nothing,
    };
    instances::begin_as(context, &instance, InstanceStatus::BackingUp, work)?;
    shown(context, &key)
}

pub(super) fn create_of_cluster(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    let name = input.required("DBClusterSnapshotIdentifier")?;
    clusters::must_be_available(&cluster)?;
    super::members::check_free_of_handover(&cluster)?;
    let tags = tags(input, cluster.is_on("CopyTagsToSnapshot"), &cluster.tags);
    let parameter = OF_CLUSTERS.identifier;
    let key = add_of_cluster(context, &cluster, parameter, name, tags)?;
    let work = ClusterWork::Backup {
        snapshot: key.clone(),
        then: AfterBackup::Nothing,
    };
    clusters::begin_as(context, &cluster, ClusterStatus::BackingUp, work)?;
    shown(context, &key)
}

/// Any tag in the request switches copying off for this snapshot.
fn tags(input: &Input, copies: bool, of_source: &Tags) -> Tags {
    let given = Tags::from_request(input.list("Tags"));
    match given.len() == 0 && copies {
        true => of_source.clone(),
        false => given,
    }
}

/// Adds a snapshot of an instance, as it is before anything is copied; gives its key.
pub(super) fn add(
    context: &mut Context<'_>,
    instance: &Instance,
    parameter: &str,
    name: &str,
    tags: Tags,
) -> Result<String, ApiError> {
    let length_max = OF_INSTANCES.identifier_length_max;
    let snapshot = Snapshot {
        kind: SnapshotKind::Instance,
        scope: instance.scope.clone(),
        identifier: names::parse(parameter, name, length_max)?,
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

/// Adds a snapshot of a cluster, as it is before anything is copied; gives its key.
pub(super) fn add_of_cluster(
    context: &mut Context<'_>,
    cluster: &Cluster,
    parameter: &str,
    name: &str,
    tags: Tags,
) -> Result<String, ApiError> {
    let length_max = match parameter == OF_CLUSTERS.identifier {
        true => OF_CLUSTERS.identifier_length_max,
        // A final snapshot may have a longer name.
        false => names::OTHER_LENGTH_MAX,
    };
    let snapshot = Snapshot {
        kind: SnapshotKind::Cluster,
        scope: cluster.scope.clone(),
        identifier: names::parse(parameter, name, length_max)?,
        source_identifier: cluster.identifier.clone(),
        source_resource_id: cluster.resource_id.clone(),
        source_created_at: cluster.created_at,
        status: SnapshotStatus::Creating,
        begun_at: context.now,
        original_begun_at: context.now,
        settings: cluster.settings.clone(),
        password: cluster.password.clone(),
        tags,
        directory: context.paths.snapshot(context.state),
        size_bytes: 0,
        copied_from: None,
        shared_with: std::collections::BTreeSet::new(),
    };
    insert(context, snapshot, "Creating manual cluster snapshot")
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input, kind: SnapshotKind) -> Answer {
    let words = words(kind);
    let mut snapshots: Vec<&Snapshot> = context
        .state
        .snapshots
        .values()
        .filter(|snapshot| snapshot.kind == kind && snapshot.scope == *context.scope)
        .collect();
    if let Some(name) = input.text(words.identifier) {
        let key = find(context, kind, name)?.key();
        snapshots.retain(|snapshot| snapshot.key() == key);
    }
    if let Some(name) = input.text(words.source) {
        let identifier = names::referred(name);
        snapshots.retain(|snapshot| snapshot.source_identifier == identifier);
    }
    if let Some(resource_id) = input.text(words.source_resource) {
        snapshots.retain(|snapshot| snapshot.source_resource_id == resource_id);
    }
    if input
        .text("SnapshotType")
        .is_some_and(|kind| !matches!(kind, "manual" | "shared" | "public"))
    {
        snapshots.clear();
    }
    let has = |snapshot: &&Snapshot, filter: &str, value: &str| match filter {
        "db-instance-id" | "db-cluster-id" => snapshot.source_identifier == value,
        "db-snapshot-id" | "db-cluster-snapshot-id" => snapshot.identifier == value,
        "dbi-resource-id" => snapshot.source_resource_id == value,
        "snapshot-type" => value == "manual",
        "engine" => snapshot.engine() == value,
        _ => false,
    };
    let found = paging::filtered(input, snapshots, words.filters, has)?;
    let records = found.into_iter().map(|snapshot| {
        (
            snapshot.identifier.clone(),
            describe::snapshot(snapshot, percent(context, snapshot)),
        )
    });
    paging::page(input, words.all, records.collect())
}

pub(super) fn copy(context: &mut Context<'_>, input: &Input, kind: SnapshotKind) -> Answer {
    let words = words(kind);
    let source = find(context, kind, input.required(words.copied)?)?.clone();
    if source.status != SnapshotStatus::Available {
        return Err(not_available(&source));
    }
    let target = input.required(words.copy)?;
    let mut settings = source.settings.clone();
    if let Some(key) = input.text("KmsKeyId") {
        if kind == SnapshotKind::Cluster && settings.get("StorageEncrypted") != Some(&json!(true)) {
            return Err(ApiError::combination(
                "A copy of an unencrypted DB cluster snapshot can't be encrypted.",
            ));
        }
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
        identifier: names::parse(words.copy, target, words.identifier_length_max)?,
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

pub(super) fn delete(context: &mut Context<'_>, input: &Input, kind: SnapshotKind) -> Answer {
    let words = words(kind);
    let snapshot = find(context, kind, input.required(words.identifier)?)?.clone();
    let key = snapshot.key();
    if is_read(context, &key) || snapshot.status == SnapshotStatus::Creating {
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
    context.tell_snapshot(&snapshot, "deletion", "Deleted manual snapshot");
    let mut shown = describe::snapshot(&snapshot, 100);
    shown["Status"] = json!("deleted");
    Ok(result(words.one, shown))
}

/// Whether something is being made from a snapshot.
fn is_read(context: &Context<'_>, key: &str) -> bool {
    let state = &context.state;
    state.instances.values().any(|instance| {
        let work = instance.operation.as_ref().map(|operation| &operation.work);
        matches!(work, Some(Work::Restore { snapshot }) if *snapshot == key)
    }) || state.clusters.values().any(|cluster| {
        let work = cluster.operation.as_ref().map(|operation| &operation.work);
        matches!(work, Some(ClusterWork::Restore { snapshot }) if *snapshot == key)
    }) || state.snapshots.values().any(|other| {
        other.is_being_copied()
            && other
                .copied_from
                .as_ref()
                .is_some_and(|source| source.key == key)
    })
}

pub(super) fn describe_attributes(
    context: &mut Context<'_>,
    input: &Input,
    kind: SnapshotKind,
) -> Answer {
    let snapshot = find(context, kind, input.required(words(kind).identifier)?)?;
    Ok(attributes(snapshot))
}

pub(super) fn modify_attribute(
    context: &mut Context<'_>,
    input: &Input,
    kind: SnapshotKind,
) -> Answer {
    if input.required("AttributeName")? != "restore" {
        return Err(ApiError::value(
            "The only attribute of a DB snapshot is restore.",
        ));
    }
    let key = find(context, kind, input.required(words(kind).identifier)?)?.key();
    let snapshot = context
        .state
        .snapshots
        .get_mut(&key)
        .ok_or_else(|| not_found(kind, &key))?;
    snapshot.shared_with.extend(input.texts("ValuesToAdd"));
    for account in input.texts("ValuesToRemove") {
        snapshot.shared_with.remove(&account);
    }
    Ok(attributes(snapshot))
}

/// The snapshot that a name, or an ARN, finds. An ARN may name another region, for a copy.
pub(super) fn find<'c>(
    context: &'c Context<'_>,
    kind: SnapshotKind,
    name: &str,
) -> Result<&'c Snapshot, ApiError> {
    let identifier = names::referred(name);
    let snapshots = &context.state.snapshots;
    let found = match name.starts_with("arn:") {
        true => snapshots
            .values()
            .find(|snapshot| snapshot.kind == kind && snapshot.arn() == name),
        false => snapshots.get(&kind.key(context.scope, &identifier)),
    };
    found.ok_or_else(|| not_found(kind, &identifier))
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
        return Err(ApiError::new(words(snapshot.kind).already_exists, message));
    }
    if context.state.snapshots.len() >= SNAPSHOTS_MAX {
        let message = format!("You have reached the quota of {SNAPSHOTS_MAX} manual snapshots.");
        return Err(ApiError::new("SnapshotQuotaExceeded", message));
    }
    context.tell_snapshot(&snapshot, "creation", message);
    context.state.snapshots.insert(key.clone(), snapshot);
    Ok(key)
}

/// How much of a snapshot is done: what the server says, or, where durations are AWS's, the share of the time.
fn percent(context: &Context<'_>, snapshot: &Snapshot) -> u8 {
    if snapshot.status == SnapshotStatus::Available {
        return 100;
    }
    if !context.pace.is_gradual() {
        return context.progress.get(&snapshot.key()).min(99);
    }
    let gib = snapshot.storage_gib();
    let (snapshot_key, then) = (String::new(), AfterBackup::Nothing);
    let takes = match (&snapshot.copied_from, snapshot.kind) {
        (Some(_), _) => context.pace.copy(gib),
        (None, SnapshotKind::Instance) => {
            let snapshot = snapshot_key;
            context.pace.work(&Work::Backup { snapshot, then }, gib)
        }
        (None, SnapshotKind::Cluster) => {
            let snapshot = snapshot_key;
            let work = ClusterWork::Backup { snapshot, then };
            context.pace.cluster_work(&work, gib)
        }
    };
    describe::percent(snapshot.begun_at, context.now, takes)
}

fn shown(context: &Context<'_>, key: &str) -> Answer {
    let snapshot = context
        .state
        .snapshots
        .get(key)
        .ok_or_else(|| not_found(SnapshotKind::Instance, key))?;
    Ok(result(
        words(snapshot.kind).one,
        describe::snapshot(snapshot, percent(context, snapshot)),
    ))
}

fn attributes(snapshot: &Snapshot) -> Map<String, Value> {
    let words = words(snapshot.kind);
    let restore = json!({"AttributeName": "restore", "AttributeValues": snapshot.shared_with});
    result(
        words.shared,
        json!({words.identifier: snapshot.identifier, words.shared_with: [restore]}),
    )
}

fn not_found(kind: SnapshotKind, identifier: &str) -> ApiError {
    let words = words(kind);
    ApiError::new(
        words.not_found,
        format!("{} {identifier} not found.", words.one),
    )
}

/// Refuses what needs a snapshot that is complete.
pub(super) fn not_available(snapshot: &Snapshot) -> ApiError {
    let words = words(snapshot.kind);
    let message = format!(
        "{} {} is not in available state.",
        words.one, snapshot.identifier
    );
    ApiError::new(words.state, message)
}

fn result(member: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(member.to_owned(), value)])
}
