//! Leave to change something, asked for before each call that does.
//!
//! Whoever makes calls may have been stopped for longer than it was thought to live, and somebody
//! else may be at work in its place. Only whoever gave the work out knows.

use std::fmt;
use std::sync::Arc;

/// Asks whether something may still be changed. Clones ask the same.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn() -> Result<(), String> + Send + Sync>);

impl Permit {
    /// Asks by a function, which says why not.
    pub fn new(ask: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(crate) fn ask(&self) -> Result<(), String> {
        (self.0)()
    }
}

impl Default for Permit {
    /// Everything may be changed.
    fn default() -> Self {
        Self::new(|| Ok(()))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Permit")
    }
}
