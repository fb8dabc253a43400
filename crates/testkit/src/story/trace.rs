//! What happened in a story, in the order of its happening: who did what, and when.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Takes down what happens, if anybody wants to read it. Clones write into the same.
#[derive(Debug, Clone)]
pub struct Trace {
    lines: Option<Arc<Mutex<Vec<String>>>>,
    begun: Instant,
}

impl Trace {
    /// One that is kept.
    pub fn kept() -> Self {
        Self {
            lines: Some(Arc::default()),
            begun: Instant::now(),
        }
    }

    /// One that nobody reads: telling costs nothing then.
    pub fn forgotten() -> Self {
        Self {
            lines: None,
            begun: Instant::now(),
        }
    }

    /// The same, with times that count from now.
    pub(crate) fn begun_now(self) -> Self {
        Self {
            begun: Instant::now(),
            ..self
        }
    }

    /// Notes what somebody did.
    pub(crate) fn tell<T: Display>(&self, who: &str, what: impl FnOnce() -> T) {
        let Some(lines) = &self.lines else { return };
        let after = self.begun.elapsed().as_secs_f64();
        let line = format!("{after:>12.3} s  {who:<11} {}", what());
        lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    /// What has been noted.
    pub fn lines(&self) -> Vec<String> {
        let lines = self
            .lines
            .as_ref()
            .map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner));
        lines.map(|lines| lines.clone()).unwrap_or_default()
    }
}
