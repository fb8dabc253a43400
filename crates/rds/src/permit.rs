//! Leave to change something, asked for before each call that does.
//!
//! Whoever makes calls may have been stopped for longer than it was thought to live, and somebody
//! else may be at work in its place. Only whoever gave the work out knows.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Asks whether something may still be changed. Clones ask the same.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn() -> Answer + Send + Sync>);

impl Permit {
    /// Asks by a function, which says why not.
    pub fn new<Asked>(ask: impl Fn() -> Asked + Send + Sync + 'static) -> Self
    where
        Asked: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(ask())))
    }

    pub(crate) async fn ask(&self) -> Result<(), String> {
        (self.0)().await
    }
}

impl Default for Permit {
    /// Everything may be changed.
    fn default() -> Self {
        Self::new(|| ready(Ok(())))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Permit")
    }
}
