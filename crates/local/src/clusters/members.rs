//! How a cluster and its members hang together: endpoints, inheritance, and who comes next.

use serde_json::Value;

use super::attributes::{PASSED_ON, PASSED_ON_ADVANCED, PASSED_ON_MULTI_AZ};
use crate::state::cluster::Cluster;
use crate::state::instance::{Instance, InstanceStatus};
use crate::state::{Settings, State};

/// `PromotionTier` of a member that was given none.
const PROMOTION_TIER: i64 = 1;

/// How many members a Multi-AZ DB cluster has.
pub(crate) const MULTI_AZ_MEMBERS: usize = 3;

/// The name of the cluster endpoint among the addresses. No identifier has a colon.
pub(crate) fn writer_endpoint(cluster: &str) -> String {
    format!("cluster:{cluster}")
}

/// The name of the reader endpoint among the addresses.
pub(crate) fn reader_endpoint(cluster: &str) -> String {
    format!("cluster-ro:{cluster}")
}

/// The name of a custom endpoint among the addresses.
pub(crate) fn custom_endpoint(identifier: &str) -> String {
    format!("cluster-custom:{identifier}")
}

/// The name that a Multi-AZ DB cluster gives its member; they are counted from 1.
pub(crate) fn multi_az_member(cluster: &str, number: usize) -> String {
    format!("{cluster}-instance-{number}")
}

/// `PromotionTier`.
pub(crate) fn promotion_tier(member: &Instance) -> i64 {
    member.number("PromotionTier").unwrap_or(PROMOTION_TIER)
}

/// The reader that takes over when the writer goes: the available one of the lowest tier.
pub(crate) fn heir<'s>(state: &'s State, cluster: &Cluster) -> Option<&'s Instance> {
    let members = state.members_of(&cluster.resource_id).into_iter();
    members
        .filter(|member| cluster.writer.as_ref() != Some(&member.resource_id))
        .filter(|member| member.status == InstanceStatus::Available && !member.is_busy())
        .min_by_key(|member| promotion_tier(member))
}

/// The settings of a Multi-AZ DB cluster as those of an instance.
pub(crate) fn as_of_instance(cluster: &Settings) -> Settings {
    let passed_on = PASSED_ON.iter().chain(PASSED_ON_MULTI_AZ);
    let settings = passed_on.filter_map(|(of_cluster, of_instance)| {
        Some(((*of_instance).to_owned(), cluster.get(*of_cluster)?.clone()))
    });
    settings.collect()
}

/// Gives a member what it has from its cluster.
pub(crate) fn pass_on(cluster: &Cluster, member: &mut Instance) {
    let is_advanced = cluster.text("DatabaseInsightsMode") == "advanced";
    let of_multi_az = cluster.is_multi_az().then_some(PASSED_ON_MULTI_AZ);
    let of_advanced = is_advanced.then_some(PASSED_ON_ADVANCED);
    let besides = of_multi_az.into_iter().chain(of_advanced).flatten();
    for (of_cluster, of_instance) in PASSED_ON.iter().chain(besides) {
        match cluster.settings.get(*of_cluster) {
            Some(value) => member
                .settings
                .insert((*of_instance).to_owned(), value.clone()),
            None => member.settings.remove(*of_instance),
        };
    }
    member.password = cluster.password.clone();
    if !cluster.is_multi_az() {
        let volume = [
            ("StorageType", Value::from(cluster.text("StorageType"))),
            ("AllocatedStorage", Value::from(1)),
        ];
        for (name, value) in volume {
            member.settings.insert(name.to_owned(), value);
        }
    }
}

/// Gives all members of a cluster what they have from it.
pub(crate) fn pass_on_to_all(state: &mut State, cluster: &Cluster) {
    change_all(state, cluster, |member| pass_on(cluster, member));
}

/// Changes all members of a cluster.
pub(crate) fn change_all(
    state: &mut State,
    cluster: &Cluster,
    mut change: impl FnMut(&mut Instance),
) {
    let members = state.members_of(&cluster.resource_id);
    let members: Vec<String> = members.iter().map(|one| one.resource_id.clone()).collect();
    for member in members {
        if let Some(member) = state.instances.get_mut(&member) {
            change(member);
        }
    }
}
