//! The engine: starts, resumes, ends and shows executions. What happens to one execution while it
//! runs is its driver's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use trapheus_asl::{Action, Event, HistoryEvent};

use crate::driver::{Command, Driver, Work, ended};
use crate::journal::{Fencing, Journal, Lease, NewExecution, Request, StoredExecution};
use crate::replay::{Replay, current_states, interpreter};
use crate::running::Running;
use crate::{
    Clock, Error, ExecutionId, ExecutionRecord, ExecutionStatus, Follow, Handle, OwnerId, Tasks,
    heartbeat, lease,
};

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
    inner: Arc<Inner>,
}

/// What an engine, its handles and its followers share.
pub(crate) struct Inner {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) timing: Timing,
    clock: Arc<dyn Clock>,
    tasks: Arc<dyn Tasks>,
    owner: OwnerId,
    running: Running,
    /// Counts the ids that were made.
    ids_made: AtomicU64,
    /// Held by whoever claims executions: for this engine's own threads, its own lease is no lock.
    claiming: Mutex<()>,
    heartbeat: Mutex<Option<JoinHandle<()>>>,
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
        let inner = Inner {
            journal,
            timing,
            clock,
            tasks,
            owner,
            running: Running::new(),
            ids_made: AtomicU64::new(0),
            claiming: Mutex::new(()),
            heartbeat: Mutex::new(None),
        };
        Engine {
            inner: Arc::new(inner),
        }
    }

    /// Starts an execution. It's in the journal when this returns. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`Error::Definition`], [`Error::AlreadyExists`], or when the journal fails.
    pub fn start(&self, start: StartExecution) -> Result<Handle, Error> {
        let inner = &self.inner;
        let at = inner.clock.now();
        let StartExecution {
            id,
            machine_name,
            definition,
            input,
        } = start;
        let id = id.unwrap_or_else(|| inner.make_id(at));
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
        inner
            .journal
            .create(&new, &inner.lease(), &started, ended.as_ref())?;
        let driver = Driver {
            id,
            execution,
            fencing: Fencing::FIRST,
            sequence: 1,
            last_at: at,
            journal: Arc::clone(&inner.journal),
            clock: Arc::clone(&inner.clock),
        };
        Ok(inner.launch(driver, actions))
    }

    /// Goes on with an execution that was stopped or interrupted: with the tasks and timers that
    /// were unanswered. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::HasEnded`], [`Error::RunsHere`], [`Error::Owned`] by another owner that lives or
    /// may live, [`Error::NotFound`], or when the journal fails.
    pub fn resume(&self, id: &ExecutionId) -> Result<Handle, Error> {
        let inner = &self.inner;
        let _claiming = inner.claiming();
        if inner.runs_here(id) {
            return Err(Error::RunsHere { id: id.clone() });
        }
        let stored = inner.not_ended(id)?;
        inner.check_free(&stored)?;
        let mut driver = inner.claim(&stored)?;
        // An abort that came while nobody ran the execution, or too late for its last owner.
        let actions = match stored.request {
            Some(Request::Abort { error, cause }) => driver.record(&Event::ExecutionAborted {
                at: driver.now(),
                error,
                cause,
            })?,
            Some(Request::Stop) | None => driver.execution.outstanding(),
        };
        Ok(inner.launch(driver, actions))
    }

    /// Asks for an execution to be stopped; it stays resumable. Whoever runs it, here or in another
    /// process, drops its tasks and gives it up. An interrupted one becomes a stopped one.
    ///
    /// # Errors
    /// [`Error::HasEnded`], [`Error::NotFound`], or when the journal fails.
    pub fn request_stop(&self, id: &ExecutionId) -> Result<Delivery, Error> {
        let inner = &self.inner;
        let _claiming = inner.claiming();
        if inner.running.command(id, Command::Stop) {
            return Ok(Delivery::Requested);
        }
        let stored = inner.not_ended(id)?;
        if stored.lease.is_none() {
            return Ok(Delivery::Done);
        }
        if inner.check_free(&stored).is_err() {
            inner.journal.request(id, &Request::Stop)?;
            return Ok(Delivery::Requested);
        }
        let fencing = inner.journal.claim(id, stored.fencing, &inner.lease())?;
        inner.journal.release(id, fencing)?;
        Ok(Delivery::Done)
    }

    /// Ends an execution for good, whoever runs it, and if nobody does.
    ///
    /// # Errors
    /// [`Error::HasEnded`], [`Error::NotFound`], or when the journal fails.
    pub fn abort(&self, id: &ExecutionId, error: &str, cause: &str) -> Result<Delivery, Error> {
        let inner = &self.inner;
        let _claiming = inner.claiming();
        let (error, cause) = (error.to_owned(), cause.to_owned());
        let command = Command::Abort {
            error: error.clone(),
            cause: cause.clone(),
        };
        if inner.running.command(id, command) {
            return Ok(Delivery::Requested);
        }
        let mut stored = inner.not_ended(id)?;
        if inner.check_free(&stored).is_err() {
            let request = Request::Abort {
                error: error.clone(),
                cause: cause.clone(),
            };
            inner.journal.request(id, &request)?;
            // Asked again: its owner may have left it before the request was there.
            stored = inner.not_ended(id)?;
            if inner.check_free(&stored).is_err() {
                return Ok(Delivery::Requested);
            }
        }
        let mut driver = inner.claim(&stored)?;
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
        let stored = self.inner.journal.executions()?;
        stored
            .into_iter()
            .map(|stored| self.inner.record(stored))
            .collect()
    }

    /// One execution, if there is such.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn execution(&self, id: &ExecutionId) -> Result<Option<ExecutionRecord>, Error> {
        let stored = self.inner.journal.execution(id)?;
        stored.map(|stored| self.inner.record(stored)).transpose()
    }

    /// The history of an execution so far: its events, replayed.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the journal fails, or what it has cannot be replayed.
    pub fn history(&self, id: &ExecutionId) -> Result<Vec<HistoryEvent>, Error> {
        self.inner.history(&self.inner.stored(id)?)
    }

    /// The history of an execution from its first event on, and then as it happens, whoever runs
    /// it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the journal fails.
    pub fn follow(&self, id: &ExecutionId) -> Result<Follow, Error> {
        Follow::new(Arc::clone(&self.inner), id.clone())
    }
}

