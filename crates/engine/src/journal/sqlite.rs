//! The journal on disk: one SQLite file, written ahead and synchronised at every commit, readable
//! by its owner only. Several processes use it at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trapheus_asl::Event;

use crate::journal::file::database;
use crate::journal::{
    Ended, Fencing, Journal, JournalError, Lease, NewExecution, Request, StoredExecution, file,
    first_event,
};
use crate::{ExecutionId, InvalidExecutionId};

/// A journal in an SQLite file.
pub struct SqliteJournal {
    connection: Mutex<Connection>,
}

impl SqliteJournal {
    /// Opens the file, or makes it. Its directory must exist.
    ///
    /// # Errors
    /// When the file cannot be made or opened, is not a journal, or is of a later version.
    pub fn open(path: impl AsRef<Utf8Path>) -> Result<SqliteJournal, JournalError> {
        let connection = Mutex::new(file::open(path.as_ref())?);
        Ok(SqliteJournal { connection })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic rolls its transaction back, so the connection is as good as before.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a transaction that has the write lock from its start: what it checks still
    /// holds when it writes.
    fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut connection = self.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(database(doing))?;
        let result = work(&transaction)?;
        transaction.commit().map_err(database(doing))?;
        Ok(result)
    }
}

fn to_json(value: &impl Serialize, what: &'static str) -> Result<String, JournalError> {
    serde_json::to_string(value).map_err(unreadable(what))
}

fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, JournalError> {
    serde_json::from_str(text).map_err(unreadable(what))
}

fn unreadable(what: &'static str) -> impl Fn(serde_json::Error) -> JournalError {
    move |source| JournalError::Unreadable {
        what,
        source: Arc::new(source),
    }
}

/// Refuses every fencing number but the latest.
fn check(
    transaction: &Transaction<'_>,
    id: &ExecutionId,
    fencing: Fencing,
) -> Result<(), JournalError> {
    let latest: Option<u32> = transaction
        .prepare_cached("SELECT fencing FROM executions WHERE id = ?1")
        .and_then(|mut select| select.query_row([id.as_str()], |row| row.get(0)).optional())
        .map_err(database("read who owns an execution"))?;
    match latest {
        None => Err(JournalError::NotFound { id: id.clone() }),
        Some(latest) if latest == fencing.0 => Ok(()),
        Some(_) => Err(JournalError::Fenced {
            id: id.clone(),
            fencing,
        }),
    }
}

/// Adds an event, if it is the next one.
fn insert_event(
    transaction: &Transaction<'_>,
    id: &ExecutionId,
    sequence: u32,
    event: &Event,
) -> Result<(), JournalError> {
    let json = to_json(event, "event")?;
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO events (execution, sequence, event) SELECT ?1, ?2, ?3
             WHERE ?2 = (SELECT COALESCE(MAX(sequence) + 1, 0) FROM events WHERE execution = ?1)",
        )
        .and_then(|mut insert| insert.execute(params![id.as_str(), sequence, json]))
        .map_err(database("append an event"))?;
    if inserted == 1 {
        Ok(())
    } else {
        Err(JournalError::OutOfSequence {
            id: id.clone(),
            sequence,
        })
    }
}

/// The columns of [`ExecutionRow`].
const SELECT_EXECUTIONS: &str = "
    SELECT id, machine_name, definition, fencing, owner, lease_expires_at, request, ended, event
    FROM executions JOIN events ON execution = id AND sequence = 0";

/// An execution as it lies in its table, with its first event.
struct ExecutionRow {
    id: String,
    machine_name: String,
    definition: String,
    fencing: u32,
    owner: Option<String>,
    lease_expires_at: Option<i64>,
    request: Option<String>,
    ended: Option<String>,
    started: String,
}

impl ExecutionRow {
    fn read(row: &Row<'_>) -> Result<ExecutionRow, rusqlite::Error> {
        Ok(ExecutionRow {
            id: row.get(0)?,
            machine_name: row.get(1)?,
            definition: row.get(2)?,
            fencing: row.get(3)?,
            owner: row.get(4)?,
            lease_expires_at: row.get(5)?,
            request: row.get(6)?,
            ended: row.get(7)?,
            started: row.get(8)?,
        })
    }

