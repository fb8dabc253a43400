//! Logging in to PostgreSQL and asking it a question.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Error};
use tokio::time::timeout;

use super::{Credentials, Probe, ProbeError, Proof, STEP_LIMIT};

/// The class of SQLSTATEs that say who somebody is not.
const INVALID_AUTHORIZATION: &str = "28";

/// Logs in as the credentials say and runs `SELECT 1`.
pub(super) async fn log_in(probe: &Probe, credentials: &Credentials) -> Result<Proof, ProbeError> {
    let user = credentials
        .user
        .as_deref()
        .or(probe.master_username.as_deref())
        .unwrap_or("postgres");
    let options = PgConnectOptions::new_without_pgpass()
        .host(&probe.endpoint.address)
        .port(probe.endpoint.port)
        .username(user)
        .password(credentials.password.reveal())
        .database(credentials.database.as_deref().unwrap_or("postgres"))
        .ssl_mode(PgSslMode::Prefer);
    timeout(STEP_LIMIT, ask(options))
        .await
        .map_err(|_| ProbeError::Unreachable("the login takes too long".to_owned()))?
        .map(|()| Proof::Login)
        .map_err(|error| refused(user, &error))
}

async fn ask(options: PgConnectOptions) -> Result<(), Error> {
    let mut connection: PgConnection = options.connect().await?;
    sqlx::query("SELECT 1").execute(&mut connection).await?;
    connection.close().await
}

fn refused(user: &str, error: &Error) -> ProbeError {
    let code = error.as_database_error().and_then(|error| error.code());
    match code {
        Some(code) if code.starts_with(INVALID_AUTHORIZATION) => {
            ProbeError::LoginRefused(format!("the server refuses the login of {user}: {error}"))
        }
        Some(_) | None => ProbeError::Unreachable(format!("the login of {user} fails: {error}")),
    }
}
