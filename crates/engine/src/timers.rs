//! The timers of one execution, and when they are due.
//!
//! A timer carries a date, and dates come from a wall clock that may jump. So a timer fires at
//! whichever comes first: the wall clock shows its date (after a suspend, or when it was overdue at
//! a resume), or as much time has passed as there was between the moment it was set and its date
//! (the wall clock was set back since). It never fires earlier than both, and never hangs.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use trapheus_asl::TimerId;

/// How long to sleep without looking at the wall clock: a suspended machine's monotonic clock
/// stands still, so after its wake-up only the wall clock tells that a timer is overdue.
const NAP_MAX: Duration = Duration::from_secs(30);

/// The timers that are set, in the order of their setting.
#[derive(Debug, Default)]
pub(crate) struct Timers(Vec<Timer>);

#[derive(Debug)]
struct Timer {
    id: TimerId,
    due: Timestamp,
    /// None: too far away for the monotonic clock to count.
    deadline: Option<Instant>,
}

impl Timers {
    /// Sets a timer when the execution's time is `now`.
    pub(crate) fn set(&mut self, id: TimerId, due: Timestamp, now: Timestamp) {
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO);
        self.0.push(Timer {
            id,
            due,
            deadline: Instant::now().checked_add(wait),
        });
    }

    /// Forgets a timer.
    pub(crate) fn cancel(&mut self, id: TimerId) {
        self.0.retain(|timer| timer.id != id);
    }

    /// Takes out the timer that is to fire when the wall clock shows `now`, if any is: of several
    /// the one with the earliest date, and of these the one that was set first.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(TimerId, Timestamp)> {
        let passed = Instant::now();
        let (position, _) = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, timer)| {
                timer.due <= now || timer.deadline.is_some_and(|deadline| deadline <= passed)
            })
            .min_by_key(|(_, timer)| timer.due)?;
        let timer = self.0.remove(position);
        Some((timer.id, timer.due))
    }

    /// Sleeps until it's worth asking [`Timers::take_due`]; without timers, for ever.
    pub(crate) async fn nap(&self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let longest = Instant::now() + NAP_MAX;
        let next = self.0.iter().filter_map(|timer| timer.deadline).min();
        tokio::time::sleep_until(next.map_or(longest, |next| next.min(longest))).await;
    }
}
