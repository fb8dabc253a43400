//! A copy of a simulated RDS as it is at one moment, to go on from as often as wanted.

use std::sync::Arc;

use crate::chaos::Chaos;
use crate::control_plane::{ControlPlane, OpenError};
use crate::faults::Fault;
use crate::options::{Clock, Engines, Home, Options};

/// A control plane in memory with its simulated servers and the faults that are armed, at one
/// moment. It shares nothing with the one that it was made of.
#[derive(Clone, Debug)]
pub struct Frozen {
    options: Options,
    faults: Vec<Fault>,
    chaos: Option<Chaos>,
}

impl ControlPlane {
    /// A copy of it as it is now; none where real files and servers would have to be copied.
    pub fn freeze(&self) -> Option<Frozen> {
        Some(Frozen {
            options: fork(&self.options)?,
            faults: self.faults.list(),
            chaos: self.chaos(),
        })
    }
}

impl Frozen {
    /// Opens a copy, whose clock goes on as this one does: operations that were under way are
    /// taken up.
    ///
    /// # Errors
    /// The state can't be read, which would be a bug.
    pub async fn thaw(&self, clock: Clock) -> Result<Arc<ControlPlane>, OpenError> {
        let own = fork(&self.options).unwrap_or_else(|| self.options.clone());
        let control_plane = ControlPlane::open(Options { clock, ..own }).await?;
        for fault in &self.faults {
            control_plane.arm(fault.clone());
        }
        control_plane.set_chaos(self.chaos.clone());
        Ok(control_plane)
    }
}

fn fork(options: &Options) -> Option<Options> {
    match (&options.home, &options.engines) {
        (Home::Memory(store), Engines::Simulated(servers)) => Some(Options {
            home: Home::Memory(store.fork()),
            engines: Engines::Simulated(servers.fork()),
            ..options.clone()
        }),
        (Home::Directory(_), _) | (_, Engines::Real(_)) => None,
    }
}
