//! Which instance answers where: the one place that turns the state into servers and endpoints.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;

use crate::clusters::members;
use crate::engines::{Backend, Engine, ServerSpec};
use crate::forwarder::Target;
use crate::notice;
use crate::state::State;
use crate::state::cluster::Cluster;
use crate::state::instance::{Instance, InstanceStatus, Naming};
use crate::state::proxy::{Proxy, ProxyTarget, TargetKind};

/// Whether the instance's server takes clients.
pub(crate) fn is_up(instance: &Instance) -> bool {
    let is_up = match instance.status {
        InstanceStatus::Available
        | InstanceStatus::BackingUp
        | InstanceStatus::Modifying
        | InstanceStatus::ResettingMasterCredentials => true,
        InstanceStatus::Creating
        | InstanceStatus::Deleting
        | InstanceStatus::Rebooting
        | InstanceStatus::Renaming
        | InstanceStatus::Starting
        | InstanceStatus::Stopped
        | InstanceStatus::Stopping
        | InstanceStatus::Upgrading
        | InstanceStatus::Failed(_) => false,
    };
    is_up && instance.created_at.is_some()
}

/// Whether clients reach the instance by its name.
pub(crate) fn answers(state: &State, instance: &Instance) -> bool {
    let is_changing_hands = state.cluster_of(instance).is_some_and(|cluster| {
        cluster.succession.as_ref().is_some_and(|succession| {
            let has_taken_over = cluster.writer.as_ref() == Some(&succession.to);
            let is_one_of_the_two =
                [&succession.from, &succession.to].contains(&&instance.resource_id);
            is_one_of_the_two && !has_taken_over
        })
    });
    is_up(instance) && instance.naming == Naming::Named && !is_changing_hands
}

/// Whether the instance's server gets its data from another one.
pub(crate) fn follows(state: &State, instance: &Instance) -> bool {
    let is_reader = state
        .cluster_of(instance)
        .is_some_and(|cluster| cluster.writer.as_ref() != Some(&instance.resource_id));
    is_reader || instance.replica_of.is_some()
}

/// What the engine needs to know about the instance's server.
pub(crate) fn spec(instance: &Instance) -> ServerSpec {
    ServerSpec {
        resource_id: instance.resource_id.clone(),
        directory: instance.directory.clone(),
        engine: instance.engine().to_owned(),
        engine_version: instance.text("EngineVersion").to_owned(),
        master_username: instance.text("MasterUsername").to_owned(),
        master_password: instance.password.clone(),
        database: Some(instance.text("DBName"))
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        parameters: instance.parameters.clone(),
        allocated_storage_gib: instance
            .number("AllocatedStorage")
            .and_then(|gib| gib.try_into().ok())
            .unwrap_or(0),
    }
}

/// What the engine needs to know about the volume of a cluster that nobody serves.
pub(crate) fn volume(cluster: &Cluster) -> ServerSpec {
    ServerSpec {
        resource_id: cluster.resource_id.clone(),
        directory: cluster.volume.clone(),
        engine: cluster.engine().to_owned(),
        engine_version: cluster.text("EngineVersion").to_owned(),
        master_username: cluster.text("MasterUsername").to_owned(),
        master_password: cluster.password.clone(),
        database: Some(cluster.text("DatabaseName"))
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        parameters: BTreeMap::new(),
        allocated_storage_gib: 0,
    }
}

/// An endpoint that somebody answers at.
pub(crate) struct Endpoint<'s> {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// The instances that new clients are sent to, in turn.
    pub(crate) instances: Vec<&'s Instance>,
}

/// All endpoints that somebody answers at.
pub(crate) fn endpoints(state: &State, now: Timestamp) -> Vec<Endpoint<'_>> {
    let of_instances = state
        .instances
        .values()
        .filter(|instance| answers(state, instance))
        .filter_map(|instance| {
            let key = instance.scope.key(&instance.identifier);
            endpoint(state, &key, instance.number("Port"), vec![instance])
        });
    let of_clusters = state
        .clusters
        .values()
        .flat_map(|cluster| of_cluster(state, cluster, now));
    let of_proxies = state.proxies.values().filter_map(|proxy| {
        let targets = proxy.targets.iter();
        let instances = targets.flat_map(|target| behind_proxy(state, target));
        let key = proxy.scope.key(&Proxy::host(&proxy.name));
        let port = i64::from(proxy.engine_family.port());
        endpoint(state, &key, Some(port), instances.collect())
    });
    of_instances.chain(of_clusters).chain(of_proxies).collect()
}

