//! The engine: starts, resumes, ends and shows executions. What happens to one execution while it
//! runs is its driver's.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use trapheus_asl::{Event, HistoryEvent};

use crate::driver::{Command, Driver, ended};
use crate::journal::{Fencing, Journal, NewExecution, Request};
use crate::replay::interpreter;
use crate::shared::Shared;
use crate::{Clock, Error, ExecutionId, ExecutionRecord, Follow, Handle, OwnerId, Tasks};

/// What to run.
#[derive(Debug, Clone, PartialEq)]
pub struct StartExecution {
    /// The execution's id; made from the time and the owner if none is given.
    pub id: Option<ExecutionId>,
    /// The name of the state machine, for people and for the context object.
    pub machine_name: String,
    /// The definition's text. It's stored with the execution, which keeps it for its whole life.
    pub definition: String,
    /// The input of the first state.
    pub input: Value,
}

/// How often an engine looks at what it shares with other processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long an owner that hangs, or died unseen, keeps others away. Several times the
    /// `renew_interval`, so that a busy machine doesn't lose its leases.
    pub lease_duration: Duration,
    /// How often leases are renewed: one transaction for all of an engine's executions.
    pub renew_interval: Duration,
    /// How often requests of other processes are looked for.
    pub poll_interval: Duration,
}

impl Timing {
    /// For an engine that shares its journal with nobody, as in a simulation: it hardly ever looks,
    /// so that a day of virtual time costs next to nothing.
    #[must_use]
    pub fn alone() -> Timing {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Timing {
            lease_duration: hours(48),
            renew_interval: hours(6),
            poll_interval: hours(6),
        }
    }
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            lease_duration: Duration::from_secs(30),
            renew_interval: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is so already.
    Done,
    /// The execution's owner, here or in another process, will do it within moments.
    Requested,
}

