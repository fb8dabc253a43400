//! `TRAPHEUS_HOME`: the executions' journal, and an engine over it.

use std::fs::DirBuilder;
use std::future::ready;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8Path;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use trapheus_alerts::Alerts;
use trapheus_engine::{
    Engine, ExecutionId, ExecutionRecord, ExecutionStatus, OwnerId, SqliteJournal, SystemClock,
    TaskCall, TaskError, Tasks,
};
use trapheus_rds::{ConnectOptions, Permit, Rds};
use trapheus_restore::{NoExecutions, ServerSql, ServerVerifier};

use crate::aws;
use crate::blueprints::BlueprintFiles;
use crate::children::Children;
use crate::error::{Context, Failure, chain};
use crate::login;
use crate::settings::{Settings, Sourced};

/// The name of the state machine, as `executions show` has it.
pub(crate) const MACHINE: &str = "restore";

/// How long another process may take to see that it should stop, and how often we look.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const STOP_LOOK: Duration = Duration::from_millis(100);

/// The engine over the journal in `home`, running the given tasks.
pub(crate) fn engine(home: &Utf8Path, tasks: Arc<dyn Tasks>) -> Result<Engine, Failure> {
    let journal = open(home)?;
    Ok(Engine::new(
        Arc::new(journal),
        Arc::new(SystemClock),
        tasks,
        OwnerId::this_process(),
    ))
}

/// The engine for looking and stopping only: it never runs a task.
pub(crate) fn reader(home: &Utf8Path) -> Result<Engine, Failure> {
    engine(home, Arc::new(NoTasks))
}

fn open(home: &Utf8Path) -> Result<SqliteJournal, Failure> {
    // A directory that we make is closed to others; one that is there already is the user's, and
    // the journal's own files are closed in any case.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)
        .context(format_args!("create {home}"))?;
    SqliteJournal::open(home.join("executions.db"))
        .context(format_args!("open {home}/executions.db"))
}

/// A door to RDS by the settings in force.
pub(crate) async fn connect(settings: &Settings) -> Result<Rds, Failure> {
    let value = |setting: &Option<Sourced<String>>| setting.as_ref().map(|it| it.value.clone());
    let options = ConnectOptions {
        profile: value(&settings.profile),
        region: value(&settings.region),
        endpoint_url: value(&settings.endpoint_url),
        ..ConnectOptions::default()
    };
    Rds::connect(options)
        .await
        .map_err(|error| Failure::refused(chain(&error)))
}

/// The restore's tasks, talking to RDS through this door.
pub(crate) async fn tasks(
    rds: Rds,
    settings: &Settings,
) -> Result<trapheus_restore::Tasks, Failure> {
    let login = login::credentials(settings).await?;
    let options = trapheus_restore::Options {
        clock: Arc::new(now),
        verifier: Arc::new(ServerVerifier::new(login.clone())),
        secrets: Arc::new(login::SecretsManager(settings.clone())),
        sql: Arc::new(ServerSql),
        login,
        blueprints: Arc::new(BlueprintFiles::of(&settings.home.value)),
        notifier: Arc::new(alerts(settings).await?),
        executions: Arc::new(NoExecutions),
    };
    Ok(trapheus_restore::Tasks::new(rds, options))
}

/// Everybody who is told, by the settings in force.
pub(crate) async fn alerts(settings: &Settings) -> Result<Alerts, Failure> {
    let aws = aws::config(settings).await;
    settings
        .alerts()
        .and_then(|alerts| Alerts::new(&alerts, &aws))
        .map_err(|error| Failure::refused(format!("the settings of alerts: {error}")))
}

/// The time on the wall.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary is where real time comes in"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// What the engine refuses is refused before anything changed.
pub(crate) fn refused(error: &trapheus_engine::Error) -> Failure {
    Failure::refused(chain(error))
}

/// The restore's tasks, as the engine calls them.
pub(crate) struct RestoreTasks(pub trapheus_restore::Tasks);

#[async_trait]
impl Tasks for RestoreTasks {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let hold = call.hold;
        let children = Arc::new(Children(hold.clone()));
        let permit = Permit::new(move || ready(hold.renew().map_err(|error| chain(&error))));
        self.0
            .permitted_by(permit)
            .starting(children)
            .run(&call.resource, call.input)
            .await
            .map_err(|error| TaskError {
                error: error.name.as_str().to_owned(),
                cause: error.cause.to_string(),
            })
    }
}

struct NoTasks;

#[async_trait]
impl Tasks for NoTasks {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        unreachable!("an engine for looking was asked to run {}", call.resource)
    }
}

/// Waits until a stop that another process was asked for has happened; a process that does not
/// react in time is named.
pub(crate) async fn settled(engine: &Engine, id: &ExecutionId) -> Result<ExecutionRecord, Failure> {
    let deadline = Instant::now() + STOP_PATIENCE;
    loop {
        let record = engine
            .execution(id)
            .context(format_args!("read {id}"))?
            .ok_or_else(|| Failure::failed(format!("{id} is gone")))?;
        if record.status != ExecutionStatus::Running {
            return Ok(record);
        }
        if Instant::now() > deadline {
            return Err(Failure::failed(format!(
                "{id} was asked to stop, and its process has not answered yet"
            )));
        }
        sleep(STOP_LOOK).await;
    }
}
