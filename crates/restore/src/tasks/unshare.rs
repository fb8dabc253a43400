//! Unshare: nobody is given the snapshot any more, and no copy of it is left, whether the restores
//! went well or not. It waits for the targets' executions, which need both, and says how they ended.

use serde::{Deserialize, Serialize};
use trapheus_rds::{Rds, SnapshotRef, SnapshotStatus};

use super::context::Context;
use super::restore_there::{TargetResult, ended};
use super::share::{look_at_copy, sharing};
use crate::error::{ErrorName, TaskError};
use crate::record::Failure;
use crate::summary::SummaryError;
use crate::targets::{CopyPlan, TargetPlan};

/// What came of a restore in other accounts and Regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unshared {
    /// Whether the restored database serves in every account and Region.
    pub everywhere: bool,
    /// Where it does not, and why.
    pub cause: String,
    /// How it went, place by place.
    pub targets: Vec<TargetResult>,
    /// What should have gone and did not, with the reason.
    pub left_over: Vec<String>,
}

/// What the iteration for a target came to: its result, or the error that ended it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Iteration {
    Ended(Box<TargetResult>),
    Failed { error: Failure },
}

pub(super) async fn run(context: &Context, is_overdue: bool) -> Result<Unshared, TaskError> {
    let targets = results(context, is_overdue).await?;
    let mut cleaning = Cleaning {
        is_overdue,
        waiting: None,
        left_over: Vec::new(),
    };
    for target in &context.plan().targets {
        if let Some(copy) = &target.copy {
            let account = &target.account;
            let rds = context.rds.in_account(account, &context.plan().execution);
            let gone = match rds.await {
                Ok(rds) => delete(context, &rds, copy).await,
                Err(error) => Err(error.into()),
            };
            cleaning.note(gone, &format!("the copy {} in {account}", copy.id));
        }
    }
    cleaning.note(unshare(context).await, "the sharing of the snapshot");
    if let Some(copy) = &sharing(context.plan())?.copy {
        let gone = delete(context, &context.rds, copy).await;
        cleaning.note(gone, &format!("the copy {}", copy.id));
    }
    if let Some(waiting) = cleaning.waiting {
        return Err(waiting);
    }
    let failed: Vec<String> = targets.iter().filter_map(why_not).collect();
    Ok(Unshared {
        everywhere: failed.is_empty() && !targets.is_empty(),
        cause: failed.join("; "),
        targets,
        left_over: cleaning.left_over,
    })
}

/// One that can't be cleaned up keeps nothing else from being cleaned up.
struct Cleaning {
    is_overdue: bool,
    waiting: Option<TaskError>,
    left_over: Vec<String>,
}

impl Cleaning {
    fn note(&mut self, done: Result<(), TaskError>, what: &str) {
        match done {
            Ok(()) => {}
            Err(error) if error.name.is_passing() && !self.is_overdue => {
                self.waiting.get_or_insert(error);
            }
            Err(error) => self
                .left_over
                .push(format!("{what}: {}", error.cause.text())),
        }
    }
}

fn why_not(result: &TargetResult) -> Option<String> {
    let why = result.error.as_ref().map(|error| error.message.as_str());
    let why = why.unwrap_or("it has not ended");
    (!result.is_restored()).then(|| format!("{}/{}: {why}", result.account, result.region))
}

/// How each target's restore ended; empty when the snapshot was never shared.
async fn results(context: &Context, is_overdue: bool) -> Result<Vec<TargetResult>, TaskError> {
    let plan = context.plan();
    let state = context.state();
    let iterations = state.map_or(&[] as &[_], |state| state.iterations.as_slice());
    let mut results = Vec::new();
    for (number, target) in plan.targets.iter().enumerate() {
        let iteration = iterations.get(number);
        if let Some(Iteration::Ended(result)) = iteration {
            results.push(result.as_ref().clone());
            continue;
        }
        let failure = match iteration {
            Some(Iteration::Failed { error }) => error.cause().text().to_owned(),
            _ => "it was not begun".to_owned(),
        };
        results.push(unfinished(context, target, failure, is_overdue).await?);
    }
    Ok(results)
}

/// A target that nobody waited for to the end: its execution may have been begun all the same.
async fn unfinished(
    context: &Context,
    target: &TargetPlan,
    failure: String,
    is_overdue: bool,
) -> Result<TargetResult, TaskError> {
    let name = context
        .executions
        .name(&context.plan().execution, &target.purpose());
    if !is_overdue && let Some(summary) = context.executions.look(&name).await? {
        return ended(context, &name, target, summary).await;
    }
    let error = SummaryError {
        name: ErrorName::TargetFailed.as_str().to_owned(),
        message: failure,
        remedy: Vec::new(),
    };
    Ok(TargetResult::failed(&target.account, error))
}

/// What this execution has shared is shared no more; what others have, stays.
async fn unshare(context: &Context) -> Result<(), TaskError> {
    let plan = context.plan();
    let sharing = sharing(plan)?;
    // A copy takes its sharing along.
    let (Some(asked), None) = (&plan.snapshot, &sharing.copy) else {
        return Ok(());
    };
    if sharing.with.is_empty() {
        return Ok(());
    }
    let Some(snapshot) = context.rds.snapshot(plan.kind, &asked.id).await? else {
        return Ok(());
    };
    if asked.arn.as_ref() != Some(&snapshot.arn) || asked.created_at != snapshot.created_at {
        return Ok(());
    }
    let still = |known: &[String]| {
        let with = sharing.with.iter();
        let still = with.filter(|account| known.iter().any(|known| known == account.as_str()));
        still.cloned().collect::<Vec<_>>()
    };
    let shared = still(&context.rds.shared_with(&snapshot).await?);
    if shared.is_empty() {
        return Ok(());
    }
    context.rds.unshare(&snapshot, &shared).await?;
    match still(&context.rds.shared_with(&snapshot).await?).is_empty() {
        true => Ok(()),
        false => Err(TaskError::in_progress(format!(
            "taking back {}",
            snapshot.id
        ))),
    }
}

/// A copy of this execution's is gone. One that is being made has to be complete first.
async fn delete(context: &Context, rds: &Rds, copy: &CopyPlan) -> Result<(), TaskError> {
    let Some(found) = look_at_copy(context, rds, copy).await? else {
        return Ok(());
    };
    let waiting = || TaskError::in_progress(format!("deleting the copy {}", copy.id));
    match &found.status {
        SnapshotStatus::Creating => return Err(waiting()),
        SnapshotStatus::Unusable(status) if status == "deleting" => return Err(waiting()),
        SnapshotStatus::Available | SnapshotStatus::Unusable(_) => {}
    }
    match rds.delete_snapshot(&found).await.map_err(TaskError::from) {
        Ok(()) => {}
        Err(error) if error.name == ErrorName::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let id = SnapshotRef::from(copy.id.clone());
    let gone = context.soon(|| async {
        let found = rds.snapshot(context.plan().kind, &id).await?;
        Ok(found.is_none().then_some(()))
    });
    gone.await?.ok_or_else(waiting)
}
