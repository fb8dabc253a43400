//! Where the time of a restore went: what RDS itself took, and what orchestration added.

use jiff::Timestamp;

use crate::simulation::Run;

/// How long it takes until anything that was asked of RDS begins to show.
const UNNOTICED_SECONDS: f64 = 5.0;

/// The time of one restore.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpent {
    /// From its start to its end, in seconds.
    pub total_seconds: f64,
    /// The states in which something is waited for, in order.
    pub states: Vec<TimeInState>,
}

/// The time in one state, retries included.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeInState {
    /// The state's name.
    pub state: String,
    /// From its entry to its exit, in seconds.
    pub seconds: f64,
    /// What RDS itself takes for what is done in it, in seconds.
    pub rds_seconds: f64,
}

impl TimeSpent {
    /// Reads the history of a restore of a database with so much storage, in GiB, in a world
    /// where everything takes as long as on AWS.
    pub fn of(run: &Run, storage_gib: i32) -> Self {
        let mut states: Vec<TimeInState> = Vec::new();
        let mut entered: Option<(&str, Timestamp)> = None;
        for event in &run.history {
            if event.kind.is_state_entered() {
                entered = event.state.as_deref().map(|state| (state, event.at));
            } else if event.kind.is_state_exited()
                && let Some((state, since)) = entered.take()
            {
                let has_moved = states.iter().any(|other| other.state == "MoveAsideFirst");
                let is_found_so = state == "MoveAside" && has_moved;
                if let Some(rds_seconds) = rds_seconds(state, storage_gib).filter(|_| !is_found_so)
                {
                    states.push(TimeInState {
                        state: state.to_owned(),
                        seconds: event.at.duration_since(since).as_secs_f64(),
                        rds_seconds,
                    });
                }
            }
        }
        let ends = run.summary.started_at.zip(run.summary.finished_at);
        Self {
            total_seconds: ends.map_or(0.0, |(started, finished)| {
                finished.duration_since(started).as_secs_f64()
            }),
            states,
        }
    }

    /// What RDS itself takes, in seconds.
    pub fn rds_seconds(&self) -> f64 {
        self.states.iter().map(|state| state.rds_seconds).sum()
    }

    /// What orchestration adds to that, as a part of it.
    pub fn overhead(&self) -> f64 {
        self.total_seconds / self.rds_seconds() - 1.0
    }
}

/// What RDS takes for what is done in a state, by the table of local RDS; none where nothing is
/// waited for. The original is out of the way as soon as its old name is free, and its
/// protection is taken off before it is deleted.
fn rds_seconds(state: &str, storage_gib: i32) -> Option<f64> {
    match state {
        "Restore" => Some(360.0 + f64::from(storage_gib)),
        "Configure" => Some(UNNOTICED_SECONDS + 180.0),
        "MoveAsideFirst" | "MoveAside" => Some(UNNOTICED_SECONDS + 10.0),
        "Promote" => Some(UNNOTICED_SECONDS + 90.0),
        "Retire" => Some(UNNOTICED_SECONDS + 180.0 + 180.0),
        _nothing_to_wait_for => None,
    }
}
