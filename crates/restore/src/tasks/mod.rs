//! The tasks of the definition, one per file, and the door to them.
//!
//! A task is "make it so", not "do it": it looks at the world and returns (it is so), or starts
//! what is missing and raises [`ErrorName::InProgress`], or raises a classified error. Nothing is
//! remembered between two runs of a task; what must survive a crash is in RDS itself, as names
//! and tags.

mod acquaintances;
pub(crate) mod attachments;
mod configure;
mod context;
mod endpoints;
mod members;
mod move_aside;
mod overdue;
mod password;
mod plan;
mod prepare;
mod promote;
mod proxies;
mod remove;
mod rename;
mod report;
mod restore;
mod restore_there;
mod retire;
mod roll_back;
mod share;
mod sides;
mod snapshot;
mod sql;
mod unshare;
mod verify;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;
use trapheus_rds::{Account, Calls as Counter, DbIdentifier, Permit, Rds};

pub use configure::Configured;
pub use move_aside::MovedAside;
pub(crate) use plan::target::Target;
pub use prepare::Prepared;
pub use promote::Promoted;
pub(crate) use report::Outcome;
pub use report::{Report, Reported};
pub use restore::Restored;
pub use restore_there::TargetResult;
pub use retire::Retired;
pub use roll_back::{KeptDatabase, RolledBack};
pub use share::Shared;
pub(crate) use sides::Piece;
pub use snapshot::Snapshotted;
pub use unshare::Unshared;
pub use verify::Verified;

use crate::alert::Notifier;
use crate::error::{Calls, ErrorName, TaskError};
use crate::executions::Executions;
use crate::input::{Request, Strategy};
use crate::limits::{Deadline, Limits};
use crate::plan::Plan;
use crate::saved::{Blueprints, SavedBlueprint};
use crate::secrets::Secrets;
use crate::sql::Sql;
use crate::verifier::{Credentials, Verifier};
use acquaintances::Acquaintances;
use context::{Call, Context};
use overdue::Overdue;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the tasks work with besides RDS.
#[derive(Clone)]
pub struct Options {
    /// Tells the time: real, or a simulation's.
    pub clock: Clock,
    /// Asks database servers whether they answer.
    pub verifier: Arc<dyn Verifier>,
    /// Reads the secret that the input names for the master password.
    pub secrets: Arc<dyn Secrets>,
    /// Runs the user's SQL in database servers.
    pub sql: Arc<dyn Sql>,
    /// What the SQL logs in with where the input names nothing else.
    pub login: Option<Credentials>,
    /// Keeps the blueprints of snapshots.
    pub blueprints: Arc<dyn Blueprints>,
    /// Tells people.
    pub notifier: Arc<dyn Notifier>,
    /// Starts executions for other accounts and Regions.
    pub executions: Arc<dyn Executions>,
}

/// The tasks of the definition.
#[derive(Clone)]
pub struct Tasks {
    rds: Rds,
    options: Options,
    acquaintances: Acquaintances,
    overdue: Overdue,
    /// When this process took up its work.
    begun: Timestamp,
    /// How long one run of a task may take; none where it may take as long as the plan allows.
    patience: Option<Duration>,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tasks").finish_non_exhaustive()
    }
}

/// Why there is no plan to be followed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// What is wrong.
    pub error: TaskError,
    /// The plan with the verdict of every check, where it could be made.
    pub plan: Option<Box<Plan>>,
}

impl Tasks {
    /// Tasks that act through this door.
    pub fn new(rds: Rds, options: Options) -> Self {
        let begun = (options.clock)();
        Self {
            rds,
            options,
            acquaintances: Acquaintances::default(),
            overdue: Overdue::default(),
            begun,
            patience: None,
        }
    }

    /// The same tasks, in a process that is there for this call only and for no longer than this.
    /// Limits count from when a state was entered: between two calls there is no process to wait.
    #[must_use]
    pub fn within(&self, patience: Duration) -> Self {
        Self {
            begun: Timestamp::MIN,
            patience: Some(patience),
            ..self.clone()
        }
    }

    /// The same tasks, which ask for leave before each change: for one call of an engine, whose
    /// execution may meanwhile be somebody else's.
    #[must_use]
    pub fn permitted_by(&self, permit: Permit) -> Self {
        Self {
            rds: self.rds.permitted_by(permit),
            ..self.clone()
        }
    }

