//! Everything configurable about a database: one row per attribute, with how it is read from an
//! answer, which requests set it, for which engines, and what a change of it costs.
//!
//! The rows stand in three tables, for DB [instances](instance), DB [clusters](cluster) and the
//! [members](member) of Aurora clusters. They are compared with the service's own list of members
//! in a test, so that nothing is forgotten. Which value is sent when is the restore crate's business:
//! a row only says what is possible.

mod cluster;
mod engines;
mod instance;
mod member;
mod setters;
mod value;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use aws_sdk_rds::types::{DbCluster, DbInstance};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use engines::Engines;
use setters::Setters;

pub use engines::Family;
pub(crate) use engines::is_aurora;
pub(crate) use setters::fill;

/// Values of attributes. Lists are sorted and never empty, because RDS neither orders them nor
/// tells an empty one from an absent one; tags and processor features are objects.
pub type Settings = BTreeMap<AttributeName, Value>;

/// What a table of attributes is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A DB instance that is no member of a cluster.
    Instance,
    /// A DB cluster.
    Cluster,
    /// A member of an Aurora cluster: a DB instance that has most of its configuration from the
    /// cluster.
    Member,
}

/// A request that can set attributes. Which operation it is depends on the [`Subject`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A restore from a snapshot.
    Restore,
    /// A restore to a point in time.
    RestoreToPointInTime,
    /// The making of a cluster's member.
    CreateMember,
    /// The making of a read replica.
    CreateReplica,
    /// A modify of what is there.
    Modify,
}

/// The name of an attribute, in RDS's spelling: one of the tables'. An attribute that several
/// tables have is one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AttributeName(&'static str);

/// A text that names no attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no attribute of a database")]
pub struct UnknownAttribute(pub String);

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its name.
    pub name: AttributeName,
    /// What can set it on a restored database.
    pub class: AttributeClass,
    /// What a change by modify costs.
    pub restart: Restart,
    /// When it must not be sent although it was captured: for any of these reasons.
    pub omit: &'static [Omit],
    /// Who has it.
    engines: Engines,
    /// Whose requests that make a database take it; the others need a modify afterwards.
    restore_engines: Engines,
    /// Whose request for a read replica takes it, too.
    replica_engines: Engines,
    /// Whose modify takes it.
    modify_engines: Engines,
    capture: Capture,
    setters: Setters,
}

/// How an attribute is read from an answer.
#[derive(Debug, Clone, Copy)]
enum Capture {
    /// No answer shows it.
    Nowhere,
    /// From a DB instance.
    Instance(fn(&DbInstance) -> Option<Value>),
    /// From a DB cluster.
    Cluster(fn(&DbCluster) -> Option<Value>),
}

/// What can set an attribute on a restored database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeClass {
    /// The restore request.
    Restore,
    /// The request that makes a cluster's member.
    Create,
    /// The restore request of some engines; a modify for the others, where it has the member.
    RestoreOfSomeEngines,
    /// A modify, after the restore.
    Modify,
    /// Another call, in RDS's words.
    OtherApi(&'static str),
    /// Nothing: it comes with the snapshot or is the database's own.
    NotRestorable,
}

/// What a change of an attribute by modify costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Nothing that clients notice.
    Never,
    /// An outage while the change is made.
    Outage,
    /// A reboot at once, whatever the request says about when to apply.
    RebootsAtOnce,
    /// Nothing, but the new values act only after a reboot.
    AtNextReboot,
}

/// When an attribute must not be sent although it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omit {
    /// With storage that has no provisioned performance: all types but io1, io2 and gp3, and gp3
    /// below 400 GiB (Oracle 200 GiB; SQL Server has no such limit).
    UnlessProvisioned,
    /// With every storage type but gp3, which has a throughput of its own choice.
    UnlessGp3,
    /// With MultiAZ, which chooses the zones itself.
    WithMultiAz,
    /// Where it is `false` or `region`: everywhere but on Outposts.
    OutsideOutposts,
    /// Where MonitoringInterval is 0.
    WithoutMonitoring,
    /// Where PerformanceInsightsEnabled is not true.
    WithoutPerformanceInsights,
    /// For an Aurora cluster, unless DatabaseInsightsMode is `advanced`: its members have theirs.
    PerMember,
    /// For a member, if DatabaseInsightsMode is `advanced`: the cluster sets it for all members.
    PerCluster,
    /// Where InternetAccessGatewayEnabled is not true: the cluster is in a VPC, as usual.
    WithoutInternetGateway,
    /// Where DomainAuthSecretArn is absent: the directory is AWS's own.
    WithoutSelfManagedDirectory,
    /// Where ManageMasterUserPassword is not true.
    WithoutManagedPassword,
    /// Where the restored database already has it: only an upgrade can be asked for.
    UnlessUpgrade,
    /// Always when copying one database to another: it is bound to the original.
    BoundToOriginal,
    /// Always: RDS takes one value only, or has reserved the member.
    SetByRds,
}

