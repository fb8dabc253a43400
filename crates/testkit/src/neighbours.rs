//! Other processes of the product beside the one of a simulation: in the same home, in another home,
//! and one that is stopped in the middle of a call, as by a debugger or a machine that sleeps.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use trapheus_engine::{Error, Timing};

use crate::frozen::Lasting;
use crate::gate::is_look;
use crate::interruptions::Calls;
use crate::simulation::{Run, Simulation};

/// A process that hangs: it renews no lease.
const HUNG: Timing = Timing {
    lease_duration: Duration::from_secs(30),
    renew_interval: Duration::MAX,
    poll_interval: Duration::from_secs(365 * 24 * 3600),
};

/// What became of a process that was stopped for longer than its lease.
#[derive(Debug)]
pub struct Woken {
    /// How another process ended the execution meanwhile.
    pub run: Run,
    /// What the one that was stopped asked of RDS when it woke up, other than to look.
    pub changes: Vec<String>,
    /// Why it let go of the execution.
    pub error: Option<Error>,
}

impl Simulation {
    /// A process on another machine: the same RDS, and a home of its own.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        Self::of(Lasting {
            journal: self.lasting.ledger.watch(Arc::default()),
            ..self.lasting.clone()
        })
    }

    /// Another process in the same home.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self::of(self.lasting.clone())
    }

    /// What was asked of RDS since that many requests, other than to look.
    pub fn changes_since(&self, requests: usize) -> Vec<String> {
        let mut asked = self.requests().split_off(requests);
        asked.retain(|action| !is_look(action));
        asked
    }

    /// Runs an input document in a process that is stopped in the middle of its n-th change,
    /// carried out and not answered, until another one has taken the execution over and ended it;
    /// then the first wakes up. None when it ends with fewer changes.
    pub async fn stopped_in_change(&self, input: Value, change: u32) -> Option<Woken> {
        let journal = self.journal();
        let engine = self.engine_of("stopped", HUNG, journal.clone());
        self.gate.hold(change, false);
        let handle = self.start(&engine, input);
        if !self.is_held(&handle).await {
            self.gate.open();
            return None;
        }
        tokio::time::sleep(HUNG.lease_duration).await;
        let other = self.beside();
        let successor = other.engine_of("successor", Timing::default(), journal);
        let resumed = successor.resume(handle.id());
        let run = other
            .finish(&successor, &resumed.expect("its lease is over"))
            .await;
        let before = self.requests().len();
        self.gate.open();
        let error = handle.wait().await.err();
        Some(Woken {
            run,
            changes: self.changes_since(before),
            error,
        })
    }

    /// Runs one input document, and another one in another process while the first waits for the
    /// answer to its n-th call; returns both and what the other one changed. None when the first
    /// ends with fewer calls, or has nothing to change any more: its original is deleted.
    pub async fn overtaken_in_call(
        &self,
        input: Value,
        call: u32,
        other: (&Self, Value),
    ) -> Option<(Run, Run, Vec<String>)> {
        let mut second = None;
        let first = self.interfere_in_call(input, call, Calls::All, async |first| {
            if first
                .requests()
                .iter()
                .any(|action| action == "DeleteDBInstance")
            {
                return;
            }
            let (there, input) = other;
            let before = first.requests().len();
            let engine = there.engine_of("another", Timing::alone(), there.journal());
            let handle = there.start(&engine, input);
            let run = there.finish(&engine, &handle).await;
            second = Some((run, first.changes_since(before)));
        });
        let first = first.await?;
        let (second, changes) = second?;
        Some((first, second, changes))
    }
}
