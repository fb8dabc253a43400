//! Everything that local RDS remembers. Handlers and operations change it in transactions; nothing here waits.

pub(crate) mod attachments;
pub(crate) mod backups;
pub(crate) mod cluster;
pub(crate) mod custom_endpoint;
pub(crate) mod event;
pub(crate) mod group;
pub(crate) mod instance;
pub(crate) mod proxy;
pub(crate) mod settling;
pub(crate) mod snapshot;
pub(crate) mod table;
pub(crate) mod topology;
mod values;

use serde::{Deserialize, Serialize};

use self::attachments::Attachments;
use self::backups::AutomatedBackups;
use self::cluster::Cluster;
use self::custom_endpoint::CustomEndpoint;
use self::event::Event;
use self::group::{OptionGroup, ParameterGroup, SubnetGroup};
use self::instance::Instance;
use self::proxy::Proxy;
use self::snapshot::Snapshot;
use self::table::{Record, Table};
use self::topology::{BlueGreenDeployment, GlobalCluster, Integration, ShardGroup};
pub(crate) use self::values::{Scope, Settings, Tags, arn};
use crate::store::{Change, Contents};

/// The state.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// By resource id.
    pub(crate) instances: Table<Instance>,
    /// By the resource id of the database.
    pub(crate) attachments: Table<Attachments>,
    /// By resource id.
    pub(crate) clusters: Table<Cluster>,
    /// By [`Scope::key`].
    pub(crate) custom_endpoints: Table<CustomEndpoint>,
    /// By [`Snapshot::key`].
    pub(crate) snapshots: Table<Snapshot>,
    /// By the resource id of the instance or cluster, which may be gone.
    pub(crate) automated_backups: Table<AutomatedBackups>,
    pub(crate) parameter_groups: Table<ParameterGroup>,
    pub(crate) option_groups: Table<OptionGroup>,
    pub(crate) subnet_groups: Table<SubnetGroup>,
    pub(crate) proxies: Table<Proxy>,
    pub(crate) global_clusters: Table<GlobalCluster>,
    pub(crate) integrations: Table<Integration>,
    pub(crate) blue_green_deployments: Table<BlueGreenDeployment>,
    pub(crate) shard_groups: Table<ShardGroup>,
    /// By a number that rises.
    pub(crate) events: Table<Event>,
    /// The loopback address of every identifier that ever was, by [`Scope::key`].
    pub(crate) addresses: Table<Address>,
    /// Directories that nobody needs any more, by path: they are named here before what referred to them is forgotten.
    pub(crate) garbage: Table<Garbage>,
    pub(crate) counters: Table<Counter>,
}

/// The loopback address of an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address(pub(crate) std::net::Ipv4Addr);

/// A directory to remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Garbage {
    /// The engine that made it.
    pub(crate) engine: String,
}

/// A number that only rises.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counter(u64);

impl State {
    /// The state as it was stored.
    pub(crate) fn load(contents: &Contents) -> Result<Self, serde_json::Error> {
        Ok(Self {
            instances: Table::load(contents)?,
            attachments: Table::load(contents)?,
            clusters: Table::load(contents)?,
            custom_endpoints: Table::load(contents)?,
            snapshots: Table::load(contents)?,
            automated_backups: Table::load(contents)?,
            parameter_groups: Table::load(contents)?,
            option_groups: Table::load(contents)?,
            subnet_groups: Table::load(contents)?,
            proxies: Table::load(contents)?,
            global_clusters: Table::load(contents)?,
            integrations: Table::load(contents)?,
            blue_green_deployments: Table::load(contents)?,
            shard_groups: Table::load(contents)?,
            events: Table::load(contents)?,
            addresses: Table::load(contents)?,
            garbage: Table::load(contents)?,
            counters: Table::load(contents)?,
        })
    }

    /// What this transaction changed, as it is to be stored.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.instances
            .changes()
            .chain(self.attachments.changes())
            .chain(self.clusters.changes())
            .chain(self.custom_endpoints.changes())
            .chain(self.snapshots.changes())
            .chain(self.automated_backups.changes())
            .chain(self.parameter_groups.changes())
            .chain(self.option_groups.changes())
            .chain(self.subnet_groups.changes())
            .chain(self.proxies.changes())
            .chain(self.global_clusters.changes())
            .chain(self.integrations.changes())
            .chain(self.blue_green_deployments.changes())
            .chain(self.shard_groups.changes())
            .chain(self.events.changes())
            .chain(self.addresses.changes())
            .chain(self.garbage.changes())
            .chain(self.counters.changes())
            .collect()
    }

    /// Ends the transaction and keeps its changes.
    pub(crate) fn keep(&mut self) {
        self.each_table(&mut |table| table.keep());
    }

    /// Ends the transaction and takes its changes back.
    pub(crate) fn undo(&mut self) {
        self.each_table(&mut |table| table.undo());
    }

    /// The next number of a counter, from 1.
    pub(crate) fn count(&mut self, counter: &str) -> u64 {
        let next = self.counters.get(counter).map_or(0, |counter| counter.0) + 1;
        self.counters.insert(counter, Counter(next));
        next
    }

    /// The instance that has the identifier, also while a rename hides it.
    pub(crate) fn instance_named(&self, scope: &Scope, identifier: &str) -> Option<&Instance> {
        self.instances
            .values()
            .find(|instance| instance.scope == *scope && instance.identifier == identifier)
    }

    /// The read replicas of an instance, by its resource id.
    pub(crate) fn replicas_of(&self, source: &str) -> impl Iterator<Item = &Instance> {
        self.instances
            .values()
            .filter(move |instance| instance.replica_of.as_deref() == Some(source))
    }

    fn each_table(&mut self, end: &mut dyn FnMut(&mut dyn Transactional)) {
        end(&mut self.instances);
        end(&mut self.attachments);
        end(&mut self.clusters);
        end(&mut self.custom_endpoints);
        end(&mut self.snapshots);
        end(&mut self.automated_backups);
        end(&mut self.parameter_groups);
        end(&mut self.option_groups);
        end(&mut self.subnet_groups);
        end(&mut self.proxies);
        end(&mut self.global_clusters);
        end(&mut self.integrations);
        end(&mut self.blue_green_deployments);
        end(&mut self.shard_groups);
        end(&mut self.events);
        end(&mut self.addresses);
        end(&mut self.garbage);
        end(&mut self.counters);
    }
}

/// What all tables can do, whatever they hold.
trait Transactional {
    fn keep(&mut self);
    fn undo(&mut self);
}

impl<R: Record> Transactional for Table<R> {
    fn keep(&mut self) {
        Table::keep(self);
    }

    fn undo(&mut self) {
        Table::undo(self);
    }
}

impl Record for Address {
    const TABLE: &'static str = "address";
}

impl Record for Garbage {
    const TABLE: &'static str = "garbage";
}

impl Record for Counter {
    const TABLE: &'static str = "counter";
}
