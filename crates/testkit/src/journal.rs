//! A journal whose appends somebody watches.

use std::sync::Arc;

use jiff::Timestamp;
use trapheus_asl::Event;
use trapheus_engine::{
    Ended, ExecutionId, Fencing, Journal, JournalError, Lease, NewExecution, Request,
    StoredExecution,
};

/// Who watches the appends.
pub(crate) trait Appends: Send + Sync + 'static {
    /// An event is about to be written.
    fn before(&self, sequence: u32, event: &Event);

    /// An event has been written.
    fn after(&self, sequence: u32);
}

/// A journal whose appends are watched.
pub(crate) struct WatchedJournal<W> {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) watcher: W,
}

impl<W: Appends> Journal for WatchedJournal<W> {
    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.watcher.before(sequence, event);
        self.journal.append(id, fencing, sequence, event, ended)?;
        self.watcher.after(sequence);
        Ok(())
    }

    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.journal.create(execution, lease, started, ended)
    }

    fn claim(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        lease: &Lease,
    ) -> Result<Fencing, JournalError> {
        self.journal.claim(id, fencing, lease)
    }

    fn renew(
        &self,
        leases: &[(ExecutionId, Fencing)],
        expires_at: Timestamp,
    ) -> Result<Vec<ExecutionId>, JournalError> {
        self.journal.renew(leases, expires_at)
    }

    fn release(&self, id: &ExecutionId, fencing: Fencing) -> Result<(), JournalError> {
        self.journal.release(id, fencing)
    }

    fn request(&self, id: &ExecutionId, request: &Request) -> Result<(), JournalError> {
        self.journal.request(id, request)
    }

    fn requests(&self) -> Result<Vec<(ExecutionId, Request)>, JournalError> {
        self.journal.requests()
    }

    fn execution(&self, id: &ExecutionId) -> Result<Option<StoredExecution>, JournalError> {
        self.journal.execution(id)
    }

    fn executions(&self) -> Result<Vec<StoredExecution>, JournalError> {
        self.journal.executions()
    }

    fn events(&self, id: &ExecutionId, sequence: u32) -> Result<Vec<Event>, JournalError> {
        self.journal.events(id, sequence)
    }
}
