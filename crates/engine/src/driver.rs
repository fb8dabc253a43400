//! Runs one execution: a thin loop around the interpreter.
//!
//! ```text
//! task answers ─┐              apply            append            perform
//! timer fires ──┼─► event ─► interpreter ─► journal (durable) ─► start/cancel tasks and timers
//! abort ────────┘              │ illegal       │ refused
//!                              └───────────────┴─► the driver ends; nothing of the event is seen
//! ```
//!
//! The order is the hazard. The interpreter goes first because it checks, but what it wants done is
//! done only after the event is in the journal. Whatever fails, the driver ends with its
//! interpreter and its tasks, and the journal is the truth that a resume starts from: it never goes
//! on with an event that may not be stored.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use trapheus_asl::{Action, Event, Execution, TaskId};

use crate::calls::Calls;
use crate::journal::{Ended, Fencing, Journal};
use crate::timers::Timers;
use crate::{Clock, Error, ExecutionId, Hold, Outcome, TaskCall, TaskError, Tasks};

/// What the driver of an execution is told from outside.
#[derive(Debug)]
pub(crate) enum Command {
    /// Drop the tasks and give the execution up; it stays resumable.
    Stop,
    /// End the execution for good.
    Abort {
        /// The error's name to be recorded.
        error: String,
        /// Why.
        cause: String,
    },
    /// Another owner has the execution: drop everything.
    TakenOver,
}

/// An execution's interpreter with its place in the journal.
pub(crate) struct Driver {
    pub(crate) id: ExecutionId,
    pub(crate) execution: Execution,
    pub(crate) fencing: Fencing,
    /// The place of the next event.
    pub(crate) sequence: u32,
    /// The time of the last event.
    pub(crate) last_at: Timestamp,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What a running driver holds beside itself.
pub(crate) struct Work {
    calls: Calls,
    hold: Hold,
    timers: Timers,
    commands: mpsc::UnboundedReceiver<Command>,
}

impl Work {
    pub(crate) fn new(
        tasks: Arc<dyn Tasks>,
        hold: Hold,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Work {
        Work {
            calls: Calls::new(tasks),
            hold,
            timers: Timers::default(),
            commands,
        }
    }
}

impl Driver {
    /// Runs the execution from the actions that are to be done now. `seen` is called after each
    /// event that it stored.
    pub(crate) async fn run(
        mut self,
        mut work: Work,
        actions: Vec<Action>,
        seen: impl Fn(),
    ) -> Result<Outcome, Error> {
        let result = self.drive(&mut work, actions, seen).await;
        // Only when the tasks are gone may anybody else be told that the execution is free.
        work.calls.stop().await;
        match &result {
            Ok(Outcome::Ended(_)) | Err(Error::TakenOver { .. }) => {}
            Ok(Outcome::Stopped) => self.journal.release(&self.id, self.fencing)?,
            Err(error) => self.give_up(error),
        }
        result
    }

    async fn drive(
        &mut self,
        work: &mut Work,
        actions: Vec<Action>,
        seen: impl Fn(),
    ) -> Result<Outcome, Error> {
        self.perform(work, actions);
        while !self.execution.status().has_ended() {
            let event = tokio::select! {
                biased;
                command = work.commands.recv() => match command {
                    Some(Command::Abort { error, cause }) => {
                        Event::ExecutionAborted { at: self.now(), error, cause }
                    }
                    Some(Command::TakenOver) => {
                        return Err(Error::TakenOver { id: self.id.clone() });
                    }
                    Some(Command::Stop) | None => return Ok(Outcome::Stopped),
                },
                (task, answer) = work.calls.next() => answered(self.now(), task, answer),
                () = work.timers.nap() => match work.timers.take_due(self.now()) {
                    Some((timer, due)) => Event::TimerFired { at: self.now().max(due), timer },
                    None => continue,
                },
            };
            let actions = self.record(&event)?;
            seen();
            self.perform(work, actions);
        }
        Ok(Outcome::Ended(self.execution.status().clone()))
    }

    /// Lets the event happen: when this returns, it is in the journal.
    pub(crate) fn record(&mut self, event: &Event) -> Result<Vec<Action>, Error> {
        let actions = self
            .execution
            .apply(event)
            .map_err(|source| Error::Illegal {
                id: self.id.clone(),
                source,
            })?;
        let ended = ended(&self.execution, event.at());
        self.journal
            .append(&self.id, self.fencing, self.sequence, event, ended.as_ref())?;
        self.sequence += 1;
        self.last_at = event.at();
        Ok(actions)
    }

    /// The wall clock's time, but never before the last event: a history goes forward only.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.last_at)
    }

    fn perform(&self, work: &mut Work, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::StartTask {
                    task,
                    state,
                    resource,
                    input,
                } => {
                    let execution = self.id.clone();
                    let hold = work.hold.clone();
                    work.calls.start(
                        task,
                        TaskCall {
                            execution,
                            state,
                            resource,
                            input,
                            hold,
                        },
                    );
                }
                Action::CancelTask { task } => work.calls.cancel(task),
                Action::StartTimer { timer, due } => work.timers.set(timer, due, self.now()),
                Action::CancelTimer { timer } => work.timers.cancel(timer),
                // Both are read from the journal by whoever wants to know.
                Action::Record(_) | Action::End(_) => {}
            }
        }
    }

    /// Frees the execution after a failure, as far as the journal still works. Otherwise the lease
    /// expires.
    fn give_up(&self, error: &Error) {
        let id = &self.id;
        let error: &dyn std::error::Error = error;
        tracing::error!(execution = %id, error, "the execution no longer runs here");
        if let Err(error) = self.journal.release(id, self.fencing) {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(execution = %id, error, "the execution stays leased for a while");
        }
    }
}

/// The execution's end, if this event was it.
pub(crate) fn ended(execution: &Execution, at: Timestamp) -> Option<Ended> {
    let status = execution.status();
    status.has_ended().then(|| Ended {
        at,
        status: status.clone(),
    })
}

fn answered(at: Timestamp, task: TaskId, answer: Result<Value, TaskError>) -> Event {
    match answer {
        Ok(output) => Event::TaskSucceeded { at, task, output },
        Err(TaskError { error, cause }) => Event::TaskFailed {
            at,
            task,
            error,
            cause,
        },
    }
}
