//! What time it is. How long to wait is never asked here: waiting is tokio's, dating is the
//! clock's, because a wall clock may jump and a wait must not.

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the wall clock's time. It may jump, in either direction.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that time comes in through"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A wall clock that goes as tokio's does: in paused time it stands still until something waits.
#[derive(Debug, Clone, Copy)]
pub struct VirtualClock {
    start: Timestamp,
    origin: Instant,
}

impl VirtualClock {
    /// A clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> VirtualClock {
        VirtualClock {
            start,
            origin: Instant::now(),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.start
            .checked_add(self.origin.elapsed())
            .unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_virtual_day_takes_no_time() {
        let clock = VirtualClock::starting_at(Timestamp::UNIX_EPOCH);
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        assert_eq!(clock.now().as_second(), 86_400);
    }
}
