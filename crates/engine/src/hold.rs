//! A task's hold on the execution that it works for.
//!
//! The fencing number keeps a stale owner from writing into the journal. What a task does elsewhere
//! no journal can refuse, so a task renews its hold before each such act. A process that was stopped
//! for longer than its lease, and woke up, thus finds out before it does harm; and once renewed, the
//! execution is nobody else's for the time of a lease. What remains is a process that is stopped for
//! that long between a renewal and the sending of one request.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::driver::Command;
use crate::journal::Fencing;
use crate::shared::Shared;
use crate::{Engine, Error, ExecutionId};

/// The right of one owner to act for an execution. Clones are the same.
#[derive(Clone)]
pub struct Hold {
    engine: Weak<Shared>,
    id: ExecutionId,
    fencing: Fencing,
}

impl Hold {
    pub(crate) fn new(engine: &Arc<Shared>, id: &ExecutionId, fencing: Fencing) -> Hold {
        Hold {
            engine: Arc::downgrade(engine),
            id: id.clone(),
            fencing,
        }
    }

    /// Makes sure that the execution is still this owner's, and stays so for the time of a lease.
    ///
    /// # Errors
    /// [`Error::TakenOver`]; [`Error::Interrupted`] when the engine is gone; or the journal
    /// failed, and nobody knows whose the execution is. In none of these cases may anything be
    /// done for it.
    pub fn renew(&self) -> Result<(), Error> {
        let id = || self.id.clone();
        let engine = Weak::upgrade(&self.engine).ok_or_else(|| Error::Interrupted { id: id() })?;
        let own = [(id(), self.fencing)];
        let lost = engine.journal.renew(&own, engine.lease().expires_at)?;
        if lost.is_empty() {
            return Ok(());
        }
        engine.command(&self.id, Command::TakenOver);
        Err(Error::TakenOver { id: id() })
    }

    /// The engine that runs the execution; none when it's gone. A hold doesn't keep it alive.
    #[must_use]
    pub fn engine(&self) -> Option<Engine> {
        Weak::upgrade(&self.engine).map(Engine::of)
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hold({}, {})", self.id, self.fencing)
    }
}
