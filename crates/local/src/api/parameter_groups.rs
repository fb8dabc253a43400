//! DB parameter groups and their parameters.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::describe::group_arn;
use crate::names;
use crate::parameter_list::{self, Effect};
use crate::parameters::{self, find_group};
use crate::state::Tags;
use crate::state::group::{ApplyMethod, Parameter, ParameterGroup};
use crate::state::instance::{Instance, InstanceStatus, ParameterStatus, Work};

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = input.required("DBParameterGroupName")?;
    let name = names::parse("DBParameterGroupName", name, names::OTHER_LENGTH_MAX)?;
    let family = input.required("DBParameterGroupFamily")?.to_owned();
    engine_of(context, &family)?;
    let key = context.scope.key(&name);
    if context.state.parameter_groups.get(&key).is_some() {
        let message = format!("Parameter group {name} already exists");
        return Err(ApiError::new("DBParameterGroupAlreadyExists", message));
    }
    let group = ParameterGroup {
        scope: context.scope.clone(),
        name,
        family,
        description: input.required("Description")?.to_owned(),
        parameters: BTreeMap::new(),
        tags: Tags::from_request(input.list("Tags")),
    };
    let shown = shown(&group);
    context.state.parameter_groups.insert(key, group);
    Ok(Map::from_iter([("DBParameterGroup".to_owned(), shown)]))
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let groups: Vec<ParameterGroup> = match input.text("DBParameterGroupName") {
        Some(name) => vec![find_group(context, name)?],
        None => all(context),
    };
    let records = groups
        .iter()
        .map(|group| (group.name.clone(), shown(group)));
    paging::page(input, "DBParameterGroups", records.collect())
}

pub(super) fn describe_parameters(context: &mut Context<'_>, input: &Input) -> Answer {
    let group = find_group(context, input.required("DBParameterGroupName")?)?;
    let engine = engine_of(context, &group.family)?;
    let records = match input.text("Source") {
        Some("user") => user_parameters(&group, engine),
        Some("system") => Vec::new(),
        Some("engine-default") => engine_parameters(&group, engine),
        None => user_parameters(&group, engine)
            .into_iter()
            .chain(engine_parameters(&group, engine))
            .collect(),
        Some(source) => return Err(ApiError::value(format!("Invalid Source: {source}"))),
    };
    let records: BTreeMap<String, Value> = records.into_iter().collect();
    paging::page(input, "Parameters", records.into_iter().collect())
}

pub(super) fn describe_defaults(context: &mut Context<'_>, input: &Input) -> Answer {
    let family = input.required("DBParameterGroupFamily")?.to_owned();
    let engine = engine_of(context, &family)?;
    let group = find_group(context, &format!("default.{family}"))?;
    let mut defaults = paging::page(input, "Parameters", engine_parameters(&group, engine))?;
    defaults.insert("DBParameterGroupFamily".to_owned(), json!(family));
    Ok(Map::from_iter([(
        "EngineDefaults".to_owned(),
        Value::from(defaults),
    )]))
}

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut group = changeable(context, input.required("DBParameterGroupName")?)?;
    let engine = engine_of(context, &group.family)?;
    for parameter in input.list("Parameters") {
        let text = |member: &str| {
            parameter
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, method) = checked(engine, text("ParameterName"), text("ApplyMethod"))?;
        let value = text("ParameterValue").to_owned();
        if parameter_list::find(engine, &name).is_some_and(|known| !known.takes(&value)) {
            return Err(ApiError::value(format!(
                "Invalid parameter value: {value} for: {name}"
            )));
        }
        group.parameters.insert(name, Parameter { value, method });
    }
    store(context, group)
}

