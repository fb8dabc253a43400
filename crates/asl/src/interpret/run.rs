//! What an execution knows while it runs.
//!
//! A scope is on its way through one flow: the root scope through the machine, one more for each
//! branch of a Parallel and each iteration of a Map that runs. Scopes are kept in a table and
//! name their parents, so that an event finds its scope without a walk from the root.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::action::{Action, TaskId, TimerId};
use crate::definition::{Flow, State, StateMachine};

/// Names a scope within an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ScopeId(pub(super) u64);

impl ScopeId {
    /// The scope that is the execution itself.
    pub(super) const ROOT: ScopeId = ScopeId(0);
}

/// Everything about an execution between two events.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) started_at: Timestamp,
    pub(super) input: Value,
    pub(super) scopes: BTreeMap<ScopeId, Scope>,
    pub(super) tasks: BTreeMap<TaskId, RunningTask>,
    pub(super) timers: BTreeMap<TimerId, Timer>,
    pub(super) last_history_event: u64,
    last_scope: u64,
    last_task: u64,
    last_timer: u64,
}

/// One way through a flow.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) flow: Arc<Flow>,
    pub(super) origin: Origin,
    /// The last history event on this way.
    pub(super) last_event: u64,
    /// The state it is in; none only before its first.
    pub(super) visit: Option<Visit>,
}

/// What a scope belongs to.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Execution,
    Branch {
        parent: ScopeId,
        index: usize,
    },
    Iteration {
        parent: ScopeId,
        index: usize,
        item: Value,
    },
}

/// A state from its entry to its exit, over all attempts.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) state: Arc<State>,
    /// The state's raw input, which every attempt begins with.
    pub(super) input: Arc<Value>,
    pub(super) entered_at: Timestamp,
    /// The history event that tells of the entry.
    pub(super) entered: u64,
    /// How often each of the state's Retriers has retried.
    pub(super) attempts: Vec<u32>,
    pub(super) phase: Phase,
}

/// What a visit waits for.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Nothing: it goes on within the turn.
    Working,
    /// The answer of a task.
    Task(TaskId),
    /// A Wait's time, or that of the next attempt.
    Timer(TimerId),
    /// The ends of other scopes.
    Children(Children),
}

/// The branches of a Parallel or the iterations of a Map.
#[derive(Clone, Debug)]
pub(super) struct Children {
    pub(super) waiting: VecDeque<Child>,
    pub(super) running: BTreeSet<ScopeId>,
    pub(super) results: Vec<Option<Value>>,
    /// How many may run at once.
    pub(super) limit: usize,
}

/// A scope that has yet to begin.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) flow: Arc<Flow>,
    pub(super) origin: Origin,
    pub(super) input: Value,
}

/// A task that has not answered.
#[derive(Clone, Debug)]
pub(super) struct RunningTask {
    pub(super) scope: ScopeId,
    pub(super) state: String,
    pub(super) resource: String,
    pub(super) input: Value,
    pub(super) timeout: Option<TimerId>,
}

/// A timer that has not fired.
#[derive(Clone, Debug)]
pub(super) struct Timer {
    pub(super) due: Timestamp,
    pub(super) purpose: Purpose,
}

/// What happens when a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The execution has taken too long.
    ExecutionTimeout,
    /// The task has taken too long.
    TaskTimeout(TaskId),
    /// The Wait state of this scope is over.
    Wait(ScopeId),
    /// The state of this scope is tried again.
    Retry(ScopeId),
}

impl Run {
    pub(super) fn new(started_at: Timestamp, machine: &StateMachine) -> Self {
        let root = Scope {
            flow: Arc::clone(&machine.flow),
            origin: Origin::Execution,
            last_event: 0,
            visit: None,
        };
        Run {
            started_at,
            input: Value::Null,
            scopes: BTreeMap::from([(ScopeId::ROOT, root)]),
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            last_history_event: 0,
            last_scope: ScopeId::ROOT.0,
            last_task: 0,
            last_timer: 0,
        }
    }

    pub(super) fn outstanding(&self) -> Vec<Action> {
        let tasks = self.tasks.iter().map(|(id, task)| task.start(*id));
        let timers = self.timers.iter().map(|(id, timer)| Action::StartTimer {
            timer: *id,
            due: timer.due,
        });
        tasks.chain(timers).collect()
    }

    pub(super) fn scope(&self, id: ScopeId) -> &Scope {
        self.scopes
            .get(&id)
            .expect("whoever names a scope has seen that it is there")
    }

    pub(super) fn scope_mut(&mut self, id: ScopeId) -> &mut Scope {
        self.scopes
            .get_mut(&id)
            .expect("whoever names a scope has seen that it is there")
    }

    pub(super) fn visit(&self, id: ScopeId) -> &Visit {
        self.scope(id)
            .visit
            .as_ref()
            .expect("a scope that is worked on is in a state")
    }

    pub(super) fn visit_mut(&mut self, id: ScopeId) -> &mut Visit {
        self.scope_mut(id)
            .visit
            .as_mut()
            .expect("a scope that is worked on is in a state")
    }

    pub(super) fn add_scope(&mut self, scope: Scope) -> ScopeId {
        self.last_scope += 1;
        let id = ScopeId(self.last_scope);
        self.scopes.insert(id, scope);
        id
    }

    pub(super) fn add_task(&mut self, task: RunningTask) -> TaskId {
        self.last_task += 1;
        let id = TaskId(self.last_task);
        self.tasks.insert(id, task);
        id
    }

    pub(super) fn add_timer(&mut self, timer: Timer) -> TimerId {
        self.last_timer += 1;
        let id = TimerId(self.last_timer);
        self.timers.insert(id, timer);
        id
    }
}

impl Visit {
    /// How often the state has been tried again.
    pub(super) fn retry_count(&self) -> u32 {
        self.attempts.iter().sum()
    }
}

impl RunningTask {
    /// The action that starts it.
    pub(super) fn start(&self, task: TaskId) -> Action {
        Action::StartTask {
            task,
            state: self.state.clone(),
            resource: self.resource.clone(),
            input: self.input.clone(),
        }
    }
}
