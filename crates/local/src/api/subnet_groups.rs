//! DB subnet groups.

use serde_json::{Map, Value};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::state::Tags;
use crate::state::group::SubnetGroup;
use crate::subnets;

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = input.required("DBSubnetGroupName")?.to_ascii_lowercase();
    if subnets::find(context.state, context.scope, &name).is_some() {
        let message = format!("The DB subnet group '{name}' already exists.");
        return Err(ApiError::new("DBSubnetGroupAlreadyExists", message));
    }
    let group = SubnetGroup {
        scope: context.scope.clone(),
        name: name.clone(),
        description: input.required("DBSubnetGroupDescription")?.to_owned(),
        subnet_ids: subnet_ids(input)?,
        tags: Tags::from_request(input.list("Tags")),
    };
    context
        .state
        .subnet_groups
        .insert(context.scope.key(&name), group);
    shown(context, &name)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut groups: Vec<SubnetGroup> = match input.text("DBSubnetGroupName") {
        Some(name) => vec![find(context, name)?],
        None => {
            let stored = context
                .state
                .subnet_groups
                .values()
                .filter(|group| group.scope == *context.scope);
            stored
                .cloned()
                .chain(subnets::find(context.state, context.scope, "default"))
                .collect()
        }
    };
    groups.sort_by(|one, other| one.name.cmp(&other.name));
    groups.dedup_by(|one, other| one.name == other.name);
    let records = groups
        .iter()
        .map(|group| (group.name.clone(), subnets::describe_group(group)));
    paging::page(input, "DBSubnetGroups", records.collect())
}

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut group = find(context, input.required("DBSubnetGroupName")?)?;
    group.subnet_ids = subnet_ids(input)?;
    if let Some(description) = input.text("DBSubnetGroupDescription") {
        group.description = description.to_owned();
    }
    let name = group.name.clone();
    context
        .state
        .subnet_groups
        .insert(context.scope.key(&name), group);
    shown(context, &name)
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = find(context, input.required("DBSubnetGroupName")?)?.name;
    let mut instances = context.state.instances.values();
    let is_used = instances.any(|instance| {
        instance.scope == *context.scope && instance.text("DBSubnetGroupName") == name
    });
    if is_used || name == "default" {
        let message = format!(
            "Cannot delete the subnet group '{name}' because at least one database instance is still using it."
        );
        return Err(ApiError::new("InvalidDBSubnetGroupStateFault", message));
    }
    context
        .state
        .subnet_groups
        .remove(&context.scope.key(&name));
    Ok(Map::new())
}

fn find(context: &Context<'_>, name: &str) -> Result<SubnetGroup, ApiError> {
    let name = crate::names::referred(name);
    subnets::find(context.state, context.scope, &name).ok_or_else(|| {
        ApiError::new(
            "DBSubnetGroupNotFoundFault",
            format!("DB subnet group '{name}' does not exist."),
        )
    })
}

/// RDS wants subnets in two zones at least; ours lie in the zones in turn.
fn subnet_ids(input: &Input) -> Result<Vec<String>, ApiError> {
    let subnet_ids = input.texts("SubnetIds");
    match subnet_ids.len() {
        0 | 1 => Err(ApiError::new(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Add subnets to cover at \
             least 2 AZs.",
        )),
        _ => Ok(subnet_ids),
    }
}

fn shown(context: &Context<'_>, name: &str) -> Answer {
    let group: Value = subnets::describe(context.state, context.scope, name);
    Ok(Map::from_iter([("DBSubnetGroup".to_owned(), group)]))
}
