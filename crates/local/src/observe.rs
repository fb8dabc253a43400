//! Watching local RDS: every change of its state, every request that was answered and every write that a client was
//! promised, told in the moment in which it happens.
//!
//! An observer looks while the state is locked: it sees exactly what the change left, and must not ask the control
//! plane for anything itself.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use crate::engines::simulated::SimulatedServers;
use crate::names::{kind_in_arn, referred};
use crate::serving;
use crate::state::cluster::{Cluster, ClusterWork};
use crate::state::instance::{AfterBackup, Instance, Naming, Work};
use crate::state::snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
use crate::state::{Scope, Settings, State};

/// Somebody who watches.
pub trait Observer: Send + Sync + 'static {
    /// The state has changed.
    fn changed(&self, change: &Change<'_>);

    /// A request was answered; what it changed has been told before.
    fn answered(&self, request: &Asked<'_>, answer: Answer<'_>, view: &View<'_>);

    /// A client's write was carried out. It is in the data of this database, which has seen so many.
    fn wrote(&self, at: Timestamp, resource_id: &str, writes: u64);
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// When it came.
    pub at: Timestamp,
    /// Who asks: the `User-Agent`.
    pub by: &'a str,
    /// The action.
    pub action: &'a str,
    /// The parameters, by their names on the wire.
    pub parameters: &'a BTreeMap<String, String>,
    /// What the names in it stood for when it came; empty for one that only looks.
    pub subjects: Vec<Subject>,
}

impl Asked<'_> {
    /// Whether it only looks.
    pub fn is_look(&self) -> bool {
        is_look(self.action)
    }

    /// A parameter.
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.parameters.get(parameter).map(String::as_str)
    }
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An instance or a cluster, by its resource id.
    Database(String),
    /// A snapshot, by its ARN.
    Snapshot(String),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It was carried out, whether or not the answer arrives.
    Carried,
    /// It was refused with this error code.
    Refused(&'a str),
    /// It was answered as it would have been at that time.
    Stale(Timestamp),
}

/// A change of the state.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// The request that made it; none for the work of an operation under way.
    pub by: Option<&'a Asked<'a>>,
    /// How everything is now.
    pub view: View<'a>,
}

/// Something that a change touched.
#[derive(Clone, Copy)]
pub struct Touched<T> {
    /// As it was; none for something new.
    pub before: Option<T>,
    /// As it is; none for something that is gone.
    pub now: Option<T>,
}

impl<'a> Change<'a> {
    /// The databases that it touched.
    pub fn databases(&self) -> impl Iterator<Item = Touched<Database<'a>>> + use<'a> {
        let View { state, .. } = self.view;
        let instances = state.instances.touched().map(|(before, now)| Touched {
            before: before.map(Row::Instance),
            now: now.map(Row::Instance),
        });
        let clusters = state.clusters.touched().map(|(before, now)| Touched {
            before: before.map(Row::Cluster),
            now: now.map(Row::Cluster),
        });
        clusters.chain(instances).map(move |touched| Touched {
            before: touched.before.map(|row| Database { state, row }),
            now: touched.now.map(|row| Database { state, row }),
        })
    }

    /// The snapshots that it touched.
    pub fn snapshots(&self) -> impl Iterator<Item = Touched<SnapshotView<'a>>> + use<'a> {
        let touched = self.view.state.snapshots.touched();
        touched.map(|(before, now)| Touched {
            before: before.map(SnapshotView),
            now: now.map(SnapshotView),
        })
    }
}

