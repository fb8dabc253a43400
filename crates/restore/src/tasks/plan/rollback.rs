//! The plan of a rollback: the names and identities of the execution that is undone, looked at
//! anew.

use trapheus_rds::{Database, StatusClass};

use super::{Planner, words};
use crate::checks::{Check, alerts};
use crate::error::TaskError;
use crate::input::{RollbackOf, Task};
use crate::marks::{Marks, Role};
use crate::plan::{Plan, RollbackPlan};

impl Planner<'_> {
    pub(super) async fn plan_rollback(&self, earlier: &RollbackOf) -> Result<Plan, TaskError> {
        let before = earlier.plan.as_ref();
        let restored_id = earlier.restored.as_ref().map(|made| &made.resource_id);
        let original = match before.original_id() {
            Some(id) => self.rds.database_by_resource(before.kind, id).await?,
            None => None,
        };
        let at_restored = self
            .rds
            .database(before.kind, &before.names.restored)
            .await?;
        let restored = match restored_id {
            Some(id) => self.rds.database_by_resource(before.kind, id).await?,
            None => at_restored.clone(),
        };
        let mut plan = Plan {
            task: Task::Rollback,
            execution: self.execution.to_owned(),
            snapshot: None,
            point_in_time: None,
            keep_original_seconds: 0,
            kept_original: None,
            notify: match self.request.notify.is_empty() {
                true => before.notify.clone(),
                false => self.request.notify.clone(),
            },
            sql: None,
            rollback: Some(RollbackPlan {
                execution: earlier.execution.clone(),
                restored_resource_id: restored_id.cloned(),
            }),
            checks: Vec::new(),
            steps: Vec::new(),
            expected_outage: words::renames(),
            planned_at: self.now,
            calls: Default::default(),
            ..before.clone()
        };
        let told = alerts::choose(self.notifier, &plan, words::expected_seconds(&plan));
        plan.long_running_after_seconds = told.long_running_after_seconds;
        plan.checks = vec![
            original_check(&plan, original.as_ref()),
            restored_check(&plan, restored.as_ref()),
            others_check(&plan, [&at_restored, &restored]),
            words::writes_after_rollback(&plan),
        ];
        // Nobody waits for the original because of a channel.
        plan.checks.extend(told.check.map(Check::at_most_a_warning));
        plan.steps = words::steps(&plan);
        Ok(plan)
    }
}

fn original_check(plan: &Plan, original: Option<&Database>) -> Check {
    const NAME: &str = "original";
    let Some(original) = original else {
        let detail = match plan.original_id() {
            Some(id) => {
                format!("the original ({id}) has been deleted; nothing can be swapped back")
            }
            None => {
                let detail = "there was none before; what was made is deleted if it never served";
                return Check::pass(NAME, detail);
            }
        };
        return Check::fail(NAME, detail);
    };
    let names = &plan.names;
    let is_marked = Marks(&original.tags).are_of(plan.owner(), Role::Original);
    if original.identifier == names.target {
        return Check::pass(NAME, format!("it is {} already", names.target));
    }
    if original.identifier != names.aside || !is_marked {
        let detail = format!(
            "it is {} now, and no longer what execution {} keeps",
            original.identifier,
            plan.owner()
        );
        return Check::fail(NAME, detail);
    }
    let detail = format!("{} is {}", original.identifier, original.status);
    if original.status.is_deleting() || original.status.class() == StatusClass::Failed {
        return Check::fail(NAME, detail);
    }
    if !original.status.is_serving() {
        return Check::warn(NAME, format!("{detail}; that will be waited out"));
    }
    Check::pass(NAME, format!("kept as {}", names.aside))
}

fn restored_check(plan: &Plan, restored: Option<&Database>) -> Check {
    const NAME: &str = "restored database";
    let names = &plan.names;
    match restored {
        Some(restored) if restored.identifier == names.target => Check::pass(
            NAME,
            format!(
                "it serves as {} and will be kept as {}",
                names.target, names.kept
            ),
        ),
        Some(restored)
            if restored.identifier == names.restored && Marks(&restored.tags).was_promoted() =>
        {
            Check::warn(
                NAME,
                format!(
                    "it is {} and may have served: it will be kept as {}",
                    names.restored, names.kept
                ),
            )
        }
        Some(restored) if restored.identifier == names.restored => Check::pass(
            NAME,
            format!(
                "it is {} and has never served: it will be deleted",
                names.restored
            ),
        ),
        Some(restored) => Check::warn(NAME, format!("it is {} now", restored.identifier)),
        None => Check::warn(NAME, "it does not exist"),
    }
}

/// Another execution that has begun to replace the restored database must end first.
fn others_check(plan: &Plan, holders: [&Option<Database>; 2]) -> Check {
    const NAME: &str = "one at a time";
    let others = holders.into_iter().flatten().find_map(|holder| {
        let owner = Marks(&holder.tags).owner()?;
        (owner != plan.owner()).then_some(owner)
    });
    match others {
        Some(owner) => Check::fail(
            NAME,
            format!("another execution, {owner}, is at work on the target"),
        ),
        None => Check::pass(NAME, "no other execution is at work on it"),
    }
}
