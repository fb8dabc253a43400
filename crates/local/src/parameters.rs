//! Parameter groups as servers see them: which values apply now, and which wait for a reboot.

use std::collections::BTreeMap;

use crate::api::context::Context;
use crate::api::error::ApiError;
use crate::catalogue::{Product, System};
use crate::state::group::{ApplyMethod, GroupKind, ParameterGroup};
use crate::state::instance::{Instance, ParameterStatus};
use crate::state::{Scope, State, Tags};

/// The group of that name; the default groups are always there.
pub(crate) fn find_group(
    context: &Context<'_>,
    kind: GroupKind,
    name: &str,
) -> Result<ParameterGroup, ApiError> {
    let name = crate::names::referred(name);
    let stored = context
        .state
        .parameter_groups
        .get(&kind.key(context.scope, &name))
        .cloned();
    stored
        .or_else(|| default_group(context, kind, &name))
        .ok_or_else(|| {
            ApiError::new(
                "DBParameterGroupNotFound",
                format!("DBParameterGroup not found: {name}"),
            )
        })
}

/// The engine of a parameter group family.
pub(crate) fn product_of(
    context: &Context<'_>,
    kind: GroupKind,
    family: &str,
) -> Result<&'static Product, ApiError> {
    let has_clusters = |product: &&Product| {
        let is_open = matches!(product.system, System::Postgres | System::MySql);
        kind == GroupKind::Instance || is_open
    };
    let product = context.catalogue.of_family(family).filter(has_clusters);
    product.ok_or_else(|| {
        ApiError::value(format!(
            "ParameterGroupFamily {family} is not a valid parameter group family"
        ))
    })
}

fn default_group(context: &Context<'_>, kind: GroupKind, name: &str) -> Option<ParameterGroup> {
    let family = name.strip_prefix("default.")?;
    product_of(context, kind, family).ok()?;
    let what = match kind {
        GroupKind::Instance => "parameter group",
        GroupKind::Cluster => "cluster parameter group",
    };
    Some(ParameterGroup {
        kind,
        scope: context.scope.clone(),
        name: name.to_owned(),
        family: family.to_owned(),
        description: format!("Default {what} for {family}"),
        parameters: BTreeMap::new(),
        tags: Tags::default(),
    })
}

/// All values of the instance's group: what a server starts with.
pub(crate) fn all_of(state: &State, instance: &Instance) -> BTreeMap<String, String> {
    let group = group_of(
        state,
        &instance.scope,
        instance.text("DBParameterGroupName"),
    );
    let parameters = group.into_iter().flat_map(|group| &group.parameters);
    parameters
        .map(|(name, parameter)| (name.clone(), parameter.value.clone()))
        .collect()
}

/// An instance with what its server is given when it starts.
pub(crate) fn armed(state: &State, instance: &Instance) -> Instance {
    Instance {
        parameters: all_of(state, instance),
        parameter_group_in_force: instance.text("DBParameterGroupName").to_owned(),
        ..instance.clone()
    }
}

/// Notes that a server was started with what it was given.
pub(crate) fn applied(instance: &mut Instance) {
    instance.parameter_status = ParameterStatus::InSync;
    if let Some(membership) = &mut instance.member_of {
        membership.parameter_status = ParameterStatus::InSync;
    }
}

/// The values that a running server is to have: a change that waits for a reboot leaves the value as it is.
pub(crate) fn immediate_of(state: &State, instance: &Instance) -> BTreeMap<String, String> {
    let Some(group) = group_of(state, &instance.scope, &instance.parameter_group_in_force) else {
        return instance.parameters.clone();
    };
    let values = group.parameters.iter().filter_map(|(name, parameter)| {
        let value = match parameter.method {
            ApplyMethod::Immediate => Some(&parameter.value),
            ApplyMethod::PendingReboot => instance.parameters.get(name),
        };
        Some((name.clone(), value?.clone()))
    });
    let kept_static = instance
        .parameters
        .iter()
        .filter(|(name, _)| {
            !group.parameters.contains_key(*name) && is_static(instance.engine(), name)
        })
        .map(|(name, value)| (name.clone(), value.clone()));
    values.chain(kept_static).collect()
}

/// Whether the server has to be told of changes to its group.
pub(crate) fn are_stale(state: &State, instance: &Instance) -> bool {
    let is_applying = instance.parameter_status == ParameterStatus::Applying;
    is_applying || immediate_of(state, instance) != instance.parameters
}

fn group_of<'s>(state: &'s State, scope: &Scope, name: &str) -> Option<&'s ParameterGroup> {
    state
        .parameter_groups
        .get(&GroupKind::Instance.key(scope, name))
}

/// Whether a parameter takes effect only when the server starts.
pub(crate) fn is_static(engine: &str, name: &str) -> bool {
    crate::parameter_list::find(engine, name).is_some_and(|parameter| parameter.is_static())
}