    /// The same tasks, which start executions in this way: for one call of an engine that starts
    /// them itself.
    #[must_use]
    pub fn starting(&self, executions: Arc<dyn Executions>) -> Self {
        let mut tasks = self.clone();
        tasks.options.executions = executions;
        tasks
    }

    /// Makes the plan of an execution. Nothing is changed by it.
    ///
    /// # Errors
    /// A check failed, or what has to be known for a plan can't be found out.
    pub async fn plan(&self, execution: &str, request: Request) -> Result<Plan, Refusal> {
        let (rds, counter) = self.rds.counting();
        let undone = request.rollback_of.as_ref();
        let account = request
            .account
            .as_ref()
            .or(undone.and_then(|of| of.plan.account.as_ref()));
        let rds = match at_home_or_there(rds, account, execution).await {
            Ok(rds) => rds,
            Err(error) => return Err(Refusal { error, plan: None }),
        };
        let planner = plan::Planner::new(rds, &self.options, execution, request);
        let mut made = planner.plan().await;
        let calls = counts(&counter);
        match &mut made {
            Ok(plan) => plan.calls = calls,
            Err(refusal) => refusal.error.cause.calls = calls,
        }
        made
    }

    /// Captures the blueprint of a living database: enough to make it again.
    ///
    /// # Errors
    /// There is none of this name, or it can't be looked at.
    pub async fn capture(&self, id: &DbIdentifier) -> Result<SavedBlueprint, TaskError> {
        let living = match self.rds.instance(id).await? {
            Some(instance) => Some(instance),
            None => self.rds.cluster(id).await?,
        };
        let living = living.ok_or_else(|| {
            TaskError::new(ErrorName::NotFound, format!("there is no database {id}"))
        })?;
        let now = (self.options.clock)();
        let captured = plan::target::capture(&self.rds, &living, now).await?;
        Ok(SavedBlueprint::of(captured, &living, now))
    }

    /// Runs one task of the definition, named as the definition's `Resource` names it.
    ///
    /// # Errors
    /// It is not so yet, or can't be made so; see [`ErrorName`].
    pub async fn run(&self, resource: &str, input: Value) -> Result<Value, TaskError> {
        // Behind a pointer, or the compiler tires of the depth of what runs in there.
        let run = Box::pin(self.run_to_the_end(resource, input));
        match self.patience {
            None => run.await,
            Some(patience) => timeout(patience, run)
                .await
                .unwrap_or_else(|_| Err(cut_off(resource, patience))),
        }
    }

    async fn run_to_the_end(&self, resource: &str, input: Value) -> Result<Value, TaskError> {
        if resource == "${Plan}" {
            return self.run_plan(input).await;
        }
        let (rds, counter) = self.rds.counting();
        let made = self.make_it_so(resource, input, rds).await;
        let calls = counts(&counter);
        match made {
            Ok(mut result) => {
                result["calls"] = json!(calls);
                Ok(result)
            }
            Err(mut error) => {
                error.cause.calls = calls;
                Err(error)
            }
        }
    }

    async fn run_plan(&self, input: Value) -> Result<Value, TaskError> {
        let call: context::PlanCall = read(input)?;
        let request = Request::parse(&call.input)
            .map_err(|error| TaskError::new(ErrorName::Refused, context::chain(&error)))?;
        let plan = self
            .plan(&call.execution, request)
            .await
            .map_err(|refusal| refusal.error)?;
        Ok(json!(plan))
    }

