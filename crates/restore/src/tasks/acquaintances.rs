//! Whom this process has met: the identities of the databases that it waits for, so that their
//! polls can share pages with those of other executions. It saves calls and nothing depends on
//! it: a process that has met nobody asks by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use trapheus_rds::ResourceId;

/// The restored databases by the execution that makes them. Clones share what they know.
#[derive(Debug, Clone, Default)]
pub(super) struct Acquaintances(Arc<Mutex<BTreeMap<String, ResourceId>>>);

impl Acquaintances {
    pub(super) fn recall(&self, execution: &str) -> Option<ResourceId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(execution).cloned()
    }

    pub(super) fn meet(&self, execution: &str, restored: &ResourceId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(execution.to_owned(), restored.clone());
    }

    pub(super) fn forget(&self, execution: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(execution);
    }
}