/// Runs executions. Clones are the same engine.
///
/// When the last clone and the last [`Handle`] are dropped, what runs is dropped where it stands,
/// as if the process had died.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// An engine that nothing runs in yet.
    pub fn new(
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        tasks: Arc<dyn Tasks>,
        owner: OwnerId,
    ) -> Engine {
        Engine::with_timing(journal, clock, tasks, owner, Timing::default())
    }

    /// [`Engine::new`] with other times than the usual ones. All processes that share a journal use
    /// the same.
    pub fn with_timing(
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        tasks: Arc<dyn Tasks>,
        owner: OwnerId,
        timing: Timing,
    ) -> Engine {
        Engine {
            shared: Arc::new(Shared::new(journal, clock, tasks, owner, timing)),
        }
    }

    pub(crate) fn of(shared: Arc<Shared>) -> Engine {
        Engine { shared }
    }

    /// Starts an execution. It's in the journal when this returns. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`Error::Definition`], [`Error::AlreadyExists`], or when the journal fails.
    pub fn start(&self, start: StartExecution) -> Result<Handle, Error> {
        let shared = &self.shared;
        let at = shared.clock.now();
        let StartExecution {
            id,
            machine_name,
            definition,
            input,
        } = start;
        let id = id.unwrap_or_else(|| shared.make_id(at));
        let mut execution = interpreter(&id, &machine_name, &definition)?;
        let started = Event::ExecutionStarted { at, input };
        let actions = execution.apply(&started).map_err(|source| Error::Illegal {
            id: id.clone(),
            source,
        })?;
        let new = NewExecution {
            id: id.clone(),
            machine_name,
            definition,
        };
        let ended = ended(&execution, at);
        shared
            .journal
            .create(&new, &shared.lease(), &started, ended.as_ref())?;
        let driver = Driver {
            id,
            execution,
            fencing: Fencing::FIRST,
            sequence: 1,
            last_at: at,
            journal: Arc::clone(&shared.journal),
            clock: Arc::clone(&shared.clock),
        };
        Ok(shared.launch(driver, actions))
    }

    /// Goes on with an execution that was stopped or interrupted: with the tasks and timers that
    /// were unanswered. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::HasEnded`], [`Error::RunsHere`], [`Error::Owned`] by another owner that lives or
    /// may live, [`Error::NotFound`], or when the journal fails.
    pub fn resume(&self, id: &ExecutionId) -> Result<Handle, Error> {
        let shared = &self.shared;
        let _claiming = shared.claiming();
        if shared.runs_here(id) {
            return Err(Error::RunsHere { id: id.clone() });
        }
        let stored = shared.not_ended(id)?;
        shared.check_free(&stored)?;
        let mut driver = shared.claim(&stored)?;
        // An abort that came while nobody ran the execution, or too late for its last owner.
        let actions = match stored.request {
            Some(Request::Abort { error, cause }) => driver.record(&Event::ExecutionAborted {
                at: driver.now(),
                error,
                cause,
            })?,
            Some(Request::Stop) | None => driver.execution.outstanding(),
        };
        Ok(shared.launch(driver, actions))
    }

    /// Asks for an execution to be stopped; it stays resumable. Whoever runs it, here or in another
    /// process, drops its tasks and gives it up. An interrupted one becomes a stopped one.
    ///
    /// # Errors
    /// [`Error::HasEnded`], [`Error::NotFound`], or when the journal fails.
    pub fn request_stop(&self, id: &ExecutionId) -> Result<Delivery, Error> {
        let shared = &self.shared;
        let _claiming = shared.claiming();
        if shared.running.command(id, Command::Stop) {
            return Ok(Delivery::Requested);
        }
        let stored = shared.not_ended(id)?;
        if stored.lease.is_none() {
            return Ok(Delivery::Done);
        }
        if shared.check_free(&stored).is_err() {
            shared.journal.request(id, &Request::Stop)?;
            return Ok(Delivery::Requested);
        }
        let fencing = shared.journal.claim(id, stored.fencing, &shared.lease())?;
        shared.journal.release(id, fencing)?;
        Ok(Delivery::Done)
    }

    /// Ends an execution for good, whoever runs it, and if nobody does. What is only requested is
    /// kept in the journal: should the owner stop or die first, the next resume does it.
    ///
    /// # Errors
    /// [`Error::HasEnded`], [`Error::NotFound`], or when the journal fails.
    pub fn abort(&self, id: &ExecutionId, error: &str, cause: &str) -> Result<Delivery, Error> {
        let shared = &self.shared;
        let _claiming = shared.claiming();
        let (error, cause) = (error.to_owned(), cause.to_owned());
        let mut stored = shared.not_ended(id)?;
        if shared.runs_here(id) || shared.check_free(&stored).is_err() {
            let request = Request::Abort {
                error: error.clone(),
                cause: cause.clone(),
            };
            shared.journal.request(id, &request)?;
            if shared.running.command(id, Command::from(request)) {
                return Ok(Delivery::Requested);
            }
            // Asked again: its owner may have left it before the request was there.
            stored = shared.stored(id)?;
            if stored.ended.is_some() {
                return Ok(Delivery::Done);
            }
            if shared.check_free(&stored).is_err() {
                return Ok(Delivery::Requested);
            }
        }
        let mut driver = shared.claim(&stored)?;
        driver.record(&Event::ExecutionAborted {
            at: driver.now(),
            error,
            cause,
        })?;
        Ok(Delivery::Done)
    }

    /// All executions, the oldest first.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn executions(&self) -> Result<Vec<ExecutionRecord>, Error> {
        let stored = self.shared.journal.executions()?;
        Ok(stored
            .into_iter()
            .map(|stored| self.shared.record(stored))
            .collect())
    }

    /// One execution, if there is such.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn execution(&self, id: &ExecutionId) -> Result<Option<ExecutionRecord>, Error> {
        Ok(self
            .shared
            .journal
            .execution(id)?
            .map(|stored| self.shared.record(stored)))
    }

    /// The history of an execution so far: its events, replayed.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the journal fails, or what it has cannot be replayed.
    pub fn history(&self, id: &ExecutionId) -> Result<Vec<HistoryEvent>, Error> {
        self.shared.history(&self.shared.stored(id)?)
    }

    /// The history of an execution from its first event on, and then as it happens, whoever runs
    /// it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the journal fails.
    pub fn follow(&self, id: &ExecutionId) -> Result<Follow, Error> {
        Follow::new(Arc::clone(&self.shared), id.clone())
    }
}
