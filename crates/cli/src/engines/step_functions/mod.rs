//! Step Functions as an engine: executions of the state machine that `trapheus deploy` made.
//!
//! An execution runs in AWS, so nobody has to stay with it: following it is looking at its
//! history, and to leave is to look no longer. Step Functions cannot pause, so a stop ends an
//! execution and undoes it.

mod error;
mod machine;
mod watch;

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus};
use serde_json::Value;
use tokio::time::sleep;
use trapheus_asl::{HistoryEvent, HistoryKind};
use trapheus_engine::ExecutionId;
use trapheus_restore::{Standing, SummaryStatus};
use trapheus_sfn::{INPUT_MAX, MachineArn, standing};

use self::error::{failure, is_no_execution, unread};
use self::watch::{Watch, ends};
use super::{Engine, Follower, Found, Stopped, Until, keeps_original};
use crate::error::Failure;
use crate::home;
use crate::settings::{Machine, Settings};

/// How many executions a list looks at unless it is told: each costs a call.
const LISTED: usize = 50;
/// How long a call to RDS may still be under way after its execution was stopped: a task asks
/// before every call that changes something whether its execution still runs.
const LAST_CALL: Duration = Duration::from_secs(10);
/// How often to look whether the history knows of a stop.
const STOP_LOOK: Duration = Duration::from_millis(500);

/// The executions of a state machine.
#[derive(Clone)]
pub(crate) struct StepFunctions {
    client: Client,
    arn: MachineArn,
}

impl StepFunctions {
    /// Finds the state machine that the settings name.
    pub(crate) async fn find(settings: &Settings, machine: &Machine) -> Result<Self, Failure> {
        let (client, arn) = machine::find(settings, machine).await?;
        Ok(Self { client, arn })
    }

    /// The state machine's ARN.
    pub(crate) fn arn(&self) -> &str {
        self.arn.as_str()
    }

    /// The name of an execution that is given by its name or its ARN.
    fn name(&self, given: &str) -> Result<String, Failure> {
        let own = self.arn.execution("");
        match given.strip_prefix(&own) {
            Some(name) => Ok(name.to_owned()),
            None if given.starts_with("arn:") => Err(Failure::refused(format!(
                "{given} is no execution of {}",
                self.arn.as_str()
            ))
            .hint("--state-machine names the state machine of an execution")),
            None => Ok(given.to_owned()),
        }
    }

    async fn describe(&self, id: &str) -> Result<Described, Failure> {
        let described = self
            .client
            .describe_execution()
            .execution_arn(self.arn.execution(id))
            .send()
            .await;
        let described = described.map_err(|error| {
            if is_no_execution(&error) {
                let message = format!("there is no execution {id} of {}", self.arn.name());
                return Failure::refused(message).hint("`trapheus executions list` shows all");
            }
            failure(format!("look at {id}"), "DescribeExecution", &error)
        })?;
        Ok(Described {
            is_redrivable: described.redrive_status != Some(ExecutionRedriveStatus::NotRedrivable),
            why_not: described.redrive_status_reason,
            status: described.status,
            input: described.input.unwrap_or_default(),
        })
    }

