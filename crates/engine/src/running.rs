//! The executions that run in one engine now, and how to reach their drivers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::ExecutionId;
use crate::driver::Command;
use crate::journal::Fencing;

/// The table of what runs. Clones share it.
#[derive(Clone)]
pub(crate) struct Running {
    table: Arc<Mutex<BTreeMap<ExecutionId, Driven>>>,
    /// Changes when an event was stored or a driver has ended.
    changes: watch::Sender<()>,
}

struct Driven {
    fencing: Fencing,
    commands: mpsc::UnboundedSender<Command>,
    task: AbortHandle,
}

/// An execution's place in the table: taken out when the driver has ended, even by a panic.
pub(crate) struct Place {
    running: Running,
    id: ExecutionId,
}

impl Running {
    pub(crate) fn new() -> Running {
        Running {
            table: Arc::default(),
            changes: watch::Sender::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, Driven>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spawns a driver and puts it into the table, in one step: however soon it ends, it's in the
    /// table before it's taken out.
    pub(crate) fn spawn<F>(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        commands: mpsc::UnboundedSender<Command>,
        driver: impl FnOnce(Place) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let place = Place {
            running: self.clone(),
            id: id.clone(),
        };
        let mut table = self.lock();
        let task = tokio::spawn(driver(place)).abort_handle();
        table.insert(
            id.clone(),
            Driven {
                fencing,
                commands,
                task,
            },
        );
    }

    pub(crate) fn contains(&self, id: &ExecutionId) -> bool {
        self.lock().contains_key(id)
    }

    pub(crate) fn leases(&self) -> Vec<(ExecutionId, Fencing)> {
        self.lock()
            .iter()
            .map(|(id, driven)| (id.clone(), driven.fencing))
            .collect()
    }

    /// Whether the execution runs here, and so gets the command.
    pub(crate) fn command(&self, id: &ExecutionId, command: Command) -> bool {
        let table = self.lock();
        table
            .get(id)
            .is_some_and(|driven| driven.commands.send(command).is_ok())
    }

    pub(crate) fn changed(&self) {
        self.changes.send_replace(());
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Drops all drivers where they stand.
    pub(crate) fn abort_all(&self) {
        for driven in self.lock().values() {
            driven.task.abort();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
        self.running.changed();
    }
}