impl Inner {
    fn make_id(&self, at: Timestamp) -> ExecutionId {
        ExecutionId::new(
            at,
            self.owner
                .distinction(self.ids_made.fetch_add(1, Ordering::Relaxed)),
        )
    }

    fn claiming(&self) -> std::sync::MutexGuard<'_, ()> {
        self.claiming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease from now on.
    pub(crate) fn lease(&self) -> Lease {
        let expires_at = self.clock.now().checked_add(self.timing.lease_duration);
        Lease {
            owner: self.owner.clone(),
            expires_at: expires_at.unwrap_or(Timestamp::MAX),
        }
    }

    pub(crate) fn leases(&self) -> Vec<(ExecutionId, Fencing)> {
        self.running.leases()
    }

    pub(crate) fn command(&self, id: &ExecutionId, command: Command) -> bool {
        self.running.command(id, command)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.running.changes()
    }

    pub(crate) fn runs_here(&self, id: &ExecutionId) -> bool {
        self.running.contains(id)
    }

    pub(crate) fn stored(&self, id: &ExecutionId) -> Result<StoredExecution, Error> {
        self.journal
            .execution(id)?
            .ok_or_else(|| Error::NotFound { id: id.clone() })
    }

    pub(crate) fn events(&self, id: &ExecutionId, sequence: u32) -> Result<Vec<Event>, Error> {
        Ok(self.journal.events(id, sequence)?)
    }

    fn not_ended(&self, id: &ExecutionId) -> Result<StoredExecution, Error> {
        let stored = self.stored(id)?;
        match stored.ended {
            Some(ended) => {
                let status = ExecutionStatus::from(&ended.status);
                Err(Error::HasEnded {
                    id: stored.id,
                    at: ended.at,
                    status,
                })
            }
            None => Ok(stored),
        }
    }

