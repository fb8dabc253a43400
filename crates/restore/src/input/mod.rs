//! The input document of an execution, parsed once, at the edge.
//!
//! The Python tool's input is valid as it stands. Whatever isn't known is an error that names
//! the nearest known key: a misspelt `keepOriginal` must not delete an original.

mod choices;
mod fields;
mod sql;
mod targets;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_rds::{Account, DbIdentifier, IdError};

pub use choices::{
    AutomatedBackups, CreateIfMissing, CrossRegionReplicas, FinalSnapshot, KeptOriginal,
    MasterPassword, RestoreTime, SnapshotChoice, Strategy, Task,
};

pub use sql::{Preparation, Verifications};
pub use targets::{Place, Targets};

use crate::alert::Notify;
use crate::limits::Limits;
use crate::plan::Plan;
use fields::Fields;
pub(crate) use fields::duration_seconds;

/// The execution that a rollback undoes: what its journal holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollbackOf {
    /// The id of that execution.
    pub execution: String,
    /// Its plan, as its Plan state returned it.
    pub plan: Box<Plan>,
    /// The result of its Restore state, when it came so far.
    #[serde(default)]
    pub restored: Option<crate::tasks::Restored>,
}

/// A request: the input document, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is to be done.
    pub task: Task,
    /// The database whose name and configuration are kept.
    pub identifier: DbIdentifier,
    /// What the caller takes the target for; found out when absent.
    pub is_cluster: Option<bool>,
    /// The database whose snapshot supplies the data.
    pub source: DbIdentifier,
    /// Whether the input names the source.
    pub source_is_explicit: bool,
    /// Which snapshot supplies the data.
    pub snapshot: SnapshotChoice,
    /// The moment whose data is restored, in place of a snapshot's.
    pub restore_time: Option<RestoreTime>,
    /// When the original leaves the name.
    pub strategy: Strategy,
    /// How long the original is kept after the swap, in seconds.
    pub keep_original_seconds: u64,
    /// How long everything may take until the restored database is ready for the name, in seconds;
    /// by the size of the storage when absent.
    pub time_limit_seconds: Option<u64>,
    /// How many snapshots of the source remain, the new one included.
    pub keep_snapshots: u32,
    /// Whether a last snapshot is made of the original.
    pub final_snapshot: FinalSnapshot,
    /// What becomes of the original's automated backups.
    pub automated_backups: AutomatedBackups,
    /// What becomes of an original that an earlier execution keeps; refused when absent.
    pub kept_original: Option<KeptOriginal>,
    /// The master password; when absent, managed where the original's is, else the snapshot's.
    pub master_password: Option<MasterPassword>,
    /// Whether a target that does not exist is made, and like what.
    pub create_if_missing: Option<CreateIfMissing>,
    /// What becomes of replicas in other Regions; refused when absent.
    pub cross_region_replicas: Option<CrossRegionReplicas>,
    /// Attributes that may be lost.
    pub allow_lost: Vec<String>,
    /// What is done to the restored database before it gets the name.
    pub prepare: Option<Preparation>,
    /// What must be true of it before it gets the name.
    pub verify: Option<Verifications>,
    /// The secret that the SQL of both logs in with.
    pub credentials: Option<String>,
    /// Who is told besides those whom the settings name.
    pub notify: Notify,
    /// What a rollback undoes.
    pub rollback_of: Option<RollbackOf>,
    /// The account and the Region of the target; the own ones when absent.
    pub account: Option<Account>,
    /// The accounts and Regions that the snapshot is restored in; only of that task.
    pub targets: Option<Targets>,
}

/// Why an input document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The document is something else than a JSON object.
    #[error("the input must be a JSON object")]
    NotAnObject,
    /// A key that nobody knows.
    #[error("unknown key `{key}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// The key as given.
        key: String,
        /// The known key that is most like it.
        nearest: &'static str,
    },
    /// A key that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A value of the wrong kind.
    #[error("`{key}` must be {expected}, not {found}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is allowed.
        expected: String,
        /// What is there, as JSON.
        found: String,
    },
    /// A text that is no name in RDS.
    #[error("`{key}` is no name that RDS takes")]
    Name {
        /// The key.
        key: &'static str,
        /// The rule that it breaks.
        #[source]
        source: IdError,
    },
    /// A part of the design that does not exist yet.
    #[error("`{0}` is not supported yet")]
    NotYet(String),
    /// A blueprint that can't be read.
    #[error("the blueprint in `createIfMissing` can't be read: {0}")]
    Blueprint(String),
    /// Two keys that contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
}

/// Every key, in the order of the documentation.
const KEYS: &[&str] = &[
    "identifier",
    "task",
    "isCluster",
    "sourceIdentifier",
    "snapshotIdentifier",
    "restoreTime",
    "strategy",
    "keepOriginal",
    "timeLimit",
    "keepSnapshots",
    "finalSnapshot",
    "automatedBackups",
    "keptOriginal",
    "masterPassword",
    "createIfMissing",
    "crossRegionReplicas",
    "allowLost",
    "prepare",
    "verify",
    "credentials",
    "notify",
    "rollbackOf",
    "account",
    "targetAccountIds",
    "targetRegions",
    "vpcId",
    "AutomationAssumeRole",
    "shareKmsKeyId",
    "targets",
];

/// Keys that are promised and not there yet: an honest refusal instead of "unknown".
const KEYS_NOT_YET: &[&str] = &["cutover", "export"];

