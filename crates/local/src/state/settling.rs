//! Things that are one thing for a while, and then another.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A status that changes by itself when its time has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settling {
    pub(crate) until: Timestamp,
    pub(crate) during: String,
    pub(crate) then: String,
}

impl Settling {
    /// RDS's word for what it is now.
    pub(crate) fn status(&self, now: Timestamp) -> &str {
        match now < self.until {
            true => &self.during,
            false => &self.then,
        }
    }
}
