//! Other accounts and Regions in the plan: how the snapshot is made reachable from there, and what
//! each place gives the restored database in place of what is only known at home.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_rds::{Account, AccountId, Arn, ResourceId, SnapshotId, attributes};

use crate::blueprint::Blueprint;
use crate::input::Place;

/// How a snapshot is made reachable from other accounts and Regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharingPlan {
    /// The accounts that it is shared with, and that nobody shared it with before.
    pub with: Vec<AccountId>,
    /// The copy that is shared in its place: of an automated snapshot, or under another key.
    pub copy: Option<CopyPlan>,
    /// The database whose blueprint the plan holds.
    pub blueprint_of: ResourceId,
}

/// A copy of a snapshot, which goes when nobody needs it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyPlan {
    /// What it is called.
    pub id: SnapshotId,
    /// The key that encrypts it; none for the snapshot's own, or for none.
    pub kms_key_id: Option<String>,
    /// Its option group, where the snapshot's own is unknown there.
    pub option_group: Option<String>,
}

/// An account and a Region that the snapshot is restored in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetPlan {
    /// Where it is, and as whom one works there.
    pub account: Account,
    /// The copy there; none where the shared snapshot itself can be restored.
    pub copy: Option<CopyPlan>,
    /// What the place gives.
    pub place: Place,
}

impl TargetPlan {
    /// What tells the execution for this target from those for others.
    pub(crate) fn purpose(&self) -> String {
        format!("{}-{}", self.account.id, self.account.region)
    }
}

/// The groups that RDS has defaults of.
const GROUPS: [&str; 3] = [
    "DBParameterGroupName",
    "DBClusterParameterGroupName",
    "OptionGroupName",
];

/// The security groups: a place's own, or its VPC's default one.
const SECURITY_GROUPS: &str = "VpcSecurityGroupIds";

/// Attributes that mean nothing elsewhere: zones and Outposts, keys and directories of the Region,
/// reservations and recovery points of the account.
const OF_THE_PLACE: [&str; 20] = [
    "ActivityStreamKmsKeyId",
    "ActivityStreamMode",
    "ActivityStreamStatus",
    "AvailabilityZone",
    "AvailabilityZones",
    "AwsBackupRecoveryPointArn",
    "BackupTarget",
    "DBCapacityReservationIdentifier",
    "DBInstanceAutomatedBackupsReplications",
    "Domain",
    "DomainAuthSecretArn",
    "DomainDnsIps",
    "DomainFqdn",
    "DomainIAMRoleName",
    "DomainOu",
    "KmsKeyId",
    "MasterUserSecretKmsKeyId",
    "PerformanceInsightsKMSKeyId",
    "TdeCredentialArn",
    SECURITY_GROUPS,
];

/// A blueprint as it is for another account or Region, and the attributes that it loses by that.
pub(crate) fn fitted(
    blueprint: &Blueprint,
    home: &Arn,
    target: &TargetPlan,
) -> (Blueprint, Vec<&'static str>) {
    let mut fitted = blueprint.clone();
    let place = &target.place;
    let mut lost = Vec::new();
    fitted.settings.retain(|name, value| {
        let name_of_group = GROUPS.contains(&name.as_str());
        let name = OF_THE_PLACE.iter().find(|known| **known == name.as_str());
        lost.extend(name.filter(|_| !is_nothing(value)));
        // RDS takes its own groups where none is named, and may not have made them there yet.
        let is_default = name_of_group
            && value
                .as_str()
                .is_some_and(|value| value.starts_with("default"));
        name.is_none() && !is_default
    });
    let groups = [
        ("DBSubnetGroupName", &place.subnet_group),
        ("DBParameterGroupName", &place.parameter_group),
        (
            "DBClusterParameterGroupName",
            &place.cluster_parameter_group,
        ),
        ("OptionGroupName", &place.option_group),
    ];
    let mut give = |name: &str, value: Value| {
        let row = attributes(blueprint.subject)
            .iter()
            .find(|row| row.name.as_str() == name);
        row.map(|row| fitted.settings.insert(row.name, value))
    };
    for (name, given) in groups {
        if let Some(given) = given {
            give(name, Value::from(given.as_str()));
        }
    }
    if let Some(mut given) = place.security_groups.clone() {
        given.sort();
        give(SECURITY_GROUPS, Value::from(given));
        lost.retain(|lost| *lost != SECURITY_GROUPS);
    }
    for value in fitted.settings.values_mut() {
        move_roles(value, home.account(), target.account.id.as_str());
    }
    (fitted, lost)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "stopped",
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// A role of the one account becomes the role of the same name in the other, wherever it is named.
fn move_roles(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.starts_with("arn:") && text.contains(":iam::") => {
            *text = text.replacen(&format!(":iam::{from}:"), &format!(":iam::{to}:"), 1);
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| move_roles(value, from, to)),
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|value| move_roles(value, from, to));
        }
        _ => {}
    }
}
