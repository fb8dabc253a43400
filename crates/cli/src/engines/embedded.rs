//! The durable engine inside this binary: executions are in `TRAPHEUS_HOME`, and run in the
//! process of whoever started or resumed them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use trapheus_asl::HistoryEvent;
use trapheus_engine::{
    Engine as Durable, ExecutionId, ExecutionRecord, ExecutionStatus, Follow, Handle, Outcome,
    StartExecution,
};
use trapheus_restore::Standing;

use super::{Engine, Follower, Found, Left, Stopped, Until, keeps_original};
use crate::error::{Context, Failure};
use crate::home::{self, MACHINE, RestoreTasks};
use crate::settings::Settings;

const ALL_ARE_LISTED_BY: &str = "`trapheus executions list` shows all";

/// The executions of a home.
pub(crate) struct Embedded {
    settings: Settings,
    /// For looking and stopping: it never runs a task.
    reader: Durable,
}

impl Embedded {
    /// Opens the home that the settings name.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            reader: home::reader(&settings.home.value)?,
            settings: settings.clone(),
        })
    }

    /// An engine that runs tasks.
    async fn running(&self) -> Result<Durable, Failure> {
        let rds = home::connect(&self.settings).await?;
        let tasks = home::tasks(rds, &self.settings).await?;
        home::engine(&self.settings.home.value, Arc::new(RestoreTasks(tasks)))
    }

    fn record(&self, id: &str) -> Result<ExecutionRecord, Failure> {
        let parsed: ExecutionId = id.parse().map_err(|_| {
            Failure::refused(format!("{id:?} is not an execution")).hint(ALL_ARE_LISTED_BY)
        })?;
        let record = self.reader.execution(&parsed);
        record.context(format_args!("read {id}"))?.ok_or_else(|| {
            Failure::refused(format!("there is no execution {id}")).hint(ALL_ARE_LISTED_BY)
        })
    }

    fn records(&self) -> Result<Vec<ExecutionRecord>, Failure> {
        self.reader.executions().context("list the executions")
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn start(&self, input: &Value, until: Until) -> Result<Box<dyn Follower>, Failure> {
        let engine = self.running().await?;
        let handle = engine.start(StartExecution {
            id: None,
            machine_name: MACHINE.into(),
            definition: trapheus_restore::DEFINITION.into(),
            input: input.clone(),
        });
        Ok(Box::new(Own::of(
            handle.context("start the execution")?,
            until,
        )?))
    }

    async fn follow(&self, id: &str, _: Until) -> Result<Box<dyn Follower>, Failure> {
        let record = self.record(id)?;
        let events = self.reader.follow(&record.id);
        Ok(Box::new(Others {
            id: record.id,
            events: events.context("follow the execution")?,
        }))
    }

    async fn resume(&self, id: &str, until: Until) -> Result<Box<dyn Follower>, Failure> {
        let record = self.record(id)?;
        let handle = self.running().await?.resume(&record.id);
        Ok(Box::new(Own::of(
            handle.map_err(|error| home::refused(&error))?,
            until,
        )?))
    }

    async fn waiting(&self) -> Result<Vec<Found>, Failure> {
        let mut records = self.records()?;
        records.retain(|record| waits_for_somebody(record.status));
        Ok(records.iter().map(found).collect())
    }

    async fn list(&self, limit: Option<usize>) -> Result<Vec<Found>, Failure> {
        let mut records = self.records()?;
        records.sort_by(|one, other| other.id.cmp(&one.id));
        records.truncate(limit.unwrap_or(usize::MAX));
        Ok(records.iter().map(found).collect())
    }

    async fn find(&self, name: &str) -> Result<Found, Failure> {
        if name != "last" {
            return self.record(name).map(|record| found(&record));
        }
        let newest = self.list(Some(1)).await?.pop();
        newest.ok_or_else(|| Failure::refused("there is no execution yet"))
    }

    async fn history(&self, id: &str) -> Result<Vec<HistoryEvent>, Failure> {
        let history = self.reader.history(&self.record(id)?.id);
        history.context(format_args!("read the history of {id}"))
    }

    fn goes_on_by_itself(&self) -> bool {
        false
    }

    async fn warning(&self) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn stop(&self, id: &str) -> Result<Stopped, Failure> {
        let id = self.record(id)?.id;
        self.reader
            .request_stop(&id)
            .map_err(|error| home::refused(&error))?;
        home::settled(&self.reader, &id).await?;
        Ok(Stopped::Resumable)
    }

    async fn end(&self, id: &str) -> Result<(), Failure> {
        let record = self.record(id)?;
        match record.status {
            ExecutionStatus::Running => Err(Failure::refused(format!("{id} is running"))
                .hint(format!("`trapheus executions stop {id}` first"))),
            ExecutionStatus::Interrupted | ExecutionStatus::Stopped => self
                .reader
                .abort(
                    &record.id,
                    trapheus_restore::ROLLED_BACK,
                    "a roll-back was asked for",
                )
                .map(drop)
                .context(format_args!("end {id}")),
            ExecutionStatus::Succeeded
            | ExecutionStatus::Failed
            | ExecutionStatus::Aborted
            | ExecutionStatus::TimedOut => Ok(()),
        }
    }
}

