//! What the starter of an execution holds: to wait for its end, to follow it, to stop it.

use std::sync::Arc;

use tokio::sync::watch;
use trapheus_asl::Status;

use crate::driver::Command;
use crate::shared::Shared;
use crate::{Error, ExecutionId, Follow};

/// How the running of an execution came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The execution has ended so.
    Ended(Status),
    /// The execution was stopped; it goes on when it is resumed.
    Stopped,
}

/// An execution that runs in this process. Dropping the handle doesn't stop it; dropping the
/// engine and all its handles does, without a trace, as the death of the process would.
pub struct Handle {
    pub(crate) id: ExecutionId,
    pub(crate) engine: Arc<Shared>,
    pub(crate) outcome: watch::Receiver<Option<Result<Outcome, Error>>>,
}

impl Handle {
    /// The execution's id.
    #[must_use]
    pub fn id(&self) -> &ExecutionId {
        &self.id
    }

    /// The execution's history from its first event on, and then as it happens.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn events(&self) -> Result<Follow, Error> {
        Follow::new(Arc::clone(&self.engine), self.id.clone())
    }

    /// Waits until the execution has ended or been stopped.
    ///
    /// # Errors
    /// When the execution runs no longer for another reason: the journal failed, another process
    /// took it over, the engine was dropped. It's resumable then.
    pub async fn wait(&self) -> Result<Outcome, Error> {
        let mut outcome = self.outcome.clone();
        let outcome = outcome
            .wait_for(Option::is_some)
            .await
            .map(|outcome| outcome.clone());
        outcome.ok().flatten().unwrap_or_else(|| {
            Err(Error::Interrupted {
                id: self.id.clone(),
            })
        })
    }

    /// Stops the execution, if it still runs, and waits until its tasks have been dropped.
    ///
    /// # Errors
    /// As [`Handle::wait`].
    pub async fn stop(&self) -> Result<Outcome, Error> {
        self.engine.command(&self.id, Command::Stop);
        self.wait().await
    }
}
