//! The plan: every choice of an execution, made once. The tasks after `Plan` read it and never
//! choose again, so that running one of them twice, or on another machine, does the same.
//!
//! It serializes to what the Plan state returns and what the definition's Choices read. How it
//! is made is in [`crate::tasks`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trapheus_rds::{
    Account, Arn, DbIdentifier, Endpoint, Kind, ResourceId, SnapshotId, SnapshotRef, Tags,
};

use crate::alert::Notify;
use crate::blueprint::Blueprint;
use crate::checks::{Check, Verdict};
use crate::error::Calls;
use crate::forecast::Forecast;
use crate::input::{AutomatedBackups, KeptOriginal, MasterPassword, Strategy, Task};
use crate::limits::Limits;
use crate::names::Names;
use crate::targets::{SharingPlan, TargetPlan};

/// Every choice of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What is done.
    pub task: Task,
    /// The execution that this is the plan of.
    pub execution: String,
    /// The target.
    pub identifier: DbIdentifier,
    /// What the target is.
    pub kind: Kind,
    /// The target's engine, in RDS's words.
    pub engine: String,
    /// The target's version of the engine.
    pub engine_version: String,
    /// When the original leaves the name.
    pub strategy: Strategy,
    /// The snapshot that supplies the data; none for a point in time, and when a kept original is swapped back.
    pub snapshot: Option<SnapshotPlan>,
    /// The moment whose data is restored, in place of a snapshot's.
    #[serde(default)]
    pub point_in_time: Option<PointInTimePlan>,
    /// How long the original is kept after the swap, in seconds.
    pub keep_original_seconds: u64,
    /// Every name that is used for the target itself.
    pub names: Names,
    /// The database that answers at the name now; none where there is none.
    pub original: Option<Original>,
    /// Everything configurable about the target itself.
    pub blueprint: Blueprint,
    /// What belongs to the target, in the order of its making: members of a cluster, the writer
    /// first, and read replicas. It is renamed and deleted in the reverse order, the target last.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The cluster's custom endpoints.
    #[serde(default)]
    pub custom_endpoints: Vec<CustomEndpointPlan>,
    /// The RDS Proxies that lead to the target.
    #[serde(default)]
    pub proxies: Vec<String>,
    /// What the fidelity report is expected to say.
    #[serde(default, rename = "fidelityForecast")]
    pub forecast: Forecast,
    /// The master password that the restored database gets.
    #[serde(default)]
    pub master_password: MasterPassword,
    /// How the original goes.
    pub retirement: Retirement,
    /// An original that an earlier execution keeps, and what becomes of it.
    pub kept_original: Option<KeptOriginalPlan>,
    /// Attributes that may be lost.
    pub allow_lost: Vec<String>,
    /// How the restored database is verified.
    pub verification: Verification,
    /// Who is told besides those whom the settings name.
    #[serde(default, skip_serializing_if = "Notify::is_empty")]
    pub notify: Notify,
    /// After how many seconds the execution takes too long; none where nobody is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_running_after_seconds: Option<u64>,
    /// The user's SQL in the restored database, before it gets the name.
    #[serde(default)]
    pub sql: Option<SqlPlan>,
    /// The execution that is undone; only of the task `rollback`.
    pub rollback: Option<RollbackPlan>,
    /// The account and the Region of the target; none for the own ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// How the snapshot is made reachable from elsewhere; only of a restore in other accounts and
    /// Regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<SharingPlan>,
    /// The other accounts and Regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetPlan>,
    /// The pre-flight checks and what they found.
    pub checks: Vec<Check>,
    /// What will happen, in order.
    pub steps: Vec<Step>,
    /// How long the name is expected to be without a database.
    pub expected_outage: Outage,
    /// How long each state may take.
    pub limits: Limits,
    /// When the plan was made.
    pub planned_at: Timestamp,
    /// The calls that planning took.
    #[serde(default)]
    pub calls: Calls,
}

/// The snapshot that supplies the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotPlan {
    /// Its identifier; for one of another account its ARN.
    pub id: SnapshotRef,
    /// Its ARN, once it exists.
    pub arn: Option<Arn>,
    /// Whether this execution makes it.
    pub create: bool,
    /// The name of the database that it is of.
    pub source: DbIdentifier,
    /// The identity of the database that it is of, where it is known.
    pub source_resource_id: Option<ResourceId>,
    /// When it was made; none while it isn't.
    pub created_at: Option<Timestamp>,
    /// Its age when the plan was made, in seconds.
    pub age_seconds: Option<i64>,
    /// The storage that it needs, in GiB.
    pub allocated_storage_gib: Option<u64>,
    /// The engine's version in it.
    pub engine_version: Option<String>,
    /// How many snapshots of the source remain, this one included, when one is made.
    pub keep: u32,
}

/// The moment whose data is restored, and the backups that hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointInTimePlan {
    /// What the database is called, or was, whose backups they are.
    pub source: DbIdentifier,
    /// Its identity.
    pub source_resource_id: ResourceId,
    /// The moment; none is the latest that there is when the restore begins.
    pub at: Option<Timestamp>,
    /// The first moment that the backups held when the plan was made, where RDS says it.
    pub earliest: Option<Timestamp>,
    /// The last one.
    pub latest: Timestamp,
    /// Whether the database was deleted and its backups stayed.
    pub is_retained: bool,
    /// The engine of the data.
    pub engine: String,
    /// The engine's version.
    pub engine_version: String,
    /// The storage that it needs, in GiB.
    pub allocated_storage_gib: Option<u64>,
}

