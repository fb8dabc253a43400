//! Instances and snapshots in the shapes of `DBInstance` and `DBSnapshot`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::attributes::{ATTRIBUTES, Attribute, Shown, attribute};
use crate::catalogue;
use crate::clusters;
use crate::state::instance::{Instance, InstanceStatus, Naming, Work};
use crate::state::snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
use crate::state::{Scope, Settings, State, arn};
use crate::subnets;

/// An instance as `DescribeDBInstances` shows it.
pub(crate) fn instance(state: &State, instance: &Instance, now: Timestamp) -> Value {
    let mut shown = shown_as_is(&instance.settings);
    let mut put = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    put("DBInstanceIdentifier", json!(instance.identifier));
    put("DBInstanceArn", json!(instance.arn()));
    put("DbiResourceId", json!(instance.resource_id));
    put("DBInstanceStatus", json!(instance.status.to_string()));
    put("DbInstancePort", json!(0));
    put("TagList", instance.tags.describe());
    put("PendingModifiedValues", pending(instance));
    if let Some(window) = state.restorable(&instance.resource_id, now) {
        put("LatestRestorableTime", json!(window.latest.to_string()));
    }
    if let Some(cluster) = state.cluster_of(instance) {
        put("DBClusterIdentifier", json!(cluster.identifier));
        put(
            "PromotionTier",
            json!(clusters::members::promotion_tier(instance)),
        );
    }
    put("IsStorageConfigUpgradeAvailable", json!(false));
    if let Some(created_at) = instance.created_at {
        put("InstanceCreateTime", json!(created_at.to_string()));
    }
    if let Some(endpoint) = endpoint(state, instance) {
        put("Endpoint", endpoint);
    }
    replication(state, instance, &mut shown);
    groups(state, instance, &mut shown);
    storage(instance, &mut shown);
    identity(instance, &mut shown);
    shown.extend(state.attachments_of(&instance.resource_id).describe(now));
    Value::from(shown)
}

/// A snapshot as `DescribeDBSnapshots`, or `DescribeDBClusterSnapshots`, shows it; `percent` is how much of it is done.
pub(crate) fn snapshot(snapshot: &Snapshot, percent: u8) -> Value {
    match snapshot.kind {
        SnapshotKind::Instance => instance_snapshot(snapshot, percent),
        SnapshotKind::Cluster => clusters::describe::snapshot(snapshot, percent),
    }
}

fn instance_snapshot(snapshot: &Snapshot, percent: u8) -> Value {
    let mut shown = Map::new();
    for attribute in ATTRIBUTES {
        if let (Some(member), Some(value)) =
            (attribute.snapshot, snapshot.settings.get(attribute.name))
        {
            shown.insert(member.to_owned(), value.clone());
        }
    }
    let mut put = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    put("DBSnapshotIdentifier", json!(snapshot.identifier));
    put("DBSnapshotArn", json!(snapshot.arn()));
    put("DBInstanceIdentifier", json!(snapshot.source_identifier));
    put("DbiResourceId", json!(snapshot.source_resource_id));
    put("SnapshotType", json!("manual"));
    put("Status", json!(snapshot.status.as_str()));
    put("PercentProgress", json!(percent));
    put("TagList", snapshot.tags.describe());
    put("VpcId", json!(subnets::VPC_ID));
    put(
        "ProcessorFeatures",
        snapshot
            .settings
            .get("ProcessorFeatures")
            .cloned()
            .unwrap_or(json!([])),
    );
    if let Some(created_at) = snapshot.source_created_at {
        put("InstanceCreateTime", json!(created_at.to_string()));
    }
    if let Some(source) = &snapshot.copied_from {
        put("SourceDBSnapshotIdentifier", json!(source.arn));
    }
    if snapshot.status == SnapshotStatus::Available {
        put("SnapshotCreateTime", json!(snapshot.begun_at.to_string()));
        put(
            "OriginalSnapshotCreateTime",
            json!(snapshot.original_begun_at.to_string()),
        );
        put(
            "SnapshotDatabaseTime",
            json!(snapshot.original_begun_at.to_string()),
        );
        put("FullSnapshotSizeInBytes", json!(snapshot.size_bytes));
    }
    Value::from(shown)
}

