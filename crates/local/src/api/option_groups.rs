//! Option groups. Local servers have no options: they are kept, and shown as they were given.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::describe::group_arn;
use crate::names;
use crate::state::Tags;
use crate::state::group::OptionGroup;
use crate::subnets;

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = names::parse(
        "OptionGroupName",
        input.required("OptionGroupName")?,
        names::OTHER_LENGTH_MAX,
    )?;
    let engine = input.required("EngineName")?.to_owned();
    context.product(&engine)?;
    let key = context.scope.key(&name);
    if context.state.option_groups.get(&key).is_some() {
        let message = format!("An option group named {name} already exists.");
        return Err(ApiError::new("OptionGroupAlreadyExistsFault", message));
    }
    let group = OptionGroup {
        scope: context.scope.clone(),
        name,
        engine,
        major_version: input.required("MajorEngineVersion")?.to_owned(),
        description: input.required("OptionGroupDescription")?.to_owned(),
        options: BTreeMap::new(),
        tags: Tags::from_request(input.list("Tags")),
    };
    let result = result(&group);
    context.state.option_groups.insert(key, group);
    Ok(result)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let groups = match input.text("OptionGroupName") {
        Some(name) => vec![find(context, name)?],
        None => {
            let stored = context
                .state
                .option_groups
                .values()
                .filter(|group| group.scope == *context.scope);
            stored.cloned().collect()
        }
    };
    let is_asked = |group: &&OptionGroup| {
        input
            .text("EngineName")
            .is_none_or(|engine| group.engine == engine)
            && input
                .text("MajorEngineVersion")
                .is_none_or(|version| group.major_version == version)
    };
    let records = groups
        .iter()
        .filter(is_asked)
        .map(|group| (group.name.clone(), shown(group)));
    paging::page(input, "OptionGroupsList", records.collect())
}

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut group = changeable(context, input.required("OptionGroupName")?)?;
    for name in input.texts("OptionsToRemove") {
        group.options.remove(&name);
    }
    for option in input.list("OptionsToInclude") {
        let name = option
            .get("OptionName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        group.options.insert(name.to_owned(), option.clone());
    }
    let result = result(&group);
    context
        .state
        .option_groups
        .insert(context.scope.key(&group.name), group);
    Ok(result)
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let group = changeable(context, input.required("OptionGroupName")?)?;
    let uses = |settings: &crate::state::Settings| {
        settings.get("OptionGroupName") == Some(&json!(group.name))
    };
    let is_used = context
        .state
        .instances
        .values()
        .any(|instance| uses(&instance.settings))
        || context
            .state
            .snapshots
            .values()
            .any(|snapshot| uses(&snapshot.settings));
    if is_used {
        let message = format!(
            "The option group {} is still in use by an instance or a snapshot.",
            group.name
        );
        return Err(ApiError::new("InvalidOptionGroupStateFault", message));
    }
    context
        .state
        .option_groups
        .remove(&context.scope.key(&group.name));
    Ok(Map::new())
}

/// The group of that name; the default groups are always there.
pub(crate) fn find(context: &Context<'_>, name: &str) -> Result<OptionGroup, ApiError> {
    let name = names::referred(name);
    let stored = context
        .state
        .option_groups
        .get(&context.scope.key(&name))
        .cloned();
    stored
        .or_else(|| default_group(context, &name))
        .ok_or_else(|| {
            ApiError::new(
                "OptionGroupNotFoundFault",
                format!("Specified OptionGroupName: {name} not found."),
            )
        })
}

fn default_group(context: &Context<'_>, name: &str) -> Option<OptionGroup> {
    let (product, version) = context.catalogue.products().find_map(|product| {
        let mut versions = context.catalogue.versions(product.engine).iter();
        Some((
            product,
            versions.find(|version| product.default_option_group(version) == name)?,
        ))
    })?;
    Some(OptionGroup {
        scope: context.scope.clone(),
        name: name.to_owned(),
        engine: product.engine.to_owned(),
        major_version: product.major_version(version),
        description: format!("Default option group for {}", product.engine),
        options: BTreeMap::new(),
        tags: Tags::default(),
    })
}

fn changeable(context: &Context<'_>, name: &str) -> Result<OptionGroup, ApiError> {
    let group = find(context, name)?;
    match group.name.starts_with("default:") {
        true => {
            let message = format!("The default option group {} can't be changed.", group.name);
            Err(ApiError::new("InvalidOptionGroupStateFault", message))
        }
        false => Ok(group),
    }
}

fn result(group: &OptionGroup) -> Map<String, Value> {
    Map::from_iter([("OptionGroup".to_owned(), shown(group))])
}

fn shown(group: &OptionGroup) -> Value {
    let options = group.options.values().map(|option| {
        json!({
            "OptionName": option["OptionName"],
            "Port": option["Port"],
            "OptionVersion": option["OptionVersion"],
            "OptionSettings": option["OptionSettings"],
        })
    });
    json!({
        "OptionGroupName": group.name,
        "OptionGroupDescription": group.description,
        "EngineName": group.engine,
        "MajorEngineVersion": group.major_version,
        "Options": options.collect::<Vec<_>>(),
        "AllowsVpcAndNonVpcInstanceMemberships": true,
        "VpcId": subnets::VPC_ID,
        "OptionGroupArn": group_arn(&group.scope, "og", &group.name),
    })
}
