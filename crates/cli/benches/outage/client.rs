//! A client that writes and reads as fast as it is answered, and notes when it could not.

use std::time::{Duration, Instant};

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

/// How long it waits before it asks again: what an outage is measured to.
const PAUSE: Duration = Duration::from_millis(2);

/// What the client lived through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Experience {
    /// The longest time between two answers with a failure between them.
    pub(crate) outage: Duration,
    /// The longest time between two answers without one: the database worked, but slowly.
    pub(crate) wait: Duration,
}

/// A client at work.
pub(crate) struct Client {
    stop: watch::Sender<bool>,
    work: JoinHandle<Experience>,
}

impl Client {
    /// Sets a client to work.
    pub(crate) fn start(options: PgConnectOptions) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self {
            stop,
            work: tokio::spawn(work(options, stopped)),
        }
    }

    /// Lets it finish, and asks what it lived through.
    pub(crate) async fn stop(self) -> Result<Experience, JoinError> {
        self.stop.send_replace(true);
        self.work.await
    }
}

async fn work(options: PgConnectOptions, stopped: watch::Receiver<bool>) -> Experience {
    let mut experience = Experience::default();
    let mut connection = None;
    let mut answered = Instant::now();
    let mut has_failed = false;
    // It never leaves in the middle of an outage: that one would look shorter than it is.
    while has_failed || !*stopped.borrow() {
        match write_and_read(&options, connection.take()).await {
            Ok(open) => {
                connection = Some(open);
                let longest = match has_failed {
                    true => &mut experience.outage,
                    false => &mut experience.wait,
                };
                *longest = answered.elapsed().max(*longest);
                answered = Instant::now();
                has_failed = false;
            }
            Err(_) => has_failed = true,
        }
        tokio::time::sleep(PAUSE).await;
    }
    experience
}

/// One write and one read, over the open connection if there is one.
async fn write_and_read(
    options: &PgConnectOptions,
    open: Option<PgConnection>,
) -> Result<PgConnection, sqlx::Error> {
    let mut connection = match open {
        Some(connection) => connection,
        None => PgConnection::connect_with(options).await?,
    };
    sqlx::query("INSERT INTO visits DEFAULT VALUES")
        .execute(&mut connection)
        .await?;
    sqlx::query("SELECT max(id) FROM orders")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
