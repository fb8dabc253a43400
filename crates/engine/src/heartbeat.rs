//! Keeps an engine's leases, and brings what other processes ask of its executions.

use std::sync::{Arc, Weak};

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::driver::Command;
use crate::journal::Request;
use crate::shared::Shared;

/// Begins to beat, until the engine is gone.
pub(crate) fn spawn(engine: &Arc<Shared>) -> JoinHandle<()> {
    let timing = engine.timing;
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(timing.poll_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            ticks.tick().await;
            let Some(engine) = Weak::upgrade(&engine) else {
                return;
            };
            if renewed.elapsed() >= timing.renew_interval {
                renewed = Instant::now();
                renew(&engine);
            }
            forward_requests(&engine);
        }
    })
}

/// One transaction for all executions that run here.
fn renew(engine: &Shared) {
    let leases = engine.leases();
    if leases.is_empty() {
        return;
    }
    match engine.journal.renew(&leases, engine.lease().expires_at) {
        Ok(lost) => {
            for id in lost {
                engine.command(&id, Command::TakenOver);
            }
        }
        // The executions go on: if the journal is broken, their next append tells.
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the leases were not renewed");
        }
    }
}

fn forward_requests(engine: &Shared) {
    if engine.leases().is_empty() {
        return;
    }
    match engine.journal.requests() {
        Ok(requests) => {
            for (id, request) in requests {
                engine.command(&id, Command::from(request));
            }
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the requests of other processes were not read");
        }
    }
}

impl From<Request> for Command {
    fn from(request: Request) -> Command {
        match request {
            Request::Stop => Command::Stop,
            Request::Abort { error, cause } => Command::Abort { error, cause },
        }
    }
}
