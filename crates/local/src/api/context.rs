//! What a handler works with: the state in a transaction, who asks, and what is to be begun afterwards.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::catalogue::{Catalogue, Product};
use crate::durations::Pace;
use crate::home::Paths;
use crate::operations::{Job, Progress};
use crate::random;
use crate::state::cluster::{Cluster, ClusterWork};
use crate::state::event::Event;
use crate::state::instance::{Instance, Naming, Operation, Outcome, Work};
use crate::state::settling::Settling;
use crate::state::snapshot::Snapshot;
use crate::state::{Address, Scope, State};

/// What a handler answers: the members of the result.
pub(crate) type Answer = Result<Map<String, Value>, ApiError>;

/// What a handler works with.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) scope: &'a Scope,
    pub(crate) now: Timestamp,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
    pub(crate) paths: &'a Paths,
    pub(crate) progress: &'a Progress,
    /// How the operation that this request begins will end.
    pub(crate) outcome: Outcome,
    /// When it will be begun: now, unless it is late.
    pub(crate) begins_at: Timestamp,
    /// What is to be begun once the transaction is stored.
    pub(crate) jobs: Vec<Job>,
}

impl Context<'_> {
    /// The instance that a name, or an ARN, finds.
    pub(crate) fn instance(&self, name: &str) -> Result<&Instance, ApiError> {
        let identifier = crate::names::referred(name);
        self.state
            .instance_named(self.scope, &identifier)
            .filter(|instance| instance.naming == Naming::Named)
            .ok_or_else(|| ApiError::instance_not_found(&identifier))
    }

    /// Refuses a name that an instance has, or is getting.
    pub(crate) fn must_be_free(&self, identifier: &str) -> Result<(), ApiError> {
        let is_getting = |instance: &Instance| match instance
            .operation
            .as_ref()
            .map(|operation| &operation.work)
        {
            Some(Work::Modify { changes }) => changes
                .get("DBInstanceIdentifier")
                .is_some_and(|name| name.as_str() == Some(identifier)),
            Some(_) | None => false,
        };
        let mut instances = self
            .state
            .instances
            .values()
            .filter(|instance| instance.scope == *self.scope);
        match instances.any(|instance| instance.identifier == identifier || is_getting(instance)) {
            true => Err(ApiError::instance_already_exists(identifier)),
            false => Ok(()),
        }
    }

    /// The cluster that a name, or an ARN, finds.
    pub(crate) fn cluster(&self, name: &str) -> Result<&Cluster, ApiError> {
        let identifier = crate::names::referred(name);
        self.state
            .cluster_named(self.scope, &identifier)
            .filter(|cluster| cluster.naming == Naming::Named)
            .ok_or_else(|| ApiError::cluster_not_found(&identifier))
    }

    /// Refuses a name that a cluster has, or is getting.
    pub(crate) fn must_be_free_for_cluster(&self, identifier: &str) -> Result<(), ApiError> {
        let is_getting =
            |cluster: &Cluster| match cluster.operation.as_ref().map(|operation| &operation.work) {
                Some(ClusterWork::Modify { changes }) => changes
                    .get("DBClusterIdentifier")
                    .is_some_and(|name| name.as_str() == Some(identifier)),
                Some(_) | None => false,
            };
        let mut clusters = self
            .state
            .clusters
            .values()
            .filter(|cluster| cluster.scope == *self.scope);
        match clusters.any(|cluster| cluster.identifier == identifier || is_getting(cluster)) {
            true => Err(ApiError::new(
                "DBClusterAlreadyExistsFault",
                format!("DB Cluster already exists: {identifier}"),
            )),
            false => Ok(()),
        }
    }

    /// Gives a cluster something to do, as [`Context::begin`] does for an instance.
    pub(crate) fn begin_at_cluster(&mut self, resource_id: &str, work: ClusterWork) {
        let operation = Operation {
            work,
            begun_at: self.begins_at,
            outcome: self.outcome.clone(),
        };
        if let Some(cluster) = self.state.clusters.get_mut(resource_id) {
            cluster.operation = Some(operation);
            self.jobs.push(Job::Cluster(resource_id.to_owned()));
        }
    }

    /// Gives an instance something to do. What it does is stored with the transaction, and begun after it.
    pub(crate) fn begin(&mut self, resource_id: &str, work: Work) {
        let operation = Operation {
            work,
            begun_at: self.begins_at,
            outcome: self.outcome.clone(),
        };
        if let Some(instance) = self.state.instances.get_mut(resource_id) {
            instance.operation = Some(operation);
            self.jobs.push(Job::Instance(resource_id.to_owned()));
        }
    }

    /// When something that is attached now will be there.
    pub(crate) fn attached_at(&self) -> Timestamp {
        self.now
            .saturating_add(self.pace.attachment())
            .unwrap_or(self.now)
    }

    /// What is one thing for as long as it takes, and another then; a fault on request decides which.
    pub(crate) fn settling(&self, during: &str, then: &str) -> Settling {
        let then = match &self.outcome {
            Outcome::EndsIn(status) => status,
            Outcome::Success | Outcome::ModifyFails => then,
        };
        Settling {
            until: self.attached_at(),
            during: during.to_owned(),
            then: then.to_owned(),
        }
    }

    /// Makes sure that an identifier has its address. It keeps it for ever, so that a name is found where it was.
    pub(crate) fn assign_address(&mut self, identifier: &str) {
        let key = self.scope.key(identifier);
        while self.state.addresses.get(&key).is_none() {
            let [a, b, c, ..] = random::draw(self.state, self.seed).to_le_bytes();
            // 127.0.x.x is where other programs are likely to listen, and the ends of a range aren't for hosts.
            let address = Address(std::net::Ipv4Addr::new(
                127,
                a.clamp(1, 254),
                b,
                c.clamp(1, 254),
            ));
            if self.state.addresses.values().all(|taken| *taken != address) {
                self.state.addresses.insert(key.clone(), address);
            }
        }
    }

    /// An engine that RDS has.
    pub(crate) fn product(&self, engine: &str) -> Result<&'static Product, ApiError> {
        self.catalogue
            .product(engine)
            .ok_or_else(|| ApiError::value(format!("Invalid DB engine: {engine}")))
    }

    /// Tells an event about a snapshot.
    pub(crate) fn tell_snapshot(&mut self, snapshot: &Snapshot, category: &str, message: &str) {
        self.state.tell(Event {
            scope: self.scope.clone(),
            at: self.now,
            source_type: snapshot.kind.source_type(),
            source_identifier: snapshot.identifier.clone(),
            source_arn: snapshot.arn(),
            message: message.to_owned(),
            category: category.to_owned(),
        });
    }
}
