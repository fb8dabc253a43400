//! Which instance answers where: the one place that turns the state into servers and endpoints.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::engines::{Backend, Engine, ServerSpec};
use crate::notice;
use crate::state::State;
use crate::state::instance::{Instance, InstanceStatus, Naming};

/// Whether clients reach the instance by its name.
pub(crate) fn answers(instance: &Instance) -> bool {
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
    is_up && instance.naming == Naming::Named && instance.created_at.is_some()
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

/// An endpoint as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    /// Whose it is: connections to another instance's server are cut.
    pub(crate) resource_id: String,
    pub(crate) backend: Backend,
}

/// All endpoints as they should be.
pub(crate) fn desired_endpoints(
    state: &State,
    engine: impl Fn(&str) -> Option<Arc<dyn Engine>>,
) -> BTreeMap<SocketAddr, Desired> {
    let answering = state
        .instances
        .values()
        .filter(|instance| answers(instance));
    let desired = answering.filter_map(|instance| {
        let address = state
            .addresses
            .get(&instance.scope.key(&instance.identifier))?;
        let port = instance
            .number("Port")
            .and_then(|port| port.try_into().ok())?;
        let backend = match engine(instance.engine()) {
            Some(engine) => engine.backend(&spec(instance)),
            None => Backend::Notice(notice::no_server(instance.engine())),
        };
        let desired = Desired {
            resource_id: instance.resource_id.clone(),
            backend,
        };
        Some((SocketAddr::new(IpAddr::V4(address.0), port), desired))
    });
    desired.collect()
}
