//! IAM roles of an instance.

use serde_json::Map;

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances::must_be_available;
use crate::catalogue::Offer;
use crate::state::instance::Role;

/// `DBInstanceRoleQuotaExceeded` beyond.
const ROLES_MAX: usize = 5;

pub(super) fn add(context: &mut Context<'_>, input: &Input) -> Answer {
    let role = role(input)?;
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    must_be_available(&instance)?;
    if context.product(instance.engine())?.offer == Offer::Custom {
        let message = "IAM roles can't be associated with a DB instance of RDS Custom.";
        return Err(ApiError::combination(message));
    }
    if instance.roles.contains(&role) {
        let message = format!(
            "Role ARN {} is already associated with DB Instance: {}.",
            role.arn, instance.identifier
        );
        return Err(ApiError::new("DBInstanceRoleAlreadyExists", message));
    }
    if instance.roles.len() >= ROLES_MAX {
        let message =
            format!("You can't associate more than {ROLES_MAX} IAM roles with a DB instance.");
        return Err(ApiError::new("DBInstanceRoleQuotaExceeded", message));
    }
    if let Some(instance) = context.state.instances.get_mut(&instance.resource_id) {
        instance.roles.push(role);
    }
    Ok(Map::new())
}

pub(super) fn remove(context: &mut Context<'_>, input: &Input) -> Answer {
    let role = role(input)?;
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    must_be_available(&instance)?;
    if !instance.roles.contains(&role) {
        let message = format!(
            "Role ARN {} cannot be found for DB Instance: {}.",
            role.arn, instance.identifier
        );
        return Err(ApiError::new("DBInstanceRoleNotFound", message));
    }
    if let Some(instance) = context.state.instances.get_mut(&instance.resource_id) {
        instance.roles.retain(|existing| *existing != role);
    }
    Ok(Map::new())
}

fn role(input: &Input) -> Result<Role, ApiError> {
    Ok(Role {
        arn: input.required("RoleArn")?.to_owned(),
        feature: input.required("FeatureName")?.to_owned(),
    })
}
