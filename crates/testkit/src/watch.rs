//! Clients that never stop: one at each endpoint, once a second, and how long each went without
//! an answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use trapheus_local::SimulatedClient;

/// Between two requests of a client.
const APART: Duration = Duration::from_secs(1);

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It reads a row.
    Reads,
    /// It writes a row, which a reader refuses.
    Writes,
}

/// How long an endpoint did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Silence {
    /// The longest time from one answer to the next with failures between them.
    pub longest: Duration,
    /// All such times together.
    pub total: Duration,
    /// How many there were.
    pub times: u32,
}

/// Clients at work.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<AllSeen>>,
    clients: Vec<JoinHandle<()>>,
}

type AllSeen = BTreeMap<String, Seen>;

/// What one client has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Since when it had no answer, while it has none.
    silent_since: Option<Instant>,
    silence: Silence,
}

impl Watch {
    /// Begins with one client per endpoint, each under a name of its own.
    pub fn begin(endpoints: Vec<(String, SimulatedClient, Use)>) -> Self {
        let seen = Arc::new(Mutex::new(AllSeen::new()));
        let clients = endpoints.into_iter().map(|(name, client, what)| {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut answered = Instant::now();
                loop {
                    let now = Instant::now();
                    let is_answered = match what {
                        Use::Reads => client.get("watched").is_ok(),
                        Use::Writes => client.put("watched", "written").is_ok(),
                    };
                    note(&seen, &name, is_answered, answered, now);
                    if is_answered {
                        answered = now;
                    }
                    tokio::time::sleep(APART).await;
                }
            })
        });
        Self {
            clients: clients.collect(),
            seen,
        }
    }

    /// Ends, and tells how long each endpoint was silent.
    ///
    /// # Panics
    /// One of them still is.
    pub fn end(self) -> BTreeMap<String, Silence> {
        for client in &self.clients {
            client.abort();
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter()
            .map(|(name, seen)| {
                assert_eq!(seen.silent_since, None, "{name} does not answer");
                (name.clone(), seen.silence)
            })
            .collect()
    }
}

fn note(seen: &Mutex<AllSeen>, name: &str, is_answered: bool, answered: Instant, now: Instant) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = seen.entry(name.to_owned()).or_default();
    entry.note(is_answered, answered, now);
}

impl Seen {
    fn note(&mut self, is_answered: bool, answered: Instant, now: Instant) {
        if !is_answered {
            self.silent_since.get_or_insert(answered);
        } else if let Some(since) = self.silent_since.take() {
            let silent = now - since;
            self.silence.longest = self.silence.longest.max(silent);
            self.silence.total += silent;
            self.silence.times += 1;
        }
    }
}
