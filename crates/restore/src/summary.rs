//! How an execution went, told from its history alone: nothing else is kept, and nothing else
//! is asked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_asl::{HistoryEvent, HistoryKind};
use trapheus_rds::{DbIdentifier, Endpoint, Kind, ResourceId, SnapshotRef};

use crate::alert::Delivery;
use crate::error::{Calls, Cause, ErrorName};
use crate::fidelity::Fidelity;
use crate::input::{RollbackOf, Strategy, Task};
use crate::plan::Plan;
use crate::record::{Failure, Record};
use crate::sql::Answer;
use crate::tasks::{Outcome, Reported, TargetResult};

/// The error by which an execution is ended that is to be undone: nobody goes on with it. One that
/// was ended by another error, or by none, was stopped by hand.
pub const ROLLED_BACK: &str = "Trapheus.RolledBack";

/// Whether a process is at work on an execution that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// One is.
    Running,
    /// None is; it can be resumed.
    Stopped,
}

/// How an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SummaryStatus {
    /// The restored database serves at the name with the configuration asked for.
    Succeeded,
    /// It failed, and the name is as it was before.
    Failed,
    /// The name could not be given back.
    RollbackFailed,
    /// Nobody is at work on it; it can be resumed.
    Stopped,
    /// Somebody is at work on it.
    Running,
    /// The restored database serves, and the original is kept for a while.
    KeepingOriginal,
}

/// An execution in one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The execution.
    pub execution_id: String,
    /// How it stands.
    pub status: SummaryStatus,
    /// What it does.
    pub task: Option<Task>,
    /// The target.
    pub identifier: Option<DbIdentifier>,
    /// What the target is.
    pub kind: Option<Kind>,
    /// The target's engine.
    pub engine: Option<String>,
    /// The snapshot that supplies the data.
    pub snapshot_identifier: Option<SnapshotRef>,
    /// The moment whose data is restored, in place of a snapshot's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_time: Option<String>,
    /// When the original leaves the name.
    pub strategy: Option<Strategy>,
    /// The database that answered at the name before.
    pub original_resource_id: Option<ResourceId>,
    /// The database made from the snapshot.
    pub restored_resource_id: Option<ResourceId>,
    /// Where clients reach the target.
    pub endpoint: Option<Endpoint>,
    /// When the execution started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long the name was without a database, in seconds; none while it is.
    pub outage_seconds: Option<f64>,
    /// How the configurations compare.
    pub fidelity: Option<Fidelity>,
    /// The secret that RDS keeps the restored database's master password in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_user_secret_arn: Option<String>,
    /// What was switched off in the restored database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<String>,
    /// What the statements of the verification returned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<Answer>,
    /// The calls to RDS by operation, failed attempts included.
    pub api_calls: Calls,
    /// What exists that should not, or that somebody has to look after.
    pub left_over: Vec<String>,
    /// What to know although it went well.
    pub warnings: Vec<String>,
    /// What became of the alerts, channel by channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Delivery>,
    /// How it went in other accounts and Regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetResult>,
    /// What went wrong.
    pub error: Option<SummaryError>,
    /// Whether it stopped before it changed anything.
    #[serde(skip)]
    was_refused: bool,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryError {
    /// The error's name.
    pub name: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub remedy: Vec<String>,
}

impl Summary {
    /// The exit code that belongs to it.
    ///
    /// | code | meaning |
    /// |---|---|
    /// | 0 | succeeded, or the restored database serves and the original is kept as asked |
    /// | 1 | failed and rolled back |
    /// | 2 | refused before anything changed |
    /// | 3 | the roll-back failed; a person is needed |
    /// | 4 | stopped or not ended; resumable |
    /// | 5 | succeeded with something left over |
    pub fn exit_code(&self) -> u8 {
        match self.status {
            SummaryStatus::Succeeded if self.left_over.is_empty() => 0,
            SummaryStatus::Succeeded => 5,
            SummaryStatus::KeepingOriginal => 0,
            SummaryStatus::Failed if self.was_refused => 2,
            SummaryStatus::Failed => 1,
            SummaryStatus::RollbackFailed => 3,
            SummaryStatus::Stopped | SummaryStatus::Running => 4,
        }
    }
}

