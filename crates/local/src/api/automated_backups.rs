//! The automated backups that there are, of databases that are there and of those that are gone.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::input::Input;
use super::{backup_replication, paging};
use crate::names;
use crate::state::snapshot::{Snapshot, SnapshotKind};
use crate::subnets;

/// One entry of the answer.
struct Shown {
    source: Snapshot,
    status: &'static str,
}

/// The filters of `DescribeDBInstanceAutomatedBackups`.
pub(super) const FILTERS: [&str; 3] = ["status", "db-instance-id", "dbi-resource-id"];

pub(super) fn describe_of_instances(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut shown = all(context, SnapshotKind::Instance);
    if let Some(id) = input.text("DbiResourceId") {
        shown.retain(|one| one.source.source_resource_id == id);
    }
    if let Some(arn) = input.text("DBInstanceAutomatedBackupsArn") {
        shown.retain(|one| one.source.automated_backups_arn() == arn);
    }
    if let Some(name) = input.text("DBInstanceIdentifier") {
        shown.retain(|one| one.source.identifier == names::referred(name));
    }
    let found = paging::filtered(input, shown, &FILTERS, |one, filter, value| match filter {
        "status" => one.status == value,
        "db-instance-id" => one.source.identifier == names::referred(value),
        _ => one.source.source_resource_id == value,
    })?;
    let records = found.iter().map(|one| {
        let mut members = describe(context, one, INSTANCE_MEMBERS);
        let mut put = |member: &str, value: Value| members.insert(member.to_owned(), value);
        let source = &one.source;
        put("DBInstanceIdentifier", json!(source.identifier));
        put("DbiResourceId", json!(source.source_resource_id));
        let arn = crate::state::arn(&source.scope, "db", &source.identifier);
        put("DBInstanceArn", json!(arn));
        put(
            "DBInstanceAutomatedBackupsArn",
            json!(source.automated_backups_arn()),
        );
        put(
            "Encrypted",
            source
                .settings
                .get("StorageEncrypted")
                .cloned()
                .unwrap_or(json!(false)),
        );
        if let Some(created_at) = source.source_created_at {
            put("InstanceCreateTime", json!(created_at.to_string()));
        }
        (source.source_resource_id.clone(), Value::from(members))
    });
    let mut records: Vec<_> = records.collect();
    records.extend(backup_replication::replicated(context, input)?);
    records.sort_by(|(one, _), (other, _)| one.cmp(other));
    paging::page(input, "DBInstanceAutomatedBackups", records)
}

pub(super) fn describe_of_clusters(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut shown = all(context, SnapshotKind::Cluster);
    if let Some(id) = input.text("DbClusterResourceId") {
        shown.retain(|one| one.source.source_resource_id == id);
    }
    if let Some(name) = input.text("DBClusterIdentifier") {
        shown.retain(|one| one.source.identifier == names::referred(name));
    }
    let filters = ["status", "db-cluster-id", "db-cluster-resource-id"];
    let found = paging::filtered(input, shown, &filters, |one, filter, value| match filter {
        "status" => one.status == value,
        "db-cluster-id" => one.source.identifier == names::referred(value),
        _ => one.source.source_resource_id == value,
    })?;
    let records = found.iter().map(|one| {
        let mut members = describe(context, one, CLUSTER_MEMBERS);
        let mut put = |member: &str, value: Value| members.insert(member.to_owned(), value);
        let source = &one.source;
        put("DBClusterIdentifier", json!(source.identifier));
        put("DbClusterResourceId", json!(source.source_resource_id));
        let arn = crate::state::arn(&source.scope, "cluster", &source.identifier);
        put("DBClusterArn", json!(arn));
        put(
            "DBClusterAutomatedBackupsArn",
            json!(source.automated_backups_arn()),
        );
        if let Some(created_at) = source.source_created_at {
            put("ClusterCreateTime", json!(created_at.to_string()));
        }
        (source.source_resource_id.clone(), Value::from(members))
    });
    paging::page(input, "DBClusterAutomatedBackups", records.collect())
}

/// Notes whether the automated backups of a database that is to go stay.
pub(super) fn keep(context: &mut Context<'_>, resource_id: &str, input: &Input) {
    let go = input.get("DeleteAutomatedBackups").and_then(Value::as_bool);
    if let Some(backups) = context.state.automated_backups.get_mut(resource_id) {
        backups.is_kept = go == Some(false);
    }
}

/// The settings that are shown of an instance's automated backups.
const INSTANCE_MEMBERS: &[&str] = &[
    "AllocatedStorage",
    "AvailabilityZone",
    "BackupRetentionPeriod",
    "BackupTarget",
    "DedicatedLogVolume",
    "Engine",
    "EngineVersion",
    "IAMDatabaseAuthenticationEnabled",
    "Iops",
    "KmsKeyId",
    "LicenseModel",
    "MasterUsername",
    "MultiTenant",
    "OptionGroupName",
    "Port",
    "PreferredBackupWindow",
    "StorageThroughput",
    "StorageType",
    "TdeCredentialArn",
    "Timezone",
];

/// The settings that are shown of a cluster's automated backups.
const CLUSTER_MEMBERS: &[&str] = &[
    "AllocatedStorage",
    "AvailabilityZones",
    "BackupRetentionPeriod",
    "Engine",
    "EngineMode",
    "EngineVersion",
    "IAMDatabaseAuthenticationEnabled",
    "Iops",
    "KmsKeyId",
    "MasterUsername",
    "Port",
    "PreferredBackupWindow",
    "StorageEncrypted",
    "StorageType",
];

/// The automated backups of all databases of a kind. A database whose first base isn't complete has some too.
fn all(context: &Context<'_>, kind: SnapshotKind) -> Vec<Shown> {
    let state = &context.state;
    let instances = state.instances.iter().map(|(id, _)| id);
    let clusters = state.clusters.iter().map(|(id, _)| id);
    let living = instances
        .chain(clusters)
        .filter(|id| state.retention_days(id) > 0);
    let gone = state
        .automated_backups
        .iter()
        .filter(|(_, one)| one.retained.is_some());
    let shown = living.chain(gone.map(|(id, _)| id)).filter_map(|id| {
        let source = state.picture(id, context.now)?;
        let is_here = source.kind == kind && source.scope == *context.scope;
        let is_gone = state
            .automated_backups
            .get(id)
            .is_some_and(|one| one.retained.is_some());
        let status = match state.restorable(id, context.now) {
            // What is older than its retention goes at the next occasion.
            None if is_gone => return None,
            None => "creating",
            Some(_) if is_gone => "retained",
            Some(_) => "active",
        };
        is_here.then_some(Shown { source, status })
    });
    let mut shown: Vec<Shown> = shown.collect();
    shown.sort_by(|one, other| {
        one.source
            .source_resource_id
            .cmp(&other.source.source_resource_id)
    });
    shown
}

fn describe(context: &Context<'_>, one: &Shown, members: &[&str]) -> Map<String, Value> {
    let settings = &one.source.settings;
    let known = members
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), settings.get(*name)?.clone())));
    let mut shown: Map<String, Value> = known.collect();
    let mut put = |member: &str, value: Value| shown.insert(member.to_owned(), value);
    put("Status", json!(one.status));
    put("Region", json!(one.source.scope.region));
    put("VpcId", json!(subnets::VPC_ID));
    if let Some(window) = context
        .state
        .restorable(&one.source.source_resource_id, context.now)
    {
        put(
            "RestoreWindow",
            json!({"EarliestTime": window.earliest.to_string(), "LatestTime": window.latest.to_string()}),
        );
    }
    shown
}
