//! Clusters in the shape of `DBCluster`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::attributes::{ATTRIBUTES, attribute};
use super::members;
use super::settings::is_aurora;
use crate::api::model::MODEL;
use crate::attributes::Shown;
use crate::catalogue;
use crate::describe::{CERTIFICATE_VALID_TILL, domain_memberships, hide_secret};
use crate::state::State;
use crate::state::cluster::{Cluster, ClusterStatus, ClusterWork};
use crate::state::instance::Naming;
use crate::state::snapshot::Snapshot;
use crate::subnets;

/// A cluster as `DescribeDBClusters` shows it.
pub(crate) fn cluster(state: &State, cluster: &Cluster, now: Timestamp) -> Value {
    let mut shown = Map::new();
    for attribute in ATTRIBUTES {
        if let (Shown::AsIs, Some(value)) = (attribute.shown, cluster.settings.get(attribute.name))
        {
            shown.insert(attribute.name.to_owned(), value.clone());
        }
    }
    if cluster.text("StorageType") == "aurora" {
        shown.remove("StorageType");
    }
    let mut put = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    put("DBClusterIdentifier", json!(cluster.identifier));
    put("DBClusterArn", json!(cluster.arn()));
    put("DbClusterResourceId", json!(cluster.resource_id));
    put("Status", json!(cluster.status.to_string()));
    put("TagList", cluster.tags.describe());
    put("PendingModifiedValues", pending(cluster));
    put("ReadReplicaIdentifiers", json!([]));
    put("CrossAccountClone", json!(false));
    if let Some(window) = state.restorable(&cluster.resource_id, now) {
        put("EarliestRestorableTime", json!(window.earliest.to_string()));
        put("LatestRestorableTime", json!(window.latest.to_string()));
    }
    if let Some(created_at) = cluster.created_at {
        put("ClusterCreateTime", json!(created_at.to_string()));
    }
    // A cluster shows less of it than an instance does.
    let is_member = |name: &str| {
        let mut members = MODEL.members("DBCluster").iter();
        members.any(|member| member.name == name)
    };
    let attached = state.attachments_of(&cluster.resource_id).describe(now);
    shown.extend(attached.into_iter().filter(|(name, _)| is_member(name)));
    if let Some(global) = state.global_cluster_of(&cluster.resource_id) {
        shown.insert(
            "GlobalClusterIdentifier".to_owned(),
            json!(global.identifier),
        );
    }
    groups(cluster, &mut shown);
    members_of(state, cluster, &mut shown);
    endpoints(state, cluster, now, &mut shown);
    features(cluster, &mut shown);
    Value::from(shown)
}

/// A snapshot as `DescribeDBClusterSnapshots` shows it; `percent` is how much of it is done.
pub(crate) fn snapshot(snapshot: &Snapshot, percent: u8) -> Value {
    let mut shown = Map::new();
    for attribute in ATTRIBUTES {
        if let (Some(member), Some(value)) =
            (attribute.snapshot, snapshot.settings.get(attribute.name))
        {
            shown.insert(member.to_owned(), value.clone());
        }
    }
    let product = catalogue::product(snapshot.engine());
    let zones = snapshot.settings.get("AvailabilityZones");
    let mut put = |member: &str, value: Value| {
        shown.insert(member.to_owned(), value);
    };
    put("DBClusterSnapshotIdentifier", json!(snapshot.identifier));
    put("DBClusterSnapshotArn", json!(snapshot.arn()));
    put("DBClusterIdentifier", json!(snapshot.source_identifier));
    put("DbClusterResourceId", json!(snapshot.source_resource_id));
    put("SnapshotType", json!("manual"));
    put("Status", json!(snapshot.status.as_str()));
    put("PercentProgress", json!(percent));
    put("TagList", snapshot.tags.describe());
    put("VpcId", json!(subnets::VPC_ID));
    put("AvailabilityZones", zones.cloned().unwrap_or(json!([])));
    put(
        "LicenseModel",
        json!(product.map(|product| product.licenses[0])),
    );
    put("SnapshotCreateTime", json!(snapshot.begun_at.to_string()));
    if let Some(created_at) = snapshot.source_created_at {
        put("ClusterCreateTime", json!(created_at.to_string()));
    }
    if let Some(source) = &snapshot.copied_from {
        put("SourceDBClusterSnapshotArn", json!(source.arn));
    }
    Value::from(shown)
}

