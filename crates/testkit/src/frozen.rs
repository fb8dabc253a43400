//! Worlds at one moment, to go on from: what a sweep tries at a hundred moments of a restore needs
//! the restore once, not a hundred times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use trapheus_engine::{Clock, MemoryJournal, VirtualClock};
use trapheus_local::{ControlPlane, Durations};

use crate::adapter::{Failure, SimulatedBlueprints, SimulatedSecrets, SimulatedVerifier};
use crate::alerts::SimulatedNotifier;
use crate::invariants::{Ledger, LedgerJournal};
use crate::simulation::{Simulation, tell};

/// What outlives the processes of the product. Clones share it.
#[derive(Clone)]
pub(crate) struct Lasting {
    pub(crate) seed: u64,
    pub(crate) durations: Durations,
    pub(crate) control_plane: Arc<ControlPlane>,
    pub(crate) journal: Arc<LedgerJournal>,
    pub(crate) ledger: Ledger,
    pub(crate) blueprints: Arc<SimulatedBlueprints>,
    pub(crate) secrets: Arc<SimulatedSecrets>,
    pub(crate) verifier: Arc<SimulatedVerifier>,
    pub(crate) notifier: Arc<SimulatedNotifier>,
    pub(crate) failure: Failure,
    pub(crate) clock: VirtualClock,
    /// Counts executions, so that their ids differ whatever engine starts them.
    pub(crate) started: Arc<AtomicU32>,
}

impl Lasting {
    /// A world in which the product has never run.
    pub(crate) fn new(
        seed: u64,
        durations: Durations,
        control_plane: Arc<ControlPlane>,
        clock: VirtualClock,
    ) -> Self {
        let ledger = Ledger::default();
        control_plane.observe(Arc::new(ledger.clone()));
        Self {
            seed,
            durations,
            control_plane,
            journal: ledger.watch(Arc::default()),
            ledger,
            blueprints: Arc::default(),
            secrets: Arc::default(),
            verifier: Arc::default(),
            notifier: Arc::default(),
            failure: Failure::default(),
            clock,
            started: Arc::default(),
        }
    }

    /// A copy of it as it is now.
    pub(crate) fn freeze(&self) -> Frozen {
        let rds = self.control_plane.freeze();
        Frozen {
            seed: self.seed,
            durations: self.durations,
            rds: rds.expect("simulated RDS is in memory"),
            journal: Arc::new(self.journal.journal.fork()),
            ledger: self.ledger.fork(),
            blueprints: Arc::new(self.blueprints.fork()),
            secrets: Arc::new(self.secrets.fork()),
            verifier: Arc::new(self.verifier.fork()),
            notifier: Arc::new(self.notifier.fork()),
            failure: self.failure.fork(),
            at: self.clock.now(),
            started: self.started.load(Ordering::SeqCst),
        }
    }
}

/// A world at one moment, as the death of the product's process leaves it.
#[derive(Debug, Clone)]
pub struct Frozen {
    seed: u64,
    durations: Durations,
    rds: trapheus_local::Frozen,
    journal: Arc<MemoryJournal>,
    ledger: Ledger,
    blueprints: Arc<SimulatedBlueprints>,
    secrets: Arc<SimulatedSecrets>,
    verifier: Arc<SimulatedVerifier>,
    notifier: Arc<SimulatedNotifier>,
    failure: Failure,
    at: Timestamp,
    started: u32,
}

impl Frozen {
    /// A world that goes on from there, with a new process of the product in it. It may be done
    /// any number of times.
    pub async fn thaw(&self) -> Simulation {
        let clock = VirtualClock::starting_at(self.at);
        let control_plane = self.rds.thaw(tell(clock)).await;
        let control_plane = control_plane.expect("what was copied can be opened");
        let ledger = self.ledger.fork();
        control_plane.observe(Arc::new(ledger.clone()));
        Simulation::of(Lasting {
            seed: self.seed,
            durations: self.durations,
            control_plane,
            journal: ledger.watch(Arc::new(self.journal.fork())),
            ledger,
            blueprints: Arc::new(self.blueprints.fork()),
            secrets: Arc::new(self.secrets.fork()),
            verifier: Arc::new(self.verifier.fork()),
            notifier: Arc::new(self.notifier.fork()),
            failure: self.failure.fork(),
            clock,
            started: Arc::new(AtomicU32::new(self.started)),
        })
    }
}

impl Simulation {
    /// A copy of the world as it is now.
    pub fn freeze(&self) -> Frozen {
        self.lasting.freeze()
    }
}