/// Tells how an execution went.
pub fn summary(execution_id: &str, standing: Standing, history: &[HistoryEvent]) -> Summary {
    compose(execution_id, standing, Story::read(history))
}

/// Tells how an execution went from what the definition gives to Report, for those who are told at
/// that moment: the calls are not counted, and what became of the alerts is not known yet. None
/// where it is not what Report is given.
pub fn summary_at_report(input: &Value, now: Timestamp) -> Option<Summary> {
    let execution: String = read(&input["execution"])?;
    let story = Story::at_report(read(&input["outcome"])?, &input["state"], now)?;
    Some(compose(&execution, Standing::Running, story))
}

fn compose(execution_id: &str, standing: Standing, story: Story) -> Summary {
    let record = &story.record;
    let plan = record.plan.as_deref();
    let input = |key: &str| story.input.as_ref()?.get(key).cloned();
    Summary {
        execution_id: execution_id.to_owned(),
        status: story.status(standing),
        task: plan
            .map(|plan| plan.task)
            .or_else(|| serde_json::from_value(input("task")?).ok()),
        identifier: plan
            .map(|plan| plan.identifier.clone())
            .or_else(|| serde_json::from_value(input("identifier")?).ok()),
        kind: plan.map(|plan| plan.kind),
        engine: plan.map(|plan| plan.engine.clone()),
        restore_time: plan.and_then(|plan| Some(plan.point_in_time.as_ref()?.moment())),
        snapshot_identifier: plan.and_then(|plan| Some(plan.snapshot.as_ref()?.id.clone())),
        strategy: plan.map(|plan| plan.strategy),
        original_resource_id: plan.and_then(|plan| plan.original_id().cloned()),
        restored_resource_id: story.restored_resource_id(),
        endpoint: story.endpoint(),
        started_at: story.started_at,
        finished_at: story.final_end().map(|end| end.at),
        outage_seconds: record.outage_seconds(),
        fidelity: record
            .configured
            .as_ref()
            .map(|configured| configured.fidelity.clone()),
        master_user_secret_arn: record
            .configured
            .as_ref()
            .and_then(|configured| configured.master_user_secret.clone()),
        quarantined: record
            .prepared
            .as_ref()
            .map(|prepared| prepared.quarantined.clone())
            .unwrap_or_default(),
        verified: record
            .verified
            .as_ref()
            .map(|verified| verified.answers.clone())
            .unwrap_or_default(),
        left_over: record.left_over(),
        warnings: record.warnings(),
        alerts: record.deliveries.clone(),
        targets: record
            .unshared
            .as_ref()
            .map(|unshared| unshared.targets.clone())
            .unwrap_or_default(),
        error: story.error(),
        was_refused: record.was_refused(),
        api_calls: story.calls,
    }
}

impl RollbackOf {
    /// Reads from the history of an execution what a rollback of it needs, however far it came;
    /// none when it was never to replace a database, or has no plan and so has changed nothing.
    pub fn from_history(execution_id: &str, history: &[HistoryEvent]) -> Option<RollbackOf> {
        let record = Story::read(history).record;
        let plan = record.plan.filter(|plan| plan.task.moves_the_name())?;
        Some(RollbackOf {
            execution: execution_id.to_owned(),
            plan,
            restored: record.restored,
        })
    }
}

/// How an execution ended.
#[derive(Debug)]
struct End {
    at: Timestamp,
    kind: HistoryKind,
    error: Option<String>,
    cause: Option<String>,
}

/// What a history says.
#[derive(Debug, Default)]
struct Story {
    input: Option<Value>,
    record: Record,
    calls: Calls,
    /// The last failure of each state that has not succeeded since.
    failures: BTreeMap<String, Failure>,
    state: Option<String>,
    /// Whether that is a Fail state.
    fails: bool,
    started_at: Option<Timestamp>,
    end: Option<End>,
}

