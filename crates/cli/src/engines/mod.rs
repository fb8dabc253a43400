//! The two engines behind one face: what a command asks of whoever runs the state machine.
//!
//! A history is in the same words whoever made it, so all that is shown (steps, events, results,
//! exit codes) is told from it by the same code.

mod embedded;
mod step_functions;

use async_trait::async_trait;
use serde_json::Value;
use trapheus_asl::HistoryEvent;
use trapheus_restore::Standing;

pub(crate) use embedded::{Embedded, found};
pub(crate) use step_functions::StepFunctions;

use crate::arguments::EngineKind;
use crate::error::Failure;
use crate::settings::{Machine, Settings};

/// An execution, as an engine finds it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its id, which is its name in Step Functions.
    pub id: String,
    /// Whether somebody is at work on it.
    pub standing: Standing,
}

/// How long somebody who follows an execution stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// The restored database serves, and a kept original is all that is left to wait for.
    Serving,
    /// The execution has ended.
    Ended,
}

impl Until {
    /// `wait`: stay until a kept original is gone.
    pub(crate) fn of(wait: bool) -> Self {
        if wait { Self::Ended } else { Self::Serving }
    }
}

/// What becomes of an execution when nobody follows it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// It has ended just now.
    Ended,
    /// It was stopped with its follower, and can be resumed.
    Stopped,
    /// It goes on.
    Running,
}

/// What a stop leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// An execution that can be resumed.
    Resumable,
    /// An execution that has ended, and is to be undone.
    ForGood,
}

/// Whoever runs the state machine.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// Starts an execution with a document that has been checked.
    async fn start(&self, input: &Value, until: Until) -> Result<Box<dyn Follower>, Failure>;

    /// Follows an execution that runs, or tells of one that has ended.
    async fn follow(&self, id: &str, until: Until) -> Result<Box<dyn Follower>, Failure>;

    /// Goes on with an execution that was stopped.
    async fn resume(&self, id: &str, until: Until) -> Result<Box<dyn Follower>, Failure>;

    /// Executions that wait for somebody to go on with them.
    async fn waiting(&self) -> Result<Vec<Found>, Failure>;

    /// The newest executions, the newest first: as many as asked for, or else all, or as many as
    /// can be looked at in good time.
    async fn list(&self, limit: Option<usize>) -> Result<Vec<Found>, Failure>;

    /// Finds an execution by its id, or the newest one by `last`.
    async fn find(&self, name: &str) -> Result<Found, Failure>;

    /// Everything that has happened to an execution.
    async fn history(&self, id: &str) -> Result<Vec<HistoryEvent>, Failure>;

    /// Whether executions go on with nobody staying with them; then a stop is for good, and undoes
    /// what they did.
    fn goes_on_by_itself(&self) -> bool;

    /// What to know before an execution is started.
    async fn warning(&self) -> Result<Option<String>, Failure>;

    /// Stops an execution; none of its tasks is at work any more when this returns.
    async fn stop(&self, id: &str) -> Result<Stopped, Failure>;

    /// Ends an execution that nobody is at work on, so that it can be undone.
    async fn end(&self, id: &str) -> Result<(), Failure>;
}

/// Somebody who follows an execution.
#[async_trait]
pub(crate) trait Follower: Send {
    /// The execution's id.
    fn id(&self) -> &str;

    /// The next thing that happens; none when there is nothing more to wait for.
    async fn next(&mut self) -> Result<Option<HistoryEvent>, Failure>;

    /// Follows no longer, because the user wishes so.
    async fn leave(&mut self) -> Result<Left, Failure>;
}

/// The engine that the settings name.
pub(crate) async fn open(
    settings: &Settings,
    machine: &Machine,
) -> Result<Box<dyn Engine>, Failure> {
    Ok(match machine.engine.value {
        EngineKind::Embedded => Box::new(Embedded::open(settings)?),
        EngineKind::StepFunctions => Box::new(StepFunctions::find(settings, machine).await?),
    })
}

/// The name of a kept original's state: the restored database serves already.
const KEEPING: &str = "KeepOriginal";

/// Whether nothing is left to be done but to wait for the end of a kept original's time.
fn keeps_original(event: &HistoryEvent) -> bool {
    event.kind.is_state_entered() && event.state.as_deref() == Some(KEEPING)
}
