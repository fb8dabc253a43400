//! Faults on request: what a test asks local RDS to do wrong, and when.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;
use crate::state::State;
use crate::state::instance::Outcome;

/// Marks a response that must not reach the client: the request was carried out, its answer gets lost.
#[derive(Clone, Copy, Debug)]
pub struct LostAnswer;

/// A fault, as it is posted to `/_trapheus/faults`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The action that goes wrong.
    pub action: String,
    /// Only requests whose parameters have these values, in the names of the wire (`Tags.Tag.1.Key`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, String>,
    /// How often; for ever if left out.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many requests go well before.
    #[serde(default)]
    pub skip: u64,
    /// What goes wrong.
    pub effect: Effect,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Refused with this code and HTTP status.
    Error {
        /// The error code.
        code: String,
        /// The HTTP status.
        status: u16,
    },
    /// Refused with `Throttling`.
    Throttle,
    /// Refused with `InternalFailure`, status 500.
    Internal,
    /// Carried out, but the answer doesn't arrive.
    LostAnswer,
    /// The operation that the request begins ends in this status.
    EndsIn(String),
    /// The modification isn't made; the instance goes back to `available` and only an event says so.
    ModifyFails,
    /// The answer is so many seconds old.
    StaleSeconds(u32),
}

/// The faults that are armed.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Fault>>,
    /// The state as it was, kept only while a fault needs it.
    past: Mutex<VecDeque<(Timestamp, State)>>,
}

/// What becomes of one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is carried out.
    Carried {
        outcome: Outcome,
        answer: AnswerFate,
    },
    Refused(ApiError),
    /// It is answered as it would have been at that time.
    Stale(Timestamp),
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerFate {
    Arrives,
    GetsLost,
}

impl Faults {
    /// Arms a fault.
    pub(crate) fn arm(&self, fault: Fault, now: Timestamp, state: &State) {
        if matches!(fault.effect, Effect::StaleSeconds(_)) {
            self.past().push_back((now, state.clone()));
        }
        self.armed().push(fault);
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.armed().clone()
    }

    pub(crate) fn clear(&self) {
        self.armed().clear();
        self.past().clear();
    }

    /// Decides about one request, which uses up a fault that applies to it.
    pub(crate) fn decide(
        &self,
        action: &str,
        parameters: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Fate {
        let carried = |outcome, answer| Fate::Carried { outcome, answer };
        match self.take(action, parameters) {
            None => carried(Outcome::Success, AnswerFate::Arrives),
            Some(Effect::LostAnswer) => carried(Outcome::Success, AnswerFate::GetsLost),
            Some(Effect::EndsIn(status)) => carried(Outcome::EndsIn(status), AnswerFate::Arrives),
            Some(Effect::ModifyFails) => carried(Outcome::ModifyFails, AnswerFate::Arrives),
            Some(Effect::Error { code, status }) => Fate::Refused(ApiError::with_status(
                &code,
                "This fault was asked for.",
                status,
            )),
            Some(Effect::Throttle) => Fate::Refused(ApiError::new("Throttling", "Rate exceeded")),
            Some(Effect::Internal) => Fate::Refused(ApiError::new(
                "InternalFailure",
                "An internal failure was asked for.",
            )),
            Some(Effect::StaleSeconds(seconds)) => {
                Fate::Stale(now - SignedDuration::from_secs(seconds.into()))
            }
        }
    }

    /// Notes how the state is now, if a fault may want to show it later.
    pub(crate) fn remember(&self, now: Timestamp, state: &State) {
        let mut past = self.past();
        if !past.is_empty() {
            past.push_back((now, state.clone()));
        }
    }

    /// The state at a time; before anything was noted, the earliest one that was.
    pub(crate) fn state_at(&self, at: Timestamp) -> Option<State> {
        let past = self.past();
        let known = past.iter().rev().find(|(noted_at, _)| *noted_at <= at);
        known.or(past.front()).map(|(_, state)| state.clone())
    }

    fn take(&self, action: &str, parameters: &BTreeMap<String, String>) -> Option<Effect> {
        let mut armed = self.armed();
        let applies = |fault: &Fault| {
            fault.action == action
                && fault
                    .when
                    .iter()
                    .all(|(name, value)| parameters.get(name) == Some(value))
        };
        for fault in armed.iter_mut().filter(|fault| applies(fault)) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            match &mut fault.times {
                Some(0) => continue,
                Some(times) => *times -= 1,
                None => {}
            }
            let effect = fault.effect.clone();
            armed.retain(|fault| fault.times != Some(0));
            return Some(effect);
        }
        None
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> MutexGuard<'_, VecDeque<(Timestamp, State)>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
