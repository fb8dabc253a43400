//! A client that writes all the time and keeps a log of its own: what the database confirmed is
//! what has to be there, or has to be gone, afterwards.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::database::Database;

/// Between two entries.
const PAUSE: Duration = Duration::from_millis(2);
/// An attempt that takes longer counts as failed, and its entry as uncertain.
const PATIENCE: Duration = Duration::from_secs(5);

impl Database {
    /// The entries that are there.
    pub(crate) async fn entries(&self) -> BTreeSet<i64> {
        let rows = sqlx::query("SELECT id FROM entries")
            .fetch_all(&mut self.connect().await)
            .await
            .expect("entries can be read");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// What the client did. An entry is tried once: after an error nobody knows whether it is there.
#[derive(Debug, Default)]
struct Log {
    tried: i64,
    confirmed: BTreeSet<i64>,
    longest_gap: Duration,
}

/// A client at work; it stops when it is dropped.
pub(crate) struct Writer {
    log: Arc<Mutex<Log>>,
    work: JoinHandle<()>,
}

/// A moment in the client's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The newest entry that the client had tried.
    pub(crate) tried: i64,
    /// The newest entry that the database had confirmed.
    pub(crate) confirmed: i64,
}

impl Writer {
    /// Starts a client; the table `entries` must be there.
    pub(crate) fn start(database: Database) -> Self {
        let log = Arc::<Mutex<Log>>::default();
        let work = tokio::spawn(work(database, Arc::clone(&log)));
        Self { log, work }
    }

    /// The state of the log now.
    pub(crate) fn now(&self) -> Moment {
        let log = self.log();
        Moment {
            tried: log.tried,
            confirmed: log.confirmed.last().copied().unwrap_or_default(),
        }
    }

    /// Waits until the database has confirmed some more entries from now on.
    pub(crate) async fn writes_on(&self) {
        let enough = self.now().tried + 20;
        while self.now().confirmed < enough {
            sleep(PAUSE).await;
        }
    }

    /// Everything that was confirmed until now.
    pub(crate) fn confirmed(&self) -> BTreeSet<i64> {
        self.log().confirmed.clone()
    }

    /// The longest time between two answers until now.
    pub(crate) fn longest_gap(&self) -> Duration {
        self.log().longest_gap
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.work.abort();
    }
}

async fn work(database: Database, log: Arc<Mutex<Log>>) {
    let mut open = None;
    let mut answered = Instant::now();
    loop {
        let entry = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.tried += 1;
            log.tried
        };
        open = match timeout(PATIENCE, write(&database, open.take(), entry)).await {
            Ok(Ok(connection)) => {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.confirmed.insert(entry);
                log.longest_gap = log.longest_gap.max(answered.elapsed());
                answered = Instant::now();
                Some(connection)
            }
            Ok(Err(_)) | Err(_) => None,
        };
        sleep(PAUSE).await;
    }
}

async fn write(
    database: &Database,
    open: Option<PgConnection>,
    entry: i64,
) -> Result<PgConnection, sqlx::Error> {
    let mut connection = match open {
        Some(connection) => connection,
        None => PgConnection::connect_with(&database.options).await?,
    };
    sqlx::query("INSERT INTO entries VALUES ($1)")
        .bind(entry)
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
