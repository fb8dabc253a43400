//! Follows an execution by looking at its history from time to time.
//!
//! What is known already is not read again: from the second look on the newest events are asked
//! for first, and one call is enough unless more has happened than fits on a page.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sfn::types::HistoryEvent as Event;
use tokio::time::sleep;
use trapheus_asl::{HistoryEvent, HistoryKind};
use trapheus_sfn::Translator;

use super::StepFunctions;
use super::error::{is_no_execution, lost_sight, unread};
use crate::engines::{Follower, Left, Until, keeps_original};
use crate::error::Failure;
use crate::exit::Exit;

/// The pause between two looks: it grows while nothing but polls of the same state happens.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10);
const PAUSE_GROWTH: f64 = 1.25;
/// How many looks in a row may fail: a restore takes hours, a network is away for minutes.
const FAILURES_MAX: u32 = 20;

impl StepFunctions {
    /// Reads what has happened since event `seen`, the oldest first.
    async fn events_after(&self, id: &str, seen: i64) -> Result<Vec<Event>, Failure> {
        match trapheus_sfn::events_after(&self.client, &self.arn.execution(id), seen).await {
            // It was started a moment ago, and is not known everywhere yet.
            Err(error) if is_no_execution(&error) && seen == 0 => Ok(Vec::new()),
            read => read.map_err(|error| unread(id, &error)),
        }
    }
}

/// Follows an execution; it goes on whether it is followed or not.
pub(super) struct Watch {
    engine: StepFunctions,
    id: String,
    until: Until,
    translator: Translator,
    /// The number of the last event that was read.
    seen: i64,
    /// An end with this number or a lower one has been redriven.
    redriven: i64,
    ready: VecDeque<HistoryEvent>,
    /// Whether the last event leaves nothing to wait for.
    over: bool,
    pause: Duration,
    failures: u32,
}

impl Watch {
    /// Ends no later than `until`. An end that is event number `redriven` or an earlier one is none.
    pub(super) fn new(engine: &StepFunctions, id: &str, until: Until, redriven: i64) -> Self {
        Self {
            engine: engine.clone(),
            id: id.to_owned(),
            until,
            translator: Translator::default(),
            seen: 0,
            redriven,
            ready: VecDeque::new(),
            over: false,
            pause: Duration::ZERO,
            failures: 0,
        }
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let events = match self.engine.events_after(&self.id, self.seen).await {
            Ok(events) => events,
            Err(failure) if failure.exit != Exit::Refused && self.failures < FAILURES_MAX => {
                self.failures += 1;
                return Ok(());
            }
            Err(failure) => return Err(lost_sight(&self.id, failure)),
        };
        self.failures = 0;
        for event in &events {
            self.seen = event.id;
            let Some(told) = self.translator.translate(event) else {
                continue;
            };
            if told.kind.is_state_entered() || self.seen == self.redriven {
                self.pause = Duration::ZERO;
            }
            self.over = self.seen > self.redriven
                && (ends(told.kind) || self.until == Until::Serving && keeps_original(&told));
            self.ready.push_back(told);
        }
        Ok(())
    }
}

#[async_trait]
impl Follower for Watch {
    fn id(&self) -> &str {
        &self.id
    }

    async fn next(&mut self) -> Result<Option<HistoryEvent>, Failure> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.over {
                return Ok(None);
            }
            if self.seen > 0 {
                self.pause = self.pause.mul_f64(PAUSE_GROWTH).clamp(PAUSE_MIN, PAUSE_MAX);
                sleep(self.pause).await;
            }
            self.look().await?;
            if self.seen == 0 {
                sleep(PAUSE_MIN / 4).await;
            }
        }
    }

    async fn leave(&mut self) -> Result<Left, Failure> {
        Ok(Left::Running)
    }
}

/// Whether the execution has ended with this event.
pub(super) fn ends(kind: HistoryKind) -> bool {
    matches!(
        kind,
        HistoryKind::ExecutionSucceeded
            | HistoryKind::ExecutionFailed
            | HistoryKind::ExecutionTimedOut
            | HistoryKind::ExecutionAborted
    )
}
