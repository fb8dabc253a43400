//! What every task needs: the input that the definition gives it, the plan in it, the door to
//! RDS, and the moment of patience after an act.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use trapheus_rds::{Class, Database, Error as RdsError, Rds, ResourceId, Tags};

use super::acquaintances::Acquaintances;
use super::{Clock, Options, Promoted, Restored, Shared, unshare};
use crate::error::{ErrorName, TaskError};
use crate::executions::Executions;
use crate::plan::Plan;
use crate::saved::Blueprints;
use crate::secrets::Secrets;
use crate::sql::Sql;
use crate::targets::TargetPlan;
use crate::verifier::{Credentials, Verifier};

/// How long a task waits between two looks after an act: what is done at once costs no poll,
/// and a wait of minutes costs three looks more.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(40),
    Duration::from_millis(100),
    Duration::from_millis(150),
];

/// What the definition gives to Plan.
#[derive(Debug, Deserialize)]
pub(crate) struct PlanCall {
    pub(crate) execution: String,
    pub(crate) input: Value,
}

/// What the definition gives to the tasks after Plan.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    entered: Timestamp,
    plan: Plan,
    restored: Option<Restored>,
    promoted: Option<Promoted>,
    /// The snapshot that other accounts and Regions are given.
    shared: Option<Shared>,
    /// The one of them that this call is about.
    target: Option<TargetPlan>,
    /// The input document; only Prepare and Verify get it, because the scripts are in it, and
    /// RestoreThere, which passes it on.
    input: Option<Value>,
    /// Everything known so far; only RollBack and Unshare get it, because they can't know what
    /// there is.
    state: Option<State>,
}

impl Call {
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// What RollBack and Unshare read of everything known so far.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct State {
    pub(crate) restored: Option<Restored>,
    pub(crate) error: Option<Failure>,
    #[serde(default, rename = "restoredThere")]
    pub(super) iterations: Vec<unshare::Iteration>,
}

/// An error as the definition's Catch leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Failure {
    #[serde(rename = "Error")]
    pub(crate) error: String,
    #[serde(rename = "Cause", default)]
    pub(crate) cause: String,
}

/// What a task works with.
pub(crate) struct Context {
    call: Call,
    pub(crate) rds: Rds,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) sql: Arc<dyn Sql>,
    pub(crate) login: Option<Credentials>,
    pub(crate) blueprints: Arc<dyn Blueprints>,
    pub(crate) executions: Arc<dyn Executions>,
    pub(super) acquaintances: Acquaintances,
    clock: Clock,
    begun: Timestamp,
    /// What this run of the task has begun.
    begun_now: Mutex<BTreeSet<String>>,
}

impl Context {
    pub(super) fn new(
        call: Call,
        rds: Rds,
        options: &Options,
        known: &Acquaintances,
        begun: Timestamp,
    ) -> Self {
        let Options {
            clock,
            verifier,
            secrets,
            sql,
            login,
            blueprints,
            notifier: _,
            executions,
        } = options.clone();
        let acquaintances = known.clone();
        Self {
            call,
            rds,
            verifier,
            secrets,
            sql,
            login,
            blueprints,
            executions,
            acquaintances,
            clock,
            begun,
            begun_now: Mutex::default(),
        }
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.call.plan
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// When the definition entered the state; retries of it count from then.
    pub(crate) fn entered(&self) -> Timestamp {
        self.call.entered
    }

    /// Since when this process has been at work on the state. Limits count from then: in the time
    /// before, when an execution was stopped or its process dead, nobody waited for anything.
    pub(crate) fn at_work_since(&self) -> Timestamp {
        self.call.entered.max(self.begun)
    }

    /// Since when this process has been at work on the execution.
    pub(crate) fn at_work_on_it_since(&self) -> Timestamp {
        self.plan().planned_at.max(self.begun)
    }

    pub(crate) fn restored(&self) -> Result<&Restored, TaskError> {
        self.call
            .restored
            .as_ref()
            .ok_or_else(|| missing("restored"))
    }

    pub(crate) fn promoted(&self) -> Result<&Promoted, TaskError> {
        self.call
            .promoted
            .as_ref()
            .ok_or_else(|| missing("promoted"))
    }

    pub(crate) fn shared(&self) -> Result<&Shared, TaskError> {
        self.call.shared.as_ref().ok_or_else(|| missing("shared"))
    }

    pub(crate) fn target(&self) -> Result<&TargetPlan, TaskError> {
        self.call.target.as_ref().ok_or_else(|| missing("target"))
    }

    pub(crate) fn input(&self) -> Result<&Value, TaskError> {
        self.call.input.as_ref().ok_or_else(|| missing("input"))
    }

    pub(crate) fn state(&self) -> Option<&State> {
        self.call.state.as_ref()
    }

    /// Sees the original, wherever it is.
    pub(crate) async fn original(&self) -> Result<Option<Database>, TaskError> {
        match self.plan().original_id() {
            Some(id) => self.by_resource(id).await,
            None => Ok(None),
        }
    }

    /// Sees the restored database, wherever it is.
    pub(crate) async fn restored_database(&self) -> Result<Database, TaskError> {
        let asked = self.restored()?;
        let found = self.by_resource(&asked.resource_id).await?;
        existing(asked, found)
    }

    /// Sees a database of the target's kind by its identity.
    pub(crate) async fn by_resource(&self, id: &ResourceId) -> Result<Option<Database>, TaskError> {
        Ok(self.rds.database_by_resource(self.plan().kind, id).await?)
    }

    /// Adds tags to a database that has just been seen.
    pub(crate) async fn add_tags(&self, to: &Database, tags: &Tags) -> Result<(), TaskError> {
        found_again(to, self.rds.add_tags(&to.identified(), tags).await)
    }

    /// Takes tags off a database that has just been seen.
    pub(crate) async fn remove_tags(
        &self,
        from: &Database,
        keys: &[String],
    ) -> Result<(), TaskError> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        found_again(from, self.rds.remove_tags(&from.identified(), &keys).await)
    }