/// The instance that a proxy reaches through a target: the database has to have the name that it was registered by.
pub(crate) fn behind_proxy<'s>(state: &'s State, target: &ProxyTarget) -> Option<&'s Instance> {
    match target.kind {
        TargetKind::Instance => {
            let instance = state.instances.get(&target.resource_id)?;
            let is_reached = instance.identifier == target.identifier && answers(state, instance);
            is_reached.then_some(instance)
        }
        TargetKind::Cluster => {
            let cluster = state.clusters.get(&target.resource_id)?;
            let is_named =
                cluster.identifier == target.identifier && cluster.naming == Naming::Named;
            let (writers, _) = answering(state, cluster);
            writers.first().copied().filter(|_| is_named)
        }
    }
}

/// The cluster endpoint leads to the writer, and the reader endpoint to the readers, or to the writer if it is alone.
/// Custom endpoints lead to their members, also while the cluster gets another name.
fn of_cluster<'s>(state: &'s State, cluster: &'s Cluster, now: Timestamp) -> Vec<Endpoint<'s>> {
    let (writers, readers) = answering(state, cluster);
    let custom = state.custom_endpoints_of(&cluster.resource_id, now);
    let mut by_name: Vec<(String, Vec<&Instance>)> = custom
        .map(|endpoint| {
            let members = writers.iter().chain(&readers).copied();
            let members = members.filter(|member| endpoint.leads_to(cluster, member));
            let name = members::custom_endpoint(&endpoint.identifier);
            (name, members.collect())
        })
        .collect();
    if cluster.naming == Naming::Named {
        let readers = match readers.is_empty() {
            true => writers.clone(),
            false => readers,
        };
        by_name.push((members::reader_endpoint(&cluster.identifier), readers));
        by_name.push((members::writer_endpoint(&cluster.identifier), writers));
    }
    let port = cluster.number("Port");
    let endpoints = by_name.into_iter().filter_map(|(name, instances)| {
        endpoint(state, &cluster.scope.key(&name), port, instances)
    });
    endpoints.collect()
}

/// The writer, if it answers, and the readers that do.
pub(crate) fn answering<'s>(
    state: &'s State,
    cluster: &Cluster,
) -> (Vec<&'s Instance>, Vec<&'s Instance>) {
    let members = state.members_of(&cluster.resource_id).into_iter();
    members
        .filter(|member| answers(state, member))
        .partition(|member| cluster.writer.as_ref() == Some(&member.resource_id))
}

fn endpoint<'s>(
    state: &State,
    key: &str,
    port: Option<i64>,
    instances: Vec<&'s Instance>,
) -> Option<Endpoint<'s>> {
    let address = IpAddr::V4(state.addresses.get(key)?.0);
    let port = port.and_then(|port| port.try_into().ok())?;
    (!instances.is_empty()).then_some(Endpoint {
        address,
        port,
        instances,
    })
}

/// All endpoints as they should be.
pub(crate) fn desired_endpoints(
    state: &State,
    now: Timestamp,
    engine: impl Fn(&str) -> Option<Arc<dyn Engine>>,
) -> BTreeMap<SocketAddr, Vec<Target>> {
    let desired = endpoints(state, now).into_iter().map(|endpoint| {
        let targets = endpoint.instances.into_iter().map(|instance| Target {
            server: server_as_clients_know_it(state, instance),
            backend: match engine(instance.engine()) {
                Some(engine) => engine.backend(&spec(instance)),
                None => Backend::Notice(notice::no_server(instance.engine())),
            },
        });
        let address = SocketAddr::new(endpoint.address, endpoint.port);
        (address, targets.collect())
    });
    desired.collect()
}

/// Connections outlive neither the name of an instance nor its part in a cluster; that of the cluster they do.
fn server_as_clients_know_it(state: &State, instance: &Instance) -> String {
    let part = if follows(state, instance) {
        "reader"
    } else {
        "writer"
    };
    format!("{} {} {part}", instance.resource_id, instance.identifier)
}