    fn parse(self) -> Result<StoredExecution, JournalError> {
        let id = parse_id(&self.id)?;
        let (started_at, input) = first_event(&id, from_json(&self.started, "event")?)?;
        let lease = match (&self.owner, self.lease_expires_at) {
            (Some(owner), Some(milliseconds)) => Some(Lease {
                owner: from_json(owner, "owner")?,
                expires_at: Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX),
            }),
            (Some(_) | None, _) => None,
        };
        Ok(StoredExecution {
            id,
            machine_name: self.machine_name,
            definition: self.definition,
            started_at,
            input,
            fencing: Fencing(self.fencing),
            lease,
            request: self
                .request
                .map(|json| from_json(&json, "request"))
                .transpose()?,
            ended: self.ended.map(|json| from_json(&json, "end")).transpose()?,
        })
    }
}

fn parse_id(text: &str) -> Result<ExecutionId, JournalError> {
    text.parse()
        .map_err(|error: InvalidExecutionId| JournalError::Inconsistent {
            what: error.to_string(),
        })
}

impl Journal for SqliteJournal {
    fn create(
        &self,
        execution: &NewExecution,
        lease: &Lease,
        started: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        const INSERT: &str = "
            INSERT INTO executions
                (id, machine_name, definition, fencing, owner, lease_expires_at, ended)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
        let doing = "add an execution";
        let id = &execution.id;
        let ended = ended.map(|ended| to_json(ended, "end")).transpose()?;
        let lease = Some(lease).filter(|_| ended.is_none());
        let owner = lease
            .map(|lease| to_json(&lease.owner, "owner"))
            .transpose()?;
        let expires_at = lease.map(|lease| lease.expires_at.as_millisecond());
        self.write(doing, |transaction| {
            let NewExecution {
                id: _,
                machine_name,
                definition,
            } = execution;
            let row = params![
                id.as_str(),
                machine_name,
                definition,
                Fencing::FIRST.0,
                owner,
                expires_at,
                ended
            ];
            if transaction.execute(INSERT, row).map_err(database(doing))? == 0 {
                return Err(JournalError::AlreadyExists { id: id.clone() });
            }
            insert_event(transaction, id, 0, started)
        })
    }

    fn claim(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        lease: &Lease,
    ) -> Result<Fencing, JournalError> {
        const UPDATE: &str = "
            UPDATE executions SET fencing = ?2, owner = ?3, lease_expires_at = ?4,
                request = CASE WHEN request ->> '$.type' = 'Stop' THEN NULL ELSE request END
            WHERE id = ?1";
        let doing = "claim an execution";
        let owner = to_json(&lease.owner, "owner")?;
        let expires_at = lease.expires_at.as_millisecond();
        self.write(doing, |transaction| {
            check(transaction, id, fencing)?;
            transaction
                .execute(
                    UPDATE,
                    params![id.as_str(), fencing.next().0, owner, expires_at],
                )
                .map_err(database(doing))?;
            Ok(fencing.next())
        })
    }

    fn append(
        &self,
        id: &ExecutionId,
        fencing: Fencing,
        sequence: u32,
        event: &Event,
        ended: Option<&Ended>,
    ) -> Result<(), JournalError> {
        const END: &str = "
            UPDATE executions SET ended = ?2, owner = NULL, lease_expires_at = NULL WHERE id = ?1";
        let doing = "append an event";
        self.write(doing, |transaction| {
            check(transaction, id, fencing)?;
            insert_event(transaction, id, sequence, event)?;
            if let Some(ended) = ended {
                transaction
                    .execute(END, params![id.as_str(), to_json(ended, "end")?])
                    .map_err(database(doing))?;
            }
            Ok(())
        })
    }

