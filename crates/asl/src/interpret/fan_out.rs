//! Scopes that run side by side, the branches of a Parallel or the iterations of a Map, and what
//! their ends mean to the state that made them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::run::{Child, Children, Origin, Phase, Scope, ScopeId};
use super::turn::Turn;
use crate::definition::{Kind, Parallel, State};
use crate::errors::Failure;
use crate::history::{HistoryEvent, HistoryKind};

impl Turn<'_> {
    pub(super) fn start_parallel(
        &mut self,
        scope: ScopeId,
        state: &State,
        parallel: &Parallel,
    ) -> Result<(), Failure> {
        let input = self
            .data(scope, state)?
            .parameters(parallel.parameters.as_ref())?;
        self.record_about(scope, HistoryKind::ParallelStateStarted);
        let child = |(index, branch)| Child {
            flow: Arc::clone(branch),
            origin: Origin::Branch {
                parent: scope,
                index,
            },
            input: input.clone(),
        };
        let branches = parallel.branches.iter().enumerate().map(child).collect();
        self.start_children(scope, branches, parallel.branches.len());
        Ok(())
    }

    pub(super) fn start_children(
        &mut self,
        scope: ScopeId,
        waiting: VecDeque<Child>,
        limit: usize,
    ) {
        let results = vec![None; waiting.len()];
        let children = Children {
            waiting,
            running: BTreeSet::new(),
            results,
            limit,
        };
        self.run.visit_mut(scope).phase = Phase::Children(children);
        self.go_on(scope);
    }

    /// Starts as many children as may run; completes the state when there are none left.
    fn go_on(&mut self, scope: ScopeId) {
        let last_event = self.run.scope(scope).last_event;
        while let Some(child) = self.children(scope).next() {
            let Child {
                flow,
                origin,
                input,
            } = child;
            let iteration = match origin {
                Origin::Iteration { index, .. } => Some(index),
                Origin::Execution | Origin::Branch { .. } => None,
            };
            let child = self.run.add_scope(Scope {
                flow,
                origin,
                last_event,
                visit: None,
            });
            self.children(scope).running.insert(child);
            if let Some(index) = iteration {
                self.record_iteration(scope, child, index, HistoryKind::MapIterationStarted);
            }
            self.begin(child, input);
        }
        let children = self.children(scope);
        if children.running.is_empty() {
            let results = std::mem::take(&mut children.results);
            self.run.visit_mut(scope).phase = Phase::Working;
            let results = results
                .into_iter()
                .map(|result| result.expect("all have ended"));
            let results = Value::Array(results.collect());
            self.record_kind_of(
                scope,
                HistoryKind::ParallelStateSucceeded,
                HistoryKind::MapStateSucceeded,
            );
            self.complete(scope, results);
        }
    }

    /// The scope has come to its end: the execution or the state that made it goes on.
    pub(super) fn succeed_scope(&mut self, scope: ScopeId, output: Value) {
        let (parent, index) = match self.run.scope(scope).origin {
            Origin::Execution => return self.succeed_execution(output),
            Origin::Branch { parent, index } => (parent, index),
            Origin::Iteration { parent, index, .. } => {
                self.record_iteration(parent, scope, index, HistoryKind::MapIterationSucceeded);
                (parent, index)
            }
        };
        self.remove_child(parent, scope);
        self.children(parent).results[index] = Some(output);
        self.go_on(parent);
    }

    /// The scope has failed for good: so has the execution, or the state that made it.
    pub(super) fn fail_scope(&mut self, scope: ScopeId, failure: Failure) {
        let parent = match self.run.scope(scope).origin {
            Origin::Execution => return self.fail_execution(failure),
            Origin::Branch { parent, .. } => parent,
            Origin::Iteration { parent, index, .. } => {
                self.record_iteration(parent, scope, index, HistoryKind::MapIterationFailed);
                parent
            }
        };
        self.remove_child(parent, scope);
        self.cancel_children(parent);
        self.run.visit_mut(parent).phase = Phase::Working;
        self.record_kind_of(
            parent,
            HistoryKind::ParallelStateFailed,
            HistoryKind::MapStateFailed,
        );
        self.fail(parent, failure);
    }

    /// Gives up all branches or iterations that still run.
    pub(super) fn cancel_children(&mut self, scope: ScopeId) {
        for child in std::mem::take(&mut self.children(scope).running) {
            self.cancel_scope(child);
            if let Origin::Iteration { index, .. } = self.run.scope(child).origin {
                self.record_iteration(scope, child, index, HistoryKind::MapIterationAborted);
            }
            self.remove_child(scope, child);
        }
    }

    fn remove_child(&mut self, parent: ScopeId, child: ScopeId) {
        self.children(parent).running.remove(&child);
        let child = self
            .run
            .scopes
            .remove(&child)
            .expect("a child is there until it is removed");
        // What follows in the parent was led to by the last thing that happened in the child.
        self.run.scope_mut(parent).last_event = child.last_event;
    }

    fn children(&mut self, scope: ScopeId) -> &mut Children {
        match &mut self.run.visit_mut(scope).phase {
            Phase::Children(children) => children,
            Phase::Working | Phase::Task(_) | Phase::Timer(_) => {
                unreachable!("only a state in this phase has children")
            }
        }
    }

    fn record_iteration(
        &mut self,
        map: ScopeId,
        iteration: ScopeId,
        index: usize,
        kind: HistoryKind,
    ) {
        let name = self.run.visit(map).state.name.clone();
        self.record(iteration, HistoryEvent::new(kind).state(&name).index(index));
    }

    /// Tells one thing of a Parallel, another of a Map.
    fn record_kind_of(&mut self, scope: ScopeId, of_parallel: HistoryKind, of_map: HistoryKind) {
        let is_map = matches!(self.run.visit(scope).state.kind, Kind::Map(_));
        let kind = if is_map { of_map } else { of_parallel };
        self.record_about(scope, kind);
    }

    pub(super) fn record_about(&mut self, scope: ScopeId, kind: HistoryKind) {
        let name = self.run.visit(scope).state.name.clone();
        self.record(scope, HistoryEvent::new(kind).state(&name));
    }
}

impl Children {
    /// The next child that may run now.
    fn next(&mut self) -> Option<Child> {
        if self.running.len() < self.limit {
            self.waiting.pop_front()
        } else {
            None
        }
    }
}
