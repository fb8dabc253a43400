//! Waiting: for futures, and for what becomes so by itself. A test never waits for a time, only for
//! something to happen; what doesn't happen fails the test.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;

/// How long anything may take on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Runs a future to its end; for every thread of the test.
pub(crate) fn done<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new().expect("threads can be started"))
        .block_on(future)
}

/// Looks until there is something to be seen.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "in vain waited until {what}");
        done(async { tokio::time::sleep(LOOK_INTERVAL).await });
    }
}