    /// The newest executions, the newest first.
    async fn newest(&self, limit: usize) -> Result<Vec<Found>, Failure> {
        let mut pages = self
            .client
            .list_executions()
            .state_machine_arn(self.arn.as_str())
            .max_results(i32::try_from(limit.min(1000)).unwrap_or(1000))
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let doing = format!("list the executions of {}", self.arn.name());
                failure(doing, "ListExecutions", &error)
            })?;
            found.extend(page.executions.into_iter().map(|execution| Found {
                standing: standing(&execution.status),
                id: execution.name,
            }));
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Ends an execution that runs; returns its end, which is this one unless it came before.
    async fn abort(&self, id: &str, cause: &str) -> Result<HistoryEvent, Failure> {
        self.client
            .stop_execution()
            .execution_arn(self.arn.execution(id))
            .error(trapheus_restore::ROLLED_BACK)
            .cause(cause)
            .send()
            .await
            .map_err(|error| failure(format!("stop {id}"), "StopExecution", &error))?;
        loop {
            let mut history = self.history(id).await?;
            if let Some(end) = history.pop_if(|event| ends(event.kind)) {
                if is_at_work(&history) {
                    sleep(LAST_CALL).await;
                }
                return Ok(end);
            }
            sleep(STOP_LOOK).await;
        }
    }

    /// Refuses to go on with an execution that was undone, or is being undone.
    async fn check_not_undone(&self, id: &str) -> Result<(), Failure> {
        for newer in self.newest(usize::MAX).await? {
            if newer.id == id {
                break;
            }
            let input = self.describe(&newer.id).await?.input;
            let input: Value = serde_json::from_str(&input).unwrap_or_default();
            if input["rollbackOf"]["execution"] == id {
                let message = format!("{id} was rolled back by {}", newer.id);
                return Err(Failure::refused(message).hint("start a new one"));
            }
        }
        Ok(())
    }
}

/// What Step Functions says of an execution.
struct Described {
    status: ExecutionStatus,
    input: String,
    is_redrivable: bool,
    why_not: Option<String>,
}

#[async_trait]
impl Engine for StepFunctions {
    async fn start(&self, input: &Value, until: Until) -> Result<Box<dyn Follower>, Failure> {
        let text = input.to_string();
        if text.len() > INPUT_MAX {
            return Err(Failure::refused(format!(
                "the input has {} bytes, and Step Functions takes {INPUT_MAX} at most",
                text.len()
            ))
            .hint("the embedded engine takes longer ones"));
        }
        // The name is ours, so a call whose answer is lost may be made again.
        let distinction = RandomState::new().hash_one(&text) as u32;
        let id = ExecutionId::new(home::now(), distinction).to_string();
        let started = self
            .client
            .start_execution()
            .state_machine_arn(self.arn.as_str())
            .name(&id)
            .input(text)
            .send()
            .await;
        if let Err(error) = started
            && !error
                .as_service_error()
                .is_some_and(|error| error.is_execution_already_exists())
        {
            return Err(failure("start the execution", "StartExecution", &error));
        }
        Ok(Box::new(Watch::new(self, &id, until, 0)))
    }

    async fn follow(&self, id: &str, until: Until) -> Result<Box<dyn Follower>, Failure> {
        Ok(Box::new(Watch::new(self, id, until, 0)))
    }

    async fn resume(&self, id: &str, until: Until) -> Result<Box<dyn Follower>, Failure> {
        let described = self.describe(id).await?;
        if standing(&described.status) == Standing::Running {
            return Err(Failure::refused(format!("{id} is running"))
                .hint(format!("`trapheus executions watch {id}` follows it")));
        }
        let history = self.history(id).await?;
        let summary = trapheus_restore::summary(id, Standing::Stopped, &history);
        if !matches!(
            summary.status,
            SummaryStatus::Stopped | SummaryStatus::KeepingOriginal
        ) {
            return Err(has_ended(id));
        }
        if !described.is_redrivable {
            let why = described.why_not.unwrap_or_default();
            let message = format!("Step Functions does not go on with {id}: {why}");
            return Err(
                Failure::refused(message).hint(format!("`trapheus rollback {id}` undoes it"))
            );
        }
        self.check_not_undone(id).await?;
        let redriven = history.last().map_or(0, |event| event.id);
        self.client
            .redrive_execution()
            .execution_arn(self.arn.execution(id))
            .client_token(format!("{id}-{redriven}"))
            .send()
            .await
            .map_err(|error| failure(format!("resume {id}"), "RedriveExecution", &error))?;
        let redriven = i64::try_from(redriven).unwrap_or(i64::MAX);
        Ok(Box::new(Watch::new(self, id, until, redriven)))
    }

