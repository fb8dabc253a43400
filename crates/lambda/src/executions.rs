//! The state machine that calls: whether an execution of it still runs, and executions of it that
//! are started for other accounts.

use std::fmt::Write;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;
use sha2::{Digest, Sha256};
use trapheus_restore::{Executions, ExecutionsError, Summary, summary};
use trapheus_sfn::{MachineArn, history, standing};

/// As many characters as the name of an execution may have.
const NAME_LENGTH_MAX: usize = 80;
/// How much of a hash stands for what a name has no room for.
const HASH_BYTES: usize = 8;

/// A state machine of Step Functions. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct StateMachine {
    arn: MachineArn,
    steps: Client,
}

impl StateMachine {
    pub(crate) fn new(arn: MachineArn, aws: &SdkConfig) -> Self {
        Self {
            arn,
            steps: Client::new(aws),
        }
    }

    /// Whether an execution may still change something, or why not.
    pub(crate) async fn is_running(&self, execution: &str) -> Result<(), String> {
        let arn = self.arn.execution(execution);
        let asked = self.steps.describe_execution().execution_arn(arn);
        let found = asked.send().await.map_err(|error| {
            let said = said(&error);
            format!("whether {execution} still runs can't be found out: {said}")
        })?;
        match found.status() {
            ExecutionStatus::Running => Ok(()),
            ended => Err(format!(
                "{execution} is {ended}, and nothing is changed for it any more"
            )),
        }
    }
}

#[async_trait]
impl Executions for StateMachine {
    fn name(&self, parent: &str, purpose: &str) -> String {
        let name = format!("{parent}-{purpose}");
        if name.len() <= NAME_LENGTH_MAX {
            return name;
        }
        let hash = &Sha256::digest(&name)[..HASH_BYTES];
        let kept = name.chars().take(NAME_LENGTH_MAX - 2 * HASH_BYTES - 1);
        let mut short = kept.collect::<String>() + "-";
        for byte in hash {
            let _text_takes_all = write!(short, "{byte:02x}");
        }
        short
    }

    async fn begin(&self, name: &str, input: &Value) -> Result<(), ExecutionsError> {
        let start = self.steps.start_execution().name(name);
        let start = start
            .state_machine_arn(self.arn.as_str())
            .input(input.to_string());
        match start.send().await {
            // It was started before, whether it has ended or not.
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => Ok(()),
            started => started.map(drop).map_err(|error| failed(&error)),
        }
    }

    async fn look(&self, name: &str) -> Result<Option<Summary>, ExecutionsError> {
        let arn = self.arn.execution(name);
        let asked = self.steps.describe_execution().execution_arn(&arn);
        let found = match asked.send().await {
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => return Ok(None),
            found => found.map_err(|error| failed(&error))?,
        };
        let told = history(&self.steps, &arn).await;
        let told = told.map_err(|error| failed(&error))?;
        Ok(Some(summary(name, standing(found.status()), &told)))
    }
}

/// Only what Step Functions itself refuses for good won't go better in a moment.
fn failed<E>(error: &SdkError<E>) -> ExecutionsError
where
    E: ProvideErrorMetadata,
{
    let text = said(error);
    let is_refusal = error
        .raw_response()
        .is_some_and(|answer| answer.status().is_client_error());
    match error.code() {
        Some("ThrottlingException") | None => ExecutionsError::Passing(text),
        Some(_) if is_refusal => ExecutionsError::Final(text),
        Some(_) => ExecutionsError::Passing(text),
    }
}

fn said(error: &impl ProvideErrorMetadata) -> String {
    let said = error.message().or(error.code());
    said.unwrap_or("Step Functions does not answer").to_owned()
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;

    use super::*;

    #[test]
    fn a_child_has_a_name_that_step_functions_takes_and_that_is_its_own() {
        let arn = "arn:aws:states:us-east-1:123456789012:stateMachine:restore";
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        let machine = StateMachine::new(MachineArn::parse(arn).unwrap(), &config.build());
        assert_eq!(
            machine.name("nightly", "123456789012-eu-west-1"),
            "nightly-123456789012-eu-west-1"
        );
        let parent = "x".repeat(NAME_LENGTH_MAX);
        let [one, other] = ["eu-west-1", "eu-west-2"].map(|region| machine.name(&parent, region));
        assert_eq!(one.len(), NAME_LENGTH_MAX);
        assert_ne!(one, other);
        assert_eq!(one, machine.name(&parent, "eu-west-1"));
    }
}
