//! The plan of a rollback: the names and identities of the execution that is undone, looked at
//! anew.

use trapheus_rds::Instance;

use super::{Planner, words};
use crate::checks::Check;
use crate::error::TaskError;
use crate::input::{RollbackOf, Task};
use crate::marks::{Marks, Role};
use crate::names::Names;
use crate::plan::{Plan, RollbackPlan};

impl Planner<'_> {
    pub(super) async fn plan_rollback(&self, earlier: &RollbackOf) -> Result<Plan, TaskError> {
        let before = earlier.plan.as_ref();
        let original = self
            .rds
            .instance_by_resource(&before.original.resource_id)
            .await?;
        let restored = self
            .rds
            .instance_by_resource(&earlier.restored.resource_id)
            .await?;
        let names = Names {
            kept: Names::of(&before.identifier, self.now).kept,
            ..before.names.clone()
        };
        let mut plan = Plan {
            task: Task::Rollback,
            execution: self.execution.to_owned(),
            snapshot: None,
            keep_original_seconds: 0,
            names,
            kept_original: None,
            rollback: Some(RollbackPlan {
                execution: earlier.execution.clone(),
                restored_resource_id: earlier.restored.resource_id.clone(),
            }),
            checks: Vec::new(),
            steps: Vec::new(),
            expected_outage: words::renames(),
            planned_at: self.now,
            calls: Default::default(),
            ..before.clone()
        };
        plan.checks = vec![
            original_check(&plan, original.as_ref()),
            restored_check(&plan, restored.as_ref()),
            words::writes_after_rollback(&plan),
        ];
        plan.steps = words::steps(&plan);
        Ok(plan)
    }
}

fn original_check(plan: &Plan, original: Option<&Instance>) -> Check {
    const NAME: &str = "original";
    let Some(original) = original else {
        let detail = format!(
            "the original ({}) has been deleted; nothing can be swapped back",
            plan.original.resource_id
        );
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
    if !original.status.is_serving() {
        return Check::fail(
            NAME,
            format!(
                "{} is {}; it must be available",
                original.identifier, original.status
            ),
        );
    }
    Check::pass(NAME, format!("kept as {}", names.aside))
}

fn restored_check(plan: &Plan, restored: Option<&Instance>) -> Check {
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
        Some(restored) => Check::warn(NAME, format!("it is {} now", restored.identifier)),
        None => Check::warn(NAME, "it does not exist any more"),
    }
}
