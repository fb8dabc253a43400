//! A client as applications have them: it writes and reads through the endpoint all the time,
//! reconnects when it is thrown out, and measures how long it could not work.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long the client thinks between two pieces of work.
const PAUSE: Duration = Duration::from_millis(5);
/// A piece of work that takes longer than this counts as not answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the client lived through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Experience {
    /// Writes that the database confirmed.
    pub writes: u64,
    /// Reads that it answered.
    pub reads: u64,
    /// Attempts that failed, connecting included.
    pub errors: u64,
    /// The longest time between two answers.
    pub longest_gap: Duration,
}

/// A running client.
pub(crate) struct Traffic {
    stop: watch::Sender<bool>,
    client: JoinHandle<Experience>,
}

impl Traffic {
    /// Starts a client; its table must be there.
    pub(crate) fn start(endpoint: PgConnectOptions) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self {
            stop,
            client: tokio::spawn(work(endpoint, stopped)),
        }
    }

    /// Stops the client and asks what it lived through.
    pub(crate) async fn stop(self) -> Experience {
        self.stop.send_replace(true);
        self.client
            .await
            .expect("the client does not panic and is never aborted")
    }
}

async fn work(endpoint: PgConnectOptions, stopped: watch::Receiver<bool>) -> Experience {
    let mut experience = Experience::default();
    let mut connection: Option<PgConnection> = None;
    let mut answered = Instant::now();
    while !*stopped.borrow() {
        match timeout(PATIENCE, once(&endpoint, connection.take())).await {
            Ok(Ok(still_open)) => {
                connection = Some(still_open);
                experience.writes += 1;
                experience.reads += 1;
                experience.longest_gap = experience.longest_gap.max(answered.elapsed());
                answered = Instant::now();
            }
            Ok(Err(_)) | Err(_) => experience.errors += 1,
        }
        sleep(PAUSE).await;
    }
    // A client that never got an answer again must not look better for it.
    experience.longest_gap = experience.longest_gap.max(answered.elapsed());
    experience
}

/// One write and one read, on the open connection if there is one.
async fn once(
    endpoint: &PgConnectOptions,
    open: Option<PgConnection>,
) -> Result<PgConnection, sqlx::Error> {
    let mut connection = match open {
        Some(connection) => connection,
        None => PgConnection::connect_with(endpoint).await?,
    };
    sqlx::query("INSERT INTO visits DEFAULT VALUES")
        .execute(&mut connection)
        .await?;
    let row = sqlx::query("SELECT max(id) FROM orders")
        .fetch_one(&mut connection)
        .await?;
    let _newest: Option<i64> = row.try_get(0)?;
    Ok(connection)
}
