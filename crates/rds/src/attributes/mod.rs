//! Everything configurable about a DB instance: one row per attribute, with how it is read from
//! an answer, how a request sets it, for which engines, and what a change of it costs.
//!
//! The rows stand in [`table`]; they are compared with the service's own list of members in a
//! test, so that nothing is forgotten. Which value is sent when is the restore crate's business:
//! a row only says what is possible.

mod table;
mod value;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDbInstanceFromDbSnapshotInputBuilder;
use aws_sdk_rds::types::DbInstance;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::Error;

/// Values of attributes. Lists are sorted and never empty, because RDS neither orders them nor
/// tells an empty one from an absent one; tags and processor features are objects.
pub type Settings = BTreeMap<AttributeName, Value>;

type Capture = fn(&DbInstance) -> Option<Value>;
type RestoreSetter = fn(
    RestoreDbInstanceFromDbSnapshotInputBuilder,
    &Value,
) -> Option<RestoreDbInstanceFromDbSnapshotInputBuilder>;
/// Takes the value asked for and the value at present, because some members take the difference.
type ModifySetter = fn(
    ModifyDbInstanceInputBuilder,
    &Value,
    Option<&Value>,
) -> Option<ModifyDbInstanceInputBuilder>;

/// The name of an attribute of a DB instance, in RDS's spelling: one of the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AttributeName(&'static str);

/// A text that names no attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no attribute of a DB instance")]
pub struct UnknownAttribute(pub String);

/// One attribute of a DB instance.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its name.
    pub name: AttributeName,
    /// What can set it on a restored instance.
    pub class: AttributeClass,
    /// The engines that have it.
    pub engines: Engines,
    /// The engines whose restore request takes it; the others need a modify afterwards.
    pub restore_engines: Engines,
    /// What a change by modify costs.
    pub restart: Restart,
    /// When it must not be sent although it was captured.
    pub omit: Omit,
    capture: Option<Capture>,
    restore: Option<RestoreSetter>,
    modify: Option<ModifySetter>,
}

/// What can set an attribute on a restored instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeClass {
    /// The restore request.
    Restore,
    /// The restore request of some engines; a modify for the others, where it has the member.
    RestoreOfSomeEngines,
    /// A modify, after the restore.
    Modify,
    /// Another call, in RDS's words.
    OtherApi(&'static str),
    /// Nothing: it comes with the snapshot or is the instance's own.
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
    /// It can always be sent.
    Never,
    /// With storage that has no provisioned performance: all types but io1, io2 and gp3, and gp3
    /// below 400 GiB (Oracle 200 GiB; SQL Server has no such limit).
    UnlessProvisioned,
    /// With MultiAZ, which chooses the zones itself.
    WithMultiAz,
    /// Where it is `false` or `region`: everywhere but on Outposts.
    OutsideOutposts,
    /// Where MonitoringInterval is 0.
    WithoutMonitoring,
    /// Where PerformanceInsightsEnabled is not true.
    WithoutPerformanceInsights,
    /// Where DomainAuthSecretArn is absent: the directory is AWS's own.
    WithoutSelfManagedDirectory,
    /// Where ManageMasterUserPassword is not true.
    WithoutManagedPassword,
    /// Where the restored instance already has it: only an upgrade can be asked for.
    UnlessUpgrade,
    /// Always when copying one instance to another: it is bound to the original.
    BoundToOriginal,
}

/// A family of engines with the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `mysql` (and Aurora's).
    MySql,
    /// `mariadb`.
    MariaDb,
    /// `postgres` (and Aurora's).
    PostgreSql,
    /// `oracle-…`.
    Oracle,
    /// `sqlserver-…`.
    SqlServer,
    /// `db2-…`.
    Db2,
    /// `custom-…`: RDS Custom.
    Custom,
    /// An engine that this program does not know.
    Other,
}

/// A set of engine families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engines {
    /// Every engine.
    All,
    /// These families.
    Only(&'static [Family]),
    /// Every engine but these families.
    Except(&'static [Family]),
}

/// Returns all attributes of a DB instance.
pub fn attributes() -> &'static [Attribute] {
    table::TABLE
}

/// Returns the row of an attribute.
pub fn attribute(name: AttributeName) -> &'static Attribute {
    let row = attributes().iter().find(|row| row.name == name);
    row.expect("an AttributeName is made from a row of the table only")
}

