//! Logging in to a server and asking it a question.

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Error};
use tokio::time::timeout;

use super::{Credentials, Probe, ProbeError, Proof, STEP_LIMIT};

/// The class of SQLSTATEs that say who somebody is not.
const INVALID_AUTHORIZATION: &str = "28";

/// Logs in to PostgreSQL as the credentials say and runs `SELECT 1`.
pub(super) async fn postgres(
    probe: &Probe,
    credentials: &Credentials,
) -> Result<Proof, ProbeError> {
    let user = user(probe, credentials, "postgres");
    let options = PgConnectOptions::new_without_pgpass()
        .host(&probe.endpoint.address)
        .port(probe.endpoint.port)
        .username(user)
        .password(credentials.password.reveal())
        .database(credentials.database.as_deref().unwrap_or("postgres"))
        .ssl_mode(PgSslMode::Prefer);
    let ask = async {
        let mut connection = options.connect().await?;
        sqlx::query("SELECT 1").execute(&mut connection).await?;
        connection.close().await
    };
    judge(user, ask).await
}

/// The same for MySQL and MariaDB.
pub(super) async fn mysql(probe: &Probe, credentials: &Credentials) -> Result<Proof, ProbeError> {
    let user = user(probe, credentials, "admin");
    let options = MySqlConnectOptions::new()
        .host(&probe.endpoint.address)
        .port(probe.endpoint.port)
        .username(user)
        .password(credentials.password.reveal())
        .ssl_mode(MySqlSslMode::Preferred);
    let options = match &credentials.database {
        Some(database) => options.database(database),
        None => options,
    };
    let ask = async {
        let mut connection = options.connect().await?;
        sqlx::query("SELECT 1").execute(&mut connection).await?;
        connection.close().await
    };
    judge(user, ask).await
}

/// Who logs in; the last resort is the master user that RDS's console proposes.
fn user<'a>(probe: &'a Probe, credentials: &'a Credentials, otherwise: &'a str) -> &'a str {
    credentials
        .user
        .as_deref()
        .or(probe.master_username.as_deref())
        .unwrap_or(otherwise)
}

async fn judge(
    user: &str,
    ask: impl Future<Output = Result<(), Error>>,
) -> Result<Proof, ProbeError> {
    timeout(STEP_LIMIT, ask)
        .await
        .map_err(|_| ProbeError::Unreachable("the login takes too long".to_owned()))?
        .map(|()| Proof::Login)
        .map_err(|error| refused(user, &error))
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
