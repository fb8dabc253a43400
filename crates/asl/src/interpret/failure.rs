//! What becomes of a state's work: its result goes out, its error is retried, caught, or fails
//! the scope.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::run::{Phase, Purpose, ScopeId};
use super::turn::Turn;
use crate::definition::{Catcher, Transition, Work};
use crate::errors::Failure;
use crate::retry::JitterSeed;
use crate::time;

impl Turn<'_> {
    /// The work of a Task, Parallel or Map has a result.
    pub(super) fn complete(&mut self, scope: ScopeId, result: Value) {
        let state = Arc::clone(&self.run.visit(scope).state);
        let work = state.work().expect("only states that work have results");
        let selector = work.result_selector.as_ref();
        let output = self
            .data(scope, &state)
            .and_then(|data| data.output_with(&state, result, selector, &work.result_path));
        if let Err(failure) = output.and_then(|output| self.leave(scope, output, &work.next)) {
            self.fail(scope, failure);
        }
    }

    /// The scope's state has failed: the first Retrier for the error decides whether it is tried
    /// again; if not, the first Catcher for it says where to go on.
    pub(super) fn fail(&mut self, scope: ScopeId, failure: Failure) {
        let visit = self.run.visit(scope);
        let state = Arc::clone(&visit.state);
        let failure = failure.in_state(&state.name, visit.entered);
        let Some(work) = state.work() else {
            return self.fail_scope(scope, failure);
        };
        if let Some(delay) = self.next_attempt(scope, work, &failure) {
            let timer = self.start_timer(time::later(self.at, delay), Purpose::Retry(scope));
            self.run.visit_mut(scope).phase = Phase::Timer(timer);
            return;
        }
        match work
            .catch
            .iter()
            .find(|catcher| catcher.error_equals.matches(&failure))
        {
            Some(catcher) => self.catch(scope, catcher, &failure),
            None => self.fail_scope(scope, failure),
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn next_attempt(
        &mut self,
        scope: ScopeId,
        work: &Work,
        failure: &Failure,
    ) -> Option<SignedDuration> {
        let (index, retrier) = work
            .retry
            .iter()
            .enumerate()
            .find(|(_, retrier)| retrier.error_equals.matches(failure))?;
        let visit = self.run.visit_mut(scope);
        if visit.attempts[index] == retrier.max_attempts {
            return None;
        }
        visit.attempts[index] += 1;
        let seed = JitterSeed {
            execution: &self.identity.execution_name,
            state: &visit.state.name,
            scope: scope.0,
            entered: visit.entered,
            retry: visit.retry_count(),
        };
        Some(retrier.delay(visit.attempts[index], &seed))
    }

    fn catch(&mut self, scope: ScopeId, catcher: &Catcher, failure: &Failure) {
        let caught = json!({ "Error": failure.error, "Cause": failure.cause });
        let next = Transition::Next(catcher.next.clone());
        let output = catcher
            .result_path
            .combine(&self.run.visit(scope).input, caught);
        if let Err(failure) = output.and_then(|output| self.leave(scope, output, &next)) {
            // A Catcher that cannot do its work is not caught by another.
            self.fail_scope(scope, failure);
        }
    }
}
