//! Faults: what a test asks local RDS to do wrong, and when, and what [`Chaos`] does unasked.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;
use crate::chaos::{Chaos, ChaosKind, FaultListener, Injected, STALE_SECONDS_MAX};
use crate::state::instance::Outcome;
use crate::state::{State, Undo};

/// Marks a response that must not reach the client: whether or not the request was carried out, its answer gets lost.
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
    /// Not carried out, and no answer arrives.
    LostRequest,
    /// The operation that the request begins ends in this status.
    EndsIn(String),
    /// The modification isn't made; the instance goes back to `available` and only an event says so.
    ModifyFails,
    /// The answer is so many seconds old, in the time that operations take.
    StaleSeconds(u32),
    /// The operation that the request begins does so only after so many seconds, in the time that operations take.
    LateSeconds(u32),
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error { code, .. } => write!(formatter, "is refused: {code}"),
            Self::Throttle => write!(formatter, "is throttled"),
            Self::Internal => write!(formatter, "fails internally"),
            Self::LostAnswer => write!(formatter, "is carried out and not answered"),
            Self::LostRequest => write!(formatter, "does not arrive"),
            Self::EndsIn(status) => write!(formatter, "will end in {status}"),
            Self::ModifyFails => write!(formatter, "will fail, and only an event says so"),
            Self::StaleSeconds(seconds) => write!(formatter, "shows what was {seconds} s ago"),
            Self::LateSeconds(seconds) => write!(formatter, "will begin {seconds} s late"),
        }
    }
}

/// The faults that are armed, and chaos.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Fault>>,
    unasked: Mutex<Unasked>,
    /// What undoes each change since somebody may want to look back, oldest first.
    past: Mutex<VecDeque<(Timestamp, Undo)>>,
}

#[derive(Default)]
struct Unasked {
    chaos: Option<Chaos>,
    counts: BTreeMap<ChaosKind, u64>,
    listener: Option<FaultListener>,
}

/// A request that may go wrong.
pub(crate) struct Asked<'a> {
    pub(crate) action: &'a str,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    /// Its `User-Agent`.
    pub(crate) agent: &'a str,
    pub(crate) at: Timestamp,
    /// What AWS's time is divided by.
    pub(crate) time_scale: f64,
}

/// What becomes of one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is carried out.
    Carried(Course),
    Refused(ApiError),
    /// It never arrives.
    Lost,
    /// It is answered as it would have been at that time.
    Stale(Timestamp),
}

/// How a request that is carried out goes on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Course {
    /// How the operation that it begins ends.
    pub(crate) outcome: Outcome,
    /// When that operation begins.
    pub(crate) begins_at: Timestamp,
    pub(crate) answer: AnswerFate,
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerFate {
    Arrives,
    GetsLost,
}

impl Faults {
    /// Arms a fault.
    pub(crate) fn arm(&self, fault: Fault) {
        self.armed().push(fault);
    }

    pub(crate) fn set_chaos(&self, chaos: Option<Chaos>) {
        self.unasked().chaos = chaos;
    }

    pub(crate) fn chaos(&self) -> Option<Chaos> {
        self.unasked().chaos.clone()
    }

    pub(crate) fn chaos_counts(&self) -> BTreeMap<ChaosKind, u64> {
        self.unasked().counts.clone()
    }

    pub(crate) fn on_fault(&self, listener: FaultListener) {
        self.unasked().listener = Some(listener);
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.armed().clone()
    }

    pub(crate) fn clear(&self) {
        self.armed().clear();
        self.past().clear();
    }

    /// Decides about one request, which uses up a fault that applies to it.
    pub(crate) fn decide(&self, asked: &Asked<'_>) -> Fate {
        let effect = self.take(asked.action, asked.parameters);
        let effect = effect.or_else(|| self.chance(asked));
        let scaled = |seconds: u32| {
            let seconds = f64::from(seconds) / asked.time_scale;
            SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO)
        };
        let mut course = Course {
            outcome: Outcome::Success,
            begins_at: asked.at,
            answer: AnswerFate::Arrives,
        };
        match effect {
            None => {}
            Some(Effect::LostAnswer) => course.answer = AnswerFate::GetsLost,
            Some(Effect::EndsIn(status)) => course.outcome = Outcome::EndsIn(status),
            Some(Effect::ModifyFails) => course.outcome = Outcome::ModifyFails,
            Some(Effect::LateSeconds(seconds)) => course.begins_at += scaled(seconds),
            Some(Effect::LostRequest) => return Fate::Lost,
            Some(Effect::Error { code, status }) => {
                let message = "This fault was asked for.";
                return Fate::Refused(ApiError::with_status(&code, message, status));
            }
            Some(Effect::Throttle) => {
                return Fate::Refused(ApiError::new("Throttling", "Rate exceeded"));
            }
            Some(Effect::Internal) => {
                let message = "An internal failure was asked for.";
                return Fate::Refused(ApiError::new("InternalFailure", message));
            }
            Some(Effect::StaleSeconds(seconds)) => return Fate::Stale(asked.at - scaled(seconds)),
        }
        Fate::Carried(course)
    }

    /// What chaos does to a request.
    fn chance(&self, asked: &Asked<'_>) -> Option<Effect> {
        let mut unasked = self.unasked();
        let chaos = unasked.chaos.as_mut()?;
        let (kind, effect) = chaos.strike(asked.action, asked.parameters, asked.agent, asked.at)?;
        *unasked.counts.entry(kind).or_default() += 1;
        let listener = unasked.listener.clone();
        drop(unasked);
        if let Some(listener) = listener {
            listener(&Injected {
                at: asked.at,
                kind,
                action: asked.action.to_owned(),
                effect: effect.clone(),
            });
        }
        Some(effect)
    }

    /// Notes what undoes a change, if somebody may want to look back behind it.
    pub(crate) fn remember(&self, now: Timestamp, undo: Undo) {
        let is_stale = |fault: &Fault| matches!(fault.effect, Effect::StaleSeconds(_));
        let is_armed = self.armed().iter().any(is_stale);
        let chaos_looks = self.unasked().chaos.as_ref().is_some_and(Chaos::looks_back);
        let mut past = self.past();
        if !is_armed {
            let oldest = now - SignedDuration::from_secs(STALE_SECONDS_MAX.into());
            while past.front().is_some_and(|(at, _)| *at < oldest) {
                past.pop_front();
            }
        }
        if is_armed || chaos_looks {
            past.push_back((now, undo));
        }
    }

    /// Makes the state what it was at a time, as far as it is remembered.
    pub(crate) fn look_back(&self, state: &mut State, to: Timestamp) {
        let past = self.past();
        for (_, undo) in past.iter().rev().take_while(|(at, _)| *at > to) {
            state.go_back(undo.clone());
        }
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

    fn unasked(&self) -> MutexGuard<'_, Unasked> {
        self.unasked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> MutexGuard<'_, VecDeque<(Timestamp, Undo)>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
