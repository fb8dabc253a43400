//! The tasks of one execution that run now.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::{AbortHandle, JoinSet};
use trapheus_asl::TaskId;

use crate::{TaskCall, TaskError, Tasks};

/// Running tasks. Dropping it cancels them.
pub(crate) struct Calls {
    tasks: Arc<dyn Tasks>,
    answers: JoinSet<Result<Value, TaskError>>,
    running: Vec<(TaskId, AbortHandle)>,
}

impl Calls {
    pub(crate) fn new(tasks: Arc<dyn Tasks>) -> Calls {
        Calls {
            tasks,
            answers: JoinSet::new(),
            running: Vec::new(),
        }
    }

    /// Begins a task.
    pub(crate) fn start(&mut self, id: TaskId, call: TaskCall) {
        let tasks = Arc::clone(&self.tasks);
        let abort = self.answers.spawn(async move { tasks.run(call).await });
        self.running.push((id, abort));
    }

    /// Drops a task. Its answer, should it have come in the meantime, is never seen.
    pub(crate) fn cancel(&mut self, id: TaskId) {
        if let Some(position) = self.running.iter().position(|(running, _)| *running == id) {
            let (_, abort) = self.running.remove(position);
            abort.abort();
        }
    }

    /// Waits for the next answer of a task that was not cancelled; without tasks, for ever.
    pub(crate) async fn next(&mut self) -> (TaskId, Result<Value, TaskError>) {
        while let Some(joined) = self.answers.join_next_with_id().await {
            let (tokio_id, answer) = match joined {
                Ok((tokio_id, answer)) => (tokio_id, answer),
                Err(error) => (error.id(), Err(died(error))),
            };
            let position = self
                .running
                .iter()
                .position(|(_, abort)| abort.id() == tokio_id);
            if let Some(position) = position {
                let (id, _) = self.running.remove(position);
                return (id, answer);
            }
        }
        std::future::pending().await
    }

    /// Cancels all tasks and waits until they are gone.
    pub(crate) async fn stop(&mut self) {
        self.running.clear();
        self.answers.shutdown().await;
    }
}

/// A task that panicked has failed; the panic's message has gone to the panic hook.
fn died(error: tokio::task::JoinError) -> TaskError {
    TaskError {
        error: "States.TaskFailed".to_owned(),
        cause: format!("the task died: {error}"),
    }
}
