//! The restore's tasks as the engine calls them, and a verifier for servers without sockets.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use serde_json::Value;
use trapheus_engine::{TaskCall, TaskError, Tasks};
use trapheus_restore::{Probe, ProbeError, Proof, Verifier};

/// The restore's tasks, for the engine.
pub(crate) struct RestoreTasks(pub(crate) trapheus_restore::Tasks);

#[async_trait]
impl Tasks for RestoreTasks {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let made = self.0.run(&call.resource, call.input).await;
        made.map_err(|error| TaskError {
            error: error.name.to_string(),
            cause: error.cause.to_string(),
        })
    }
}

/// How simulated servers answer: as they should, until they shouldn't.
#[derive(Debug)]
pub(crate) struct SimulatedVerifier {
    passes: AtomicU32,
}

impl Default for SimulatedVerifier {
    fn default() -> Self {
        Self {
            passes: AtomicU32::new(u32::MAX),
        }
    }
}

impl SimulatedVerifier {
    /// Lets this many verifications pass, and none after.
    pub(crate) fn refuse_after(&self, passes: u32) {
        self.passes.store(passes, Ordering::SeqCst);
    }
}

#[async_trait]
impl Verifier for SimulatedVerifier {
    async fn verify(&self, _: &Probe) -> Result<Proof, ProbeError> {
        let pass = |left: u32| left.checked_sub(1);
        match self
            .passes
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, pass)
        {
            Ok(_) => Ok(Proof::Handshake),
            Err(_) => Err(ProbeError::WrongProtocol(
                "the simulated server refuses".to_owned(),
            )),
        }
    }
}
