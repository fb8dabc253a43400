//! A journal in memory: the same promises, but for durability. For simulations and tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use trapheus_asl::Event;

use crate::ExecutionId;
use crate::journal::{
    Ended, Fencing, Journal, JournalError, Lease, NewExecution, Request, StoredExecution,
    first_event,
};

/// A journal in memory. A simulated crash drops the engine and keeps the journal.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    executions: Mutex<BTreeMap<ExecutionId, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    stored: StoredExecution,
    events: Vec<Event>,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> MemoryJournal {
        MemoryJournal::default()
    }

    /// What a crash after the first `length` events of the execution would have left: a journal
    /// with this execution alone, owned by nobody.
    ///
    /// # Errors
    /// [`JournalError::NotFound`]; also when `length` is 0, for then it would never have started.
    pub fn cut(&self, id: &ExecutionId, length: usize) -> Result<MemoryJournal, JournalError> {
        let mut entry = self.entry(id)?;
        if length == 0 {
            return Err(JournalError::NotFound { id: id.clone() });
        }
        if length < entry.events.len() {
            entry.events.truncate(length);
            entry.stored.ended = None;
        }
        entry.stored.lease = None;
        Ok(MemoryJournal {
            executions: Mutex::new(BTreeMap::from([(id.clone(), entry)])),
        })
    }

    /// A copy that shares nothing: what the disk holds now.
    #[must_use]
    pub fn fork(&self) -> MemoryJournal {
        MemoryJournal {
            executions: Mutex::new(self.lock().clone()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, Entry>> {
        // Every method checks before it changes anything, so a panic leaves nothing half-done.
        self.executions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, id: &ExecutionId) -> Result<Entry, JournalError> {
        self.lock()
            .get(id)
            .cloned()
            .ok_or_else(|| JournalError::NotFound { id: id.clone() })
    }

    fn change<T>(
        &self,
        id: &ExecutionId,
        change: impl FnOnce(&mut Entry) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        match self.lock().get_mut(id) {
            Some(entry) => change(entry),
            None => Err(JournalError::NotFound { id: id.clone() }),
        }
    }
}

impl Entry {
    fn check(&self, fencing: Fencing) -> Result<(), JournalError> {
        if self.stored.fencing == fencing {
            Ok(())
        } else {
            Err(JournalError::Fenced {
                id: self.stored.id.clone(),
                fencing,
            })
        }
    }
}

impl Journal for MemoryJournal {
    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        let (started_at, input) = first_event(&execution.id, started.clone())?;
        let mut executions = self.lock();
        if executions.contains_key(&execution.id) {
            return Err(JournalError::AlreadyExists {
                id: execution.id.clone(),
            });
        }
        let stored = StoredExecution {
            id: execution.id.clone(),
            machine_name: execution.machine_name.clone(),
            definition: execution.definition.clone(),
            started_at,
            input,
            fencing: Fencing::FIRST,
            lease: ended.is_none().then(|| lease.clone()),
            request: None,
            ended: ended.cloned(),
        };
        executions.insert(
            execution.id.clone(),
            Entry {
                stored,
                events: vec![started.clone()],
            },
        );
        Ok(())
    }

    fn claim(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        lease: &Lease,
    ) -> Result<Fencing, JournalError> {
        self.change(id, |entry| {
            entry.check(fencing)?;
            entry.stored.fencing = fencing.next();
            entry.stored.lease = Some(lease.clone());
            entry
                .stored
                .request
                .take_if(|request| *request == Request::Stop);
            Ok(entry.stored.fencing)
        })
    }

    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        self.change(id, |entry| {
            entry.check(fencing)?;
            if u32::try_from(entry.events.len()) != Ok(sequence) {
                return Err(JournalError::OutOfSequence {
                    id: id.clone(),
                    sequence,
                });
            }
            entry.events.push(event.clone());
            if let Some(ended) = ended {
                entry.stored.ended = Some(ended.clone());
                entry.stored.lease = None;
            }
            Ok(())
        })
    }

    fn renew(
        &self,
        leases: &[(ExecutionId, Fencing)],
        expires_at: Timestamp,
    ) -> Result<Vec<ExecutionId>, JournalError> {
        let mut executions = self.lock();
        let mut lost = Vec::new();
        for (id, fencing) in leases {
            let entry = executions
                .get_mut(id)
                .filter(|entry| entry.stored.fencing == *fencing);
            match entry.and_then(|entry| entry.stored.lease.as_mut()) {
                Some(lease) => lease.expires_at = expires_at,
                None => lost.push(id.clone()),
            }
        }
        Ok(lost)
    }

    fn release(&self, id: &ExecutionId, fencing: Fencing) -> Result<(), JournalError> {
        self.change(id, |entry| {
            entry.check(fencing)?;
            entry.stored.lease = None;
            Ok(())
        })
    }

    fn request(&self, id: &ExecutionId, request: &Request) -> Result<(), JournalError> {
        self.change(id, |entry| {
            match request {
                Request::Stop => _ = entry.stored.request.get_or_insert_with(|| request.clone()),
                Request::Abort { .. } => entry.stored.request = Some(request.clone()),
            }
            Ok(())
        })
    }

    fn requests(&self) -> Result<Vec<(ExecutionId, Request)>, JournalError> {
        let executions = self.lock();
        let running = executions
            .values()
            .filter(|entry| entry.stored.ended.is_none());
        Ok(running
            .filter_map(|entry| Some((entry.stored.id.clone(), entry.stored.request.clone()?)))
            .collect())
    }

    fn execution(&self, id: &ExecutionId) -> Result<Option<StoredExecution>, JournalError> {
        Ok(self.lock().get(id).map(|entry| entry.stored.clone()))
    }

    fn executions(&self) -> Result<Vec<StoredExecution>, JournalError> {
        Ok(self
            .lock()
            .values()
            .map(|entry| entry.stored.clone())
            .collect())
    }

    fn events(&self, id: &ExecutionId, sequence: u32) -> Result<Vec<Event>, JournalError> {
        let executions = self.lock();
        let entry = executions
            .get(id)
            .ok_or_else(|| JournalError::NotFound { id: id.clone() })?;
        let from = usize::try_from(sequence).unwrap_or(usize::MAX);
        Ok(entry.events.get(from..).unwrap_or_default().to_vec())
    }
}
