//! A client as applications have them: it works through an endpoint all the time, reconnects when
//! it is thrown out, and measures how long it could not work.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::kind::Dialect;
use super::session::{Endpoint, Session};

/// How long the client thinks between two pieces of work.
const PAUSE: Duration = Duration::from_millis(5);
/// A piece of work that takes longer than this counts as not answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// It writes, then reads.
    WritesAndReads,
    /// It reads only, as clients of readers do.
    Reads,
}

/// What the client lived through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Experience {
    /// Writes that the database confirmed.
    pub(super) writes: u64,
    /// Reads that it answered.
    pub(super) reads: u64,
    /// Attempts that failed, connecting included.
    pub(super) errors: u64,
    /// The longest time between two answers.
    pub(super) longest_gap: Duration,
}

/// A running client.
pub(super) struct Traffic {
    stop: watch::Sender<bool>,
    client: JoinHandle<Experience>,
}

impl Traffic {
    /// Starts a client; its table must be there.
    pub(super) fn start(endpoint: Endpoint, dialect: Dialect, habit: Habit) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self {
            stop,
            client: tokio::spawn(work(endpoint, dialect, habit, stopped)),
        }
    }

    /// Stops the client and asks what it lived through.
    pub(super) async fn stop(self) -> Experience {
        self.stop.send_replace(true);
        self.client
            .await
            .expect("the client does not panic and is never aborted")
    }
}

async fn work(
    endpoint: Endpoint,
    dialect: Dialect,
    habit: Habit,
    stopped: watch::Receiver<bool>,
) -> Experience {
    let mut experience = Experience::default();
    let mut session: Option<Session> = None;
    let mut answered = Instant::now();
    while !*stopped.borrow() {
        match timeout(PATIENCE, once(&endpoint, dialect, habit, session.take())).await {
            Ok(Ok(still_open)) => {
                session = Some(still_open);
                experience.writes += u64::from(habit == Habit::WritesAndReads);
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

/// One piece of work, on the open connection if there is one.
async fn once(
    endpoint: &Endpoint,
    dialect: Dialect,
    habit: Habit,
    open: Option<Session>,
) -> Result<Session, sqlx::Error> {
    let mut session = match open {
        Some(session) => session,
        None => Session::open(endpoint, dialect).await?,
    };
    if habit == Habit::WritesAndReads {
        session.write().await?;
    }
    session.read().await?;
    Ok(session)
}
