//! One event being taken in: what it changes, and the actions it comes to.
//!
//! States that are about to be entered wait in a queue instead of on the call stack, so that no
//! chain of states is too long for it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::data;
use super::execution::Identity;
use super::run::{Phase, Purpose, Run, ScopeId, Timer, Visit};
use crate::action::{Action, TimerId};
use crate::definition::{Kind, Transition};
use crate::errors::Failure;
use crate::history::{HistoryEvent, HistoryKind};
use crate::time;

/// How many states one event may lead through. A loop of states that take no time would never
/// end; AWS ends it when its history has this many events.
const TRANSITIONS_MAX: usize = 25_000;

/// One event being taken in.
pub(super) struct Turn<'a> {
    pub(super) identity: &'a Identity,
    pub(super) run: &'a mut Run,
    pub(super) at: Timestamp,
    pub(super) actions: Vec<Action>,
    entries: VecDeque<Entry>,
}

/// A state that is about to be entered.
struct Entry {
    scope: ScopeId,
    state: String,
    input: Value,
}

impl<'a> Turn<'a> {
    pub(super) fn new(identity: &'a Identity, run: &'a mut Run, at: Timestamp) -> Self {
        Turn {
            identity,
            run,
            at,
            actions: Vec::new(),
            entries: VecDeque::new(),
        }
    }

    pub(super) fn start_execution(&mut self, input: Value, timeout_seconds: Option<u64>) {
        self.run.input = input.clone();
        let event = HistoryEvent::new(HistoryKind::ExecutionStarted).input(input.clone());
        self.record(ScopeId::ROOT, event);
        if let Some(seconds) = timeout_seconds {
            self.start_timer(
                time::seconds_later(self.at, seconds),
                Purpose::ExecutionTimeout,
            );
        }
        self.begin(ScopeId::ROOT, input);
    }

    pub(super) fn timer_fired(&mut self, timer: TimerId) {
        let timer = self
            .run
            .timers
            .remove(&timer)
            .expect("the event was checked");
        match timer.purpose {
            Purpose::ExecutionTimeout => self.time_out_execution(),
            Purpose::TaskTimeout(task) => self.task_timed_out(task),
            Purpose::Wait(scope) => self.wait_is_over(scope),
            Purpose::Retry(scope) => self.attempt(scope),
        }
    }

    /// Enters every state that is waiting, until all scopes wait for something.
    pub(super) fn finish(mut self) -> Vec<Action> {
        let mut transitions = 0;
        while let Some(entry) = self.entries.pop_front() {
            transitions += 1;
            if transitions > TRANSITIONS_MAX {
                self.fail_execution(Failure::runtime(format!(
                    "More than {TRANSITIONS_MAX} states were entered without waiting for anything."
                )));
                break;
            }
            // A branch that failed may have ended the scope since.
            if self.run.scopes.contains_key(&entry.scope) {
                self.enter(entry);
            }
        }
        self.actions
    }

    /// Queues the first state of a scope.
    pub(super) fn begin(&mut self, scope: ScopeId, input: Value) {
        let state = self.run.scope(scope).flow.start_at.clone();
        self.entries.push_back(Entry {
            scope,
            state,
            input,
        });
    }

    fn enter(
        &mut self,
        Entry {
            scope,
            state,
            input,
        }: Entry,
    ) {
        let state = self.run.scope(scope).flow.state(&state);
        let event = HistoryEvent::new(HistoryKind::entered(&state.kind)).state(&state.name);
        let entered = self.record(scope, event.input(input.clone()));
        let attempts = vec![0; state.work().map_or(0, |work| work.retry.len())];
        self.run.scope_mut(scope).visit = Some(Visit {
            state,
            input: Arc::new(input),
            entered_at: self.at,
            entered,
            attempts,
            phase: Phase::Working,
        });
        self.attempt(scope);
    }

    /// Does what the scope's state is for, for the first time or again.
    fn attempt(&mut self, scope: ScopeId) {
        let visit = self.run.visit_mut(scope);
        visit.phase = Phase::Working;
        let state = Arc::clone(&visit.state);
        let outcome = match &state.kind {
            Kind::Task(task) => self.start_task(scope, &state, task),
            Kind::Choice(choice) => self.choose(scope, &state, choice),
            Kind::Wait(wait) => self.wait(scope, &state, wait),
            Kind::Pass(pass) => self.pass(scope, &state, pass),
            Kind::Parallel(parallel) => self.start_parallel(scope, &state, parallel),
            Kind::Map(map) => self.start_map(scope, &state, map),
            Kind::Succeed => self.succeed(scope, &state),
            Kind::Fail(fail) => self.fail_on_purpose(scope, fail),
        };
        if let Err(failure) = outcome {
            self.fail(scope, failure);
        }
    }

    /// Leaves the scope's state with its output.
    pub(super) fn leave(
        &mut self,
        scope: ScopeId,
        output: Value,
        transition: &Transition,
    ) -> Result<(), Failure> {
        let state = Arc::clone(&self.run.visit(scope).state);
        data::check_size(&state.name, &output)?;
        if let Some(kind) = HistoryKind::exited(&state.kind) {
            let event = HistoryEvent::new(kind)
                .state(&state.name)
                .output(output.clone());
            self.record(scope, event);
        }
        match transition {
            Transition::Next(next) => {
                let state = next.clone();
                self.entries.push_back(Entry {
                    scope,
                    state,
                    input: output,
                });
            }
            Transition::End => self.succeed_scope(scope, output),
        }
        Ok(())
    }

    /// Numbers and dates a history event, and tells it. Returns its number.
    pub(super) fn record(&mut self, scope: ScopeId, event: HistoryEvent) -> u64 {
        self.run.last_history_event += 1;
        let id = self.run.last_history_event;
        let scope = self.run.scope_mut(scope);
        let previous_id = std::mem::replace(&mut scope.last_event, id);
        self.actions.push(Action::Record(HistoryEvent {
            id,
            previous_id,
            at: self.at,
            ..event
        }));
        id
    }

    pub(super) fn start_timer(&mut self, due: Timestamp, purpose: Purpose) -> TimerId {
        let timer = self.run.add_timer(Timer { due, purpose });
        self.actions.push(Action::StartTimer { timer, due });
        timer
    }

    pub(super) fn cancel_timer(&mut self, timer: TimerId) {
        if self.run.timers.remove(&timer).is_some() {
            self.actions.push(Action::CancelTimer { timer });
        }
    }
}