    fn binds(&self, lease: &Lease) -> bool {
        lease::binds(
            lease,
            &self.owner,
            self.clock.now(),
            self.timing.lease_duration,
        )
    }

    fn check_free(&self, stored: &StoredExecution) -> Result<(), Error> {
        match &stored.lease {
            Some(lease) if self.binds(lease) => Err(Error::Owned {
                id: stored.id.clone(),
                owner: lease.owner.to_string(),
                expires_at: lease.expires_at,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Becomes the owner and brings the interpreter to where the last owner left it. The claim
    /// comes first: nobody else appends to what is read after it.
    fn claim(&self, stored: &StoredExecution) -> Result<Driver, Error> {
        let id = &stored.id;
        let fencing = self.journal.claim(id, stored.fencing, &self.lease())?;
        let replayed = self.replay(stored, fencing);
        if replayed.is_err() {
            self.journal.release(id, fencing)?;
        }
        replayed
    }

    fn replay(&self, stored: &StoredExecution, fencing: Fencing) -> Result<Driver, Error> {
        let events = self.journal.events(&stored.id, 0)?;
        let mut replay = Replay::new(stored)?;
        replay.take_all(&events)?;
        Ok(Driver {
            id: stored.id.clone(),
            sequence: replay.sequence(),
            execution: replay.into_execution(),
            fencing,
            last_at: events.last().map_or(stored.started_at, Event::at),
            journal: Arc::clone(&self.journal),
            clock: Arc::clone(&self.clock),
        })
    }

    fn launch(self: &Arc<Inner>, driver: Driver, actions: Vec<Action>) -> Handle {
        self.keep_beating();
        let id = driver.id.clone();
        let (commands, receiver) = mpsc::unbounded_channel();
        let (done, outcome) = watch::channel(None);
        let work = Work::new(Arc::clone(&self.tasks), receiver);
        let running = self.running.clone();
        self.running
            .spawn(&id, driver.fencing, commands, |place| async move {
                let result = driver.run(work, actions, || running.changed()).await;
                // Whoever hears of the end may resume the execution, so it's out of the table
                // first.
                drop(place);
                done.send_replace(Some(result));
            });
        Handle {
            id,
            engine: Arc::clone(self),
            outcome,
        }
    }

    /// Sees to it that the heartbeat runs; the runtime that it was spawned on may be gone.
    fn keep_beating(self: &Arc<Inner>) {
        let mut heartbeat = self
            .heartbeat
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if heartbeat.as_ref().is_none_or(JoinHandle::is_finished) {
            *heartbeat = Some(heartbeat::spawn(self));
        }
    }

    pub(crate) fn execution_status(&self, id: &ExecutionId) -> Result<ExecutionStatus, Error> {
        Ok(self.status(&self.stored(id)?))
    }

    fn status(&self, stored: &StoredExecution) -> ExecutionStatus {
        match (&stored.ended, &stored.lease) {
            (Some(ended), _) => ExecutionStatus::from(&ended.status),
            (None, None) => ExecutionStatus::Stopped,
            (None, Some(_)) if self.runs_here(&stored.id) => ExecutionStatus::Running,
            (None, Some(lease)) if self.binds(lease) => ExecutionStatus::Running,
            (None, Some(_)) => ExecutionStatus::Interrupted,
        }
    }

    fn history(&self, stored: &StoredExecution) -> Result<Vec<HistoryEvent>, Error> {
        Replay::new(stored)?.take_all(&self.journal.events(&stored.id, 0)?)
    }

    fn record(&self, stored: StoredExecution) -> Result<ExecutionRecord, Error> {
        let current_states = match stored.ended {
            Some(_) => Vec::new(),
            None => current_states(&self.history(&stored)?),
        };
        Ok(ExecutionRecord::new(
            self.status(&stored),
            stored,
            current_states,
        ))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.running.abort_all();
    }
}
