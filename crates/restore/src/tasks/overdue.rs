//! Executions that take longer than expected: people are told once.
//!
//! That they were told is remembered by a tag of the restored database, which outlives this
//! process, and before there is one by the process itself. Nothing comes of the alert: an
//! execution has its limits elsewhere.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use trapheus_rds::{Database, ResourceId};

use super::Options;
use super::context::Context;
use super::report::{self, Report};
use crate::alert::{Alert, AlertKind};
use crate::error::TaskError;
use crate::marks::{self, Marks, Role};
use crate::whereabouts;

/// The executions that this process has told of, or found told of.
#[derive(Debug, Clone, Default)]
pub(super) struct Overdue(Arc<Mutex<BTreeSet<String>>>);

impl Overdue {
    /// What it takes to tell people, when the time is over and nobody has been told.
    pub(super) async fn tell(
        &self,
        context: &Context,
        options: &Options,
        waiting: &TaskError,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        let plan = context.plan();
        let elapsed = context.now().duration_since(plan.planned_at);
        let is_over = |limit: u64| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            elapsed > SignedDuration::from_secs(limit)
        };
        if !plan.long_running_after_seconds.is_some_and(is_over) || !self.is_first(&plan.execution)
        {
            return None;
        }
        let restored = restored(context).await;
        if let Some(restored) = &restored
            && is_known(context, restored).await
        {
            return None;
        }
        let restored = restored.map(|restored| restored.resource_id);
        let alert = alert(context, waiting, elapsed, restored.as_ref());
        let (options, asked) = (options.clone(), plan.notify.clone());
        Some(async move {
            for delivery in report::tell(&options, &alert, &asked).await {
                if let Some(error) = delivery.error {
                    let (execution, channel) = (&alert.execution_id, delivery.channel);
                    tracing::warn!(execution, channel, error, "no alert of a long execution");
                }
            }
        })
    }

    fn is_first(&self, execution: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(execution.to_owned())
    }
}

/// The restored database, once there is one. What can't be seen now is none.
async fn restored(context: &Context) -> Option<Database> {
    let plan = context.plan();
    let found = match context.restored() {
        Ok(restored) => context.by_resource(&restored.resource_id).await.ok()?,
        Err(_) => {
            let name = &plan.names.restored;
            context.rds.database(plan.kind, name).await.ok()?
        }
    };
    found.filter(|found| Marks(&found.tags).are_of(plan.owner(), Role::Restored))
}

/// Whether an earlier process has told; if not, it is noted that this one does. Where it can't be
/// noted, people are rather told twice.
async fn is_known(context: &Context, restored: &Database) -> bool {
    let is_known = Marks(&restored.tags).is_known_to_run_long();
    if !is_known {
        let noted = marks::long_running(context.now());
        let _noted_or_not = context.add_tags(restored, &[noted].into()).await;
    }
    is_known
}

fn alert(
    context: &Context,
    waiting: &TaskError,
    elapsed: SignedDuration,
    restored: Option<&ResourceId>,
) -> Alert {
    let plan = context.plan();
    Alert {
        kind: AlertKind::LongRunning,
        execution_id: plan.execution.clone(),
        task: Some(plan.task),
        identifier: Some(plan.identifier.clone()),
        at: context.now(),
        report: Report {
            headline: format!(
                "{} has been worked on for {} min, longer than expected: {}",
                plan.identifier,
                elapsed.as_mins(),
                waiting.cause.text()
            ),
            changed: Vec::new(),
            outage_seconds: None,
            left_over: Vec::new(),
            warnings: Vec::new(),
            what_to_do: vec![format!(
                "it goes on by itself; to watch it: trapheus executions watch {}",
                plan.execution
            )],
        },
        databases: whereabouts::during(plan, restored),
        undo: plan.task.moves_the_name().then(|| {
            let id = &plan.execution;
            format!("trapheus executions stop {id} && trapheus rollback {id}")
        }),
    }
}
