//! A journal, and who watches what is written to it.

use std::sync::Arc;

use jiff::Timestamp;
use trapheus_asl::Event;
use trapheus_engine::{
    Ended, ExecutionId, Fencing, Journal, JournalError, Lease, NewExecution, Request,
    StoredExecution,
};

/// Who watches what is written. What it doesn't care about, it leaves out.
pub(crate) trait Appends: Send + Sync + 'static {
    /// An execution has been created, with its first event.
    fn created(&self, _: &ExecutionId, _started: &Event) {}

    /// An event is about to be appended.
    fn before(&self, _sequence: u32, _: &Event) {}

    /// An event has been appended, which may be the execution's last.
    fn after(&self, id: &ExecutionId, sequence: u32, event: &Event, ended: Option<&Ended>);
}

/// A journal that somebody watches.
#[derive(Debug)]
pub(crate) struct WatchedJournal<J, W> {
    pub(crate) journal: Arc<J>,
    pub(crate) watcher: W,
}

impl<J: Journal, W: Appends> Journal for WatchedJournal<J, W> {
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
        self.watcher.after(id, sequence, event, ended);
        Ok(())
    }

    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.journal.create(execution, lease, started, ended)?;
        self.watcher.created(&execution.id, started);
        Ok(())
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
