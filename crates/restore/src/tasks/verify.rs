//! Verify: the engine of the restored database answers on its port, and the user's statements
//! return what is true, before it gets the name.

use serde::{Deserialize, Serialize};
use trapheus_rds::{Database, DbIdentifier, Endpoint};

use super::context::Context;
use super::sql;
use crate::error::{ErrorName, TaskError};
use crate::limits::Deadline;
use crate::plan::Verification;
use crate::sql::Answer;
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
    /// What the user's statements returned; the first of many.
    #[serde(default)]
    pub answers: Vec<Answer>,
}

/// How many answers are told.
const ANSWERS: usize = 100;

pub(super) async fn run(context: &Context) -> Result<Verified, TaskError> {
    let (restored, endpoint) = sql::serving(context).await?;
    let probe = Probe {
        engine: restored.engine.clone(),
        endpoint: endpoint.clone(),
        master_username: restored.master_username.clone(),
    };
    let proof = match context.plan().verification {
        Verification::Connection => Some(prove(context, &probe).await?),
        Verification::StatusOnly => None,
    };
    let seen = (restored, endpoint);
    let answers = ask(context, &seen).await?;
    let (restored, endpoint) = seen;
    Ok(Verified {
        identifier: restored.identifier,
        endpoint,
        proof,
        answers,
    })
}

/// Runs the user's statements, all of which must return what is true.
async fn ask(context: &Context, seen: &(Database, Endpoint)) -> Result<Vec<Answer>, TaskError> {
    let plan = context.plan();
    let Some((sql, scripts)) = plan
        .sql
        .as_ref()
        .and_then(|sql| Some((sql, sql.verify.as_ref()?)))
    else {
        return Ok(Vec::new());
    };
    let limit = (ErrorName::VerificationFailed, plan.limits.verify_seconds);
    let server = sql::server(context, sql, scripts, seen, limit).await?;
    let asked = sql::request(context)?.verify.unwrap_or_default();
    let answers = context.sql.verify(&server, &asked.sql).await;
    let mut answers = answers.map_err(|error| sql::failed(ErrorName::VerificationFailed, error))?;
    if answers.is_empty() {
        let message = "the verification holds no statement, so nothing is verified";
        return Err(TaskError::new(ErrorName::VerificationFailed, message));
    }
    if let Some(answer) = answers.iter().find(|answer| !answer.holds) {
        let message = format!("`{}` returned {}", answer.statement, answer.saw);
        return Err(TaskError::new(ErrorName::VerificationFailed, message));
    }
    answers.truncate(ANSWERS);
    Ok(answers)
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
