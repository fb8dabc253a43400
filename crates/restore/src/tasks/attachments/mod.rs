//! What is attached to a database by calls of its own, neither by a restore nor by a modify.
//!
//! Each file makes one kind so, in passes: it compares what is asked for with what is seen, begins
//! what is missing, and says what it waits for.

mod activity_stream;
pub(crate) mod backup_replication;
mod http_endpoint;
mod roles;

use serde_json::Value;
use trapheus_rds::Database;

use super::context::Context;
use crate::blueprint::Blueprint;
use crate::error::TaskError;

/// What is no concern of a call of its own: the order of upgrades is a policy that comes back with
/// the tags; members, custom endpoints and replicas are made again.
const OTHERWISE: [&str; 6] = [
    "UpgradeRolloutOrder",
    "DBClusterMembers",
    "CustomEndpoints",
    "ReadReplicaDBInstanceIdentifiers",
    "ReadReplicaDBClusterIdentifiers",
    "ReadReplicaIdentifiers",
];

/// Attributes of a stream; without one they say nothing.
const OF_A_STREAM: [&str; 4] = [
    "ActivityStreamMode",
    "ActivityStreamKmsKeyId",
    "ActivityStreamEngineNativeAuditFieldsIncluded",
    "ActivityStreamPolicyStatus",
];

/// One look at a database, and what it is to be like.
pub(super) struct Pass<'a> {
    context: &'a Context,
    restored: &'a Database,
    asked: &'a Blueprint,
}

/// What is attached here, by attribute.
const ATTACHED: [&str; 4] = [
    roles::ROLES,
    activity_stream::STATUS,
    backup_replication::REPLICATIONS,
    http_endpoint::ENABLED,
];

/// Whether the value of an attribute that other calls set is there after a restore.
pub(crate) fn keeps(name: &str, value: &Value) -> bool {
    [&ATTACHED[..], &OF_A_STREAM, &OTHERWISE]
        .concat()
        .contains(&name)
        || *value == Value::Bool(false)
}

/// Whether there is something to attach.
pub(crate) fn is_attached(name: &str, value: &Value) -> bool {
    let is_off = *value == Value::Bool(false) || value.as_str() == Some("stopped");
    ATTACHED.contains(&name) && !is_off
}

/// Makes it so that a settled database has all that is asked for.
pub(super) async fn make_so(
    context: &Context,
    restored: &Database,
    asked: &Blueprint,
) -> Result<(), TaskError> {
    let pass = Pass {
        context,
        restored,
        asked,
    };
    roles::make_so(&pass).await?;
    http_endpoint::make_so(&pass).await?;
    backup_replication::make_so(&pass).await?;
    activity_stream::make_so(&pass).await
}
