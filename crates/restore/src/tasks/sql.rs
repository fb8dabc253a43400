//! The user's SQL, for Prepare and Verify: the restored database as a server to log in to.

use trapheus_rds::{Database, Endpoint};

use super::context::Context;
use crate::error::{ErrorName, TaskError};
use crate::input::Request;
use crate::limits::Deadline;
use crate::plan::{LoginSource, ScriptsPlan, SqlPlan};
use crate::sql::{Dialect, Server, SqlError};
use crate::verifier::Credentials;

/// The settings in which RDS keeps the name of the database that was made with a server.
const FIRST_DATABASE: [&str; 2] = ["DBName", "DatabaseName"];

/// The restored database, as soon as clients can be served.
pub(super) async fn serving(context: &Context) -> Result<(Database, Endpoint), TaskError> {
    let restored = context.restored_database().await?;
    let waiting =
        || TaskError::in_progress(format!("{} is {}", restored.identifier, restored.status));
    if !restored.status.is_serving() {
        return Err(waiting());
    }
    let endpoint = restored.endpoint.clone().ok_or_else(waiting)?;
    Ok((restored, endpoint))
}

/// The request, with its scripts.
pub(super) fn request(context: &Context) -> Result<Request, TaskError> {
    Request::parse(context.input()?)
        .map_err(|error| TaskError::new(ErrorName::Internal, error.to_string()))
}

/// A server with what to log in to it with; `name` is the error of who can't.
pub(super) async fn server(
    context: &Context,
    sql: &SqlPlan,
    scripts: &ScriptsPlan,
    (restored, endpoint): &(Database, Endpoint),
    (name, limit_seconds): (ErrorName, u64),
) -> Result<Server, TaskError> {
    let dialect = Dialect::of(&restored.engine).ok_or_else(|| {
        TaskError::new(name, format!("there is no SQL for {} yet", restored.engine))
    })?;
    let login = credentials(context, &sql.login, restored);
    let login = login.await.map_err(|why| TaskError::new(name, why))?;
    let master = restored.master_username.clone();
    let user = match sql.login {
        LoginSource::MasterPassword(_) => master,
        LoginSource::Secret(_) | LoginSource::Settings | LoginSource::Managed => {
            login.user.or(master)
        }
    };
    let deadline = Deadline {
        entered: context.at_work_since(),
        now: context.now(),
        limit_seconds,
    };
    Ok(Server {
        dialect,
        endpoint: endpoint.clone(),
        credentials: Credentials {
            user,
            password: login.password,
            database: scripts
                .database
                .clone()
                .or(login.database)
                .or_else(|| first_database(restored))
                .or_else(|| dialect.usual_database()),
        },
        patience: deadline.left(),
    })
}

fn first_database(restored: &Database) -> Option<String> {
    let is_its_name = |name: &str| FIRST_DATABASE.contains(&name);
    let mut settings = restored.settings.iter();
    let (_, value) = settings.find(|(name, _)| is_its_name(name.as_str()))?;
    value.as_str().map(str::to_owned)
}

async fn credentials(
    context: &Context,
    source: &LoginSource,
    restored: &Database,
) -> Result<Credentials, String> {
    let arn = match source {
        LoginSource::Settings => {
            let missing =
                "this process is given nothing to log in with: set TRAPHEUS_VERIFY_PASSWORD";
            return context.login.clone().ok_or_else(|| missing.to_owned());
        }
        LoginSource::Managed => {
            let secret = restored.master_user_secret.as_ref();
            &secret
                .ok_or("RDS keeps no secret for the restored database")?
                .arn
        }
        LoginSource::Secret(arn) | LoginSource::MasterPassword(arn) => arn,
    };
    let read = context.secrets.login(arn).await;
    read.map_err(|error| format!("the secret {arn} can't be used: {error}"))
}

/// What may pass is waited for; anything else is a failure of this name.
pub(super) fn failed(name: ErrorName, error: SqlError) -> TaskError {
    match error {
        SqlError::Passing(message) => {
            TaskError::in_progress(format!("waiting for the engine: {message}"))
        }
        SqlError::Refused(message) => TaskError::new(name, message),
    }
}
