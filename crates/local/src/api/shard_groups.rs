//! DB shard groups of Aurora Limitless databases.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::names;
use crate::random;
use crate::state::Tags;
use crate::state::topology::ShardGroup;

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let identifier = names::parse(
        "DBShardGroupIdentifier",
        input.required("DBShardGroupIdentifier")?,
        names::INSTANCE_LENGTH_MAX,
    )?;
    let key = context.scope.key(&identifier);
    if context.state.shard_groups.get(&key).is_some() {
        let message = format!("DB shard group {identifier} already exists.");
        return Err(ApiError::new("DBShardGroupAlreadyExists", message));
    }
    let cluster = context.cluster(input.required("DBClusterIdentifier")?)?;
    let is_limitless = cluster.text("ClusterScalabilityType") == "limitless";
    if !is_limitless || !cluster.is_available() {
        let message = format!(
            "{} isn't an available cluster of the scalability type limitless.",
            cluster.identifier
        );
        return Err(ApiError::new("InvalidDBClusterStateFault", message));
    }
    let cluster = cluster.resource_id.clone();
    let or = |member: &str, default: Value| {
        let value = input.get(member).cloned().unwrap_or(default);
        (member.to_owned(), value)
    };
    let group = ShardGroup {
        scope: context.scope.clone(),
        identifier,
        resource_id: random::resource_id(context.state, context.seed, "shardgroup"),
        cluster,
        settings: Map::from_iter([
            or("MaxACU", Value::Null),
            or("MinACU", json!(16.0)),
            or("ComputeRedundancy", json!(0)),
            or("PubliclyAccessible", json!(false)),
        ]),
        status: context.settling("creating", "available"),
        tags: Tags::from_request(input.list("Tags")),
    };
    let answer = shown(context, &group, group.status.status(context.now));
    context.state.shard_groups.insert(key, group);
    Ok(answer)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let groups: Vec<ShardGroup> = match input.text("DBShardGroupIdentifier") {
        Some(name) => vec![find(context, name)?],
        None => {
            let all = context.state.shard_groups.values();
            all.filter(|one| one.scope == *context.scope)
                .cloned()
                .collect()
        }
    };
    let records = groups.iter().map(|group| {
        let shown = shown(context, group, group.status.status(context.now));
        (group.identifier.clone(), Value::from(shown))
    });
    paging::page(input, "DBShardGroups", records.collect())
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let group = find(context, input.required("DBShardGroupIdentifier")?)?;
    let answer = shown(context, &group, "deleting");
    let key = context.scope.key(&group.identifier);
    context.state.shard_groups.remove(&key);
    Ok(answer)
}

fn find(context: &Context<'_>, name: &str) -> Result<ShardGroup, ApiError> {
    let name = names::referred(name);
    let group = context.state.shard_groups.get(&context.scope.key(&name));
    group.cloned().ok_or_else(|| {
        let message = format!("DB shard group {name} not found.");
        ApiError::new("DBShardGroupNotFound", message)
    })
}

fn shown(context: &Context<'_>, group: &ShardGroup, status: &str) -> Map<String, Value> {
    let cluster = context.state.clusters.get(&group.cluster);
    let mut shown = group.settings.clone();
    let own = json!({
        "DBShardGroupResourceId": group.resource_id,
        "DBShardGroupIdentifier": group.identifier,
        "DBShardGroupArn": group.arn(),
        "DBClusterIdentifier": cluster.map(|cluster| &cluster.identifier),
        "Status": status,
        "TagList": group.tags.describe(),
    });
    shown.extend(own.as_object().cloned().unwrap_or_default());
    shown
}
