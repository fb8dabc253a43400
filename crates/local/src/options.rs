//! What a control plane is opened with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use camino::Utf8PathBuf;
use jiff::Timestamp;

use crate::engines::Engine;
use crate::engines::simulated::SimulatedServers;
use crate::store::MemoryStore;

/// Tells the time. Waiting goes by tokio's clock, so that a paused one works.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where things live, how long they take, and who serves.
#[derive(Clone)]
pub struct Options {
    /// Where the state lives.
    pub home: Home,
    /// How long operations take.
    pub durations: Durations,
    /// Divides every wait: 60 turns a minute into a second.
    pub time_scale: f64,
    /// Tells the time that goes into `InstanceCreateTime` and the like.
    pub clock: Clock,
    /// Feeds resource ids, windows and addresses, so that a simulation repeats exactly.
    pub seed: u64,
    /// Who serves.
    pub engines: Engines,
}

impl Options {
    /// A control plane in memory with simulated servers and no waiting: what tests start from. Its clock stands still;
    /// give it one that follows tokio's where times matter.
    pub fn simulated(seed: u64) -> Self {
        Self {
            home: Home::Memory(MemoryStore::default()),
            durations: Durations::Instant,
            time_scale: 1.0,
            clock: Arc::new(|| Timestamp::UNIX_EPOCH),
            seed,
            engines: Engines::Simulated(SimulatedServers::default()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("home", &self.home)
            .field("durations", &self.durations)
            .field("time_scale", &self.time_scale)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Where the state lives.
#[derive(Clone, Debug)]
pub enum Home {
    /// In this directory: `rds.db`, `servers/` and `snapshots/`. It survives the process.
    Directory(Utf8PathBuf),
    /// In memory. Opening again with a clone of the same store is a restart after a crash.
    Memory(MemoryStore),
}

/// How long asynchronous operations take; the table is in [`crate::durations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// As long as the servers themselves need, and no longer.
    Instant,
    /// As long as on AWS, which is minutes, by the size of the storage.
    Aws,
    /// Anything from nothing to hours, as the seed has it.
    Random {
        /// The seed.
        seed: u64,
    },
}

/// Who serves the databases.
#[derive(Clone)]
pub enum Engines {
    /// Real servers, by RDS's name of the engine. Engines that aren't named are control plane only.
    Real(BTreeMap<String, Arc<dyn Engine>>),
    /// Rows in memory, for every engine. A clone of the same servers survives a restart of the control plane, as
    /// processes do.
    Simulated(SimulatedServers),
}