    /// Looks a few times until something is so; `None` when it takes longer than a moment.
    pub(crate) async fn soon<T, Look>(
        &self,
        mut look: impl FnMut() -> Look,
    ) -> Result<Option<T>, TaskError>
    where
        Look: Future<Output = Result<Option<T>, TaskError>>,
    {
        for pause in PAUSES {
            if let Some(found) = look().await? {
                return Ok(Some(found));
            }
            tokio::time::sleep(pause).await;
        }
        look().await
    }

    /// Whether this run of the task begins something for the first time. What was asked for a
    /// moment ago shows a moment later, and must not be asked for again in between.
    pub(crate) fn begins(&self, what: &str) -> bool {
        let mut begun = self
            .begun_now
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        begun.insert(what.to_owned())
    }

    /// Whether this run has begun it.
    pub(crate) fn has_begun(&self, what: &str) -> bool {
        let begun = self
            .begun_now
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        begun.contains(what)
    }

    /// Whether this run has begun anything.
    pub(crate) fn has_begun_something(&self) -> bool {
        self.count_of_begun() > 0
    }

    fn count_of_begun(&self) -> usize {
        let begun = self
            .begun_now
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        begun.len()
    }

    /// Makes passes until it is so. A pass looks, begins what is missing and says what is waited
    /// for. Another one follows a moment later where something was begun that may be done by
    /// then; what takes longer is left to the definition's own waiting.
    pub(crate) async fn make_so<T, Pass>(
        &self,
        mut pass: impl FnMut() -> Pass,
    ) -> Result<T, TaskError>
    where
        Pass: Future<Output = Result<T, TaskError>>,
    {
        let mut pauses = [].iter();
        loop {
            let begun = self.count_of_begun();
            let waiting = match pass().await {
                Err(error) if error.name == ErrorName::InProgress => error,
                made => return made,
            };
            if self.count_of_begun() > begun {
                pauses = PAUSES.iter();
                continue;
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(waiting),
            }
        }
    }
}

/// What is waited for in one of several, while the others go on.
#[derive(Debug, Default)]
pub(crate) struct Waits(Option<TaskError>);

impl Waits {
    /// Remembers what is in progress, and passes on what is not.
    pub(crate) fn note<T>(&mut self, made: Result<T, TaskError>) -> Result<Option<T>, TaskError> {
        match made {
            Ok(made) => Ok(Some(made)),
            Err(error) if error.name == ErrorName::InProgress => {
                self.0.get_or_insert(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Remembers what is waited for.
    pub(crate) fn on(&mut self, what: impl Into<String>) {
        self.0.get_or_insert_with(|| TaskError::in_progress(what));
    }

    /// Says what is waited for; nothing when all is so.
    pub(crate) fn end(self) -> Result<(), TaskError> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Passes the restored database on if there is one.
pub(crate) fn existing(asked: &Restored, found: Option<Database>) -> Result<Database, TaskError> {
    found.ok_or_else(|| {
        let (name, id) = (&asked.identifier, &asked.resource_id);
        let message = format!("{name} ({id}) does not exist any more");
        TaskError::new(ErrorName::NotFound, message)
    })
}

/// What was seen by its identity and is not found by its name a moment later is being renamed.
pub(crate) fn found_again<T>(seen: &Database, answer: Result<T, RdsError>) -> Result<T, TaskError> {
    answer.map_err(|error| match error.class {
        Class::NotFound => TaskError::in_progress(format!(
            "waiting until {} is found by its name",
            seen.identifier
        )),
        _ => error.into(),
    })
}

/// An error with its sources, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn missing(what: &str) -> TaskError {
    TaskError::new(
        ErrorName::Internal,
        format!("the definition gives the task no `{what}`"),
    )
}
