//! What all operations share, whatever they are done to: the look at the record, the change, and the wait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::control_plane::{ControlPlane, StoreError};
use crate::durations::Pace;
use crate::engines::EngineError;
use crate::state::State;
use crate::state::instance::{Instance, Operation, Work};
use crate::state::table::{Record, Table};

/// Something that operations are done to, one at a time.
pub(super) trait Subject: Record {
    /// The kinds of its operations.
    type Work: Clone + fmt::Debug + PartialEq;

    /// Where it is.
    fn table(state: &State) -> &Table<Self>;

    /// Where it is, to be changed.
    fn table_mut(state: &mut State) -> &mut Table<Self>;

    /// What is being done to it.
    fn operation(&self) -> Option<&Operation<Self::Work>>;
}

/// One run of an operation.
pub(super) struct Run<'a, S: Subject> {
    pub(super) control_plane: &'a Arc<ControlPlane>,
    /// The key of the record in its table.
    pub(super) key: &'a str,
    pub(super) operation: Operation<S::Work>,
}

/// Why a run doesn't get to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// Something else is to be done with the record now.
    #[error("the operation was replaced")]
    Replaced,
    #[error("the operation's progress can't be noted")]
    Store(#[from] StoreError),
    /// The server can't do it.
    #[error("the server failed")]
    Engine(#[from] EngineError),
}

impl<'a, S: Subject> Run<'a, S> {
    /// The operation that the record has, if it has one.
    pub(super) fn of(control_plane: &'a Arc<ControlPlane>, key: &'a str) -> Option<Self> {
        let operation = control_plane.read(|state| S::table(state).get(key)?.operation().cloned());
        operation.map(|operation| Self {
            control_plane,
            key,
            operation,
        })
    }

    /// The record as it is now.
    pub(super) fn record(&self) -> Result<S, Stopped> {
        self.control_plane.read(|state| self.mine(state).cloned())
    }

    /// The record, provided that the operation still is its own.
    pub(super) fn mine<'s>(&self, state: &'s State) -> Result<&'s S, Stopped> {
        let record = S::table(state).get(self.key);
        record
            .filter(|record| record.operation() == Some(&self.operation))
            .ok_or(Stopped::Replaced)
    }

    /// Changes the state, provided that the operation still is the record's.
    pub(super) async fn note<T>(
        &self,
        change: impl FnOnce(&mut State, &mut S) -> T,
    ) -> Result<T, Stopped> {
        let noted = self.control_plane.transact(|state| {
            let mut record = self.mine(state)?.clone();
            let value = change(state, &mut record);
            S::table_mut(state).insert(self.key, record);
            Ok::<_, Stopped>(value)
        });
        self.control_plane.refresh_endpoints().await;
        noted
    }

    /// How long the operation takes.
    pub(super) fn pace(&self) -> Pace {
        self.control_plane.pace(self.key, self.operation.begun_at)
    }

    /// Waits until so long after the operation was begun.
    pub(super) async fn wait(&self, since_begun: Duration) -> Result<(), Stopped> {
        let begun_at = self.operation.begun_at;
        let until = begun_at.saturating_add(since_begun).unwrap_or(begun_at);
        let remaining = until.duration_since(self.control_plane.now());
        let Some(remaining) = Duration::try_from(remaining)
            .ok()
            .filter(|remaining| !remaining.is_zero())
        else {
            return Ok(());
        };
        let mut changed = self.control_plane.watch();
        let sleep = tokio::time::sleep(remaining);
        tokio::pin!(sleep);
        loop {
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                _ = changed.changed() => self.record().map(drop)?,
            }
        }
    }

    /// Waits until the state is so.
    pub(super) async fn wait_until(&self, is_so: impl Fn(&State) -> bool) -> Result<(), Stopped> {
        let mut changed = self.control_plane.watch();
        loop {
            self.record()?;
            if self.control_plane.read(&is_so) {
                return Ok(());
            }
            // It ends with the control plane only, which this run keeps alive.
            changed.changed().await.map_err(|_| Stopped::Replaced)?;
        }
    }
}

impl Subject for Instance {
    type Work = Work;

    fn table(state: &State) -> &Table<Self> {
        &state.instances
    }

    fn table_mut(state: &mut State) -> &mut Table<Self> {
        &mut state.instances
    }

    fn operation(&self) -> Option<&Operation> {
        self.operation.as_ref()
    }
}
