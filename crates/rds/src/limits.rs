//! How fast this process calls RDS, and how it waits when that was too fast.
//!
//! AWS publishes no request rates, and throttles the whole account: everything in one process
//! shares one [`Pace`], so that a fleet of restores is no ruder than one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The limits of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Calls per second in the long run; above zero.
    pub calls_per_second: f64,
    /// Calls that may be sent at once after a quiet time.
    pub burst: u32,
    /// How often one call is sent at most while it is throttled or, for one that only reads,
    /// unanswered.
    pub attempts_max: u32,
    /// The longest first wait after a throttled call; each further one may be twice as long.
    pub backoff_base: Duration,
    /// The longest wait between two attempts.
    pub backoff_max: Duration,
    /// How long the answer of a call that only reads is waited for.
    pub read_timeout: Duration,
    /// How long the answer of a mutating call is waited for: RDS takes its time with restores.
    pub act_timeout: Duration,
    /// How old a page shared between polls may be.
    pub page_age_max: Duration,
    /// How many databases one page asks for: a page holds 100 records.
    pub page_ids_max: usize,
    /// What the random waits are made from; the same seed gives the same waits.
    pub jitter_seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_second: 10.0,
            burst: 50,
            attempts_max: 6,
            backoff_base: Duration::from_millis(500),
            backoff_max: Duration::from_secs(20),
            read_timeout: Duration::from_secs(20),
            act_timeout: Duration::from_secs(60),
            page_age_max: Duration::from_secs(5),
            page_ids_max: 100,
            jitter_seed: u64::from(std::process::id()),
        }
    }
}

impl Limits {
    /// Returns limits for a server of one's own, where nothing is gained by being slow.
    pub fn local() -> Self {
        Self {
            calls_per_second: 1000.0,
            burst: 1000,
            ..Self::default()
        }
    }
}

/// The pace of all calls of one process: a token bucket, and the randomness of its waits.
///
/// The bucket is kept as one instant, at which it is full again; a call moves it ahead by the
/// time that one token takes to come back.
#[derive(Debug)]
pub(crate) struct Pace {
    per_call: Duration,
    depth: Duration,
    backoff_base: Duration,
    backoff_max: Duration,
    state: Mutex<PaceState>,
}

#[derive(Debug)]
struct PaceState {
    full_at: Instant,
    random: u64,
}

impl Pace {
    pub(crate) fn new(limits: &Limits) -> Self {
        let per_call = Duration::from_secs_f64(1.0 / limits.calls_per_second);
        Self {
            per_call,
            depth: per_call * limits.burst,
            backoff_base: limits.backoff_base,
            backoff_max: limits.backoff_max,
            state: Mutex::new(PaceState {
                full_at: Instant::now(),
                random: limits.jitter_seed,
            }),
        }
    }

    /// Waits for this call's turn. Turns are given in the order of asking.
    pub(crate) async fn turn(&self) {
        let starts_at = {
            let mut state = self.state();
            state.full_at = state.full_at.max(Instant::now()) + self.per_call;
            state.full_at.checked_sub(self.depth)
        };
        if let Some(starts_at) = starts_at.filter(|at| *at > Instant::now()) {
            tokio::time::sleep_until(starts_at).await;
        }
    }

    /// Empties the bucket: AWS has said that the process is too fast, so nobody bursts now.
    pub(crate) fn slow_down(&self) {
        let mut state = self.state();
        state.full_at = state.full_at.max(Instant::now() + self.depth);
    }

    /// Returns how long to wait before attempt `attempt + 1`: anything up to a limit that
    /// doubles, so that those who failed together don't come back together.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        let doubled = self
            .backoff_base
            .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let random = splitmix(&mut self.state().random);
        // 53 bits are what a double holds exactly.
        let fraction = (random >> 11) as f64 / (1_u64 << 53) as f64;
        doubled.min(self.backoff_max).mul_f64(fraction)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, PaceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Advances a SplitMix64 generator: small, and good enough to spread waits.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            calls_per_second: 10.0,
            burst: 5,
            jitter_seed: 7,
            ..Limits::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_the_rest_waits_its_turn() {
        let pace = Pace::new(&limits());
        let start = Instant::now();
        for _ in 0..5 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..20 {
            pace.turn().await;
        }
        // tokio's timer counts in milliseconds.
        assert_eq!(start.elapsed().as_millis(), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_bursts_after_a_throttled_call() {
        let pace = Pace::new(&limits());
        pace.slow_down();
        let start = Instant::now();
        for _ in 0..3 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed().as_millis(), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_random_within_a_limit_that_doubles_and_repeat_with_the_seed() {
        let (pace, twin) = (Pace::new(&limits()), Pace::new(&limits()));
        let waits: Vec<Duration> = (1..40).map(|attempt| pace.backoff(attempt)).collect();
        for (attempt, wait) in (1..40).zip(&waits) {
            let limit = limits()
                .backoff_base
                .saturating_mul(2_u32.saturating_pow(attempt - 1));
            assert!(
                *wait <= limit.min(limits().backoff_max),
                "attempt {attempt} waits {wait:?}"
            );
        }
        assert!(
            waits.iter().any(|wait| *wait > limits().backoff_max / 2),
            "{waits:?}"
        );
        assert_eq!(
            waits,
            (1..40)
                .map(|attempt| twin.backoff(attempt))
                .collect::<Vec<_>>()
        );
    }
}
