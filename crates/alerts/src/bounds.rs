//! How long a channel may take: an alert that can't be delivered must not hold up an outcome.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// How often an alert is tried on a channel.
pub(crate) const ATTEMPTS: u32 = 4;
/// The longest that one attempt may take.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);
/// The pause before the second attempt; each further one is twice as long.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest for all attempts and pauses: what would end later is not begun.
pub(crate) const ATTEMPTS_TOGETHER: Duration = Duration::from_secs(20);
/// The longest for everything, the reading of secrets included.
pub(crate) const CHANNEL: Duration = Duration::from_secs(30);

/// The same for calls of the SDK, which retries by itself.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
}

/// The same for calls of the SDK.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(ATTEMPT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(ATTEMPTS_TOGETHER)
        .build()
}
