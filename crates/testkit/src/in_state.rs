//! Faults that strike while one state works and at no other time, and the calls that each state
//! makes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trapheus_engine::TaskError;
use trapheus_local::{ControlPlane, Fault};

use crate::simulation::Simulation;

/// What goes wrong in a state.
#[derive(Debug, Clone, PartialEq)]
pub enum InState {
    /// Calls of its tasks.
    Calls(Fault),
    /// Its task itself fails with this error name, without having done anything.
    Raises {
        /// The error name.
        error: String,
        /// How many attempts fail.
        times: u64,
    },
}

/// How often each state called each action.
pub type CallsOfStates = BTreeMap<String, BTreeMap<String, u64>>;

/// Watches which state works. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct StateWatch(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    trouble: Option<(String, InState)>,
    calls: Option<CallsOfStates>,
}

/// A task at work.
pub(crate) struct AtWork {
    watch: StateWatch,
    control_plane: Arc<ControlPlane>,
    state: String,
    /// How many requests there were before.
    requests: usize,
}

impl StateWatch {
    /// A task begins to work for a state, unless it is to fail.
    pub(crate) fn enter(
        &self,
        state: &str,
        control_plane: &Arc<ControlPlane>,
    ) -> Result<AtWork, TaskError> {
        let mut watched = self.watched();
        let requests = match watched.calls {
            Some(_) => control_plane.requests().len(),
            None => 0,
        };
        let mut struck = None;
        if let Some((meant, trouble)) = &mut watched.trouble
            && meant == state
        {
            match trouble {
                InState::Calls(fault) => control_plane.arm(fault.clone()),
                InState::Raises { times: 0, .. } => {}
                InState::Raises { error, times } => {
                    *times -= 1;
                    struck = Some(error.clone());
                }
            }
        }
        if let Some(error) = struck {
            let cause = serde_json::json!({"message": "the task fails as was asked for"});
            return Err(TaskError {
                error,
                cause: cause.to_string(),
            });
        }
        Ok(AtWork {
            watch: self.clone(),
            control_plane: Arc::clone(control_plane),
            state: state.to_owned(),
            requests,
        })
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task has ended, or was dropped.
impl Drop for AtWork {
    fn drop(&mut self) {
        let mut watched = self.watch.watched();
        if let Some(calls) = &mut watched.calls {
            let own = calls.entry(self.state.clone()).or_default();
            for request in &self.control_plane.requests()[self.requests..] {
                *own.entry(request.action.clone()).or_default() += 1;
            }
        }
        let Some((meant, InState::Calls(fault))) = &mut watched.trouble else {
            return;
        };
        if *meant != self.state {
            return;
        }
        // What is left of it waits for the next attempt.
        match self.control_plane.faults().pop() {
            Some(left) => *fault = left,
            None => fault.times = Some(0),
        }
        self.control_plane.clear_faults();
    }
}

impl Simulation {
    /// Lets something go wrong while a state works.
    pub fn trouble_in(&self, state: &str, trouble: InState) {
        self.in_state.watched().trouble = Some((state.to_owned(), trouble));
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.lasting.control_plane.clear_faults();
    }

    /// Counts from now on which state makes which calls.
    pub fn count_calls_of_states(&self) {
        self.in_state.watched().calls = Some(CallsOfStates::new());
    }

    /// The calls of each state since they are counted.
    pub fn calls_of_states(&self) -> CallsOfStates {
        self.in_state.watched().calls.clone().unwrap_or_default()
    }
}