pub(super) fn reset(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut group = changeable(context, input.required("DBParameterGroupName")?)?;
    if input
        .get("ResetAllParameters")
        .is_none_or(|all| *all == json!(true))
        && input.list("Parameters").is_empty()
    {
        group.parameters.clear();
    }
    for parameter in input.list("Parameters") {
        let name = parameter
            .get("ParameterName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        group.parameters.remove(name);
    }
    store(context, group)
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let group = changeable(context, input.required("DBParameterGroupName")?)?;
    let mut instances = context.state.instances.values();
    if instances.any(|instance| uses(instance, &group)) {
        let message = "One or more database instances are still members of this parameter group, so the group cannot be deleted";
        return Err(ApiError::new("InvalidDBParameterGroupState", message));
    }
    context
        .state
        .parameter_groups
        .remove(&context.scope.key(&group.name));
    Ok(Map::new())
}

/// Stores a changed group and lets the servers that use it know. One that is busy learns of it when it's done.
fn store(context: &mut Context<'_>, group: ParameterGroup) -> Answer {
    let name = group.name.clone();
    let using: Vec<Instance> = context
        .state
        .instances
        .values()
        .filter(|instance| uses(instance, &group))
        .cloned()
        .collect();
    context
        .state
        .parameter_groups
        .insert(context.scope.key(&name), group);
    for instance in using {
        let is_started_with_it = instance.parameter_group_in_force == name;
        let Some(changed) = context.state.instances.get_mut(&instance.resource_id) else {
            continue;
        };
        changed.parameter_status = match is_started_with_it {
            true => ParameterStatus::Applying,
            false => ParameterStatus::PendingReboot,
        };
        let is_idle = instance.status == InstanceStatus::Available && instance.operation.is_none();
        if is_started_with_it && is_idle {
            context.begin(&instance.resource_id, Work::Reconfigure);
        }
    }
    Ok(Map::from_iter([(
        "DBParameterGroupName".to_owned(),
        json!(name),
    )]))
}

fn uses(instance: &Instance, group: &ParameterGroup) -> bool {
    instance.scope == group.scope && instance.text("DBParameterGroupName") == group.name
}

/// A group that isn't a default one.
fn changeable(context: &Context<'_>, name: &str) -> Result<ParameterGroup, ApiError> {
    let group = find_group(context, name)?;
    match group.name.starts_with("default.") {
        true => {
            let message = format!(
                "The default parameter group {} can't be changed.",
                group.name
            );
            Err(ApiError::new("InvalidDBParameterGroupState", message))
        }
        false => Ok(group),
    }
}

/// The name as the engine spells it, and how a change of it is applied.
fn checked(engine: &str, name: &str, method: &str) -> Result<(String, ApplyMethod), ApiError> {
    let method = match method {
        "immediate" => ApplyMethod::Immediate,
        "pending-reboot" => ApplyMethod::PendingReboot,
        method => {
            return Err(ApiError::value(format!(
                "Invalid ApplyMethod {method:?} for parameter {name}"
            )));
        }
    };
    let Some(known) = parameter_list::of(engine).map(|_| parameter_list::find(engine, name)) else {
        return Ok((name.to_owned(), method));
    };
    let known = known
        .ok_or_else(|| ApiError::value(format!("Could not find parameter with name: {name}")))?;
    match (known.effect, method) {
        (Effect::Fixed, _) => Err(ApiError::value(format!(
            "The parameter {name} cannot be modified."
        ))),
        (Effect::Static, ApplyMethod::Immediate) => Err(ApiError::combination(
            "cannot use immediate apply method for static parameter",
        )),
        (Effect::Static, ApplyMethod::PendingReboot) | (Effect::Dynamic, _) => {
            Ok((known.name.to_owned(), method))
        }
    }
}

/// All groups: those that were made, and the default ones that are in use.
fn all(context: &Context<'_>) -> Vec<ParameterGroup> {
    let stored = context
        .state
        .parameter_groups
        .values()
        .filter(|group| group.scope == *context.scope);
    let mut groups: BTreeMap<String, ParameterGroup> = stored
        .map(|group| (group.name.clone(), group.clone()))
        .collect();
    for instance in context
        .state
        .instances
        .values()
        .filter(|instance| instance.scope == *context.scope)
    {
        if let Ok(group) = parameters::find_group(context, instance.text("DBParameterGroupName")) {
            groups.entry(group.name.clone()).or_insert(group);
        }
    }
    groups.into_values().collect()
}

fn engine_of(context: &Context<'_>, family: &str) -> Result<&'static str, ApiError> {
    let mut products = context.catalogue.products();
    let product = products.find(|product| {
        context
            .catalogue
            .versions(product.engine)
            .iter()
            .any(|version| product.family(version) == family)
    });
    product.map(|product| product.engine).ok_or_else(|| {
        ApiError::value(format!(
            "ParameterGroupFamily {family} is not a valid parameter group family"
        ))
    })
}

fn user_parameters(group: &ParameterGroup, engine: &str) -> Vec<(String, Value)> {
    let shown = group.parameters.iter().map(|(name, parameter)| {
        let mut shown = known(engine, name);
        shown["ParameterValue"] = json!(parameter.value);
        shown["Source"] = json!("user");
        shown["ApplyMethod"] = json!(match parameter.method {
            ApplyMethod::Immediate => "immediate",
            ApplyMethod::PendingReboot => "pending-reboot",
        });
        (name.clone(), shown)
    });
    shown.collect()
}

fn engine_parameters(group: &ParameterGroup, engine: &str) -> Vec<(String, Value)> {
    let all = parameter_list::of(engine).unwrap_or_default().iter();
    let left = all.filter(|parameter| !group.parameters.contains_key(parameter.name));
    left.map(|parameter| (parameter.name.to_owned(), known(engine, parameter.name)))
        .collect()
}

fn known(engine: &str, name: &str) -> Value {
    let mut shown =
        json!({"ParameterName": name, "Source": "engine-default", "ApplyMethod": "pending-reboot"});
    match parameter_list::find(engine, name) {
        Some(known) => {
            shown["ApplyType"] = json!(if known.is_static() {
                "static"
            } else {
                "dynamic"
            });
            shown["DataType"] = json!(known.data_type);
            shown["AllowedValues"] = json!(known.allowed_values());
            shown["IsModifiable"] = json!(known.effect != Effect::Fixed);
        }
        None => {
            shown["ApplyType"] = json!("dynamic");
            shown["DataType"] = json!("string");
            shown["IsModifiable"] = json!(true);
        }
    }
    shown
}

fn shown(group: &ParameterGroup) -> Value {
    json!({
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": group_arn(&group.scope, "pg", &group.name),
    })
}
