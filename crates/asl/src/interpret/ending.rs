//! The four ways in which an execution ends, and the giving up of what still runs then.

use serde_json::Value;

use super::run::{Phase, Purpose, ScopeId};
use super::turn::Turn;
use crate::action::Action;
use crate::errors::Failure;
use crate::history::{HistoryEvent, HistoryKind};
use crate::status::Status;

impl Turn<'_> {
    pub(super) fn succeed_execution(&mut self, output: Value) {
        let event = HistoryEvent::new(HistoryKind::ExecutionSucceeded).output(output.clone());
        self.end(event, Status::Succeeded { output });
    }

    pub(super) fn fail_execution(&mut self, failure: Failure) {
        let event = HistoryEvent::new(HistoryKind::ExecutionFailed).failure(&failure);
        let Failure { error, cause } = failure;
        self.end(event, Status::Failed { error, cause });
    }

    pub(super) fn time_out_execution(&mut self) {
        self.end(
            HistoryEvent::new(HistoryKind::ExecutionTimedOut),
            Status::TimedOut,
        );
    }

    pub(super) fn abort_execution(&mut self, error: &str, cause: &str) {
        let (error, cause) = (error.to_owned(), cause.to_owned());
        let failure = Failure::new(error.clone(), cause.clone());
        let event = HistoryEvent::new(HistoryKind::ExecutionAborted).failure(&failure);
        self.end(event, Status::Aborted { error, cause });
    }

    fn end(&mut self, event: HistoryEvent, status: Status) {
        self.cancel_scope(ScopeId::ROOT);
        let timeout = self
            .run
            .timers
            .iter()
            .find(|(_, timer)| timer.purpose == Purpose::ExecutionTimeout);
        if let Some((timer, _)) = timeout {
            self.cancel_timer(*timer);
        }
        self.record(ScopeId::ROOT, event);
        self.run.scopes.clear();
        self.actions.push(Action::End(status));
    }

    /// Gives up whatever the scope waits for.
    pub(super) fn cancel_scope(&mut self, scope: ScopeId) {
        let Some(visit) = &mut self.run.scope_mut(scope).visit else {
            return;
        };
        match std::mem::replace(&mut visit.phase, Phase::Working) {
            Phase::Working => return,
            Phase::Task(task) => {
                self.take_task(task);
                self.actions.push(Action::CancelTask { task });
            }
            Phase::Timer(timer) => self.cancel_timer(timer),
            Phase::Children(children) => {
                self.run.visit_mut(scope).phase = Phase::Children(children);
                self.cancel_children(scope);
            }
        }
        let state = &self.run.visit(scope).state;
        if let Some(kind) = HistoryKind::aborted(&state.kind) {
            let event = HistoryEvent::new(kind).state(&state.name);
            self.record(scope, event);
        }
    }
}