/// Everything that there is at one moment.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// That moment.
    pub at: Timestamp,
    state: &'a State,
    servers: Option<&'a SimulatedServers>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        at: Timestamp,
        state: &'a State,
        servers: Option<&'a SimulatedServers>,
    ) -> Self {
        Self { at, state, servers }
    }

    /// All instances and clusters.
    pub fn databases(&self) -> impl Iterator<Item = Database<'a>> + use<'a> {
        let state = self.state;
        let clusters = state.clusters.values().map(Row::Cluster);
        let instances = state.instances.values().map(Row::Instance);
        let rows = clusters.chain(instances);
        rows.map(move |row| Database { state, row })
    }

    /// The database of a resource id.
    pub fn database(&self, resource_id: &str) -> Option<Database<'a>> {
        let state = self.state;
        let instance = state.instances.get(resource_id).map(Row::Instance);
        let row = instance.or_else(|| state.clusters.get(resource_id).map(Row::Cluster))?;
        Some(Database { state, row })
    }

    /// All snapshots of both kinds.
    pub fn snapshots(&self) -> impl Iterator<Item = SnapshotView<'a>> + use<'a> {
        self.state.snapshots.values().map(SnapshotView)
    }

    /// How many writes the data of a database has seen, those before its snapshot included; none where servers aren't
    /// simulated or have nothing yet.
    pub fn writes(&self, database: &Database<'_>) -> Option<u64> {
        let directory = match database.row {
            Row::Instance(instance) => &instance.directory,
            Row::Cluster(cluster) => &cluster.volume,
        };
        self.servers?.writes(directory)
    }
}

/// An instance or a cluster.
#[derive(Clone, Copy)]
pub struct Database<'a> {
    state: &'a State,
    row: Row<'a>,
}

#[derive(Clone, Copy)]
enum Row<'a> {
    Instance(&'a Instance),
    Cluster(&'a Cluster),
}

impl<'a> Database<'a> {
    /// `DbiResourceId` or `DbClusterResourceId`.
    pub fn resource_id(&self) -> &'a str {
        match self.row {
            Row::Instance(instance) => &instance.resource_id,
            Row::Cluster(cluster) => &cluster.resource_id,
        }
    }

    /// Whether it is a cluster.
    pub fn is_cluster(&self) -> bool {
        matches!(self.row, Row::Cluster(_))
    }

    /// The identifier that it has, or is about to lose or to show.
    pub fn identifier(&self) -> &'a str {
        match self.row {
            Row::Instance(instance) => &instance.identifier,
            Row::Cluster(cluster) => &cluster.identifier,
        }
    }

    /// Whether it is found by its identifier now.
    pub fn is_named(&self) -> bool {
        match self.row {
            Row::Instance(instance) => instance.naming == Naming::Named,
            Row::Cluster(cluster) => cluster.naming == Naming::Named,
        }
    }

    /// Its status, in RDS's words.
    pub fn status(&self) -> String {
        match self.row {
            Row::Instance(instance) => instance.status.to_string(),
            Row::Cluster(cluster) => cluster.status.to_string(),
        }
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&'a str> {
        match self.row {
            Row::Instance(instance) => instance.tags.get(key),
            Row::Cluster(cluster) => cluster.tags.get(key),
        }
    }

    /// Its settings, by the names of the service model.
    pub fn settings(&self) -> &'a Settings {
        match self.row {
            Row::Instance(instance) => &instance.settings,
            Row::Cluster(cluster) => &cluster.settings,
        }
    }

    /// Whether it is going, or will when its last snapshot is made.
    pub fn is_being_deleted(&self) -> bool {
        match self.row {
            Row::Instance(instance) => instance.operation.as_ref().is_some_and(|operation| {
                matches!(
                    operation.work,
                    Work::Delete
                        | Work::Backup {
                            then: AfterBackup::Delete,
                            ..
                        }
                )
            }),
            Row::Cluster(cluster) => cluster.operation.as_ref().is_some_and(|operation| {
                matches!(
                    operation.work,
                    ClusterWork::Delete
                        | ClusterWork::Backup {
                            then: AfterBackup::Delete,
                            ..
                        }
                )
            }),
        }
    }

    /// The cluster that it is a member of, by resource id.
    pub fn cluster(&self) -> Option<&'a str> {
        match self.row {
            Row::Instance(instance) => Some(&instance.member_of.as_ref()?.cluster),
            Row::Cluster(_) => None,
        }
    }

    /// Of a read replica: its source, by resource id.
    pub fn source(&self) -> Option<&'a str> {
        match self.row {
            Row::Instance(instance) => instance.replica_of.as_deref(),
            Row::Cluster(_) => None,
        }
    }

    /// Whether clients who come to its identifier are answered by it; of a cluster, by its writer.
    pub fn answers(&self) -> bool {
        match self.row {
            Row::Instance(instance) => serving::answers(self.state, instance),
            Row::Cluster(cluster) => {
                let (writers, _) = serving::answering(self.state, cluster);
                cluster.naming == Naming::Named && !writers.is_empty()
            }
        }
    }
}

