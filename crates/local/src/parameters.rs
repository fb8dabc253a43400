//! Parameter groups as servers see them: which values apply now, and which wait for a reboot.

use std::collections::BTreeMap;

use crate::api::context::Context;
use crate::api::error::ApiError;
use crate::catalogue::{Product, System};
use crate::state::group::{ApplyMethod, GroupKind, Parameter, ParameterGroup};
use crate::state::instance::{Instance, ParameterStatus};
use crate::state::{State, Tags};

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

/// The group that an instance is to have; of a member of a cluster, also its cluster's.
pub(crate) fn group_name<'s>(state: &'s State, instance: &'s Instance, kind: GroupKind) -> &'s str {
    match kind {
        GroupKind::Instance => instance.text("DBParameterGroupName"),
        GroupKind::Cluster => {
            let cluster = state.cluster_of(instance);
            cluster.map_or("", |cluster| cluster.text("DBClusterParameterGroup"))
        }
    }
}

/// The group that the server was last started with.
pub(crate) fn group_in_force(instance: &Instance, kind: GroupKind) -> &str {
    match kind {
        GroupKind::Instance => &instance.parameter_group_in_force,
        GroupKind::Cluster => {
            let membership = instance.member_of.as_ref();
            membership.map_or("", |membership| &membership.parameter_group_in_force)
        }
    }
}

/// Notes how far the server has a group's values.
pub(crate) fn set_status(instance: &mut Instance, kind: GroupKind, status: ParameterStatus) {
    match (kind, &mut instance.member_of) {
        (GroupKind::Instance, _) => instance.parameter_status = status,
        (GroupKind::Cluster, Some(membership)) => membership.parameter_status = status,
        (GroupKind::Cluster, None) => {}
    }
}

/// All values of the instance's groups: what a server starts with.
pub(crate) fn all_of(state: &State, instance: &Instance) -> BTreeMap<String, String> {
    let parameters = merged(state, instance, |kind| group_name(state, instance, kind));
    parameters
        .into_iter()
        .map(|(name, parameter)| (name.to_owned(), parameter.value.clone()))
        .collect()
}

/// An instance with what its server is given when it starts.
pub(crate) fn armed(state: &State, instance: &Instance) -> Instance {
    let mut armed = Instance {
        parameters: all_of(state, instance),
        parameter_group_in_force: group_name(state, instance, GroupKind::Instance).to_owned(),
        ..instance.clone()
    };
    if let Some(membership) = &mut armed.member_of {
        group_name(state, instance, GroupKind::Cluster)
            .clone_into(&mut membership.parameter_group_in_force);
    }
    armed
}

/// Notes that a server was started with what it was given.
pub(crate) fn applied(instance: &mut Instance) {
    for kind in GroupKind::ALL {
        set_status(instance, kind, ParameterStatus::InSync);
    }
}

/// Notes what a running server has of its groups' values; `waits` if it says itself that something waits for its
/// restart.
pub(crate) fn applied_while_running(state: &State, instance: &mut Instance, waits: bool) {
    let all = all_of(state, instance);
    let is_in_sync = !waits && all == instance.parameters;
    let lacks = GroupKind::ALL.map(|kind| {
        let group = group_of(state, instance, kind, group_name(state, instance, kind));
        let mut parameters = group.into_iter().flat_map(|group| &group.parameters);
        parameters.any(|(name, parameter)| {
            all.get(name) == Some(&parameter.value)
                && instance.parameters.get(name) != Some(&parameter.value)
        })
    });
    let is_unexplained = !is_in_sync && !lacks.contains(&true);
    for (kind, lacks) in GroupKind::ALL.into_iter().zip(lacks) {
        let status = match lacks || is_unexplained {
            true => ParameterStatus::PendingReboot,
            false => ParameterStatus::InSync,
        };
        set_status(instance, kind, status);
    }
}

/// The values that a running server is to have: a change that waits for a reboot leaves the value as it is.
pub(crate) fn immediate_of(state: &State, instance: &Instance) -> BTreeMap<String, String> {
    let own = group_in_force(instance, GroupKind::Instance);
    let is_gone = group_of(state, instance, GroupKind::Instance, own).is_none();
    if is_gone && !own.starts_with("default.") {
        return instance.parameters.clone();
    }
    let in_force = merged(state, instance, |kind| group_in_force(instance, kind));
    let values = in_force.iter().filter_map(|(name, parameter)| {
        let value = match parameter.method {
            ApplyMethod::Immediate => Some(&parameter.value),
            ApplyMethod::PendingReboot => instance.parameters.get(*name),
        };
        Some(((*name).to_owned(), value?.clone()))
    });
    let kept_static = instance
        .parameters
        .iter()
        .filter(|(name, _)| {
            !in_force.contains_key(name.as_str()) && is_static(instance.engine(), name)
        })
        .map(|(name, value)| (name.clone(), value.clone()));
    values.chain(kept_static).collect()
}

/// Whether the server has to be told of changes to its groups.
pub(crate) fn are_stale(state: &State, instance: &Instance) -> bool {
    let of_cluster = instance.member_of.as_ref();
    let is_applying = instance.parameter_status == ParameterStatus::Applying
        || of_cluster.is_some_and(|one| one.parameter_status == ParameterStatus::Applying);
    is_applying || immediate_of(state, instance) != instance.parameters
}

/// The values of the cluster's group, and over them those of the instance's own.
fn merged<'s>(
    state: &'s State,
    instance: &Instance,
    group: impl Fn(GroupKind) -> &'s str,
) -> BTreeMap<&'s str, &'s Parameter> {
    let groups = [GroupKind::Cluster, GroupKind::Instance]
        .into_iter()
        .filter_map(|kind| group_of(state, instance, kind, group(kind)));
    groups
        .flat_map(|group| &group.parameters)
        .map(|(name, parameter)| (name.as_str(), parameter))
        .collect()
}

fn group_of<'s>(
    state: &'s State,
    instance: &Instance,
    kind: GroupKind,
    name: &str,
) -> Option<&'s ParameterGroup> {
    state.parameter_groups.get(&kind.key(&instance.scope, name))
}

/// Whether a parameter takes effect only when the server starts.
pub(crate) fn is_static(engine: &str, name: &str) -> bool {
    crate::parameter_list::find(engine, name).is_some_and(|parameter| parameter.is_static())
}