impl Request {
    /// Reads an input document.
    ///
    /// # Errors
    /// The first thing in it that isn't understood.
    pub fn parse(input: &Value) -> Result<Request, InputError> {
        let fields = Fields(input.as_object().ok_or(InputError::NotAnObject)?);
        fields.check_keys()?;
        let identifier: DbIdentifier = fields
            .name("identifier")?
            .ok_or(InputError::Missing("identifier"))?;
        let source: Option<DbIdentifier> = fields.name("sourceIdentifier")?;
        let request = Request {
            task: fields.task()?,
            is_cluster: fields.boolean("isCluster")?,
            source_is_explicit: source.is_some(),
            source: source.unwrap_or_else(|| identifier.clone()),
            snapshot: fields.snapshot()?,
            restore_time: fields.restore_time()?,
            strategy: fields
                .read("strategy", "`swap` or `in_place`")?
                .unwrap_or_default(),
            keep_original_seconds: fields.duration_seconds("keepOriginal")?,
            time_limit_seconds: fields.time_limit()?,
            keep_snapshots: fields.keep_snapshots()?,
            final_snapshot: fields.final_snapshot()?,
            automated_backups: fields
                .read("automatedBackups", "`keep` or `delete`")?
                .unwrap_or_default(),
            kept_original: fields.read("keptOriginal", "`delete` or `release`")?,
            master_password: fields.master_password()?,
            create_if_missing: fields.create_if_missing()?,
            cross_region_replicas: fields.read("crossRegionReplicas", "`leave`")?,
            allow_lost: fields
                .read("allowLost", "a list of attributes' names")?
                .unwrap_or_default(),
            prepare: fields.prepare()?,
            verify: fields.verify()?,
            credentials: fields.credentials()?,
            notify: fields.notify()?,
            rollback_of: fields.read("rollbackOf", "what the journal holds of an execution")?,
            account: fields.account()?,
            targets: fields.targets()?,
            identifier,
        };
        request.check()?;
        Ok(request)
    }

    /// The limits for a database of this size, in GiB.
    pub(crate) fn limits(&self, gib: u64) -> Limits {
        let usual = Limits::for_storage(gib);
        Limits {
            execution_seconds: self.time_limit_seconds.unwrap_or(usual.execution_seconds),
            ..usual
        }
    }

    fn check(&self) -> Result<(), InputError> {
        sql::check(
            self.prepare.as_ref(),
            self.verify.as_ref(),
            self.credentials.as_ref(),
        )?;
        let asks_for_sql = self.prepare.is_some() || self.verify.is_some();
        if asks_for_sql && !(self.task.moves_the_name() || self.task == Task::RestoreInTargets) {
            return Err(InputError::Contradiction(
                "`prepare` and `verify` belong to tasks that restore: leave them out",
            ));
        }
        self.check_targets()?;
        let makes_snapshot = matches!(self.task, Task::CreateSnapshot | Task::CreateSnapshotOnly);
        let names_snapshot = matches!(
            self.snapshot,
            SnapshotChoice::Latest | SnapshotChoice::Named(_)
        );
        if makes_snapshot && names_snapshot {
            return Err(InputError::Contradiction(
                "a task that makes a snapshot can't be given one: leave `snapshotIdentifier` out",
            ));
        }
        if self.restore_time.is_some() && (makes_snapshot || names_snapshot) {
            return Err(InputError::Contradiction(
                "a point in time needs no snapshot: leave `snapshotIdentifier` out, and take the task `db_restore`",
            ));
        }
        if self.task == Task::CreateSnapshotOnly && self.source != self.identifier {
            return Err(InputError::Contradiction(
                "`create_snapshot_only` makes a snapshot of `identifier`: leave `sourceIdentifier` out",
            ));
        }
        match (self.task, &self.rollback_of) {
            (Task::Rollback, None) => Err(InputError::Missing("rollbackOf")),
            (Task::Rollback, Some(of)) if of.plan.identifier != self.identifier => Err(
                InputError::Contradiction("`rollbackOf` is an execution for another target"),
            ),
            (Task::Rollback, Some(of)) if !of.plan.task.moves_the_name() => Err(
                InputError::Contradiction("`rollbackOf` is an execution that replaces no database"),
            ),
            (Task::Rollback, Some(_)) => Ok(()),
            (_, Some(_)) => Err(InputError::Contradiction(
                "`rollbackOf` belongs to the task `rollback` only",
            )),
            (_, None) => Ok(()),
        }
    }

    fn check_targets(&self) -> Result<(), InputError> {
        match (self.task, &self.targets) {
            (Task::RestoreInTargets, None) => Err(InputError::Missing("targetAccountIds")),
            (Task::RestoreInTargets, Some(_)) if self.account.is_some() => {
                Err(InputError::Contradiction(
                    "`account` is for one account, and the task says several: leave it out",
                ))
            }
            (Task::RestoreInTargets, Some(_)) if self.restore_time.is_some() => {
                Err(InputError::Contradiction(
                    "other accounts and Regions get a snapshot, and no point in time: leave `restoreTime` out",
                ))
            }
            (Task::RestoreInTargets, Some(_)) => Ok(()),
            (_, Some(_)) => Err(InputError::Contradiction(
                "`targetAccountIds` and `targetRegions` belong to the task `restore_rds_in_target_accounts`",
            )),
            (_, None) => Ok(()),
        }
    }
}