static TABLES: [(Subject, &[Attribute]); 3] = [
    (Subject::Instance, instance::TABLE),
    (Subject::Cluster, cluster::TABLE),
    (Subject::Member, member::TABLE),
];

/// Returns all attributes of a subject.
pub fn attributes(subject: Subject) -> &'static [Attribute] {
    match subject {
        Subject::Instance => instance::TABLE,
        Subject::Cluster => cluster::TABLE,
        Subject::Member => member::TABLE,
    }
}

/// Returns the row of an attribute, if the subject has it.
pub fn attribute(subject: Subject, name: AttributeName) -> Option<&'static Attribute> {
    attributes(subject).iter().find(|row| row.name == name)
}

/// Makes the name of a row that the program itself mentions.
pub(crate) fn name(name: &str) -> AttributeName {
    name.parse()
        .expect("the program mentions attributes of its own tables only")
}

/// Reads all attributes that an answer shows of an instance, or of a cluster's member.
pub(crate) fn capture_instance(subject: Subject, instance: &DbInstance) -> Settings {
    capture(subject, |capture| match capture {
        Capture::Instance(read) => read(instance),
        Capture::Cluster(_) | Capture::Nowhere => None,
    })
}

/// Reads all attributes that an answer shows of a cluster.
pub(crate) fn capture_cluster(cluster: &DbCluster) -> Settings {
    capture(Subject::Cluster, |capture| match capture {
        Capture::Cluster(read) => read(cluster),
        Capture::Instance(_) | Capture::Nowhere => None,
    })
}

fn capture(subject: Subject, read: impl Fn(Capture) -> Option<Value>) -> Settings {
    attributes(subject)
        .iter()
        .filter_map(|row| Some((row.name, read(row.capture)?)))
        .collect()
}

impl AttributeName {
    /// Returns the name in RDS's spelling.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Borrow<str> for AttributeName {
    fn borrow(&self) -> &str {
        self.0
    }
}

impl FromStr for AttributeName {
    type Err = UnknownAttribute;

    fn from_str(text: &str) -> Result<Self, UnknownAttribute> {
        let mut rows = TABLES.iter().flat_map(|(_, rows)| *rows);
        rows.find(|row| row.name.0 == text)
            .map(|row| row.name)
            .ok_or_else(|| UnknownAttribute(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for AttributeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Attribute {
    const fn new(name: &'static str, class: AttributeClass) -> Self {
        Self {
            name: AttributeName(name),
            class,
            restart: Restart::Never,
            omit: &[],
            engines: Engines::All,
            restore_engines: Engines::All,
            replica_engines: Engines::All,
            modify_engines: Engines::All,
            capture: Capture::Nowhere,
            setters: Setters::NONE,
        }
    }

    const fn capture(mut self, read: fn(&DbInstance) -> Option<Value>) -> Self {
        self.capture = Capture::Instance(read);
        self
    }

    const fn capture_cluster(mut self, read: fn(&DbCluster) -> Option<Value>) -> Self {
        self.capture = Capture::Cluster(read);
        self
    }

    const fn set(mut self, setters: Setters) -> Self {
        self.setters = self.setters.and(setters);
        self
    }

    const fn engines(mut self, engines: Engines) -> Self {
        self.engines = engines;
        self
    }

    const fn restore_engines(mut self, engines: Engines) -> Self {
        self.restore_engines = engines;
        self
    }

    const fn replica_engines(mut self, engines: Engines) -> Self {
        self.replica_engines = engines;
        self
    }

    const fn modify_engines(mut self, engines: Engines) -> Self {
        self.modify_engines = engines;
        self
    }

    const fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    const fn omit(mut self, omit: &'static [Omit]) -> Self {
        self.omit = omit;
        self
    }

    /// Tells whether RDS shows it.
    pub fn is_shown(&self) -> bool {
        !matches!(self.capture, Capture::Nowhere)
    }

    /// Tells whether databases of `engine` have it.
    pub fn applies_to(&self, engine: &str) -> bool {
        self.engines.contains(engine)
    }

    /// Tells whether a request for a database of `engine` takes it.
    pub fn is_set_by(&self, way: Way, engine: &str) -> bool {
        let setters = &self.setters;
        let (has_member, engines) = match way {
            Way::Restore => (
                setters.restore.is_some() || setters.cluster_restore.is_some(),
                self.restore_engines,
            ),
            Way::RestoreToPointInTime => (
                setters.point_in_time.is_some() || setters.cluster_point_in_time.is_some(),
                self.restore_engines,
            ),
            Way::CreateMember => (setters.member.is_some(), self.restore_engines),
            Way::CreateReplica => (
                setters.replica.is_some() && self.replica_engines.contains(engine),
                self.restore_engines,
            ),
            Way::Modify => (
                setters.modify.is_some() || setters.cluster_modify.is_some(),
                self.modify_engines,
            ),
        };
        has_member && engines.contains(engine) && self.applies_to(engine)
    }
}