pub(crate) fn found(record: &ExecutionRecord) -> Found {
    let standing = match record.status {
        ExecutionStatus::Running => Standing::Running,
        ExecutionStatus::Interrupted
        | ExecutionStatus::Stopped
        | ExecutionStatus::Succeeded
        | ExecutionStatus::Failed
        | ExecutionStatus::Aborted
        | ExecutionStatus::TimedOut => Standing::Stopped,
    };
    Found {
        id: record.id.to_string(),
        standing,
    }
}

fn waits_for_somebody(status: ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Interrupted | ExecutionStatus::Stopped => true,
        ExecutionStatus::Running
        | ExecutionStatus::Succeeded
        | ExecutionStatus::Failed
        | ExecutionStatus::Aborted
        | ExecutionStatus::TimedOut => false,
    }
}

/// Follows an execution that runs in this process, and ends with it.
struct Own {
    handle: Handle,
    events: Follow,
    until: Until,
    serves: bool,
}

impl Own {
    fn of(handle: Handle, until: Until) -> Result<Self, Failure> {
        let events = handle.events().context("follow the execution")?;
        Ok(Self {
            handle,
            events,
            until,
            serves: false,
        })
    }
}

#[async_trait]
impl Follower for Own {
    fn id(&self) -> &str {
        self.handle.id().as_str()
    }

    async fn next(&mut self) -> Result<Option<HistoryEvent>, Failure> {
        if self.serves && self.until == Until::Serving {
            // Nobody has to wait for the end of the original's time: whoever resumes it will.
            self.handle.stop().await.context("leave the execution")?;
            return Ok(None);
        }
        let event = self.events.next().await.context("follow the execution")?;
        match &event {
            Some(event) => self.serves |= keeps_original(event),
            None => {
                let outcome = self.handle.wait().await;
                outcome.context("run the execution to its end")?;
            }
        }
        Ok(event)
    }

    async fn leave(&mut self) -> Result<Left, Failure> {
        match self.handle.stop().await.context("stop the execution")? {
            Outcome::Ended(_) => Ok(Left::Ended),
            Outcome::Stopped => Ok(Left::Stopped),
        }
    }
}

/// Follows an execution that another process may run, to its end.
struct Others {
    id: ExecutionId,
    events: Follow,
}

#[async_trait]
impl Follower for Others {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    async fn next(&mut self) -> Result<Option<HistoryEvent>, Failure> {
        self.events.next().await.context("follow the execution")
    }

    async fn leave(&mut self) -> Result<Left, Failure> {
        Ok(Left::Running)
    }
}
