//! The journal on the disk: what an execution has become is known as soon as it is written.

use std::sync::Arc;

use jiff::Timestamp;
use trapheus_asl::{Action, Event, Execution, Identity, StateMachine};
use trapheus_engine::{
    Ended, ExecutionId, Fencing, Journal, JournalError, Lease, MemoryJournal, NewExecution,
    Request, StoredExecution,
};
use trapheus_restore::{Standing, Summary, summary};

use super::Ledger;

/// A journal that tells the ledger what is written.
#[derive(Debug)]
pub(crate) struct LedgerJournal {
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) ledger: Ledger,
}

impl LedgerJournal {
    /// How an execution went, from its events; none when they can't be replayed, which others see.
    fn summary(&self, id: &ExecutionId) -> Option<Summary> {
        let stored = self.journal.execution(id).ok()??;
        let machine = StateMachine::parse(&stored.definition).ok()?;
        let identity = Identity {
            execution_name: id.to_string(),
            state_machine_name: stored.machine_name,
        };
        let mut execution = Execution::new(Arc::new(machine), identity);
        let mut history = Vec::new();
        for event in self.journal.events(id, 0).ok()? {
            for action in execution.apply(&event).ok()? {
                if let Action::Record(event) = action {
                    history.push(event);
                }
            }
        }
        Some(summary(id.as_str(), Standing::Stopped, &history))
    }
}

impl Journal for LedgerJournal {
    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.journal.append(id, fencing, sequence, event, ended)?;
        self.ledger.written(id, event);
        if let Some(ended) = ended {
            self.ledger.ended(id, ended, self.summary(id));
        }
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
        self.ledger.written(&execution.id, started);
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
