//! The history of an execution as it happens, whoever runs it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use trapheus_asl::HistoryEvent;

use crate::replay::Replay;
use crate::shared::Shared;
use crate::{Error, ExecutionId, ExecutionStatus};

/// How often to look at the journal for what another process has added.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A history that is read from the journal as it grows: a slow reader misses nothing and holds
/// nobody up.
pub struct Follow {
    engine: Arc<Shared>,
    id: ExecutionId,
    replay: Replay,
    ready: VecDeque<HistoryEvent>,
    changes: watch::Receiver<()>,
}

impl Follow {
    pub(crate) fn new(engine: Arc<Shared>, id: ExecutionId) -> Result<Follow, Error> {
        let replay = Replay::new(&engine.stored(&id)?)?;
        let changes = engine.changes();
        Ok(Follow {
            engine,
            id,
            replay,
            ready: VecDeque::new(),
            changes,
        })
    }

    /// The next event; none when there is no further one because the execution has ended, or
    /// because nobody runs it any more.
    ///
    /// # Errors
    /// When the journal fails, or what it has cannot be replayed.
    pub async fn next(&mut self) -> Result<Option<HistoryEvent>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            self.changes.mark_unchanged();
            // Asked first: what is found after "it no longer runs" is all there will be.
            let runs = self.engine.execution_status(&self.id)? == ExecutionStatus::Running;
            let events = self.engine.events(&self.id, self.replay.sequence())?;
            self.ready.extend(self.replay.take_all(&events)?);
            if self.ready.is_empty() {
                if !runs {
                    return Ok(None);
                }
                self.wait().await;
            }
        }
    }

    async fn wait(&mut self) {
        let changed = self.changes.changed();
        if self.engine.runs_here(&self.id) {
            // The sender lives in the engine, which this follower holds.
            _ = changed.await;
        } else {
            _ = tokio::time::timeout(POLL_INTERVAL, changed).await;
        }
    }
}
