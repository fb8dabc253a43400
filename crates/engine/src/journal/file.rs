//! The journal's file: made whole, opened private, synchronised at every commit.
//!
//! A new file is made beside its place and linked there when it is complete. So nobody meets a
//! half-made journal, two processes that make one at once both open the one that came first, and
//! nobody changes a file in use to write-ahead logging, which SQLite refuses without waiting.
//!
//! Nothing but SQLite opens the file once it's in its place: the system's locks belong to the
//! process, and closing any other descriptor of the file would drop the locks that SQLite holds.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;

use crate::journal::{JournalError, schema};

/// How long a call waits for another process's transaction. Theirs are as short as ours, so
/// whoever waits longer waits for a process that hangs in the middle of one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What its owner may do and nobody else: inputs and causes may tell what others should not know.
/// SQLite gives its side files the same mode.
const MODE: u32 = 0o600;

/// Opens the journal at the path, making it if there is none.
pub(super) fn open(path: &Utf8Path) -> Result<Connection, JournalError> {
    if !fs::exists(path).map_err(file("looked for"))? {
        let draft = Draft::new(path);
        draft.fill()?;
        draft.put_into(path)?;
    }
    make_private(path)?;
    connect(path)
}

/// Closes the journal to others, and what a process that died has left beside it: whoever made it,
/// and with whatever mode.
fn make_private(path: &Utf8Path) -> Result<(), JournalError> {
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{path}{suffix}");
        match fs::set_permissions(path, Permissions::from_mode(MODE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {}
            done => done.map_err(file("made private"))?,
        }
    }
    Ok(())
}

fn connect(path: &Utf8Path) -> Result<Connection, JournalError> {
    let mut connection = Connection::open(path).map_err(database("open its file"))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(database("set its time-out"))?;
    let modes = [
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),
        ("foreign_keys", "ON"),
    ];
    for (name, value) in modes {
        connection
            .pragma_update(None, name, value)
            .map_err(database("set its mode"))?;
    }
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// A journal that isn't in its place yet. Its name is gone when this is dropped.
struct Draft(Utf8PathBuf);

impl Draft {
    fn new(place: &Utf8Path) -> Draft {
        static DRAFTS: AtomicU32 = AtomicU32::new(0);
        let count = DRAFTS.fetch_add(1, Ordering::Relaxed);
        Draft(format!("{place}.draft-{}-{count}", std::process::id()).into())
    }

    fn fill(&self) -> Result<(), JournalError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(MODE);
        options.open(&self.0).map_err(file("made"))?;
        let connection = connect(&self.0)?;
        connection
            .close()
            .map_err(|(_, error)| database("close its file")(error))
    }

    fn put_into(self, place: &Utf8Path) -> Result<(), JournalError> {
        match fs::hard_link(&self.0, place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked.map_err(file("put into its place")),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // If it stays, it's in nobody's way.
        _ = fs::remove_file(&self.0);
    }
}

/// Turns a database's error into ours.
pub(super) fn database(doing: &'static str) -> impl Fn(rusqlite::Error) -> JournalError {
    move |source| JournalError::Database {
        doing,
        source: Arc::new(source),
    }
}

fn file(doing: &'static str) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError::File {
        doing,
        source: Arc::new(source),
    }
}
