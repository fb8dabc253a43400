//! SQL for simulated servers. Their rows are one table, `rows`, with a column for each key; the
//! language is
//!
//! - `UPDATE rows SET key = 'value'`,
//! - `UPDATE rows SET key = key || 'text'`, which shows how often it was run,
//! - `SELECT key = 'value' FROM rows`.
//!
//! Anything else is a syntax error. What acts on the outside world is a key that begins with `event`
//! and is not `off`. What a script does is there all at once or not at all; the server's memory of it
//! is a row, too, so that replicas and snapshots have it.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use trapheus_local::{ControlPlane, SimulatedClient};
use trapheus_restore::{Answer, Column, Server, Sql, SqlError};

use crate::recording::Recorder;

/// The row in which a server remembers whose scripts it has run.
const MEMORY: &str = "trapheus_preparation";
/// What keys of things begin with that act on the outside world.
const ACTS: &str = "event";
const TABLE: &str = "rows";
/// A session takes a moment, in which its process may die.
const MOMENT: Duration = Duration::from_millis(5);

type Rows = BTreeMap<String, String>;

/// Runs the small language on the servers of a control plane.
pub(crate) struct SimulatedSql {
    control_plane: Weak<ControlPlane>,
    recorder: Recorder,
}

impl SimulatedSql {
    pub(crate) fn of(control_plane: &Arc<ControlPlane>, recorder: &Recorder) -> Self {
        Self {
            control_plane: Arc::downgrade(control_plane),
            recorder: recorder.clone(),
        }
    }

    async fn connect(&self, server: &Server) -> Result<Session, SqlError> {
        tokio::time::sleep(MOMENT).await;
        let nobody =
            || SqlError::Passing(format!("nothing answers at {}", server.endpoint.address));
        let control_plane = self.control_plane.upgrade().ok_or_else(nobody)?;
        let address = server.endpoint.address.parse().map_err(|_| nobody())?;
        let client = control_plane.simulated_client_at(address);
        let rows = client.rows().map_err(|_| nobody())?;
        let recorder = self.recorder.clone();
        Ok(Session {
            client,
            rows,
            recorder,
        })
    }
}

struct Session {
    client: SimulatedClient,
    rows: Rows,
    recorder: Recorder,
}

impl Session {
    /// Writes what has changed, in no time.
    fn commit(&self, rows: &Rows) -> Result<(), SqlError> {
        for (key, value) in rows {
            if self.rows.get(key) != Some(value) {
                let written = self.client.prepare(key, value);
                written.map_err(|error| SqlError::Passing(error.to_string()))?;
            }
        }
        if self.rows != *rows {
            self.recorder.sql_committed();
        }
        Ok(())
    }
}

#[async_trait]
impl Sql for SimulatedSql {
    async fn quarantine(&self, server: &Server) -> Result<Vec<String>, SqlError> {
        let session = self.connect(server).await?;
        let mut rows = session.rows.clone();
        let mut done = Vec::new();
        for (key, value) in &mut rows {
            if key.starts_with(ACTS) && value != "off" {
                "off".clone_into(value);
                done.push(format!("{key}: off"));
            }
        }
        session.commit(&rows)?;
        Ok(done)
    }

    async fn columns(&self, server: &Server) -> Result<Vec<Column>, SqlError> {
        let session = self.connect(server).await?;
        let database = server.credentials.database.clone().unwrap_or_default();
        let keys = session.rows.into_keys().filter(|key| key != MEMORY);
        let column = |name| Column {
            database: database.clone(),
            schema: "public".to_owned(),
            table: TABLE.to_owned(),
            name,
        };
        Ok(keys.map(column).collect())
    }

    async fn prepare(
        &self,
        server: &Server,
        execution: &str,
        scripts: &[String],
    ) -> Result<(), SqlError> {
        let session = self.connect(server).await?;
        if session.rows.get(MEMORY).map(String::as_str) == Some(execution) {
            return Ok(());
        }
        let mut rows = session.rows.clone();
        for statement in scripts.iter().flat_map(|script| statements(script)) {
            run(&mut rows, statement)?;
        }
        rows.insert(MEMORY.to_owned(), execution.to_owned());
        session.commit(&rows)?;
        // The answer may get lost.
        tokio::time::sleep(MOMENT).await;
        Ok(())
    }

    async fn is_prepared(
        &self,
        server: &Server,
        execution: &str,
        _: usize,
    ) -> Result<bool, SqlError> {
        let session = self.connect(server).await?;
        Ok(session.rows.get(MEMORY).map(String::as_str) == Some(execution))
    }

    async fn forget(&self, server: &Server) -> Result<(), SqlError> {
        let session = self.connect(server).await?;
        let mut rows = session.rows.clone();
        if let Some(memory) = rows.get_mut(MEMORY) {
            memory.clear();
        }
        session.commit(&rows)
    }

    async fn verify(&self, server: &Server, scripts: &[String]) -> Result<Vec<Answer>, SqlError> {
        let session = self.connect(server).await?;
        let statements = scripts.iter().flat_map(|script| statements(script));
        statements
            .map(|statement| {
                let holds = ask(&session.rows, statement)?;
                Ok(Answer {
                    statement: statement.to_owned(),
                    saw: holds.to_string(),
                    holds,
                })
            })
            .collect()
    }
}

fn statements(script: &str) -> impl Iterator<Item = &str> {
    let statements = script.split(';').map(str::trim);
    statements.filter(|statement| !statement.is_empty())
}

fn run(rows: &mut Rows, statement: &str) -> Result<(), SqlError> {
    let changed = || {
        let (key, value) = statement
            .strip_prefix("UPDATE rows SET ")?
            .split_once(" = ")?;
        match value.strip_prefix(key) {
            Some(rest) => {
                let old = rows.get(key).cloned().unwrap_or_default();
                Some((key, old + quoted(rest.strip_prefix(" || ")?)?))
            }
            None => Some((key, quoted(value)?.to_owned())),
        }
    };
    let (key, value) = changed().ok_or_else(|| syntax_error(statement))?;
    rows.insert(key.to_owned(), value);
    Ok(())
}

fn ask(rows: &Rows, statement: &str) -> Result<bool, SqlError> {
    let asked = || {
        let condition = statement
            .strip_prefix("SELECT ")?
            .strip_suffix(" FROM rows")?;
        let (key, value) = condition.split_once(" = ")?;
        Some((key, quoted(value)?))
    };
    let (key, value) = asked().ok_or_else(|| syntax_error(statement))?;
    Ok(rows.get(key).map(String::as_str) == Some(value))
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

fn syntax_error(statement: &str) -> SqlError {
    SqlError::Refused(format!("`{statement}`: syntax error"))
}
