//! The context object: what `$$` leads into.

use serde_json::{Value, json};

use super::run::{Origin, ScopeId};
use super::turn::Turn;
use crate::time;

impl Turn<'_> {
    /// The context object as the scope's state sees it. Names stand in for ARNs.
    pub(super) fn context(&self, scope: ScopeId) -> Value {
        let visit = self.run.visit(scope);
        let mut context = json!({
            "Execution": {
                "Id": self.identity.execution_name,
                "Input": self.run.input,
                "Name": self.identity.execution_name,
                "StartTime": time::format(self.run.started_at),
            },
            "State": {
                "EnteredTime": time::format(visit.entered_at),
                "Name": visit.state.name,
                "RetryCount": visit.retry_count(),
            },
            "StateMachine": {
                "Id": self.identity.state_machine_name,
                "Name": self.identity.state_machine_name,
            },
        });
        if let Some((index, item)) = self.iteration(scope) {
            context["Map"] = map_item(index, item);
        }
        context
    }

    /// The iteration that the scope is in, of the innermost Map around it.
    fn iteration(&self, scope: ScopeId) -> Option<(usize, &Value)> {
        match &self.run.scope(scope).origin {
            Origin::Execution => None,
            Origin::Branch { parent, .. } => self.iteration(*parent),
            Origin::Iteration { index, item, .. } => Some((*index, item)),
        }
    }
}

/// What `$$.Map` leads into.
pub(super) fn map_item(index: usize, item: &Value) -> Value {
    json!({ "Item": { "Index": index, "Value": item } })
}
