//! The journal on the disk: what an execution has become is known as soon as it is written.

use std::sync::Arc;

use trapheus_asl::{Action, Event, Execution, Identity, StateMachine};
use trapheus_engine::{Ended, ExecutionId, Journal, MemoryJournal};
use trapheus_restore::{Standing, Summary, summary};

use super::Ledger;
use crate::journal::{Appends, WatchedJournal};

/// A journal that tells the ledger what is written.
pub(crate) type LedgerJournal = WatchedJournal<MemoryJournal, Reader>;

/// Reads what is written to a journal to a ledger.
#[derive(Debug)]
pub(crate) struct Reader {
    journal: Arc<MemoryJournal>,
    ledger: Ledger,
}

impl Ledger {
    /// A journal that this ledger hears of.
    pub(crate) fn watch(&self, journal: Arc<MemoryJournal>) -> Arc<LedgerJournal> {
        let watcher = Reader {
            journal: Arc::clone(&journal),
            ledger: self.clone(),
        };
        Arc::new(LedgerJournal { journal, watcher })
    }
}

impl Appends for Reader {
    fn created(&self, id: &ExecutionId, started: &Event) {
        self.ledger.written(id, started);
    }

    fn after(&self, id: &ExecutionId, _: u32, event: &Event, ended: Option<&Ended>) {
        self.ledger.written(id, event);
        if let Some(ended) = ended {
            self.ledger.ended(id, ended, self.summary(id));
        }
    }
}

impl Reader {
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