    fn renew(
        &self,
        leases: &[(ExecutionId, Fencing)],
        expires_at: Timestamp,
    ) -> Result<Vec<ExecutionId>, JournalError> {
        const UPDATE: &str = "
            UPDATE executions SET lease_expires_at = ?3
            WHERE id = ?1 AND fencing = ?2 AND owner IS NOT NULL";
        let doing = "renew leases";
        self.write(doing, |transaction| {
            let mut update = transaction
                .prepare_cached(UPDATE)
                .map_err(database(doing))?;
            let mut lost = Vec::new();
            for (id, fencing) in leases {
                let row = params![id.as_str(), fencing.0, expires_at.as_millisecond()];
                if update.execute(row).map_err(database(doing))? == 0 {
                    lost.push(id.clone());
                }
            }
            Ok(lost)
        })
    }

    fn release(&self, id: &ExecutionId, fencing: Fencing) -> Result<(), JournalError> {
        const UPDATE: &str =
            "UPDATE executions SET owner = NULL, lease_expires_at = NULL WHERE id = ?1";
        let doing = "give an execution up";
        self.write(doing, |transaction| {
            check(transaction, id, fencing)?;
            transaction
                .execute(UPDATE, [id.as_str()])
                .map_err(database(doing))?;
            Ok(())
        })
    }

    fn request(&self, id: &ExecutionId, request: &Request) -> Result<(), JournalError> {
        const STOP: &str = "UPDATE executions SET request = COALESCE(request, ?2) WHERE id = ?1";
        const ABORT: &str = "UPDATE executions SET request = ?2 WHERE id = ?1";
        let doing = "leave a request";
        let update = match request {
            Request::Stop => STOP,
            Request::Abort { .. } => ABORT,
        };
        let json = to_json(request, "request")?;
        self.write(doing, |transaction| {
            let updated = transaction
                .execute(update, params![id.as_str(), json])
                .map_err(database(doing))?;
            if updated == 0 {
                return Err(JournalError::NotFound { id: id.clone() });
            }
            Ok(())
        })
    }

    fn requests(&self) -> Result<Vec<(ExecutionId, Request)>, JournalError> {
        const SELECT: &str =
            "SELECT id, request FROM executions WHERE request IS NOT NULL AND ended IS NULL";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let rows: Vec<(String, String)> = self
            .lock()
            .prepare_cached(SELECT)
            .and_then(|mut select| select.query_map([], read)?.collect())
            .map_err(database("read the requests"))?;
        rows.into_iter()
            .map(|(id, request)| Ok((parse_id(&id)?, from_json(&request, "request")?)))
            .collect()
    }

    fn execution(&self, id: &ExecutionId) -> Result<Option<StoredExecution>, JournalError> {
        let row = self
            .lock()
            .prepare_cached(&format!("{SELECT_EXECUTIONS} WHERE id = ?1"))
            .and_then(|mut select| {
                select
                    .query_row([id.as_str()], ExecutionRow::read)
                    .optional()
            })
            .map_err(database("read an execution"))?;
        row.map(ExecutionRow::parse).transpose()
    }

    fn executions(&self) -> Result<Vec<StoredExecution>, JournalError> {
        let rows: Vec<ExecutionRow> = self
            .lock()
            .prepare_cached(&format!("{SELECT_EXECUTIONS} ORDER BY id"))
            .and_then(|mut select| select.query_map([], ExecutionRow::read)?.collect())
            .map_err(database("list the executions"))?;
        rows.into_iter().map(ExecutionRow::parse).collect()
    }

    fn events(&self, id: &ExecutionId, sequence: u32) -> Result<Vec<Event>, JournalError> {
        const SELECT: &str =
            "SELECT event FROM events WHERE execution = ?1 AND sequence >= ?2 ORDER BY sequence";
        let rows: Vec<String> = self
            .lock()
            .prepare_cached(SELECT)
            .and_then(|mut select| {
                select
                    .query_map(params![id.as_str(), sequence], |row| row.get(0))?
                    .collect()
            })
            .map_err(database("read the events"))?;
        rows.iter().map(|json| from_json(json, "event")).collect()
    }
}
