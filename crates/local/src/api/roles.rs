//! IAM roles of instances and clusters.

use serde_json::Map;

use super::clusters;
use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances;
use crate::catalogue::Offer;
use crate::state::cluster::Cluster;
use crate::state::instance::{Instance, Role};

/// So many roles a database has at most.
const ROLES_MAX: usize = 5;

/// What RDS says about the roles of one kind of databases.
struct Words {
    database: &'static str,
    already_exists: &'static str,
    quota_exceeded: &'static str,
    not_found: &'static str,
}

const INSTANCE: Words = Words {
    database: "DB Instance",
    already_exists: "DBInstanceRoleAlreadyExists",
    quota_exceeded: "DBInstanceRoleQuotaExceeded",
    not_found: "DBInstanceRoleNotFound",
};

const CLUSTER: Words = Words {
    database: "DB Cluster",
    already_exists: "DBClusterRoleAlreadyExists",
    quota_exceeded: "DBClusterRoleQuotaExceeded",
    not_found: "DBClusterRoleNotFound",
};

pub(super) fn add(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = instance(context, input)?;
    if context.product(instance.engine())?.offer == Offer::Custom {
        let message = "IAM roles can't be associated with a DB instance of RDS Custom.";
        return Err(ApiError::combination(message));
    }
    let roles = with(&instance.roles, role(input)?, &INSTANCE)?;
    if let Some(instance) = context.state.instances.get_mut(&instance.resource_id) {
        instance.roles = roles;
    }
    Ok(Map::new())
}

pub(super) fn remove(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = instance(context, input)?;
    let roles = without(&instance.roles, &role(input)?, &INSTANCE)?;
    if let Some(instance) = context.state.instances.get_mut(&instance.resource_id) {
        instance.roles = roles;
    }
    Ok(Map::new())
}

pub(super) fn add_to_cluster(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = cluster(context, input)?;
    if cluster.is_multi_az() {
        let message = "IAM roles can't be associated with a Multi-AZ DB cluster.";
        return Err(ApiError::combination(message));
    }
    let roles = with(&cluster.roles, role(input)?, &CLUSTER)?;
    if let Some(cluster) = context.state.clusters.get_mut(&cluster.resource_id) {
        cluster.roles = roles;
    }
    Ok(Map::new())
}

pub(super) fn remove_from_cluster(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = cluster(context, input)?;
    let roles = without(&cluster.roles, &role(input)?, &CLUSTER)?;
    if let Some(cluster) = context.state.clusters.get_mut(&cluster.resource_id) {
        cluster.roles = roles;
    }
    Ok(Map::new())
}

fn instance(context: &Context<'_>, input: &Input) -> Result<Instance, ApiError> {
    let instance = context.instance(input.required("DBInstanceIdentifier")?)?;
    instances::must_be_available(instance)?;
    Ok(instance.clone())
}

fn cluster(context: &Context<'_>, input: &Input) -> Result<Cluster, ApiError> {
    let cluster = context.cluster(input.required("DBClusterIdentifier")?)?;
    clusters::must_be_available(cluster)?;
    Ok(cluster.clone())
}

fn with(roles: &[Role], role: Role, words: &Words) -> Result<Vec<Role>, ApiError> {
    let database = words.database;
    if roles.contains(&role) {
        let message = format!(
            "Role ARN {} is already associated with the {database}.",
            role.arn
        );
        return Err(ApiError::new(words.already_exists, message));
    }
    if roles.len() >= ROLES_MAX {
        let message =
            format!("You can't associate more than {ROLES_MAX} IAM roles with a {database}.");
        return Err(ApiError::new(words.quota_exceeded, message));
    }
    Ok(roles.iter().cloned().chain([role]).collect())
}

fn without(roles: &[Role], role: &Role, words: &Words) -> Result<Vec<Role>, ApiError> {
    if !roles.contains(role) {
        let message = format!(
            "Role ARN {} cannot be found for the {}.",
            role.arn, words.database
        );
        return Err(ApiError::new(words.not_found, message));
    }
    Ok(roles.iter().filter(|kept| *kept != role).cloned().collect())
}

/// A role; for a cluster the feature may be left out.
fn role(input: &Input) -> Result<Role, ApiError> {
    Ok(Role {
        arn: input.required("RoleArn")?.to_owned(),
        feature: input.text("FeatureName").unwrap_or_default().to_owned(),
    })
}