impl PointInTimePlan {
    /// The moment, for people.
    pub fn moment(&self) -> String {
        match self.at {
            Some(at) => at.to_string(),
            None => "the latest moment that its backups hold".to_owned(),
        }
    }
}

/// The database that answers at the target's name when the plan is made.
/// What a part is to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartRole {
    /// The member of a cluster that takes writes.
    Writer,
    /// Another member of a cluster.
    Reader,
    /// A read replica of an instance, in the same Region.
    Replica,
}

/// A database that belongs to the target, and comes and goes with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// What it is to the target.
    pub role: PartRole,
    /// Every name that is used for it.
    pub names: Names,
    /// The database that has its name now; none where there is none.
    pub original: Option<Original>,
    /// Everything configurable about it.
    pub blueprint: Blueprint,
}

/// A custom endpoint of a cluster. Its id is unique in the Region, so it can't be made again
/// before it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomEndpointPlan {
    /// Its id.
    pub identifier: DbIdentifier,
    /// Where clients connect.
    pub address: Option<String>,
    /// `READER` or `ANY`, in RDS's words.
    pub kind: String,
    /// The members that it leads to; none for all but the excluded ones.
    pub static_members: Vec<DbIdentifier>,
    /// The members that it never leads to.
    pub excluded_members: Vec<DbIdentifier>,
    /// The user's tags.
    pub tags: Tags,
}

/// A database that has the target's or a part's name when the plan is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Original {
    /// Its identity.
    pub resource_id: ResourceId,
    /// Where clients reach it.
    pub endpoint: Option<Endpoint>,
    /// Where clients of a cluster connect who only read.
    #[serde(default)]
    pub reader_address: Option<String>,
    /// Its size, in GiB.
    pub allocated_storage_gib: Option<u64>,
    /// Trapheus's own tags that it carries, from an earlier execution.
    pub marks: Tags,
}

/// How an original goes once the restored database serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retirement {
    /// The name of a last snapshot; none for none.
    pub final_snapshot: Option<SnapshotId>,
    /// What becomes of its automated backups.
    #[serde(default)]
    pub automated_backups: AutomatedBackups,
}

/// An original that an earlier execution keeps at the name that this one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptOriginalPlan {
    /// Its identity.
    pub resource_id: ResourceId,
    /// The execution that keeps it.
    pub execution: String,
    /// What becomes of it.
    pub becomes: KeptOriginal,
}

/// How sure Verify can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// The engine must answer on its port.
    Connection,
    /// The original can't be reached from here either, so RDS's word must do.
    StatusOnly,
}

/// The user's SQL. The scripts themselves stay in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SqlPlan {
    /// Where what it logs in with is found.
    pub login: LoginSource,
    /// The preparation.
    pub prepare: Option<PreparePlan>,
    /// The verification.
    pub verify: Option<ScriptsPlan>,
}

/// What is done to the restored database before anybody can reach it by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreparePlan {
    /// The scripts; none where only a look or the quarantine is asked for.
    #[serde(flatten)]
    pub scripts: ScriptsPlan,
    /// Whether everything is switched off that would act on the outside world.
    pub quarantine: bool,
    /// Patterns of columns' names that the scripts have to change.
    pub require_masked: Vec<String>,
}

/// Scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptsPlan {
    /// The database in the server that they run in; none for what the login names, or for the
    /// one that was made with the server.
    pub database: Option<String>,
    /// How many statements there are.
    pub statements: usize,
}

/// Where a user and a password are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoginSource {
    /// In this secret, which the input names for it.
    Secret(String),
    /// In the settings of the process: its environment, or a secret that they name.
    Settings,
    /// In this secret, which the input names for the master password.
    MasterPassword(String),
    /// In the secret that RDS keeps the restored database's master password in.
    Managed,
}

/// What a rollback undoes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollbackPlan {
    /// The execution that restored the target.
    pub execution: String,
    /// The database that it made; unknown when it was interrupted before it knew.
    pub restored_resource_id: Option<ResourceId>,
}

/// One step, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The state of the definition that does it.
    pub state: String,
    /// What it does.
    pub what: String,
}

/// How long the name is expected to be without a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outage {
    /// The least, in seconds.
    pub from_seconds: u64,
    /// The most, in seconds.
    pub to_seconds: u64,
    /// What makes it up.
    pub why: String,
}

impl Plan {
    /// The execution whose tags mark what is ours: for a rollback the one that is undone.
    pub fn owner(&self) -> &str {
        match &self.rollback {
            Some(rollback) => &rollback.execution,
            None => &self.execution,
        }
    }

    /// The identity of the original.
    pub(crate) fn original_id(&self) -> Option<&ResourceId> {
        Some(&self.original.as_ref()?.resource_id)
    }

    /// Whether a resource id is the original's or that of a part of it.
    pub(crate) fn is_of_the_original(&self, id: &ResourceId) -> bool {
        let parts = self.parts.iter().filter_map(|part| part.original.as_ref());
        let mut all = parts.chain(&self.original);
        all.any(|original| original.resource_id == *id)
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.verdict == Verdict::Fail)
    }

    /// The checks that people should know about.
    pub fn warnings(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.verdict == Verdict::Warn)
    }
}
