//! DB parameter groups and DB cluster parameter groups, and their parameters. Both kinds are the same but for the words.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::describe::group_arn;
use crate::names;
use crate::parameter_list::{self, Effect};
use crate::parameters::{self, find_group, product_of};
use crate::state::group::{ApplyMethod, GroupKind, Parameter, ParameterGroup};
use crate::state::instance::{Instance, InstanceStatus, ParameterStatus, Work};
use crate::state::{State, Tags};

/// The words of a kind of parameter groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    kind: GroupKind,
    name: &'static str,
    group: &'static str,
    groups: &'static str,
    arn: &'static str,
}

pub(super) const INSTANCE: Words = Words {
    kind: GroupKind::Instance,
    name: "DBParameterGroupName",
    group: "DBParameterGroup",
    groups: "DBParameterGroups",
    arn: "DBParameterGroupArn",
};

pub(super) const CLUSTER: Words = Words {
    kind: GroupKind::Cluster,
    name: "DBClusterParameterGroupName",
    group: "DBClusterParameterGroup",
    groups: "DBClusterParameterGroups",
    arn: "DBClusterParameterGroupArn",
};

pub(super) fn create(context: &mut Context<'_>, words: Words, input: &Input) -> Answer {
    let name = names::parse(
        words.name,
        input.required(words.name)?,
        names::OTHER_LENGTH_MAX,
    )?;
    let family = input.required("DBParameterGroupFamily")?.to_owned();
    product_of(context, words.kind, &family)?;
    let group = ParameterGroup {
        kind: words.kind,
        scope: context.scope.clone(),
        name,
        family,
        description: input.required("Description")?.to_owned(),
        parameters: BTreeMap::new(),
        tags: Tags::from_request(input.list("Tags")),
    };
    let key = group.key();
    if context.state.parameter_groups.get(&key).is_some() {
        let message = format!("Parameter group {} already exists", group.name);
        return Err(ApiError::new("DBParameterGroupAlreadyExists", message));
    }
    let shown = shown(words, &group);
    context.state.parameter_groups.insert(key, group);
    Ok(Map::from_iter([(words.group.to_owned(), shown)]))
}

pub(super) fn describe(context: &mut Context<'_>, words: Words, input: &Input) -> Answer {
    let groups: Vec<ParameterGroup> = match input.text(words.name) {
        Some(name) => vec![find_group(context, words.kind, name)?],
        None => all(context, words.kind),
    };
    let records = groups
        .iter()
        .map(|group| (group.name.clone(), shown(words, group)));
    paging::page(input, words.groups, records.collect())
}

pub(super) fn describe_parameters(
    context: &mut Context<'_>,
    words: Words,
    input: &Input,
) -> Answer {
    let group = find_group(context, words.kind, input.required(words.name)?)?;
    let engine = product_of(context, words.kind, &group.family)?.engine;
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

pub(super) fn describe_defaults(context: &mut Context<'_>, words: Words, input: &Input) -> Answer {
    let family = input.required("DBParameterGroupFamily")?.to_owned();
    let engine = product_of(context, words.kind, &family)?.engine;
    let group = find_group(context, words.kind, &format!("default.{family}"))?;
    let mut defaults = paging::page(input, "Parameters", engine_parameters(&group, engine))?;
    defaults.insert("DBParameterGroupFamily".to_owned(), json!(family));
    Ok(Map::from_iter([(
        "EngineDefaults".to_owned(),
        Value::from(defaults),
    )]))
}

pub(super) fn modify(context: &mut Context<'_>, words: Words, input: &Input) -> Answer {
    let mut group = changeable(context, words, input)?;
    let engine = product_of(context, words.kind, &group.family)?.engine;
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
    store(context, words, group)
}

pub(super) fn reset(context: &mut Context<'_>, words: Words, input: &Input) -> Answer {
    let mut group = changeable(context, words, input)?;
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
    store(context, words, group)
}

pub(super) fn delete(context: &mut Context<'_>, words: Words, input: &Input) -> Answer {
    let group = changeable(context, words, input)?;
    if is_in_use(context.state, &group) {
        let message = "One or more database instances are still members of this parameter group, so the group cannot be deleted";
        return Err(ApiError::new("InvalidDBParameterGroupState", message));
    }
    context.state.parameter_groups.remove(&group.key());
    Ok(Map::new())
}

/// Stores a changed group and lets the servers that use it know. One that is busy learns of it when it's done.
fn store(context: &mut Context<'_>, words: Words, group: ParameterGroup) -> Answer {
    let (name, kind) = (group.name.clone(), group.kind);
    let using: Vec<Instance> = context
        .state
        .instances
        .values()
        .filter(|instance| uses(context.state, instance, &group))
        .cloned()
        .collect();
    context.state.parameter_groups.insert(group.key(), group);
    for instance in using {
        let is_started_with_it = parameters::group_in_force(&instance, kind) == name;
        let Some(changed) = context.state.instances.get_mut(&instance.resource_id) else {
            continue;
        };
        let status = match is_started_with_it {
            true => ParameterStatus::Applying,
            false => ParameterStatus::PendingReboot,
        };
        parameters::set_status(changed, kind, status);
        let is_idle = instance.status == InstanceStatus::Available && instance.operation.is_none();
        if is_started_with_it && is_idle {
            context.begin(&instance.resource_id, Work::Reconfigure);
        }
    }
    Ok(Map::from_iter([(words.name.to_owned(), json!(name))]))
}

fn is_in_use(state: &State, group: &ParameterGroup) -> bool {
    let mut clusters = state
        .clusters
        .values()
        .filter(|cluster| group.kind == GroupKind::Cluster && cluster.scope == group.scope);
    let mut instances = state.instances.values();
    clusters.any(|cluster| cluster.text("DBClusterParameterGroup") == group.name)
        || instances.any(|instance| uses(state, instance, group))
}

fn uses(state: &State, instance: &Instance, group: &ParameterGroup) -> bool {
    instance.scope == group.scope
        && parameters::group_name(state, instance, group.kind) == group.name
}

/// A group that isn't a default one.
fn changeable(
    context: &Context<'_>,
    words: Words,
    input: &Input,
) -> Result<ParameterGroup, ApiError> {
    let group = find_group(context, words.kind, input.required(words.name)?)?;
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
fn all(context: &Context<'_>, kind: GroupKind) -> Vec<ParameterGroup> {
    let is_asked = |group: &&ParameterGroup| group.kind == kind && group.scope == *context.scope;
    let stored = context.state.parameter_groups.values().filter(is_asked);
    let mut groups: BTreeMap<String, ParameterGroup> = stored
        .map(|group| (group.name.clone(), group.clone()))
        .collect();
    let state = &*context.state;
    let used = state.instances.values();
    let used = used.filter(|instance| instance.scope == *context.scope);
    for instance in used {
        let name = parameters::group_name(state, instance, kind);
        if let Ok(group) = find_group(context, kind, name) {
            groups.entry(group.name.clone()).or_insert(group);
        }
    }
    groups.into_values().collect()
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
            shown["DataType"] = json!(known.data_type());
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

fn shown(words: Words, group: &ParameterGroup) -> Value {
    json!({
        words.name: group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        words.arn: group_arn(&group.scope, group.kind.in_arn(), &group.name),
    })
}
