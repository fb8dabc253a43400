//! What an engine, its handles and its followers share: whose the executions are, and how their
//! drivers come to run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use trapheus_asl::{Action, Event, HistoryEvent};

use crate::driver::{Command, Driver, Work};
use crate::engine::Timing;
use crate::journal::{Fencing, Journal, Lease, StoredExecution};
use crate::replay::{Replay, current_states};
use crate::running::Running;
use crate::{
    Clock, Error, ExecutionId, ExecutionRecord, ExecutionStatus, Handle, Hold, OwnerId, Tasks,
    heartbeat, lease,
};

/// What an engine, its handles and its followers share.
pub(crate) struct Shared {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) timing: Timing,
    pub(crate) clock: Arc<dyn Clock>,
    tasks: Arc<dyn Tasks>,
    owner: OwnerId,
    pub(crate) running: Running,
    /// Counts the ids that were made.
    ids_made: AtomicU64,
    /// Held by whoever claims executions: for this engine's own threads, its own lease is no lock.
    claiming: Mutex<()>,
    heartbeat: Mutex<Option<JoinHandle<()>>>,
}

impl Shared {
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        tasks: Arc<dyn Tasks>,
        owner: OwnerId,
        timing: Timing,
    ) -> Shared {
        Shared {
            journal,
            timing,
            clock,
            tasks,
            owner,
            running: Running::new(),
            ids_made: AtomicU64::new(0),
            claiming: Mutex::new(()),
            heartbeat: Mutex::new(None),
        }
    }

    pub(crate) fn make_id(&self, at: Timestamp) -> ExecutionId {
        ExecutionId::new(
            at,
            self.owner
                .distinction(self.ids_made.fetch_add(1, Ordering::Relaxed)),
        )
    }

    pub(crate) fn claiming(&self) -> MutexGuard<'_, ()> {
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

    pub(crate) fn not_ended(&self, id: &ExecutionId) -> Result<StoredExecution, Error> {
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

    pub(crate) fn check_free(&self, stored: &StoredExecution) -> Result<(), Error> {
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
    pub(crate) fn claim(&self, stored: &StoredExecution) -> Result<Driver, Error> {
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

    pub(crate) fn launch(self: &Arc<Shared>, driver: Driver, actions: Vec<Action>) -> Handle {
        self.keep_beating();
        let id = driver.id.clone();
        let (commands, receiver) = mpsc::unbounded_channel();
        let (done, outcome) = watch::channel(None);
        let hold = Hold::new(self, &id, driver.fencing);
        let work = Work::new(Arc::clone(&self.tasks), hold, receiver);
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
    fn keep_beating(self: &Arc<Shared>) {
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

    pub(crate) fn history(&self, stored: &StoredExecution) -> Result<Vec<HistoryEvent>, Error> {
        Replay::new(stored)?.take_all(&self.journal.events(&stored.id, 0)?)
    }

    pub(crate) fn record(&self, stored: StoredExecution) -> ExecutionRecord {
        let current_states = match stored.ended {
            Some(_) => Vec::new(),
            None => self.current_states(&stored),
        };
        ExecutionRecord::new(self.status(&stored), stored, current_states)
    }

    /// An execution that cannot be replayed is listed all the same, and the others with it; its
    /// history and its resume tell what is wrong.
    fn current_states(&self, stored: &StoredExecution) -> Vec<String> {
        match self.history(stored) {
            Ok(history) => current_states(&history),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(execution = %stored.id, error, "the execution cannot be replayed");
                Vec::new()
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.running.abort_all();
    }
}