    async fn waiting(&self) -> Result<Vec<Found>, Failure> {
        Err(
            Failure::refused("in Step Functions no execution waits for somebody to go on with it")
                .hint(
                    "a kept original is deleted when its time is over; name an execution that \
                       was stopped by hand",
                ),
        )
    }

    async fn list(&self, limit: Option<usize>) -> Result<Vec<Found>, Failure> {
        self.newest(limit.unwrap_or(LISTED)).await
    }

    async fn find(&self, name: &str) -> Result<Found, Failure> {
        if name == "last" {
            let newest = self.newest(1).await?.pop();
            return newest.ok_or_else(|| {
                Failure::refused(format!("{} has no execution yet", self.arn.name()))
            });
        }
        let id = self.name(name)?;
        let standing = standing(&self.describe(&id).await?.status);
        Ok(Found { id, standing })
    }

    async fn history(&self, id: &str) -> Result<Vec<HistoryEvent>, Failure> {
        let history = trapheus_sfn::history(&self.client, &self.arn.execution(id)).await;
        history.map_err(|error| unread(id, &error))
    }

    fn goes_on_by_itself(&self) -> bool {
        true
    }

    async fn warning(&self) -> Result<Option<String>, Failure> {
        let different = machine::difference(&self.client, &self.arn).await?;
        Ok(different.map(|path| {
            format!(
                "the definition of {} is not the one of this `trapheus`, at {path}: \
                 `trapheus deploy` puts this one there",
                self.arn.name()
            )
        }))
    }

    async fn stop(&self, id: &str) -> Result<Stopped, Failure> {
        if standing(&self.describe(id).await?.status) == Standing::Stopped {
            return Err(has_ended(id));
        }
        // Clients write to the restored database by now: nobody but who asks for it takes it away.
        if has_promoted(&self.history(id).await?) {
            let message =
                format!("{id} has given the restored database the name: a stop is too late");
            return Err(Failure::refused(message).hint(format!(
                "`trapheus rollback {id}` swaps back while the original is kept"
            )));
        }
        match self.abort(id, "it was stopped").await?.kind {
            HistoryKind::ExecutionAborted => Ok(Stopped::ForGood),
            _ended_by_itself => Err(has_ended(id)),
        }
    }

    async fn end(&self, id: &str) -> Result<(), Failure> {
        if standing(&self.describe(id).await?.status) == Standing::Stopped {
            return Ok(());
        }
        // The wait of a kept original is all that nobody is at work in.
        let history = self.history(id).await?;
        if !history.last().is_some_and(keeps_original) {
            let hint = if has_promoted(&history) {
                format!("`trapheus executions watch {id}` follows it to its end")
            } else {
                format!("`trapheus executions stop {id}` stops it and rolls it back")
            };
            return Err(Failure::refused(format!("{id} is running")).hint(hint));
        }
        self.abort(id, "a roll-back was asked for").await.map(drop)
    }
}

/// Whether the end found a task at work: its function may not have noticed yet.
fn is_at_work(history: &[HistoryEvent]) -> bool {
    let count = |kinds: &[HistoryKind]| {
        let of_kind = history.iter().filter(|event| kinds.contains(&event.kind));
        of_kind.count()
    };
    let ended = [
        HistoryKind::TaskSucceeded,
        HistoryKind::TaskFailed,
        HistoryKind::TaskTimedOut,
    ];
    count(&[HistoryKind::TaskScheduled]) > count(&ended)
}

/// Whether the restored database has got the name.
fn has_promoted(history: &[HistoryEvent]) -> bool {
    history.iter().any(|event| {
        event.kind == HistoryKind::TaskSucceeded && event.state.as_deref() == Some("Promote")
    })
}

fn has_ended(id: &str) -> Failure {
    Failure::refused(format!("{id} has ended")).hint(format!(
        "`trapheus executions show {id}` tells how, `trapheus rollback {id}` undoes it"
    ))
}
