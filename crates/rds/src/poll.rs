//! Polls that all executions of the process share.
//!
//! Whoever polls a database that no page in hand shows news of becomes the leader: it sends one
//! request for everybody who waits, filled up with those who are likely to ask next, so that N
//! executions cost about N/100 calls per interval instead of N. The rest wait for the leader and
//! then find their answer in the page; when a leader is dropped, the next in the queue leads.
//!
//! An answer is always news: the request for it was sent after this poller's previous answer,
//! after every change that this process made to that database, and not longer ago than
//! [`Limits::page_age_max`]. The order of these things is kept as numbers, not as times, because
//! much happens at one instant of a paused clock.
//!
//! [`Limits::page_age_max`]: crate::Limits::page_age_max

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::database::{Database, Identified, Kind};
use crate::error::Error;
use crate::id::ResourceId;
use crate::rds::{Rds, Shared};

/// A database that nobody has polled for so long is not asked for on the side any more. It is
/// longer than executions wait between two polls.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90);

/// The pages in hand of one kind of database and those who poll.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// Held by the one who sends for everybody; tokio gives it on in the order of asking.
    leading: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers what happens, in order.
    clock: u64,
    polled: BTreeMap<ResourceId, Polled>,
    waiting: BTreeSet<ResourceId>,
    failed: Option<(u64, Error)>,
}

/// What is known of one database that is polled.
#[derive(Debug)]
struct Polled {
    /// When somebody asked for it last.
    asked_at: Instant,
    /// The number of the last answer given.
    answered: u64,
    /// The number of the last change that this process made to it.
    changed: u64,
    seen: Option<Seen>,
}

/// What a page showed of one database.
#[derive(Debug)]
struct Seen {
    /// The number of the page's request.
    sent: u64,
    received_at: Instant,
    database: Option<Database>,
}

/// A change in flight. When it ends, however it ends, pages that were asked for before say
/// nothing about the changed database any more.
#[derive(Debug)]
pub(crate) struct Changing<'a> {
    pages: &'a Pages,
    id: &'a ResourceId,
}

impl Rds {
    /// Looks a database up by its identity, perhaps in a page that other executions share.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`](crate::Class::NotFound), which is `None`.
    pub async fn poll_database(
        &self,
        kind: Kind,
        id: &ResourceId,
    ) -> Result<Option<Database>, Error> {
        let pages = self.shared.pages(kind);
        let limits = &self.shared.limits;
        if let Some(answer) = pages.state().answer(id, limits.page_age_max) {
            return Ok(answer);
        }
        let asked = pages.state().ask(id);
        // Everybody who polls at this instant asks before the first of them sends.
        tokio::task::yield_now().await;
        let _leading = pages.leading.lock().await;
        loop {
            if let Some(answer) = pages.state().answer(id, limits.page_age_max) {
                return Ok(answer);
            }
            if let Some(error) = pages.state().failure_since(asked) {
                return Err(error);
            }
            let (sent, ids) = pages.state().choose(id, limits.page_ids_max);
            let page = self.databases_by_resource(kind, &ids).await;
            pages.state().store(sent, &ids, page);
        }
    }
}

impl Shared {
    /// Marks the beginning of a change to a database; the end is when the mark is dropped.
    pub(crate) fn changing<'a>(&'a self, of: &'a Identified) -> Changing<'a> {
        let (pages, id) = (self.pages(of.kind), &of.resource);
        pages.state().change(id);
        Changing { pages, id }
    }

    fn pages(&self, kind: Kind) -> &Pages {
        match kind {
            Kind::Instance => &self.instance_pages,
            Kind::Cluster => &self.cluster_pages,
        }
    }
}

impl Pages {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.pages.state().change(self.id);
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Answers a poll if a page in hand shows news.
    fn answer(&mut self, id: &ResourceId, page_age_max: Duration) -> Option<Option<Database>> {
        let answered = self.tick();
        let polled = self.polled.get_mut(id)?;
        let seen = polled.seen.as_ref().filter(|seen| {
            seen.sent > polled.answered.max(polled.changed)
                && seen.received_at.elapsed() <= page_age_max
        })?;
        polled.answered = answered;
        polled.asked_at = Instant::now();
        Some(seen.database.clone())
    }

    /// Puts a poller into the queue and returns its number.
    fn ask(&mut self, id: &ResourceId) -> u64 {
        let asked_at = Instant::now();
        let unknown = || Polled {
            asked_at,
            answered: 0,
            changed: 0,
            seen: None,
        };
        self.polled
            .entry(id.clone())
            .or_insert_with(unknown)
            .asked_at = asked_at;
        self.waiting.insert(id.clone());
        self.tick()
    }

    /// Returns the failure of a page that ended after the poller had asked: the same request
    /// again would fail the same way.
    fn failure_since(&self, asked: u64) -> Option<Error> {
        let (ended, error) = self.failed.as_ref()?;
        (*ended > asked).then(|| error.clone())
    }

    /// Chooses whom the next page is for: the leader, those who wait, and those whose last
    /// answer is the oldest. Returns the page's number with them.
    fn choose(&mut self, leader: &ResourceId, ids_max: usize) -> (u64, Vec<ResourceId>) {
        self.polled
            .retain(|_, polled| polled.asked_at.elapsed() <= FORGOTTEN_AFTER);
        let mut others: Vec<(bool, u64, &ResourceId)> = self
            .polled
            .iter()
            .filter(|(id, _)| *id != leader)
            .map(|(id, polled)| (!self.waiting.contains(id), polled.answered, id))
            .collect();
        others.sort();
        let chosen = std::iter::once(leader).chain(others.into_iter().map(|(_, _, id)| id));
        let ids = chosen.take(ids_max).cloned().collect();
        (self.tick(), ids)
    }

    /// Keeps what a page shows. A database that it doesn't show does not exist.
    fn store(&mut self, sent: u64, ids: &[ResourceId], page: Result<Vec<Database>, Error>) {
        let databases = match page {
            Ok(databases) => databases,
            Err(error) => {
                self.failed = Some((self.tick(), error));
                return;
            }
        };
        for id in ids {
            self.waiting.remove(id);
            let Some(polled) = self.polled.get_mut(id) else {
                continue;
            };
            let database = databases
                .iter()
                .find(|database| database.resource_id == *id)
                .cloned();
            polled.seen = Some(Seen {
                sent,
                received_at: Instant::now(),
                database,
            });
        }
    }

    fn change(&mut self, id: &ResourceId) {
        let changed = self.tick();
        if let Some(polled) = self.polled.get_mut(id) {
            polled.changed = changed;
        }
    }
}
