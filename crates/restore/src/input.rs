//! The input document of an execution, parsed once, at the edge.
//!
//! The Python tool's input is valid as it stands. Whatever isn't known is an error that names
//! the nearest known key: a misspelt `keepOriginal` must not delete an original.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trapheus_rds::{DbIdentifier, IdError, SnapshotId, SnapshotRef};

use crate::nearest::nearest;
use crate::plan::Plan;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Restore the target from a snapshot that exists.
    DbRestore,
    /// Make a snapshot, then restore the target from it.
    CreateSnapshot,
    /// Make a snapshot, and nothing else.
    CreateSnapshotOnly,
    /// Swap a kept original back.
    Rollback,
}

impl Task {
    /// All tasks, as the input spells them.
    pub const NAMES: [(&'static str, Task); 4] = [
        ("db_restore", Task::DbRestore),
        ("create_snapshot", Task::CreateSnapshot),
        ("create_snapshot_only", Task::CreateSnapshotOnly),
        ("rollback", Task::Rollback),
    ];

    /// Returns the name as the input spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Task::DbRestore => "db_restore",
            Task::CreateSnapshot => "create_snapshot",
            Task::CreateSnapshotOnly => "create_snapshot_only",
            Task::Rollback => "rollback",
        }
    }

    /// Whether it puts another database behind the target's name.
    pub(crate) fn moves_the_name(self) -> bool {
        matches!(self, Task::DbRestore | Task::CreateSnapshot)
    }
}

/// When the original leaves the target's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// After the restored database has been verified.
    #[default]
    Swap,
    /// Before the restore begins, so that nothing more is written to it.
    InPlace,
}

impl Strategy {
    /// Returns the name as the input spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Swap => "swap",
            Strategy::InPlace => "in_place",
        }
    }
}

/// Which snapshot supplies the data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SnapshotChoice {
    /// The newest usable one that has the fixed name or that Trapheus made.
    #[default]
    Default,
    /// The newest usable one of any kind, automated ones included.
    Latest,
    /// This one.
    Named(SnapshotRef),
}

/// Whether a last snapshot is made of an original before it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FinalSnapshot {
    /// None, as the Python tool does.
    #[default]
    Skip,
    /// One whose name is made up in the plan.
    Make,
    /// One of this name.
    Named(SnapshotId),
}

/// What becomes of the automated backups of an original that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutomatedBackups {
    /// They stay as long as their retention says: a way back to any point in time.
    #[default]
    Keep,
    /// They go with the original, at once and for good.
    Delete,
}

/// What becomes of an original that an earlier execution still keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptOriginal {
    /// It is deleted when its aside name is needed.
    Delete,
    /// It gets a name of its own and belongs to the user from then on.
    Release,
}

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
    /// When the original leaves the name.
    pub strategy: Strategy,
    /// How long the original is kept after the swap, in seconds.
    pub keep_original_seconds: u64,
    /// How many snapshots of the source remain, the new one included.
    pub keep_snapshots: u32,
    /// Whether a last snapshot is made of the original.
    pub final_snapshot: FinalSnapshot,
    /// What becomes of the original's automated backups.
    pub automated_backups: AutomatedBackups,
    /// What becomes of an original that an earlier execution keeps; refused when absent.
    pub kept_original: Option<KeptOriginal>,
    /// Attributes that may be lost.
    pub allow_lost: Vec<String>,
    /// What a rollback undoes.
    pub rollback_of: Option<RollbackOf>,
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
    "strategy",
    "keepOriginal",
    "keepSnapshots",
    "finalSnapshot",
    "automatedBackups",
    "keptOriginal",
    "allowLost",
    "rollbackOf",
];

/// Keys that are promised and not there yet: an honest refusal instead of "unknown".
const KEYS_NOT_YET: &[&str] = &[
    "restoreTime",
    "cutover",
    "prepare",
    "verify",
    "export",
    "createIfMissing",
    "targetAccountIds",
    "targetRegions",
    "notify",
];

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
            strategy: fields
                .read("strategy", "`swap` or `in_place`")?
                .unwrap_or_default(),
            keep_original_seconds: fields.duration_seconds("keepOriginal")?,
            keep_snapshots: fields.keep_snapshots()?,
            final_snapshot: fields.final_snapshot()?,
            automated_backups: fields
                .read("automatedBackups", "`keep` or `delete`")?
                .unwrap_or_default(),
            kept_original: fields.read("keptOriginal", "`delete` or `release`")?,
            allow_lost: fields
                .read("allowLost", "a list of attributes' names")?
                .unwrap_or_default(),
            rollback_of: fields.read("rollbackOf", "what the journal holds of an execution")?,
            identifier,
        };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), InputError> {
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
            (Task::DbRestore | Task::CreateSnapshot | Task::CreateSnapshotOnly, Some(_)) => Err(
                InputError::Contradiction("`rollbackOf` belongs to the task `rollback` only"),
            ),
            (Task::DbRestore | Task::CreateSnapshot | Task::CreateSnapshotOnly, None) => Ok(()),
        }
    }
}