/// Makes the name of a row that the program itself mentions.
pub(crate) fn name(name: &str) -> AttributeName {
    name.parse()
        .expect("the program mentions attributes of its own table only")
}

/// Reads all attributes that an answer shows.
pub(crate) fn capture(instance: &DbInstance) -> Settings {
    attributes()
        .iter()
        .filter_map(|row| Some((row.name, row.capture?(instance)?)))
        .collect()
}

/// Puts settings into a restore request.
pub(crate) fn set_at_restore(
    mut input: RestoreDbInstanceFromDbSnapshotInputBuilder,
    settings: &Settings,
) -> Result<RestoreDbInstanceFromDbSnapshotInputBuilder, Error> {
    const OPERATION: &str = "RestoreDBInstanceFromDBSnapshot";
    for (name, value) in settings {
        let setter = attribute(*name)
            .restore
            .ok_or_else(|| no_member(OPERATION, *name))?;
        input = setter(input, value).ok_or_else(|| wrong_value(OPERATION, *name, value))?;
    }
    Ok(input)
}

/// Puts settings into a modify request for an instance that has `current` ones.
pub(crate) fn set_by_modify(
    mut input: ModifyDbInstanceInputBuilder,
    settings: &Settings,
    current: &Settings,
) -> Result<ModifyDbInstanceInputBuilder, Error> {
    const OPERATION: &str = "ModifyDBInstance";
    for (name, value) in settings {
        let setter = attribute(*name)
            .modify
            .ok_or_else(|| no_member(OPERATION, *name))?;
        let changed = setter(input, value, current.get(name));
        input = changed.ok_or_else(|| wrong_value(OPERATION, *name, value))?;
    }
    Ok(input)
}

fn no_member(operation: &'static str, name: AttributeName) -> Error {
    Error::refused(operation, format!("the request has no member for {name}"))
}

fn wrong_value(operation: &'static str, name: AttributeName, value: &Value) -> Error {
    Error::refused(operation, format!("{name} cannot be {value}"))
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
        let row = attributes().iter().find(|row| row.name.0 == text);
        row.map(|row| row.name)
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
            engines: Engines::All,
            restore_engines: Engines::All,
            restart: Restart::Never,
            omit: Omit::Never,
            capture: None,
            restore: None,
            modify: None,
        }
    }

    const fn capture(mut self, capture: Capture) -> Self {
        self.capture = Some(capture);
        self
    }

    const fn restore(mut self, setter: RestoreSetter) -> Self {
        self.restore = Some(setter);
        self
    }

    const fn modify(mut self, setter: ModifySetter) -> Self {
        self.modify = Some(setter);
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

    const fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    const fn omit(mut self, omit: Omit) -> Self {
        self.omit = omit;
        self
    }

    /// Tells whether DescribeDBInstances shows it.
    pub fn is_shown(&self) -> bool {
        self.capture.is_some()
    }

    /// Tells whether instances of `engine` have it.
    pub fn applies_to(&self, engine: &str) -> bool {
        self.engines.contains(Family::of(engine))
    }

    /// Tells whether the restore request of `engine` takes it.
    pub fn is_set_at_restore(&self, engine: &str) -> bool {
        let family = Family::of(engine);
        self.restore.is_some()
            && self.engines.contains(family)
            && self.restore_engines.contains(family)
    }

    /// Tells whether a modify of an instance of `engine` takes it.
    pub fn is_set_by_modify(&self, engine: &str) -> bool {
        self.modify.is_some() && self.applies_to(engine)
    }
}

impl Family {
    /// Returns the family that `engine` belongs to.
    pub fn of(engine: &str) -> Self {
        match engine {
            "mysql" | "aurora" | "aurora-mysql" => Self::MySql,
            "mariadb" => Self::MariaDb,
            "postgres" | "aurora-postgresql" => Self::PostgreSql,
            _ if engine.starts_with("custom-") => Self::Custom,
            _ if engine.starts_with("oracle-") => Self::Oracle,
            _ if engine.starts_with("sqlserver-") => Self::SqlServer,
            _ if engine.starts_with("db2-") => Self::Db2,
            _ => Self::Other,
        }
    }
}

impl Engines {
    /// Tells whether the set contains `family`.
    pub fn contains(self, family: Family) -> bool {
        match self {
            Self::All => true,
            Self::Only(families) => families.contains(&family),
            Self::Except(families) => !families.contains(&family),
        }
    }
}