impl Story {
    fn read(history: &[HistoryEvent]) -> Self {
        let mut story = Self::default();
        for event in history {
            story.tell(event);
        }
        story.place_failures();
        story
    }

    /// What is known when people are told.
    fn at_report(outcome: Outcome, state: &Value, now: Timestamp) -> Option<Self> {
        let record: Record = read(state)?;
        let plan = record.plan.as_deref();
        let keeps = plan.is_some_and(|plan| plan.keep_original_seconds > 0);
        let (kind, failure) = match outcome {
            Outcome::Succeeded | Outcome::LeftOver => (HistoryKind::ExecutionSucceeded, None),
            Outcome::Failed => (HistoryKind::ExecutionFailed, record.error.clone()),
            Outcome::RollbackFailed => {
                let error = ErrorName::RollbackFailed.as_str().to_owned();
                let cause = String::new();
                (HistoryKind::ExecutionFailed, Some(Failure { error, cause }))
            }
        };
        let end = End {
            at: now,
            kind,
            error: failure.as_ref().map(|failure| failure.error.clone()),
            cause: failure.map(|failure| failure.cause),
        };
        let is_kept = outcome == Outcome::Succeeded && record.promoted.is_some() && keeps;
        Some(Self {
            input: Some(state.clone()),
            started_at: plan.map(|plan| plan.planned_at),
            state: is_kept.then(|| "KeepOriginal".to_owned()),
            end: (!is_kept).then_some(end),
            fails: true,
            record,
            ..Self::default()
        })
    }

    fn tell(&mut self, event: &HistoryEvent) {
        let state = event.state.as_deref().unwrap_or_default();
        match event.kind {
            HistoryKind::ExecutionStarted => {
                self.started_at = Some(event.at);
                self.input = event.input.clone();
            }
            HistoryKind::TaskSucceeded => self.succeeded(state, event.output.as_ref()),
            HistoryKind::TaskFailed | HistoryKind::TaskTimedOut => {
                let error = event.error.clone().unwrap_or_default();
                let cause = event.cause.clone().unwrap_or_default();
                add(&mut self.calls, &Cause::parse(&cause).calls);
                self.failures
                    .insert(state.to_owned(), Failure { error, cause });
            }
            HistoryKind::ExecutionSucceeded
            | HistoryKind::ExecutionFailed
            | HistoryKind::ExecutionTimedOut
            | HistoryKind::ExecutionAborted => {
                let (error, cause) = (event.error.clone(), event.cause.clone());
                self.end = Some(End {
                    at: event.at,
                    kind: event.kind,
                    error,
                    cause,
                });
            }
            HistoryKind::ExecutionRedriven => self.end = None,
            kind if kind.is_state_entered() => {
                self.state = Some(state.to_owned());
                self.fails = kind == HistoryKind::FailStateEntered;
            }
            _ => {}
        }
    }

    fn succeeded(&mut self, state: &str, output: Option<&Value>) {
        self.failures.remove(state);
        let Some(output) = output else { return };
        add(&mut self.calls, &read(&output["calls"]).unwrap_or_default());
        let record = &mut self.record;
        match state {
            "Plan" => record.plan = read(output),
            "Snapshot" => record.snapshot = read(output),
            "MoveAsideFirst" | "MoveAside" => record.moved_aside = read(output),
            "Restore" => record.restored = read(output),
            "Configure" => record.configured = read(output),
            "Prepare" => record.prepared = read(output),
            "Verify" => record.verified = read(output),
            "Promote" => record.promoted = read(output),
            "RollBack" | "SwapBack" => record.rolled_back = read(output),
            "Retire" => record.retired = read(output),
            "Unshare" => record.unshared = read(output),
            "Report" | "ReportFailure" | "ReportLeftOver" | "ReportRollBackFailed" => {
                let told: Option<Reported> = read(output);
                record
                    .deliveries
                    .extend(told.into_iter().flat_map(|told| told.deliveries));
            }
            _ => {}
        }
    }