fn pending(cluster: &Cluster) -> Value {
    let under_way = match cluster.operation.as_ref().map(|operation| &operation.work) {
        Some(ClusterWork::Modify { changes }) => Some(changes),
        Some(
            ClusterWork::Create
            | ClusterWork::Restore { .. }
            | ClusterWork::RestoreToPointInTime { .. }
            | ClusterWork::FailOver
            | ClusterWork::Reboot
            | ClusterWork::Start
            | ClusterWork::Stop
            | ClusterWork::Backup { .. }
            | ClusterWork::Delete,
        )
        | None => None,
    };
    let changes = cluster
        .pending
        .iter()
        .chain(under_way.into_iter().flatten());
    let shown = changes.filter_map(|(name, value)| {
        let member = match name.as_str() {
            "MasterUserPassword" | "DBClusterIdentifier" => name,
            name => attribute(name)?.pending?,
        };
        Some((member.to_owned(), hide_secret(name, value)))
    });
    shown.collect()
}

fn groups(cluster: &Cluster, shown: &mut Map<String, Value>) {
    let security_groups = cluster.settings.get("VpcSecurityGroupIds");
    let security_groups: Value = security_groups
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|id| json!({"VpcSecurityGroupId": id, "Status": "active"}))
        .collect();
    shown.insert("VpcSecurityGroups".to_owned(), security_groups);
    let group = cluster.text("OptionGroupName");
    shown.insert(
        "DBClusterOptionGroupMemberships".to_owned(),
        json!([{"DBClusterOptionGroupName": group, "Status": "in-sync"}]),
    );
    let roles = cluster.roles.iter().map(|role| {
        let mut shown = json!({"RoleArn": role.arn, "Status": "ACTIVE"});
        if !role.feature.is_empty() {
            shown["FeatureName"] = json!(role.feature);
        }
        shown
    });
    shown.insert("AssociatedRoles".to_owned(), roles.collect());
}

fn members_of(state: &State, cluster: &Cluster, shown: &mut Map<String, Value>) {
    let members = state.members_of(&cluster.resource_id);
    let zones = if cluster.is_multi_az() {
        3
    } else {
        members.len()
    };
    shown.insert("MultiAZ".to_owned(), json!(zones > 1));
    let members = members.into_iter().filter_map(|member| {
        let membership = member.member_of.as_ref()?;
        Some(json!({
            "DBInstanceIdentifier": member.identifier,
            "IsClusterWriter": cluster.writer.as_ref() == Some(&member.resource_id),
            "DBClusterParameterGroupStatus": membership.parameter_status.as_str(),
            "PromotionTier": members::promotion_tier(member),
        }))
    });
    shown.insert("DBClusterMembers".to_owned(), members.collect());
}

/// Where clients connect: nothing while the cluster is being made or renamed.
fn endpoints(state: &State, cluster: &Cluster, now: Timestamp, shown: &mut Map<String, Value>) {
    let address = |name: &str| {
        let address = state.addresses.get(&cluster.scope.key(name));
        address.map(|address| json!(address.0.to_string()))
    };
    let custom = state.custom_endpoints_of(&cluster.resource_id, now);
    let custom = custom.filter_map(|one| address(&members::custom_endpoint(&one.identifier)));
    shown.insert("CustomEndpoints".to_owned(), custom.collect());
    let is_there = match cluster.status {
        ClusterStatus::Creating | ClusterStatus::Migrating | ClusterStatus::Renaming => false,
        ClusterStatus::Available
        | ClusterStatus::BackingUp
        | ClusterStatus::Deleting
        | ClusterStatus::FailingOver
        | ClusterStatus::Modifying
        | ClusterStatus::Rebooting
        | ClusterStatus::ResettingMasterCredentials
        | ClusterStatus::Starting
        | ClusterStatus::Stopped
        | ClusterStatus::Stopping
        | ClusterStatus::Upgrading
        | ClusterStatus::Failed(_) => {
            cluster.naming == Naming::Named && cluster.created_at.is_some()
        }
    };
    if !is_there {
        return;
    }
    for (member, name) in [
        ("Endpoint", members::writer_endpoint(&cluster.identifier)),
        (
            "ReaderEndpoint",
            members::reader_endpoint(&cluster.identifier),
        ),
    ] {
        if let Some(address) = address(&name) {
            shown.insert(member.to_owned(), address);
        }
    }
    shown.insert("HostedZoneId".to_owned(), json!("ZLOCALHOST"));
}

fn features(cluster: &Cluster, shown: &mut Map<String, Value>) {
    let domains = domain_memberships(&cluster.settings);
    shown.insert("DomainMemberships".to_owned(), domains);
    if cluster.is_on("EnableLocalWriteForwarding") {
        shown.insert("LocalWriteForwardingStatus".to_owned(), json!("enabled"));
    }
    if cluster.is_on("EnableLimitlessDatabase") {
        shown.insert("LimitlessDatabase".to_owned(), json!({"Status": "enabled"}));
    }
    if !is_aurora(cluster.engine()) {
        let authority = cluster.text("CACertificateIdentifier");
        shown.insert(
            "CertificateDetails".to_owned(),
            json!({"CAIdentifier": authority, "ValidTill": CERTIFICATE_VALID_TILL}),
        );
    }
}
