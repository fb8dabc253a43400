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
        let limit = self
            .max_delay_seconds
            .unwrap_or(DELAY_SECONDS_MAX)
            .min(DELAY_SECONDS_MAX);
        let seconds =
            self.interval_seconds as f64 * power(self.backoff_rate, retry.saturating_sub(1));
        let seconds = match self.jitter {
            JitterStrategy::None => seconds.min(limit as f64),
            JitterStrategy::Full => seconds.min(limit as f64) * seed.fraction(),
        };
        SignedDuration::from_millis((seconds * 1000.0).round() as i64)
    }
}

/// `f64::powi` may differ between platforms and compilers; a replay must not.
fn power(base: f64, exponent: u32) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest % 2 == 1 {
            result *= square;
        }
        square *= square;
        rest /= 2;
    }
    result
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

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(
        interval_seconds: u64,
        backoff_rate: f64,
        max_delay_seconds: Option<u64>,
    ) -> Retrier {
        Retrier {
            error_equals: ErrorEquals(vec![ALL.to_owned()]),
            interval_seconds,
            max_attempts: 3,
            backoff_rate,
            max_delay_seconds,
            jitter: JitterStrategy::None,
        }
    }

    fn milliseconds(retrier: &Retrier, retry: u32) -> i128 {
        let seed = JitterSeed {
            execution: "e",
            state: "s",
            scope: 0,
            entered: 2,
            retry,
        };
        retrier.delay(retry, &seed).as_millis()
    }

    #[test]
    fn delays_grow_to_their_limit_and_never_overflow() {
        let slowly = retrier(1, 1.02, Some(30));
        assert_eq!(milliseconds(&slowly, 1), 1000);
        assert_eq!(milliseconds(&slowly, 2), 1020);
        assert_eq!(milliseconds(&slowly, 3), 1040);
        assert_eq!(milliseconds(&slowly, 1000), 30_000);
        let wildly = retrier(99_999_999, 1e300, None);
        assert_eq!(
            milliseconds(&wildly, u32::MAX),
            i128::from(DELAY_SECONDS_MAX) * 1000
        );
    }
}
