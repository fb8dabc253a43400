//! The control plane's own session on a server, as `rdsadmin`.

use std::io;
use std::time::Duration;

use camino::Utf8Path;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::layout::Layout;
use super::program::failed;
use crate::engines::EngineError;

/// The user that the control plane itself is, as on RDS.
pub(super) const ADMINISTRATOR: &str = "rdsadmin";

/// The user that replicas are, as on RDS. It has the control plane's password, which the servers of one replication
/// share, and no other right than to read the log.
pub(super) const REPLICATOR: &str = "rdsrepladmin";

/// A server that accepts a connection and then says nothing is stuck.
const LOGIN_LIMIT: Duration = Duration::from_secs(30);

/// A connection with all rights.
#[derive(Debug)]
pub(super) struct Session {
    connection: MySqlConnection,
}

impl Session {
    /// Logs in.
    pub(super) async fn open(layout: &Layout) -> Result<Self, EngineError> {
        let action = "logging in as rdsadmin";
        let password = layout.administrator_password().map_err(failed(action))?;
        let socket = layout.unix_socket();
        Self::connect(&socket, &password)
            .await
            .map_err(failed(action))
    }

    /// Logs in to the server that listens on a socket; the error tells a server that isn't ready from one that refuses.
    pub(super) async fn connect(socket: &Utf8Path, password: &str) -> Result<Self, sqlx::Error> {
        let options = MySqlConnectOptions::new()
            .socket(socket)
            .username(ADMINISTRATOR)
            .password(password)
            .ssl_mode(MySqlSslMode::Disabled)
            .disable_statement_logging();
        let mut connection = tokio::time::timeout(LOGIN_LIMIT, options.connect())
            .await
            .map_err(|_| sqlx::Error::Io(io::ErrorKind::TimedOut.into()))??;
        // What the control plane sets must not depend on the parameter group.
        let settings = "SET sql_mode = '', wait_timeout = 86400, lock_wait_timeout = 3600";
        connection.execute(settings).await?;
        Ok(Self { connection })
    }

    /// Runs a statement. Everything in it that isn't fixed text must have been quoted.
    pub(super) async fn execute(
        &mut self,
        statement: String,
        action: &str,
    ) -> Result<(), EngineError> {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(failed(action))
    }

    /// The rows of a question that has no values in it.
    pub(super) async fn rows(
        &mut self,
        question: &'static str,
        action: &str,
    ) -> Result<Vec<MySqlRow>, EngineError> {
        sqlx::raw_sql(question)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed(action))
    }

    /// The only value of a question.
    pub(super) async fn text(
        &mut self,
        question: &'static str,
        action: &str,
    ) -> Result<String, EngineError> {
        let rows = self.rows(question, action).await?;
        Ok(rows.first().map(|row| column(row, 0)).unwrap_or_default())
    }

    /// Logs out; an error at that point changes nothing.
    pub(super) async fn close(self) {
        let _ = self.connection.close().await;
    }
}

/// A column of a row as text, empty where it is null: `SHOW` gives its columns many types.
pub(super) fn column<I: sqlx::ColumnIndex<MySqlRow>>(row: &MySqlRow, index: I) -> String {
    let value: Result<Option<String>, _> = row.try_get_unchecked(index);
    value.ok().flatten().unwrap_or_default()
}

/// A text as SQL literal, in one line whatever is in it, where `sql_mode` is empty.
pub(super) fn literal(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    format!("'{escaped}'")
}

/// A name as SQL identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_line_ends_cannot_break_out() {
        assert_eq!(literal("o'clock\\\n"), r"'o\'clock\\\n'");
        assert_eq!(identifier("a`b"), "`a``b`");
    }
}