    async fn make_it_so(&self, resource: &str, input: Value, rds: Rds) -> Result<Value, TaskError> {
        if resource == "${Report}" {
            return result(report::run(read(input)?, &self.options).await);
        }
        let call = read::<Call>(input)?;
        let account = call.plan().account.as_ref();
        let rds = at_home_or_there(rds, account, &call.plan().execution).await?;
        let context = Context::new(call, rds, &self.options, &self.acquaintances, self.begun);
        let limits: Limits = context.plan().limits;
        let whole = Deadline {
            entered: context.at_work_on_it_since(),
            now: context.now(),
            limit_seconds: limits.execution_seconds,
        };
        if resource == "${MoveAside}" && context.plan().strategy == Strategy::Swap {
            let begun = Deadline {
                now: context.entered(),
                ..whole
            };
            if begun.is_over() {
                return Err(whole.over("the restored database is ready only"));
            }
        }
        let deadline = |limit_seconds| Deadline {
            entered: context.at_work_since(),
            now: context.now(),
            limit_seconds,
        };
        let (made, limit_seconds) = match resource {
            "${Snapshot}" => (
                result(snapshot::run(&context).await),
                limits.snapshot_seconds,
            ),
            "${MoveAside}" => (
                result(move_aside::run(&context).await),
                limits.rename_seconds,
            ),
            "${Restore}" => (result(restore::run(&context).await), limits.restore_seconds),
            "${Configure}" => (
                result(configure::run(&context).await),
                limits.configure_seconds,
            ),
            "${Prepare}" => (result(prepare::run(&context).await), limits.prepare_seconds),
            "${Verify}" => (result(verify::run(&context).await), limits.verify_seconds),
            "${Promote}" => (result(promote::run(&context).await), limits.rename_seconds),
            "${Retire}" => (result(retire::run(&context).await), limits.retire_seconds),
            "${Share}" => (result(share::run(&context).await), limits.restore_seconds),
            "${RestoreThere}" => (
                result(restore_there::run(&context).await),
                limits
                    .restore_seconds
                    .saturating_add(limits.execution_seconds),
            ),
            "${Unshare}" => {
                let is_overdue = deadline(limits.retire_seconds).is_over();
                (result(unshare::run(&context, is_overdue).await), u64::MAX)
            }
            "${RollBack}" => (
                result(roll_back::run(&context).await),
                limits.roll_back_seconds,
            ),
            unknown => {
                let message = format!("there is no task {unknown}");
                return Err(TaskError::new(ErrorName::Internal, message));
            }
        };
        let made = made.map_err(|error| deadline(limit_seconds).enforce(error));
        let made = match resource {
            "${MoveAside}" | "${Promote}" | "${Retire}" | "${RollBack}" => made,
            // Each of the targets' executions keeps to the limit by itself.
            "${Share}" | "${RestoreThere}" | "${Unshare}" => made,
            _before_it_is_ready => made.map_err(|error| whole.enforce(error)),
        };
        if let Err(error) = &made
            && error.name.is_passing()
            // Each of the targets' executions tells of itself.
            && !matches!(resource, "${Retire}" | "${Share}" | "${RestoreThere}" | "${Unshare}")
        {
            let telling = self.overdue.tell(&context, &self.options, error).await;
            match (telling, self.patience) {
                (None, _) => {}
                // The name may be without a database now: no channel holds that up.
                (Some(telling), None) => drop(tokio::spawn(telling)),
                // Where there is no process between two calls, nobody would be told.
                (Some(telling), Some(_)) => telling.await,
            }
        }
        made.map_err(|error| {
            if resource == "${RollBack}" {
                roll_back::explain(&context, error)
            } else {
                error
            }
        })
    }
}

/// The failure of a run that takes longer than its process may live. The user's SQL would take as
/// long again; anything else looks again, and finds what it has begun.
fn cut_off(resource: &str, patience: Duration) -> TaskError {
    let seconds = patience.as_secs();
    let name = match resource {
        "${Prepare}" => ErrorName::PreparationFailed,
        "${Verify}" => ErrorName::VerificationFailed,
        _ => {
            let message = format!("not done within {seconds} s, the most that its process may run");
            return TaskError::new(ErrorName::Unavailable, message);
        }
    };
    let message =
        format!("the SQL has not ended after {seconds} s, the most that a Lambda function may run");
    let remedy = "run this restore by the embedded engine, which has no such limit";
    TaskError::new(name, message).with_remedy([remedy.to_owned()])
}

/// The door to the account and the Region that an execution works in.
async fn at_home_or_there(
    rds: Rds,
    account: Option<&Account>,
    execution: &str,
) -> Result<Rds, TaskError> {
    match account {
        Some(account) => Ok(rds.in_account(account, execution).await?),
        None => Ok(rds),
    }
}

fn counts(counter: &Counter) -> Calls {
    counter.counts()
}

fn read<T: DeserializeOwned>(input: Value) -> Result<T, TaskError> {
    serde_json::from_value(input).map_err(|error| {
        TaskError::new(
            ErrorName::Internal,
            format!("the task's input can't be read: {error}"),
        )
    })
}

fn result<T: Serialize>(made: Result<T, TaskError>) -> Result<Value, TaskError> {
    made.map(|made| json!(made))
}
