//! RestoreThere: the snapshot is restored in one other account or Region, by an execution of its
//! own that does there all that any restore does. What comes out is how that one ended.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trapheus_rds::{Account, AccountId, Arn, Endpoint, RegionId, ResourceId};

use super::context::Context;
use super::share::{make_copy, sharing};
use crate::error::{Calls, ErrorName, TaskError};
use crate::executions::ExecutionsError;
use crate::plan::Plan;
use crate::saved::{SavedBlueprint, SavedPart};
use crate::summary::{Summary, SummaryError, SummaryStatus};
use crate::targets::{TargetPlan, fitted};

/// The keys of the input that are about all targets together, or that each gets its own of.
const OF_ALL: [&str; 13] = [
    "AutomationAssumeRole",
    "account",
    "createIfMissing",
    "isCluster",
    "keepSnapshots",
    "shareKmsKeyId",
    "snapshotIdentifier",
    "sourceIdentifier",
    "targetAccountIds",
    "targetRegions",
    "targets",
    "task",
    "vpcId",
];

/// How it went in one account and Region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetResult {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: RegionId,
    /// The execution that did it; none where none was begun.
    pub execution_id: Option<String>,
    /// How that stands.
    pub status: SummaryStatus,
    /// Where clients reach the restored database.
    pub endpoint: Option<Endpoint>,
    /// The restored database.
    pub restored_resource_id: Option<ResourceId>,
    /// What it left over.
    #[serde(default)]
    pub left_over: Vec<String>,
    /// What went wrong.
    pub error: Option<SummaryError>,
    /// The calls that it made.
    #[serde(default)]
    pub api_calls: Calls,
}

impl TargetResult {
    /// Nothing has come of it.
    pub(super) fn failed(target: &Account, error: SummaryError) -> Self {
        Self {
            account: target.id.clone(),
            region: target.region.clone(),
            execution_id: None,
            status: SummaryStatus::Failed,
            endpoint: None,
            restored_resource_id: None,
            left_over: Vec::new(),
            error: Some(error),
            api_calls: Calls::default(),
        }
    }

    /// Whether the restored database serves there.
    pub fn is_restored(&self) -> bool {
        matches!(
            self.status,
            SummaryStatus::Succeeded | SummaryStatus::KeepingOriginal
        )
    }
}

pub(super) async fn run(context: &Context) -> Result<TargetResult, TaskError> {
    let (plan, target) = (context.plan(), context.target()?);
    let name = context.executions.name(&plan.execution, &target.purpose());
    if let Some(summary) = look(context, &name).await? {
        return ended(context, &name, target, summary).await;
    }
    let snapshot = reachable(context, target).await?;
    let input = input(context.input()?, plan, target, &snapshot)?;
    context.rds.ask_leave("StartExecution").await?;
    context.executions.begin(&name, &input).await?;
    Err(in_progress(target, "begun"))
}

async fn look(context: &Context, name: &str) -> Result<Option<Summary>, TaskError> {
    Ok(context.executions.look(name).await?)
}

/// How a target's execution ended. One that nobody is at work on is gone on with.
pub(super) async fn ended(
    context: &Context,
    name: &str,
    target: &TargetPlan,
    summary: Summary,
) -> Result<TargetResult, TaskError> {
    match summary.status {
        SummaryStatus::Running => return Err(in_progress(target, name)),
        SummaryStatus::Stopped => {
            context.rds.ask_leave("StartExecution").await?;
            context.executions.begin(name, &Value::Null).await?;
            return Err(in_progress(target, name));
        }
        SummaryStatus::Succeeded
        | SummaryStatus::KeepingOriginal
        | SummaryStatus::Failed
        | SummaryStatus::RollbackFailed => {}
    }
    Ok(TargetResult {
        account: target.account.id.clone(),
        region: target.account.region.clone(),
        execution_id: Some(name.to_owned()),
        status: summary.status,
        endpoint: summary.endpoint,
        restored_resource_id: summary.restored_resource_id,
        left_over: summary.left_over,
        error: summary.error,
        api_calls: summary.api_calls,
    })
}

fn in_progress(target: &TargetPlan, what: &str) -> TaskError {
    TaskError::in_progress(format!("restoring in {}: {what}", target.account))
}

/// The snapshot that can be restored there: the shared one, or a copy of it.
async fn reachable(context: &Context, target: &TargetPlan) -> Result<String, TaskError> {
    let shared = &context.shared()?.arn;
    let Some(copy) = &target.copy else {
        return Ok(shared.to_string());
    };
    let rds = context
        .rds
        .in_account(&target.account, &context.plan().execution)
        .await?;
    let copied = make_copy(context, &rds, copy, shared).await?;
    Ok(copied.id.to_string())
}

/// What the target's own execution is asked: an ordinary restore, in that account.
fn input(
    asked: &Value,
    plan: &Plan,
    target: &TargetPlan,
    snapshot: &str,
) -> Result<Value, TaskError> {
    let home = plan.snapshot.as_ref();
    let home = home.and_then(|snapshot| Some((snapshot, snapshot.arn.as_ref()?)));
    let missing = || TaskError::new(ErrorName::Internal, "the plan names no snapshot");
    let (source, arn) = home.ok_or_else(missing)?;
    let mut input = asked.clone();
    if let Some(keys) = input.as_object_mut() {
        keys.retain(|key, _| !OF_ALL.contains(&key.as_str()));
    }
    input["task"] = json!("db_restore");
    input["isCluster"] = json!(plan.kind == trapheus_rds::Kind::Cluster);
    input["sourceIdentifier"] = json!(source.source);
    input["snapshotIdentifier"] = json!(snapshot);
    input["account"] = json!(target.account);
    input["createIfMissing"] = json!({ "blueprint": blueprint(plan, target, arn)? });
    Ok(input)
}

/// The configuration of the source, as it is for this place.
fn blueprint(plan: &Plan, target: &TargetPlan, home: &Arn) -> Result<SavedBlueprint, TaskError> {
    let parts = plan.parts.iter().map(|part| SavedPart {
        role: part.role,
        identifier: part.names.target.clone(),
        blueprint: fitted(&part.blueprint, home, target).0,
    });
    let head = fitted(&plan.blueprint, home, target).0;
    let of = sharing(plan)?.blueprint_of.clone();
    Ok(SavedBlueprint::planned(plan, of, head, parts.collect()))
}

impl From<ExecutionsError> for TaskError {
    fn from(error: ExecutionsError) -> Self {
        let name = match error {
            ExecutionsError::Passing(_) => ErrorName::Unavailable,
            ExecutionsError::Final(_) => ErrorName::Invalid,
        };
        Self::new(name, error.to_string())
    }
}
