//! The requests that were answered, for tests that compare what a tool asked for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many requests are kept: enough for any test, and no danger to a control plane that runs for weeks.
const ENTRIES_MAX: usize = 20_000;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// When it came.
    pub at: Timestamp,
    /// The action.
    pub action: String,
    /// Its parameters; passwords are masked.
    pub parameters: BTreeMap<String, String>,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// The requests that were answered, oldest first.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Mutex<VecDeque<RequestEntry>>,
    answered: AtomicU64,
}

impl RequestLog {
    /// The number of a new request.
    pub(crate) fn count(&self) -> u64 {
        self.answered.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn note(&self, mut entry: RequestEntry) {
        for (name, value) in &mut entry.parameters {
            if name.ends_with("Password") && value != "true" && value != "false" {
                *value = "****".to_owned();
            }
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<RequestEntry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
