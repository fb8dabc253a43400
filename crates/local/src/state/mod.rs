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
use self::table::{Before, Record, Table};
use self::topology::{BlueGreenDeployment, GlobalCluster, Integration, ShardGroup};
pub(crate) use self::values::{Scope, Settings, Tags, arn};
use crate::store::{Change, Contents};

/// Makes [`State`] of its tables, so that each is named once and none is forgotten when a transaction ends.
macro_rules! state {
    ($($(#[$doc:meta])* $table:ident: $record:ty,)*) => {
        /// The state.
        #[derive(Clone, Debug)]
        pub(crate) struct State {
            $($(#[$doc])* pub(crate) $table: Table<$record>,)*
        }

        /// What the rows that a transaction touched were before it.
        #[derive(Clone, Debug)]
        pub(crate) struct Undo {
            $($table: Before<$record>,)*
        }

        impl State {
            /// The state as it was stored.
            pub(crate) fn load(contents: &Contents) -> Result<Self, serde_json::Error> {
                Ok(Self { $($table: Table::load(contents)?,)* })
            }

            /// What this transaction changed, as it is to be stored.
            pub(crate) fn changes(&self) -> Vec<Change> {
                let mut changes = Vec::new();
                $(changes.extend(self.$table.changes());)*
                changes
            }

            /// Ends the transaction and keeps its changes; returns what undoes them.
            pub(crate) fn keep(&mut self) -> Undo {
                Undo { $($table: self.$table.keep(),)* }
            }

            /// Makes it as it was before a transaction, provided that all later ones are undone.
            pub(crate) fn go_back(&mut self, undo: Undo) {
                $(self.$table.put_back(undo.$table);)*
            }

            /// Ends the transaction and takes its changes back.
            pub(crate) fn undo(&mut self) {
                $(self.$table.undo();)*
            }
        }
    };
}

state! {
    /// By resource id.
    instances: Instance,
    /// By the resource id of the database.
    attachments: Attachments,
    /// By resource id.
    clusters: Cluster,
    /// By [`Scope::key`].
    custom_endpoints: CustomEndpoint,
    /// By [`Snapshot::key`].
    snapshots: Snapshot,
    /// By the resource id of the instance or cluster, which may be gone.
    automated_backups: AutomatedBackups,
    parameter_groups: ParameterGroup,
    option_groups: OptionGroup,
    subnet_groups: SubnetGroup,
    proxies: Proxy,
    global_clusters: GlobalCluster,
    integrations: Integration,
    blue_green_deployments: BlueGreenDeployment,
    shard_groups: ShardGroup,
    /// By a number that rises.
    events: Event,
    /// The loopback address of every identifier that ever was, by [`Scope::key`].
    addresses: Address,
    /// Directories that nobody needs any more, by path: they are named here before what referred to them is forgotten.
    garbage: Garbage,
    counters: Counter,
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