/// A snapshot of either kind.
#[derive(Clone, Copy)]
pub struct SnapshotView<'a>(&'a Snapshot);

impl<'a> SnapshotView<'a> {
    /// Its identifier.
    pub fn identifier(&self) -> &'a str {
        &self.0.identifier
    }

    /// Its ARN, which no other snapshot has.
    pub fn arn(&self) -> String {
        self.0.arn()
    }

    /// Whether it can be restored.
    pub fn is_available(&self) -> bool {
        self.0.status == SnapshotStatus::Available
    }

    /// What its database was called.
    pub fn source_identifier(&self) -> &'a str {
        &self.0.source_identifier
    }

    /// The resource id of its database.
    pub fn source_resource_id(&self) -> &'a str {
        &self.0.source_resource_id
    }

    /// When it was begun.
    pub fn begun_at(&self) -> Timestamp {
        self.0.begun_at
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&'a str> {
        self.0.tags.get(key)
    }
}

/// Those who watch.
#[derive(Default)]
pub(crate) struct Observers(RwLock<Vec<Arc<dyn Observer>>>);

impl Observers {
    pub(crate) fn add(&self, observer: Arc<dyn Observer>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(observer);
    }

    pub(crate) fn tell(&self, what: impl Fn(&dyn Observer)) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for observer in all.iter() {
            what(observer.as_ref());
        }
    }
}

pub(crate) fn is_look(action: &str) -> bool {
    action.starts_with("Describe") || action.starts_with("List")
}

/// What the names in a request stand for. The source of a restore isn't what it is about.
pub(crate) fn subjects(
    state: &State,
    scope: &Scope,
    action: &str,
    parameters: &BTreeMap<String, String>,
) -> Vec<Subject> {
    if is_look(action) || action.starts_with("Restore") || action.starts_with("Copy") {
        return Vec::new();
    }
    let instance = |name: &str| {
        let found = state.instance_named(scope, &referred(name))?;
        Some(Subject::Database(found.resource_id.clone()))
    };
    let cluster = |name: &str| {
        let found = state.cluster_named(scope, &referred(name))?;
        Some(Subject::Database(found.resource_id.clone()))
    };
    let snapshot = |kind: SnapshotKind, name: &str| {
        let found = state.snapshots.get(&kind.key(scope, &referred(name)))?;
        Some(Subject::Snapshot(found.arn()))
    };
    let endpoint = |name: &str| {
        let mut all = state.custom_endpoints.values();
        let found = all.find(|one| one.scope == *scope && one.identifier == referred(name))?;
        Some(Subject::Database(found.cluster.clone()))
    };
    let of = |(parameter, value): (&String, &String)| match parameter.as_str() {
        "DBInstanceIdentifier" => instance(value),
        "DBClusterIdentifier" => cluster(value),
        "DBSnapshotIdentifier" => snapshot(SnapshotKind::Instance, value),
        "DBClusterSnapshotIdentifier" => snapshot(SnapshotKind::Cluster, value),
        "DBClusterEndpointIdentifier" => endpoint(value),
        "ResourceName" | "ResourceArn" => match kind_in_arn(value)? {
            "db" => instance(value),
            "cluster" => cluster(value),
            "snapshot" => snapshot(SnapshotKind::Instance, value),
            "cluster-snapshot" => snapshot(SnapshotKind::Cluster, value),
            "cluster-endpoint" => endpoint(value),
            _ => None,
        },
        _ => None,
    };
    parameters.iter().filter_map(of).collect()
}