/// Where clients connect: nothing while the instance is being made or renamed.
fn endpoint(state: &State, instance: &Instance) -> Option<Value> {
    match instance.status {
        InstanceStatus::Creating | InstanceStatus::Renaming | InstanceStatus::Failed(_) => {
            return None;
        }
        InstanceStatus::Available
        | InstanceStatus::BackingUp
        | InstanceStatus::Deleting
        | InstanceStatus::Modifying
        | InstanceStatus::Rebooting
        | InstanceStatus::ResettingMasterCredentials
        | InstanceStatus::Starting
        | InstanceStatus::Stopped
        | InstanceStatus::Stopping
        | InstanceStatus::Upgrading => {}
    }
    if instance.naming == Naming::Nameless || instance.created_at.is_none() {
        return None;
    }
    let address = state
        .addresses
        .get(&instance.scope.key(&instance.identifier))?;
    Some(
        json!({"Address": address.0.to_string(), "Port": instance.number("Port"), "HostedZoneId": "ZLOCALHOST"}),
    )
}

fn shown_as_is(settings: &Settings) -> Map<String, Value> {
    let is_shown =
        |name: &str| attribute(name).is_some_and(|attribute| attribute.shown == Shown::AsIs);
    settings
        .iter()
        .filter(|(name, _)| is_shown(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn pending(instance: &Instance) -> Value {
    let under_way = match instance.operation.as_ref().map(|operation| &operation.work) {
        Some(Work::Modify { changes }) => Some(changes),
        Some(
            Work::Create
            | Work::Restore { .. }
            | Work::RestoreToPointInTime { .. }
            | Work::Replicate
            | Work::Promote { .. }
            | Work::Reconfigure
            | Work::Reboot
            | Work::Start
            | Work::Stop
            | Work::Backup { .. }
            | Work::Delete,
        )
        | None => None,
    };
    let changes = instance
        .pending
        .iter()
        .chain(under_way.into_iter().flatten());
    changes
        .filter_map(|(name, value)| {
            Some((pending_member(name)?.to_owned(), hide_secret(name, value)))
        })
        .collect()
}

fn pending_member(name: &str) -> Option<&'static str> {
    match name {
        "MasterUserPassword" => Some("MasterUserPassword"),
        "DBInstanceIdentifier" => Some("DBInstanceIdentifier"),
        name => attribute(name).and_then(|attribute: &Attribute| attribute.pending),
    }
}

/// The value, unless it is one that nobody may read.
pub(crate) fn hide_secret(name: &str, value: &Value) -> Value {
    if name == "MasterUserPassword" {
        json!("****")
    } else {
        value.clone()
    }
}

/// What an instance has to do with read replicas. Whether a replica is connected isn't asked: while both serve it is,
/// or is about to be.
fn replication(state: &State, instance: &Instance, shown: &mut Map<String, Value>) {
    let mut replicas: Vec<_> = state
        .replicas_of(&instance.resource_id)
        .map(|replica| replica.identifier.clone())
        .collect();
    replicas.sort();
    let mut put = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    put("ReadReplicaDBInstanceIdentifiers", json!(replicas));
    let source = instance.replica_of.as_deref();
    let Some(source) = source.and_then(|source| state.instances.get(source)) else {
        return;
    };
    put(
        "ReadReplicaSourceDBInstanceIdentifier",
        json!(source.identifier),
    );
    if instance.created_at.is_some() {
        let is_normal = instance.has_running_server() && source.has_running_server();
        let status = if is_normal { "replicating" } else { "error" };
        put(
            "StatusInfos",
            json!([{"StatusType": "read replication", "Status": status, "Normal": is_normal}]),
        );
    }
}

fn groups(state: &State, instance: &Instance, shown: &mut Map<String, Value>) {
    let members = |attribute: &str, element: fn(&Value) -> Value| -> Value {
        instance
            .settings
            .get(attribute)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(element)
            .collect()
    };
    let mut put = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    put(
        "VpcSecurityGroups",
        members(
            "VpcSecurityGroupIds",
            |id| json!({"VpcSecurityGroupId": id, "Status": "active"}),
        ),
    );
    put(
        "DBSecurityGroups",
        members(
            "DBSecurityGroups",
            |name| json!({"DBSecurityGroupName": name, "Status": "active"}),
        ),
    );
    put(
        "DBParameterGroups",
        json!([{
            "DBParameterGroupName": instance.text("DBParameterGroupName"),
            "ParameterApplyStatus": instance.parameter_status.as_str(),
        }]),
    );
    put(
        "OptionGroupMemberships",
        json!([{"OptionGroupName": instance.text("OptionGroupName"), "Status": "in-sync"}]),
    );
    put(
        "DBSubnetGroup",
        subnets::describe(state, &instance.scope, instance.text("DBSubnetGroupName")),
    );
    put(
        "AssociatedRoles",
        instance
            .roles
            .iter()
            .map(|role| json!({"RoleArn": role.arn, "FeatureName": role.feature, "Status": "ACTIVE"}))
            .collect(),
    );
}

fn storage(instance: &Instance, shown: &mut Map<String, Value>) {
    let size_gib = instance.number("AllocatedStorage").unwrap_or(0);
    if instance.text("StorageType") == "gp3"
        && let Some(product) = catalogue::product(instance.engine())
    {
        let (iops, throughput) = product.gp3_baseline(size_gib);
        shown.entry("Iops").or_insert(json!(iops));
        shown
            .entry("StorageThroughput")
            .or_insert(json!(throughput));
    }
    if let Some(Value::Array(volumes)) = shown.get_mut("AdditionalStorageVolumes") {
        for volume in volumes {
            volume["StorageVolumeStatus"] = json!("available");
        }
    }
}

/// Certificate and directory domain.
fn identity(instance: &Instance, shown: &mut Map<String, Value>) {
    shown.insert(
        "CertificateDetails".to_owned(),
        json!({"CAIdentifier": instance.text("CACertificateIdentifier"), "ValidTill": CERTIFICATE_VALID_TILL}),
    );
    let domains = domain_memberships(&instance.settings);
    shown.insert("DomainMemberships".to_owned(), domains);
}

/// The directory domain that a database has joined, in the shape of `DomainMemberships`.
pub(crate) fn domain_memberships(settings: &Settings) -> Value {
    let mut membership = DOMAIN_MEMBERS
        .iter()
        .filter_map(|(name, member)| Some(((*member).to_owned(), settings.get(*name)?.clone())))
        .collect::<Map<_, _>>();
    if !membership.contains_key("Domain") && !membership.contains_key("FQDN") {
        return json!([]);
    }
    if let Some(directory) = membership.get("Domain").and_then(Value::as_str) {
        // Amazon's directories have a name of their own, which no request says.
        let name = format!("{directory}.corp.example.com");
        membership.entry("FQDN").or_insert(json!(name));
    }
    membership.insert("Status".to_owned(), json!("joined"));
    json!([membership])
}

const DOMAIN_MEMBERS: &[(&str, &str)] = &[
    ("Domain", "Domain"),
    ("DomainFqdn", "FQDN"),
    ("DomainIAMRoleName", "IAMRoleName"),
    ("DomainOu", "OU"),
    ("DomainAuthSecretArn", "AuthSecretArn"),
    ("DomainDnsIps", "DnsIps"),
];

/// When the certificate authorities of RDS that were made in 2021 expire.
pub(crate) const CERTIFICATE_VALID_TILL: &str = "2061-05-24T22:59:00Z";

/// How much is done of something that takes so long; 100 only once it's over.
pub(crate) fn percent(begun_at: Timestamp, now: Timestamp, takes: std::time::Duration) -> u8 {
    let elapsed = now.duration_since(begun_at).as_secs_f64().max(0.0);
    let share = if takes.is_zero() {
        0.0
    } else {
        elapsed / takes.as_secs_f64()
    };
    (share * 100.0).min(99.0) as u8
}

/// The ARN of a parameter group and the like, whatever its kind.
pub(crate) fn group_arn(scope: &Scope, kind: &str, name: &str) -> Value {
    json!(arn(scope, kind, name))
}
