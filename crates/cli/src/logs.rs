//! What the parts of Trapheus note about themselves, on standard error: only where `RUST_LOG` asks
//! for it. A restore's progress does not need it.

use std::env::var_os;
use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{fmt, registry};

/// What our crates' names begin with.
const OURS: &str = "trapheus";

/// Writes logs from now on, as `RUST_LOG` says. It reaches our own crates only: the SDK's and the
/// drivers' would show whole requests, and with them passwords.
pub(crate) fn begin() {
    if var_os(EnvFilter::DEFAULT_ENV).is_none() {
        return;
    }
    let ours = filter_fn(|about| about.target().starts_with(OURS));
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter(EnvFilter::from_default_env())
        .with_filter(ours);
    // There is none before it.
    _ = tracing::subscriber::set_global_default(registry().with(lines));
}
