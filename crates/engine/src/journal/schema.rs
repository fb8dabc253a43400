//! The tables of the journal's file, as numbered migrations. A migration that has been released is
//! never edited: the next one corrects it.

use rusqlite::{Connection, TransactionBehavior, params};

use crate::journal::JournalError;
use crate::journal::file::database;

/// The migrations in order; the first makes version 1.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY NOT NULL) STRICT;

    CREATE TABLE executions (
        id               TEXT PRIMARY KEY NOT NULL,
        machine_name     TEXT NOT NULL,
        definition       TEXT NOT NULL,
        fencing          INTEGER NOT NULL,
        owner            TEXT,      -- JSON of OwnerId; NULL: nobody owns it
        lease_expires_at INTEGER,   -- milliseconds since 1970, set exactly when owner is
        request          TEXT,      -- JSON of Request
        ended            TEXT,      -- JSON of Ended; repeats what the last event says
        CHECK ((owner IS NULL) = (lease_expires_at IS NULL))
    ) STRICT;
    CREATE INDEX executions_requested ON executions (id)
        WHERE request IS NOT NULL AND ended IS NULL;

    CREATE TABLE events (
        execution TEXT NOT NULL REFERENCES executions (id),
        sequence  INTEGER NOT NULL,  -- from 0
        event     TEXT NOT NULL,     -- JSON of Event
        PRIMARY KEY (execution, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
    CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"];

/// Brings the file to the latest version. Of several processes that open an old file at once, one
/// migrates it and the others wait and find it done.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), JournalError> {
    let known = MIGRATIONS.len() as u32;
    // Asked without a lock first: whoever only reads an up-to-date file waits for nobody.
    if version(connection)? == known {
        return Ok(());
    }
    let doing = "bring its tables up to date";
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(database(doing))?;
    let found = version(&transaction)?;
    if found > known {
        return Err(JournalError::TooNew { found, known });
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        transaction
            .execute_batch(migration)
            .map_err(database(doing))?;
        transaction
            .execute(
                "INSERT INTO schema_migrations (version) VALUES (?1)",
                params![version],
            )
            .map_err(database(doing))?;
    }
    transaction.commit().map_err(database(doing))
}

/// The version of the file; 0 for an empty one.
fn version(connection: &Connection) -> Result<u32, JournalError> {
    const IS_THERE: &str =
        "SELECT EXISTS (SELECT * FROM sqlite_schema WHERE name = 'schema_migrations')";
    const LATEST: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_migrations";
    let doing = "read its version";
    let read_number = |query: &str| connection.query_row(query, [], |row| row.get(0));
    match read_number(IS_THERE).map_err(database(doing))? {
        0 => Ok(0),
        _ => read_number(LATEST).map_err(database(doing)),
    }
}
