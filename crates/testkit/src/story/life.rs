//! The life of one process, and how it ends: at a moment, in a call, or in a write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::random::Random;
use super::tally::OF_AGE;
use super::trace::Trace;

/// How a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// So long after its beginning.
    After(Duration),
    /// In a call to RDS of this number.
    InCall {
        /// Which one, from 1.
        call: u64,
        /// Whether RDS got it.
        is_sent: bool,
    },
    /// In a write to the journal of this number.
    InWrite {
        /// Which one, from 1.
        write: u64,
        /// Whether it is on the disk.
        is_kept: bool,
    },
}

impl Death {
    pub(super) fn random(random: &mut Random, within: Duration) -> Self {
        match random.below(3) {
            0 => Self::After(random.within(within)),
            1 => Self::InCall {
                call: 1 + random.size(150),
                is_sent: random.chance(60),
            },
            _ => Self::InWrite {
                write: 1 + random.size(80),
                is_kept: random.chance(50),
            },
        }
    }
}

/// The life of a process. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Life(Arc<Inner>);

struct Inner {
    name: String,
    death: Option<Death>,
    calls: AtomicU64,
    writes: AtomicU64,
    is_over: watch::Sender<bool>,
    trace: Trace,
}

impl Life {
    /// A process begins.
    pub(crate) fn begin(name: String, death: Option<Death>, trace: Trace) -> Self {
        let life = Self(Arc::new(Inner {
            name,
            death,
            calls: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            is_over: watch::Sender::new(false),
            trace,
        }));
        if let Some(Death::After(time)) = death {
            let dying = life.clone();
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                dying.end("is killed");
            });
        }
        life
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.0.is_over.borrow()
    }

    /// Waits for its end.
    pub(crate) async fn over(&self) {
        let mut is_over = self.0.is_over.subscribe();
        // The sender lives as long as this does.
        _ = is_over.wait_for(|is_over| *is_over).await;
    }

    pub(crate) fn end(&self, how: &str) {
        if !self.0.is_over.send_replace(true) {
            self.0.trace.tell(self.name(), || how.to_owned());
        }
    }

    /// How it died, in the words of a tally.
    pub(crate) fn cause_of_death(&self) -> &'static str {
        match self.0.death {
            None => OF_AGE,
            Some(Death::After(_)) => "process killed at a moment",
            Some(Death::InCall { is_sent: false, .. }) => "process killed before a call",
            Some(Death::InCall { is_sent: true, .. }) => "process killed after a call",
            Some(Death::InWrite { is_kept: false, .. }) => "process killed before a write",
            Some(Death::InWrite { is_kept: true, .. }) => "process killed after a write",
        }
    }

    /// Counts a call that is about to be sent.
    pub(crate) fn count_call(&self) -> u64 {
        self.0.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether it dies in this call, before or after RDS gets it.
    pub(crate) fn dies_in_call(&self, number: u64, sent: bool) -> bool {
        let dies = matches!(self.0.death, Some(Death::InCall { call, is_sent })
            if call == number && is_sent == sent);
        if dies {
            self.end(if sent {
                "is killed before the answer comes"
            } else {
                "is killed before it calls"
            });
        }
        dies
    }

    /// Whether it dies in the next write, which is lost.
    pub(crate) fn dies_before_write(&self) -> bool {
        let number = self.0.writes.fetch_add(1, Ordering::Relaxed) + 1;
        self.dies_in_write(number, false)
    }

    /// Whether it dies in this write, which is kept.
    pub(crate) fn dies_after_write(&self) -> bool {
        self.dies_in_write(self.0.writes.load(Ordering::Relaxed), true)
    }

    fn dies_in_write(&self, number: u64, kept: bool) -> bool {
        let dies = matches!(self.0.death, Some(Death::InWrite { write, is_kept })
            if write == number && is_kept == kept);
        if dies {
            self.end(if kept {
                "is killed when it has written"
            } else {
                "is killed before it has written"
            });
        }
        dies
    }
}
