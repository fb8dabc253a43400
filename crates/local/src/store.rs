//! Where the state is kept: in SQLite, or in memory for simulation.
//!
//! Records are JSON by table and key. A batch of changes is stored as a whole, durably, before its effect is begun or
//! told to anybody. Storing is synchronous: a driver with a thread of its own would let tokio's paused clock run ahead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use rusqlite::{Connection, params};

/// Everything that is stored: JSON by table and key.
pub(crate) type Contents = BTreeMap<String, BTreeMap<String, String>>;

/// One record's change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) table: &'static str,
    pub(crate) key: String,
    /// The new record; `None` removes it.
    pub(crate) json: Option<String>,
}

/// State in memory, for simulation; a clone shares it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
}

/// Where the state is kept.
#[derive(Debug)]
pub(crate) enum Store {
    Memory(MemoryStore),
    Sqlite(Connection),
}

impl Store {
    /// Opens or makes the database file.
    pub(crate) fn sqlite(path: &Utf8Path) -> Result<Self, rusqlite::Error> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS record (
                 kind TEXT NOT NULL,
                 key TEXT NOT NULL,
                 json TEXT NOT NULL,
                 PRIMARY KEY (kind, key)
             ) STRICT, WITHOUT ROWID;",
        )?;
        Ok(Self::Sqlite(connection))
    }

    /// Everything that is stored.
    pub(crate) fn load(&self) -> Result<Contents, rusqlite::Error> {
        let connection = match self {
            Self::Memory(memory) => {
                return Ok(memory
                    .contents
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone());
            }
            Self::Sqlite(connection) => connection,
        };
        let mut contents = Contents::new();
        let mut statement = connection.prepare("SELECT kind, key, json FROM record")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let table: &mut BTreeMap<_, _> = contents.entry(row.get(0)?).or_default();
            table.insert(row.get(1)?, row.get(2)?);
        }
        Ok(contents)
    }

    /// Stores a batch as a whole.
    pub(crate) fn apply(&mut self, changes: Vec<Change>) -> Result<(), rusqlite::Error> {
        let connection = match self {
            Self::Memory(memory) => {
                memory.apply(changes);
                return Ok(());
            }
            Self::Sqlite(connection) => connection,
        };
        let transaction = connection.transaction()?;
        for Change { table, key, json } in changes {
            match json {
                Some(json) => transaction.execute(
                    "INSERT OR REPLACE INTO record (kind, key, json) VALUES (?1, ?2, ?3)",
                    params![table, key, json],
                )?,
                None => transaction.execute(
                    "DELETE FROM record WHERE kind = ?1 AND key = ?2",
                    params![table, key],
                )?,
            };
        }
        transaction.commit()
    }
}

impl MemoryStore {
    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        let contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            contents: Arc::new(Mutex::new(contents.clone())),
        }
    }

    fn apply(&self, changes: Vec<Change>) {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        for Change { table, key, json } in changes {
            let table = contents.entry(table.to_owned()).or_default();
            match json {
                Some(json) => table.insert(key, json),
                None => table.remove(&key),
            };
        }
    }
}
