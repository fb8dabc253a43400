//! One process of the product: its engine, its door to RDS and its tasks, which all go with it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;
use trapheus_engine::{
    Clock, Engine, ExecutionId, Journal, OwnerId, TaskCall, TaskError, Tasks, Timing, VirtualClock,
};
use trapheus_local::connector;
use trapheus_rds::{Limits, Rds};
use trapheus_restore::Strategy;

use super::disk::{Disk, JournalOnDisk};
use super::life::{Death, Life};
use super::line::Line;
use super::random::Random;
use super::tally::{SITE, Site, Tally};
use super::trace::Trace;
use crate::adapter::{Failure, KEEPS, RestoreTasks, keeps_original};
use crate::in_state::StateWatch;
use crate::invariants::Introduced;
use crate::recording::Recorder;
use crate::simulation::{Simulation, client};

/// The machine's wall clock, which is set now and then.
#[derive(Clone)]
pub(crate) struct WallClock {
    clock: VirtualClock,
    ahead: Arc<Mutex<SignedDuration>>,
}

impl WallClock {
    pub(crate) fn new(clock: VirtualClock) -> Self {
        Self {
            clock,
            ahead: Arc::default(),
        }
    }

    /// Sets the clock forward, or back.
    pub(crate) fn jump(&self, by: SignedDuration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by);
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock
            .now()
            .saturating_add(ahead)
            .unwrap_or(Timestamp::MAX)
    }
}

/// What all processes of a story have in common.
pub(crate) struct Machine {
    pub(crate) simulation: Simulation,
    pub(crate) disk: Disk,
    pub(crate) clock: WallClock,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    /// The states that have been entered, by any execution.
    pub(crate) entered: watch::Sender<Vec<String>>,
    pub(crate) timing: Timing,
}

impl Machine {
    /// The time that its clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is on the disk.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        self.simulation.journal()
    }
}

/// One process.
pub(crate) struct Process {
    pub(crate) life: Life,
    engine: Mutex<Option<Engine>>,
}

impl Process {
    /// Begins a process, as an owner of that name: who has a dead one's name is known to follow it.
    pub(crate) fn begin(
        machine: &Arc<Machine>,
        number: u64,
        owner: &str,
        death: Option<Death>,
        random: Random,
    ) -> Arc<Self> {
        let life = Life::begin(format!("process {number}"), death, machine.trace.clone());
        let simulation = &machine.simulation;
        let line = Line {
            connector: connector(Arc::clone(&simulation.lasting.control_plane)),
            life: life.clone(),
            random: Arc::new(Mutex::new(random)),
            trace: machine.trace.clone(),
            tally: machine.tally.clone(),
        };
        let limits = Limits {
            jitter_seed: number,
            ..Limits::local()
        };
        let clock = machine.clock.clone();
        let options = trapheus_restore::Options {
            clock: Arc::new(move || clock.now()),
            ..simulation.options.clone()
        };
        let tasks = Staged {
            tasks: RestoreTasks {
                tasks: trapheus_restore::Tasks::new(
                    Rds::new(client(Introduced(line)), limits),
                    options,
                ),
                failure: Failure::default(),
                recorder: Recorder::default(),
                in_state: StateWatch::default(),
                control_plane: Arc::clone(&simulation.lasting.control_plane),
                ledger: simulation.lasting.ledger.clone(),
            },
            life: life.clone(),
            machine: Arc::clone(machine),
        };
        let journal = JournalOnDisk {
            journal: simulation.journal(),
            disk: machine.disk.clone(),
            life: life.clone(),
            trace: machine.trace.clone(),
        };
        let engine = Engine::with_timing(
            Arc::new(journal),
            Arc::new(machine.clock.clone()),
            Arc::new(tasks),
            OwnerId::named(owner),
            machine.timing,
        );
        let process = Arc::new(Self {
            life,
            engine: Mutex::new(Some(engine)),
        });
        let dying = Arc::downgrade(&process);
        let life = process.life.clone();
        let tally = machine.tally.clone();
        tokio::spawn(async move {
            life.over().await;
            tally.fault(life.cause_of_death());
            if let Some(process) = dying.upgrade() {
                process
                    .engine
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
            }
        });
        process
    }

    /// Its engine, while it lives.
    pub(crate) fn engine(&self) -> Option<Engine> {
        self.engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The restore's tasks; it is seen which state they are run for.
struct Staged {
    tasks: RestoreTasks,
    life: Life,
    machine: Arc<Machine>,
}

impl Staged {
    fn enter(&self, execution: &ExecutionId, state: &str, strategy: Strategy) -> Site {
        let machine = &self.machine;
        let site = Site {
            state: state.to_owned(),
            strategy,
        };
        machine.tally.at(&site);
        machine.entered.send_if_modified(|entered| {
            let is_new = entered.last().is_none_or(|last| last != state);
            if is_new {
                entered.push(state.to_owned());
                let who = self.life.name();
                machine.trace.tell(who, || format!("{execution}: {state}"));
            }
            is_new
        });
        site
    }
}

/// The strategy of the execution whose task has this input.
fn strategy(input: &Value) -> Strategy {
    let mut found = ["/plan/strategy", "/state/plan/strategy", "/input/strategy"]
        .iter()
        .filter_map(|path| input.pointer(path)?.as_str());
    match found.next() {
        Some("in_place") => Strategy::InPlace,
        Some(_) | None => Strategy::Swap,
    }
}

#[async_trait]
impl Tasks for Staged {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let TaskCall {
            execution, state, ..
        } = &call;
        let (execution, state) = (execution.clone(), state.clone());
        let keeps = keeps_original(&call);
        let strategy = strategy(&call.input);
        let site = self.enter(&execution, &state, strategy);
        let made = SITE.scope(site, self.tasks.run(call)).await;
        match &made {
            Ok(_) if keeps => _ = self.enter(&execution, KEEPS, strategy),
            Err(error) if error.error != "Trapheus.InProgress" => {
                let told = || format!("{execution}: {state}: {error}");
                self.machine.trace.tell(self.life.name(), told);
            }
            Ok(_) | Err(_) => {}
        }
        made
    }
}
