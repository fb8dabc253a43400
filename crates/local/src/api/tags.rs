//! Tags of everything that has an ARN.

use serde_json::Map;

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use crate::state::Tags;
use crate::state::group::GroupKind;
use crate::state::snapshot::SnapshotKind;
use crate::state::topology::GlobalCluster;

/// RDS's limit for one resource.
const TAGS_MAX: usize = 50;

pub(super) fn add(context: &mut Context<'_>, input: &Input) -> Answer {
    let arn = input.required("ResourceName")?;
    let mut tags = of(context, arn)?.clone();
    tags.merge(Tags::from_request(input.list("Tags")));
    check(&tags)?;
    *of(context, arn)? = tags;
    Ok(Map::new())
}

pub(super) fn remove(context: &mut Context<'_>, input: &Input) -> Answer {
    let tags = of(context, input.required("ResourceName")?)?;
    input
        .texts("TagKeys")
        .iter()
        .for_each(|key| tags.remove(key));
    Ok(Map::new())
}

pub(super) fn list(context: &mut Context<'_>, input: &Input) -> Answer {
    let tags = of(context, input.required("ResourceName")?)?;
    Ok(Map::from_iter([("TagList".to_owned(), tags.describe())]))
}

/// Refuses tags that RDS refuses.
pub(super) fn check(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(ApiError::value(format!(
            "A resource can't have more than {TAGS_MAX} tags."
        )));
    }
    match tags
        .keys()
        .find(|key| key.is_empty() || key.starts_with("aws:") || key.starts_with("rds:"))
    {
        Some(key) => Err(ApiError::value(format!(
            "The tag key {key:?} is reserved or empty."
        ))),
        None => Ok(()),
    }
}

/// The tags of a resource, to be changed.
fn of<'c>(context: &'c mut Context<'_>, arn: &str) -> Result<&'c mut Tags, ApiError> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let ["arn", _, "rds", region, account, kind, name] = parts.as_slice() else {
        return Err(ApiError::value(format!("Invalid resource name: {arn}")));
    };
    let scope = crate::state::Scope {
        account: (*account).to_owned(),
        region: (*region).to_owned(),
    };
    let name = name.to_ascii_lowercase();
    let key = scope.key(&name);
    let state = &mut *context.state;
    let (tags, code) = match *kind {
        "db" => {
            let resource_id = state
                .instance_named(&scope, &name)
                .map(|instance| instance.resource_id.clone());
            let instance =
                resource_id.and_then(|resource_id| state.instances.get_mut(&resource_id));
            (
                instance.map(|instance| &mut instance.tags),
                "DBInstanceNotFound",
            )
        }
        "cluster" => {
            let resource_id = state
                .cluster_named(&scope, &name)
                .map(|cluster| cluster.resource_id.clone());
            let cluster = resource_id.and_then(|resource_id| state.clusters.get_mut(&resource_id));
            (
                cluster.map(|cluster| &mut cluster.tags),
                "DBClusterNotFoundFault",
            )
        }
        "cluster-endpoint" => (
            state
                .custom_endpoints
                .get_mut(&key)
                .map(|endpoint| &mut endpoint.tags),
            "DBClusterEndpointNotFoundFault",
        ),
        "cluster-snapshot" => (
            state
                .snapshots
                .get_mut(&SnapshotKind::Cluster.key(&scope, &name))
                .map(|snapshot| &mut snapshot.tags),
            "DBClusterSnapshotNotFoundFault",
        ),
        "snapshot" => (
            state
                .snapshots
                .get_mut(&key)
                .map(|snapshot| &mut snapshot.tags),
            "DBSnapshotNotFound",
        ),
        "pg" | "cluster-pg" => {
            let is_cluster = *kind == "cluster-pg";
            let kind = if is_cluster {
                GroupKind::Cluster
            } else {
                GroupKind::Instance
            };
            let group = state.parameter_groups.get_mut(&kind.key(&scope, &name));
            (
                group.map(|group| &mut group.tags),
                "DBParameterGroupNotFound",
            )
        }
        "og" => (
            state
                .option_groups
                .get_mut(&key)
                .map(|group| &mut group.tags),
            "OptionGroupNotFoundFault",
        ),
        "subgrp" => (
            state
                .subnet_groups
                .get_mut(&key)
                .map(|group| &mut group.tags),
            "DBSubnetGroupNotFoundFault",
        ),
        "global-cluster" => (
            state
                .global_clusters
                .get_mut(&GlobalCluster::key(account, &name))
                .map(|global| &mut global.tags),
            "GlobalClusterNotFoundFault",
        ),
        "integration" => (
            state
                .integrations
                .get_mut(&key)
                .map(|integration| &mut integration.tags),
            "IntegrationNotFoundFault",
        ),
        "db-proxy" => {
            let mut proxies = state.proxies.iter();
            let found = proxies.find(|(_, proxy)| proxy.scope == scope && proxy.id == name);
            let key = found.map_or_else(String::new, |(key, _)| key.to_owned());
            drop(proxies);
            let proxy = state.proxies.get_mut(&key);
            (proxy.map(|proxy| &mut proxy.tags), "DBProxyNotFoundFault")
        }
        kind => {
            return Err(ApiError::value(format!(
                "Local RDS has no resources of the kind {kind}."
            )));
        }
    };
    tags.ok_or_else(|| ApiError::new(code, format!("{name} not found.")))
}