    /// Gives the failures that stayed to the part of the record that they belong to.
    fn place_failures(&mut self) {
        let is_final = |failure: &Failure| failure.error != ErrorName::InProgress.as_str();
        for (state, failure) in &self.failures {
            match state.as_str() {
                "SwapBack" if failure.error == ErrorName::Refused.as_str() => {
                    self.record.error = Some(failure.clone());
                }
                "RollBack" | "SwapBack" => self.record.roll_back_error = Some(failure.clone()),
                "Retire" if self.state.as_deref() != Some("Retire") => {
                    self.record.left_over = Some(failure.clone());
                }
                // A target's own failure is in its result.
                "RestoreThere"
                | "Retire"
                | "Report"
                | "ReportFailure"
                | "ReportLeftOver"
                | "ReportRollBackFailed" => {}
                _ if is_final(failure) => self.record.error = Some(failure.clone()),
                _ => {}
            }
        }
    }

    fn status(&self, standing: Standing) -> SummaryStatus {
        let Some(end) = self.final_end() else {
            return match (self.state.as_deref(), standing) {
                (Some("KeepOriginal"), _) => SummaryStatus::KeepingOriginal,
                (_, Standing::Running) => SummaryStatus::Running,
                (_, Standing::Stopped) => SummaryStatus::Stopped,
            };
        };
        let is_rollback = end.error.as_deref() == Some(ErrorName::RollbackFailed.as_str());
        match end.kind {
            HistoryKind::ExecutionSucceeded => SummaryStatus::Succeeded,
            _ if is_rollback => SummaryStatus::RollbackFailed,
            _ => SummaryStatus::Failed,
        }
    }

    /// The end, if it is one that the definition has, or that a roll-back gave it. What was cut
    /// short otherwise has neither served nor been rolled back: it is as good as stopped.
    fn final_end(&self) -> Option<&End> {
        self.end.as_ref().filter(|end| match end.kind {
            HistoryKind::ExecutionSucceeded => true,
            HistoryKind::ExecutionAborted => end.error.as_deref() == Some(ROLLED_BACK),
            _failed => self.fails,
        })
    }

    fn restored_resource_id(&self) -> Option<ResourceId> {
        let rollback = || {
            let plan = self.record.plan.as_ref()?;
            plan.rollback.as_ref()?.restored_resource_id.clone()
        };
        self.record
            .restored
            .as_ref()
            .map(|restored| restored.resource_id.clone())
            .or_else(rollback)
    }

    fn endpoint(&self) -> Option<Endpoint> {
        match &self.record.promoted {
            Some(promoted) => Some(promoted.endpoint.clone()),
            None => {
                let plan = self.record.plan.as_ref()?;
                plan.original.as_ref()?.endpoint.clone()
            }
        }
    }

    /// The failure that ended the execution, and the roll-back's own where that failed too.
    fn error(&self) -> Option<SummaryError> {
        let end = self.end.as_ref()?;
        if end.kind == HistoryKind::ExecutionSucceeded {
            return None;
        }
        let name = end.error.clone().unwrap_or_default();
        let is_stuck = name == ErrorName::RollbackFailed.as_str();
        let (cause, undone) = match &self.record.roll_back_error {
            Some(failure) if is_stuck => (failure.cause(), self.record.error.as_ref()),
            Some(_) | None => (Cause::parse(end.cause.as_deref().unwrap_or_default()), None),
        };
        let mut message = cause.text().to_owned();
        if let Some(undone) = undone {
            message = format!("{message}; it was to undo this: {}", undone.cause().text());
        }
        let remedy = match is_stuck {
            true => self.record.repair(),
            false => cause.remedy,
        };
        Some(SummaryError {
            name,
            message,
            remedy,
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(output: &Value) -> Option<T> {
    T::deserialize(output).ok()
}

fn add(total: &mut Calls, calls: &Calls) {
    for (operation, count) in calls {
        *total.entry(operation.clone()).or_default() += count;
    }
}

/// The plan that an execution follows, once it has one.
pub fn plan_of(history: &[HistoryEvent]) -> Option<Plan> {
    Story::read(history).record.plan.map(|plan| *plan)
}
