//! Verify: the engine of the restored database answers on its port, before it gets the name.

use serde::{Deserialize, Serialize};
use trapheus_rds::{DbIdentifier, Endpoint};

use super::context::Context;
use crate::error::{ErrorName, TaskError};
use crate::limits::Deadline;
use crate::plan::Verification;
use crate::verifier::{Probe, ProbeError, Proof};

/// What the restored database has proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// What it was called then.
    pub identifier: DbIdentifier,
    /// Where it answered.
    pub endpoint: Endpoint,
    /// What it proved; none where the plan relies on RDS's word.
    pub proof: Option<Proof>,
}

pub(super) async fn run(context: &Context) -> Result<Verified, TaskError> {
    let asked = context.restored()?;
    let restored = context
        .by_resource(&asked.resource_id)
        .await?
        .ok_or_else(|| {
            let message = format!(
                "{} ({}) does not exist any more",
                asked.identifier, asked.resource_id
            );
            TaskError::new(ErrorName::NotFound, message)
        })?;
    let waiting =
        || TaskError::in_progress(format!("{} is {}", restored.identifier, restored.status));
    if !restored.status.is_serving() {
        return Err(waiting());
    }
    let endpoint = restored.endpoint.clone().ok_or_else(waiting)?;
    let probe = Probe {
        engine: restored.engine.clone(),
        endpoint: endpoint.clone(),
        master_username: restored.master_username.clone(),
    };
    let proof = match context.plan().verification {
        Verification::Connection => Some(prove(context, &probe).await?),
        Verification::StatusOnly => None,
    };
    Ok(Verified {
        identifier: restored.identifier,
        endpoint,
        proof,
    })
}

async fn prove(context: &Context, probe: &Probe) -> Result<Proof, TaskError> {
    let failed = |message: String| TaskError::new(ErrorName::VerificationFailed, message);
    context
        .verifier
        .verify(probe)
        .await
        .map_err(|error| match error {
            ProbeError::WrongProtocol(message) | ProbeError::LoginRefused(message) => {
                failed(message)
            }
            // A server may need a moment after RDS calls it available.
            ProbeError::Unreachable(message) => {
                let limit_seconds = context.plan().limits.verify_seconds;
                let deadline = Deadline {
                    entered: context.at_work_since(),
                    now: context.now(),
                    limit_seconds,
                };
                if deadline.is_over() {
                    failed(format!("{message}, for {limit_seconds} s"))
                } else {
                    TaskError::in_progress(format!("waiting for the engine: {message}"))
                }
            }
        })
}
