//! The control plane's own session on a server, as `rdsadmin` in the database of that name.
//!
//! The database is RDS's too, and nobody else may connect to it: the master may drop or rename every other one.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use super::configuration::ADMINISTRATOR;
use super::layout::{Layout, SOCKET_PORT};
use super::program::failed;
use crate::engines::EngineError;

/// A connection with a superuser's rights.
#[derive(Debug)]
pub(super) struct Session {
    connection: PgConnection,
}

impl Session {
    /// Logs in.
    pub(super) async fn open(layout: &Layout) -> Result<Self, EngineError> {
        let action = "logging in as rdsadmin";
        let password = layout.administrator_password().map_err(failed(action))?;
        let connection = PgConnectOptions::new_without_pgpass()
            .socket(layout.socket_directory())
            .port(SOCKET_PORT)
            .ssl_mode(PgSslMode::Disable)
            .username(ADMINISTRATOR)
            .password(&password)
            .database(ADMINISTRATOR)
            .application_name("trapheus")
            // What the control plane sets must not depend on the parameter group, and passwords stay out of logs.
            .options([
                ("log_statement", "none"),
                ("log_min_duration_statement", "-1"),
                ("log_min_error_statement", "panic"),
                ("password_encryption", "scram-sha-256"),
                ("statement_timeout", "0"),
                ("idle_session_timeout", "0"),
            ])
            .disable_statement_logging()
            .connect()
            .await
            .map_err(failed(action))?;
        Ok(Self { connection })
    }

    /// Runs a statement. Everything in it that isn't fixed text must have been quoted.
    pub(super) async fn execute(
        &mut self,
        statement: String,
        action: &str,
    ) -> Result<(), EngineError> {
        self.connection
            .execute(AssertSqlSafe(statement))
            .await
            .map(drop)
            .map_err(failed(action))
    }

    /// The connection, for questions.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Logs out; an error at that point changes nothing.
    pub(super) async fn close(self) {
        let _ = self.connection.close().await;
    }
}

/// A text as SQL literal, in one line whatever is in it.
pub(super) fn literal(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "''")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    format!("E'{escaped}'")
}

/// A name as SQL identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_line_ends_cannot_break_out() {
        assert_eq!(literal("o'clock\\\n"), r"E'o''clock\\\n'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }
}
