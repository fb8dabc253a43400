//! Global databases, with their primary cluster only.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::catalogue::Offer;
use crate::names;
use crate::random;
use crate::state::topology::GlobalCluster;
use crate::state::{Settings, Tags};

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let identifier = names::parse(
        "GlobalClusterIdentifier",
        input.required("GlobalClusterIdentifier")?,
        names::INSTANCE_LENGTH_MAX,
    )?;
    let key = GlobalCluster::key(&context.scope.account, &identifier);
    if context.state.global_clusters.get(&key).is_some() {
        let message = format!("Global cluster {identifier} already exists.");
        return Err(ApiError::new("GlobalClusterAlreadyExistsFault", message));
    }
    let (clusters, settings) = match input.text("SourceDBClusterIdentifier") {
        Some(source) => primary(context, source)?,
        None => (Vec::new(), of_request(context, input)?),
    };
    let number = random::draw(context.state, context.seed);
    let global = GlobalCluster {
        account: context.scope.account.clone(),
        identifier,
        resource_id: format!("cluster-{number:016x}"),
        settings,
        clusters,
        tags: Tags::from_request(input.list("Tags")),
    };
    let answer = result(context, &global, "available");
    context.state.global_clusters.insert(key, global);
    Ok(answer)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let all: Vec<GlobalCluster> = match input.text("GlobalClusterIdentifier") {
        Some(name) => vec![find(context, name)?],
        None => context.state.global_clusters.values().cloned().collect(),
    };
    let is_in = |global: &GlobalCluster, _: &str, region: &str| {
        let clusters = &context.state.clusters;
        let mut members = global.clusters.iter().filter_map(|one| clusters.get(one));
        members.any(|cluster| cluster.scope.region == region)
    };
    let found = paging::filtered(input, all, &["region"], is_in)?;
    let records = found.iter().map(|global| {
        let shown = shown(context, global, "available");
        (global.identifier.clone(), shown)
    });
    paging::page(input, "GlobalClusters", records.collect())
}

pub(super) fn remove(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut global = find(context, input.required("GlobalClusterIdentifier")?)?;
    let cluster = context.cluster(input.required("DbClusterIdentifier")?)?;
    let resource_id = cluster.resource_id.clone();
    let count = global.clusters.len();
    global.clusters.retain(|member| *member != resource_id);
    if global.clusters.len() == count {
        let message = "The DB cluster is no member of the global cluster.";
        return Err(ApiError::new("DBClusterNotFoundFault", message));
    }
    let answer = result(context, &global, "available");
    let key = GlobalCluster::key(&global.account, &global.identifier);
    context.state.global_clusters.insert(key, global);
    Ok(answer)
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let global = find(context, input.required("GlobalClusterIdentifier")?)?;
    let refusal = if !global.clusters.is_empty() {
        "Global cluster still has members: remove them first."
    } else if global.settings.get("DeletionProtection") == Some(&json!(true)) {
        "Cannot delete a protected global cluster, please disable deletion protection and try again."
    } else {
        let key = GlobalCluster::key(&global.account, &global.identifier);
        context.state.global_clusters.remove(&key);
        return Ok(result(context, &global, "deleting"));
    };
    Err(ApiError::new("InvalidGlobalClusterStateFault", refusal))
}

/// The source as the primary cluster, and what the global cluster has from it.
fn primary(context: &Context<'_>, source: &str) -> Result<(Vec<String>, Settings), ApiError> {
    let cluster = context.cluster(source)?;
    let is_taken = context
        .state
        .global_cluster_of(&cluster.resource_id)
        .is_some();
    if is_taken || !cluster.is_available() || cluster.is_multi_az() {
        let message = format!(
            "{} isn't an available cluster of Aurora outside of any global cluster.",
            cluster.identifier
        );
        return Err(ApiError::new("InvalidDBClusterStateFault", message));
    }
    let taken_over = [
        "Engine",
        "EngineVersion",
        "DatabaseName",
        "StorageEncrypted",
    ];
    let settings = taken_over.into_iter().filter_map(|name| {
        let value = cluster.settings.get(name)?.clone();
        Some((name.to_owned(), value))
    });
    Ok((vec![cluster.resource_id.clone()], settings.collect()))
}

fn of_request(context: &Context<'_>, input: &Input) -> Result<Settings, ApiError> {
    let product = context.product(input.required("Engine")?)?;
    if product.offer != Offer::Aurora {
        return Err(ApiError::value(
            "A global cluster needs an engine of Aurora.",
        ));
    }
    let version = context
        .catalogue
        .resolve(product, input.text("EngineVersion"))
        .ok_or_else(|| ApiError::combination("Cannot find that version of the engine."))?;
    let mut settings = Settings::from_iter([
        ("Engine".to_owned(), json!(product.engine)),
        ("EngineVersion".to_owned(), json!(version)),
    ]);
    for member in ["DatabaseName", "StorageEncrypted", "DeletionProtection"] {
        if let Some(value) = input.get(member) {
            settings.insert(member.to_owned(), value.clone());
        }
    }
    Ok(settings)
}

fn find(context: &Context<'_>, name: &str) -> Result<GlobalCluster, ApiError> {
    let name = names::referred(name);
    let key = GlobalCluster::key(&context.scope.account, &name);
    let global = context.state.global_clusters.get(&key);
    global.cloned().ok_or_else(|| {
        let message = format!("Global cluster {name} not found.");
        ApiError::new("GlobalClusterNotFoundFault", message)
    })
}

fn result(context: &Context<'_>, global: &GlobalCluster, status: &str) -> Map<String, Value> {
    Map::from_iter([("GlobalCluster".to_owned(), shown(context, global, status))])
}

fn shown(context: &Context<'_>, global: &GlobalCluster, status: &str) -> Value {
    let clusters = &context.state.clusters;
    let members = global.clusters.iter().filter_map(|one| clusters.get(one));
    let members: Vec<Value> = members
        .map(|cluster| {
            json!({
                "DBClusterArn": cluster.arn(),
                "Readers": [],
                "IsWriter": true,
                "GlobalWriteForwardingStatus": "disabled",
            })
        })
        .collect();
    let mut shown = global.settings.clone();
    let own = json!({
        "GlobalClusterIdentifier": global.identifier,
        "GlobalClusterResourceId": global.resource_id,
        "GlobalClusterArn": global.arn(),
        "Status": status,
        "GlobalClusterMembers": members,
        "TagList": global.tags.describe(),
    });
    shown.extend(own.as_object().cloned().unwrap_or_default());
    Value::from(shown)
}
