//! The Task state: its start, and the three ways in which it answers.

use serde_json::Value;

use super::data::check_size;
use super::run::{Phase, Purpose, RunningTask, ScopeId};
use super::turn::Turn;
use crate::action::{Action, TaskId};
use crate::definition::{State, Task};
use crate::errors::Failure;
use crate::history::{HistoryEvent, HistoryKind};
use crate::time::{self, SECONDS_MAX};

impl Turn<'_> {
    pub(super) fn start_task(
        &mut self,
        scope: ScopeId,
        state: &State,
        task: &Task,
    ) -> Result<(), Failure> {
        let data = self.data(scope, state)?;
        let timeout_seconds = task
            .timeout_seconds
            .as_ref()
            .map(|count| data.count(count, "TimeoutSecondsPath", 1, SECONDS_MAX))
            .transpose()?;
        let input = data.parameters(task.parameters.as_ref())?;
        let event = HistoryEvent::new(HistoryKind::TaskScheduled)
            .state(&state.name)
            .resource(&task.resource)
            .input(input.clone());
        self.record(scope, event);
        let running = RunningTask {
            scope,
            state: state.name.clone(),
            resource: task.resource.clone(),
            input,
            timeout: None,
        };
        let id = self.run.add_task(running);
        self.actions.push(self.run.tasks[&id].start(id));
        if let Some(seconds) = timeout_seconds {
            let due = time::seconds_later(self.at, seconds);
            let timer = self.start_timer(due, Purpose::TaskTimeout(id));
            self.run
                .tasks
                .entry(id)
                .and_modify(|task| task.timeout = Some(timer));
        }
        self.run.visit_mut(scope).phase = Phase::Task(id);
        Ok(())
    }

    pub(super) fn task_succeeded(&mut self, id: TaskId, output: &Value) {
        let task = self.take_task(id);
        let event = HistoryEvent::new(HistoryKind::TaskSucceeded)
            .state(&task.state)
            .resource(&task.resource)
            .output(output.clone());
        self.record(task.scope, event);
        match check_size(&task.state, output) {
            Ok(()) => self.complete(task.scope, output.clone()),
            Err(failure) => self.fail(task.scope, failure),
        }
    }

    pub(super) fn task_failed(&mut self, id: TaskId, error: &str, cause: &str) {
        let task = self.take_task(id);
        let failure = Failure::new(error, cause);
        self.record_task_failure(HistoryKind::TaskFailed, &task, &failure);
        self.fail(task.scope, failure);
    }

    /// The timer itself has been taken out already.
    pub(super) fn task_timed_out(&mut self, id: TaskId) {
        let task = self.take_task(id);
        self.actions.push(Action::CancelTask { task: id });
        let failure = Failure::timeout();
        self.record_task_failure(HistoryKind::TaskTimedOut, &task, &failure);
        self.fail(task.scope, failure);
    }

    /// Takes out a task and its time-out.
    pub(super) fn take_task(&mut self, id: TaskId) -> RunningTask {
        let task = self
            .run
            .tasks
            .remove(&id)
            .expect("who names a task has seen that it runs");
        self.run.visit_mut(task.scope).phase = Phase::Working;
        if let Some(timer) = task.timeout {
            self.cancel_timer(timer);
        }
        task
    }

    fn record_task_failure(&mut self, kind: HistoryKind, task: &RunningTask, failure: &Failure) {
        let event = HistoryEvent::new(kind)
            .state(&task.state)
            .resource(&task.resource)
            .failure(failure);
        self.record(task.scope, event);
    }
}
