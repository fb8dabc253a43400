//! Which errors a Retrier or Catcher is for, and how long a Retrier waits.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::errors::{ALL, DATA_LIMIT_EXCEEDED, Failure, RUNTIME, TASK_FAILED, TIMEOUT};

/// Waits no longer than this, in seconds, whatever the back-off comes to: AWS's own limit.
pub(crate) const DELAY_SECONDS_MAX: u64 = 31_622_400;

/// The errors that a Retrier or Catcher is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorEquals(pub(crate) Vec<String>);

impl ErrorEquals {
    /// Whether it is for this error. A `States.Runtime` failure always ends the execution, and
    /// `States.DataLimitExceeded` must be named to be caught.
    pub(crate) fn matches(&self, failure: &Failure) -> bool {
        let error = failure.error.as_str();
        error != RUNTIME
            && self.0.iter().any(|name| match name.as_str() {
                ALL => error != DATA_LIMIT_EXCEEDED,
                TASK_FAILED => error != TIMEOUT && error != DATA_LIMIT_EXCEEDED,
                name => name == error,
            })
    }
}

/// One element of `Retry`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retrier {
    pub(crate) error_equals: ErrorEquals,
    pub(crate) interval_seconds: u64,
    pub(crate) max_attempts: u32,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<u64>,
    pub(crate) jitter: JitterStrategy,
}

/// Whether the delay is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JitterStrategy {
    /// The delay is as computed.
    None,
    /// The delay is anything from nothing to what was computed.
    Full,
}

impl Retrier {
    /// How long to wait before the retry of this number (the first is 1), to the millisecond.
    /// The seed stands for chance: the same one gives the same delay.
    pub(crate) fn delay(&self, retry: u32, seed: &JitterSeed<'_>) -> SignedDuration {
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let limit = self
            .max_delay_seconds
            .unwrap_or(DELAY_SECONDS_MAX)
            .min(DELAY_SECONDS_MAX);
        let seconds = self.interval_seconds as f64 * self.backoff_rate.powi(exponent);
        let seconds = match self.jitter {
            JitterStrategy::None => seconds.min(limit as f64),
            JitterStrategy::Full => seconds.min(limit as f64) * seed.fraction(),
        };
        SignedDuration::from_millis((seconds * 1000.0).round() as i64)
    }
}

/// What the jitter of one retry is made from.
pub(crate) struct JitterSeed<'a> {
    pub(crate) execution: &'a str,
    pub(crate) state: &'a str,
    /// Tells the branches of a Parallel and the iterations of a Map apart.
    pub(crate) scope: u64,
    /// The visit of the state, told by the history event that entered it.
    pub(crate) entered: u64,
    pub(crate) retry: u32,
}

impl JitterSeed<'_> {
    /// A number from 0 to 1 that looks like chance.
    fn fraction(&self) -> f64 {
        let mut hash = Sha256::new();
        for text in [self.execution, self.state] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.update(self.scope.to_be_bytes());
        hash.update(self.entered.to_be_bytes());
        hash.update(self.retry.to_be_bytes());
        let digest = hash.finalize();
        let bits = digest
            .iter()
            .take(8)
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        bits as f64 / u64::MAX as f64
    }
}
