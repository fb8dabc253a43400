//! The journal on a simulated disk, as one process sees it.
//!
//! The real journal promises that an append is durable when it returns: the disk is synced before.
//! So what a death or a power failure can lose is the one write that has not returned, which may
//! be on the disk or not; and a disk that is full refuses a write as a whole.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use trapheus_asl::Event;
use trapheus_engine::{
    Ended, ExecutionId, Fencing, Journal, JournalError, Lease, NewExecution, Request,
    StoredExecution,
};

use super::life::Life;
use super::trace::Trace;

/// The disk that the journal is on: it outlives every process. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    full_until: Arc<Mutex<Option<Instant>>>,
}

impl Disk {
    /// Takes no writes for a while.
    pub(crate) fn fill(&self, lasting: Duration) {
        *self.full_until() = Some(Instant::now() + lasting);
    }

    fn is_full(&self) -> bool {
        self.full_until()
            .is_some_and(|until| Instant::now() < until)
    }

    fn full_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.full_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The journal as a process reaches it: the process may die in each write.
pub(crate) struct JournalOnDisk {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) disk: Disk,
    pub(crate) life: Life,
    pub(crate) trace: Trace,
}

impl JournalOnDisk {
    fn write<T>(&self, write: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
        if self.life.is_over() || self.life.dies_before_write() {
            return Err(JournalError::Inconsistent {
                what: "the process is dead".to_owned(),
            });
        }
        if self.disk.is_full() {
            self.trace
                .tell(self.life.name(), || "cannot write: the disk is full");
            let source = Arc::new(io::Error::from(io::ErrorKind::StorageFull));
            return Err(JournalError::File {
                doing: "written",
                source,
            });
        }
        let written = write();
        if self.life.dies_after_write() {
            return Err(JournalError::Inconsistent {
                what: "the process is dead".to_owned(),
            });
        }
        written
    }
}

impl Journal for JournalOnDisk {
    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.write(|| self.journal.create(execution, lease, started, ended))
    }

    fn claim(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        lease: &Lease,
    ) -> Result<Fencing, JournalError> {
        self.write(|| self.journal.claim(id, fencing, lease))
    }

    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.write(|| self.journal.append(id, fencing, sequence, event, ended))
    }

    fn renew(
        &self,
        leases: &[(ExecutionId, Fencing)],
        expires_at: Timestamp,
    ) -> Result<Vec<ExecutionId>, JournalError> {
        self.write(|| self.journal.renew(leases, expires_at))
    }

    fn release(&self, id: &ExecutionId, fencing: Fencing) -> Result<(), JournalError> {
        self.write(|| self.journal.release(id, fencing))
    }

    fn request(&self, id: &ExecutionId, request: &Request) -> Result<(), JournalError> {
        self.write(|| self.journal.request(id, request))
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
