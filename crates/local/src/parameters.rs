//! Parameter groups as servers see them: which values apply now, and which wait for a reboot.

use std::collections::BTreeMap;

use crate::api::context::Context;
use crate::api::error::ApiError;
use crate::state::group::{ApplyMethod, ParameterGroup};
use crate::state::instance::Instance;
use crate::state::{Scope, State, Tags};

/// The group of that name; the default groups are always there.
pub(crate) fn find_group(context: &Context<'_>, name: &str) -> Result<ParameterGroup, ApiError> {
    let name = crate::names::referred(name);
    let stored = context
        .state
        .parameter_groups
        .get(&context.scope.key(&name))
        .cloned();
    stored
        .or_else(|| default_group(context, &name))
        .ok_or_else(|| {
            ApiError::new(
                "DBParameterGroupNotFound",
                format!("DBParameterGroup not found: {name}"),
            )
        })
}

fn default_group(context: &Context<'_>, name: &str) -> Option<ParameterGroup> {
    let family = name.strip_prefix("default.")?;
    let mut products = context.catalogue.products();
    products.find(|product| {
        let versions = context.catalogue.versions(product.engine);
        versions
            .iter()
            .any(|version| product.family(version) == family)
    })?;
    Some(ParameterGroup {
        scope: context.scope.clone(),
        name: name.to_owned(),
        family: family.to_owned(),
        description: format!("Default parameter group for {family}"),
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
    let is_applying =
        instance.parameter_status == crate::state::instance::ParameterStatus::Applying;
    is_applying || immediate_of(state, instance) != instance.parameters
}

fn group_of<'s>(state: &'s State, scope: &Scope, name: &str) -> Option<&'s ParameterGroup> {
    state.parameter_groups.get(&scope.key(name))
}

/// Whether a parameter takes effect only when the server starts.
pub(crate) fn is_static(engine: &str, name: &str) -> bool {
    crate::parameter_list::find(engine, name).is_some_and(|parameter| parameter.is_static())
}
