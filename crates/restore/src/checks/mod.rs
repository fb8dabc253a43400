//! The pre-flight checks: what must hold before anything changes, and what a user should know.
//!
//! A check never changes anything. One that the server can't answer is a warning, not a failure:
//! other servers than AWS know fewer calls, and credentials are often narrow.

pub(crate) mod alerts;
pub(crate) mod names;
pub(crate) mod password;
pub(crate) mod snapshot;
pub(crate) mod sql;
pub(crate) mod surroundings;
pub(crate) mod target;
pub(crate) mod topology;

use serde::{Deserialize, Serialize};

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// The restore can go on, and somebody should know.
    Warn,
    /// The restore is refused.
    Fail,
}

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, in a few words.
    pub name: String,
    /// What it found.
    pub verdict: Verdict,
    /// Why, and what to do about it.
    pub detail: String,
}

impl Check {
    /// It holds.
    pub(crate) fn pass(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict: Verdict::Pass,
            detail: detail.into(),
        }
    }

    /// Somebody should know.
    pub(crate) fn warn(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict: Verdict::Warn,
            detail: detail.into(),
        }
    }

    /// The same, but nothing is refused because of it.
    pub(crate) fn at_most_a_warning(mut self) -> Self {
        if self.verdict == Verdict::Fail {
            self.verdict = Verdict::Warn;
        }
        self
    }

    /// The restore is refused.
    pub(crate) fn fail(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            verdict: Verdict::Fail,
            detail: detail.into(),
        }
    }
}
