//! What `DescribeEvents` tells.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use super::table::Record;
use super::values::Scope;

/// How many events are kept: RDS keeps them for 14 days, a long simulation must not grow without end.
const EVENTS_MAX: usize = 10_000;

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) scope: Scope,
    pub(crate) at: Timestamp,
    pub(crate) source_type: SourceType,
    pub(crate) source_identifier: String,
    pub(crate) source_arn: String,
    pub(crate) message: String,
    pub(crate) category: String,
}

/// `SourceType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SourceType {
    Instance,
    Snapshot,
    Cluster,
    ClusterSnapshot,
    ParameterGroup,
}

impl SourceType {
    /// RDS's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "db-instance",
            Self::Snapshot => "db-snapshot",
            Self::Cluster => "db-cluster",
            Self::ClusterSnapshot => "db-cluster-snapshot",
            Self::ParameterGroup => "db-parameter-group",
        }
    }
}

impl State {
    /// Tells an event; the oldest one goes when there are too many.
    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.len() >= EVENTS_MAX {
            let oldest = self.events.iter().next().map(|(key, _)| key.to_owned());
            oldest.and_then(|key| self.events.remove(&key));
        }
        let number = self.count("event");
        self.events.insert(format!("{number:020}"), event);
    }
}

impl Record for Event {
    const TABLE: &'static str = "event";
}
