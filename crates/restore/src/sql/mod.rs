//! The user's SQL in the restored database, before anybody can reach it by name. A trait, because
//! a simulated database has no socket.

pub(crate) mod masking;
mod mysql;
mod postgres;
mod server;
pub(crate) mod text;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use trapheus_rds::Endpoint;

pub use server::ServerSql;

use crate::verifier::Credentials;

/// Whose SQL a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL's.
    Postgres,
    /// That of MySQL and MariaDB.
    MySql,
}

impl Dialect {
    /// The dialect of an engine in RDS's words; none where we can't speak it.
    pub fn of(engine: &str) -> Option<Self> {
        if engine.contains("postgres") {
            Some(Dialect::Postgres)
        } else if engine.contains("mysql") || engine.contains("mariadb") {
            Some(Dialect::MySql)
        } else {
            None
        }
    }

    /// The database to be in where nobody names one; PostgreSQL wants one.
    pub(crate) fn usual_database(self) -> Option<String> {
        match self {
            Dialect::Postgres => Some("postgres".to_owned()),
            Dialect::MySql => None,
        }
    }

    /// A name as the server compares it: MySQL's are the same whatever their case.
    pub(crate) fn folded_quoted(self, name: &str) -> String {
        match self {
            Dialect::Postgres => name.to_owned(),
            Dialect::MySql => name.to_lowercase(),
        }
    }
}

/// A server, and what to log in to it with.
#[derive(Debug, Clone)]
pub struct Server {
    /// What it speaks.
    pub dialect: Dialect,
    /// Where it answers.
    pub endpoint: Endpoint,
    /// The user, the password, and the database to be in.
    pub credentials: Credentials,
    /// How long one operation may take.
    pub patience: Duration,
}

/// A column of a user's table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// The database.
    pub database: String,
    /// The schema; for MySQL the database again.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The column's own name.
    pub name: String,
}

/// What a statement of a verification has returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The statement, or the beginning of a long one.
    pub statement: String,
    /// What it returned, or the beginning of it.
    pub saw: String,
    /// Whether it returned at least one row and nothing that is not true.
    pub holds: bool,
}

/// Why SQL was not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// Nothing answers, or an earlier session is still at work, which may pass.
    #[error("{0}")]
    Passing(String),
    /// The server refuses the login or a statement, or takes too long.
    #[error("{0}")]
    Refused(String),
}

/// Runs SQL in servers. Every operation may be cut off at any moment and run again.
#[async_trait]
pub trait Sql: Send + Sync + 'static {
    /// Switches off what would act on the outside world, in every database of the server, and
    /// says what was.
    ///
    /// # Errors
    /// Something that is there can't be switched off, or can't be looked for.
    async fn quarantine(&self, server: &Server) -> Result<Vec<String>, SqlError>;

    /// The columns of all users' tables, in every database of the server.
    ///
    /// # Errors
    /// One of them can't be looked at.
    async fn columns(&self, server: &Server) -> Result<Vec<Column>, SqlError>;

    /// Runs an execution's scripts, unless the server remembers that it has. PostgreSQL runs all of
    /// them in one transaction, with the memory of it. MySQL ends a transaction at every `CREATE`,
    /// `ALTER` and the like: there each script has one of its own, and one with such statements may
    /// be run again when the process dies in the middle of it.
    ///
    /// # Errors
    /// A statement fails; it is named.
    async fn prepare(
        &self,
        server: &Server,
        execution: &str,
        scripts: &[String],
    ) -> Result<(), SqlError>;

    /// Whether the server, or a replica of it, has what so many scripts of an execution made.
    ///
    /// # Errors
    /// It can't be asked.
    async fn is_prepared(
        &self,
        server: &Server,
        execution: &str,
        scripts: usize,
    ) -> Result<bool, SqlError>;

    /// Removes the server's memory of scripts.
    ///
    /// # Errors
    /// It can't be removed.
    async fn forget(&self, server: &Server) -> Result<(), SqlError>;

    /// Runs scripts that only read, and says what each statement returned.
    ///
    /// # Errors
    /// A statement fails; it is named.
    async fn verify(&self, server: &Server, scripts: &[String]) -> Result<Vec<Answer>, SqlError>;
}

/// The beginning of a text, in one line.
pub(crate) fn short(text: &str, characters: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
