//! A journal that a process doesn't live to write on: the death between an act and its record.

use std::sync::Arc;

use jiff::Timestamp;
use trapheus_asl::Event;
use trapheus_engine::{
    Ended, ExecutionId, Fencing, Journal, JournalError, Lease, MemoryJournal, NewExecution,
    Request, StoredExecution,
};

/// Refuses every event from one on: what the engine does about it is what a death would do, and
/// what was done for that event has been done.
#[derive(Debug)]
pub struct CrashingJournal {
    journal: Arc<MemoryJournal>,
    /// The first event that is not written.
    crashes_at: u32,
}

impl CrashingJournal {
    /// A journal that keeps the events before `crashes_at` in another one.
    pub fn new(journal: Arc<MemoryJournal>, crashes_at: u32) -> Self {
        Self {
            journal,
            crashes_at,
        }
    }
}

impl Journal for CrashingJournal {
    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        if sequence >= self.crashes_at {
            let what = format!("the process died before event {sequence}");
            return Err(JournalError::Inconsistent { what });
        }
        self.journal.append(id, fencing, sequence, event, ended)
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