/// The input object, read key by key.
struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn check_keys(&self) -> Result<(), InputError> {
        for key in self.0.keys().map(String::as_str) {
            if KEYS_NOT_YET.contains(&key) {
                return Err(InputError::NotYet(key.to_owned()));
            }
            if !KEYS.contains(&key) {
                let candidates = KEYS.iter().chain(KEYS_NOT_YET).copied();
                let nearest = nearest(key, candidates).expect("there are keys");
                return Err(InputError::UnknownKey {
                    key: key.to_owned(),
                    nearest,
                });
            }
        }
        Ok(())
    }

    /// The value of a key; `null` is the same as leaving it out.
    fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &'static str, expected: impl Into<String>) -> InputError {
        let found = self.value(key).map(Value::to_string).unwrap_or_default();
        InputError::Value {
            key,
            expected: expected.into(),
            found,
        }
    }

    fn read<T: serde::de::DeserializeOwned>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>, InputError> {
        let read = |value: &Value| T::deserialize(value).map_err(|_| self.wrong(key, expected));
        self.value(key).map(read).transpose()
    }

    fn text(&self, key: &'static str) -> Result<Option<&str>, InputError> {
        let read = |value| Value::as_str(value).ok_or_else(|| self.wrong(key, "a text"));
        self.value(key).map(read).transpose()
    }

    fn name<T: std::str::FromStr<Err = IdError>>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, InputError> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|source| InputError::Name { key, source })
        };
        self.text(key)?.map(parse).transpose()
    }

    fn boolean(&self, key: &'static str) -> Result<Option<bool>, InputError> {
        self.read(key, "true or false")
    }

    fn task(&self) -> Result<Task, InputError> {
        let text = self.text("task")?.ok_or(InputError::Missing("task"))?;
        if text == "restore_rds_in_target_accounts" {
            return Err(InputError::NotYet(text.to_owned()));
        }
        let known = Task::NAMES.iter().find(|(name, _)| *name == text);
        let names = Task::NAMES.map(|(name, _)| format!("`{name}`")).join(", ");
        known
            .map(|(_, task)| *task)
            .ok_or_else(|| self.wrong("task", format!("one of {names}")))
    }

    fn snapshot(&self) -> Result<SnapshotChoice, InputError> {
        match self.text("snapshotIdentifier")? {
            None => Ok(SnapshotChoice::Default),
            Some("latest") => Ok(SnapshotChoice::Latest),
            Some(_) => Ok(self
                .name("snapshotIdentifier")?
                .map_or(SnapshotChoice::Default, SnapshotChoice::Named)),
        }
    }

    fn keep_snapshots(&self) -> Result<u32, InputError> {
        match self.read("keepSnapshots", "a whole number from 1")? {
            Some(0) => Err(self.wrong("keepSnapshots", "a whole number from 1")),
            Some(count) => Ok(count),
            None => Ok(1),
        }
    }

    fn final_snapshot(&self) -> Result<FinalSnapshot, InputError> {
        match self.value("finalSnapshot") {
            None | Some(Value::Bool(false)) => Ok(FinalSnapshot::Skip),
            Some(Value::Bool(true)) => Ok(FinalSnapshot::Make),
            Some(Value::String(_)) => Ok(self
                .name("finalSnapshot")?
                .map_or(FinalSnapshot::Skip, FinalSnapshot::Named)),
            Some(_) => Err(self.wrong("finalSnapshot", "true, false or a name")),
        }
    }

    /// Seconds as a number, or a duration such as `24h`, `90m` or `7d`.
    fn duration_seconds(&self, key: &'static str) -> Result<u64, InputError> {
        let wrong = || self.wrong(key, "a number of seconds or a duration such as `24h`");
        match self.value(key) {
            None => Ok(0),
            Some(Value::Number(number)) => number.as_u64().ok_or_else(wrong),
            Some(Value::String(text)) => parse_duration(text).ok_or_else(wrong),
            Some(_) => Err(wrong()),
        }
    }
}

/// Reads a duration in whole seconds; days count 24 hours.
fn parse_duration(text: &str) -> Option<u64> {
    if let Some(days) = text
        .trim()
        .strip_suffix('d')
        .and_then(|days| days.trim().parse::<u64>().ok())
    {
        return days.checked_mul(86_400);
    }
    let duration: SignedDuration = text.parse().ok()?;
    u64::try_from(duration.as_secs()).ok()
}
