//! Tells a story: everybody in it does his part, in virtual time, until all executions have ended.

mod outcomes;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use trapheus_engine::{
    Engine, ExecutionId, ExecutionStatus, Handle, Outcome, StartExecution, Timing,
};
use trapheus_restore::{DEFINITION, RollbackOf};

use super::disk::Disk;
use super::life::Life;
use super::order::{Order, Stop, Then};
use super::person;
use super::process::{Machine, Process, WallClock};
use super::random::Random;
use super::setting::TARGET;
use super::tally::{Counts, Tally, of_a_person};
use super::trace::Trace;
use super::{Incident, Story, What, When};
use crate::simulation::Simulation;

/// No story lasts longer, however many processes die in it.
const STORY_LIMIT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often processes of one home look at what they share. They do so less often than real ones:
/// hours of virtual time should cost nothing.
const TIMING: Timing = Timing {
    lease_duration: Duration::from_secs(300),
    renew_interval: Duration::from_secs(60),
    poll_interval: Duration::from_secs(20),
};
/// Between something that went wrong and somebody who looks after it.
const REACTION: Duration = Duration::from_secs(600);
const PRODUCT: &str = "product";

/// How a story ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// What was seen, in numbers.
    pub counts: Counts,
    /// What must never happen, and did.
    pub violations: Vec<String>,
    /// What happened, if it was kept.
    pub trace: Vec<String>,
}

/// Tells a story in paused time.
pub async fn tell(story: &Story, trace: Trace) -> Ending {
    let stage = Arc::new(Stage::set(story, trace).await);
    let begun = Instant::now();
    let mut others = JoinSet::new();
    others.spawn(Arc::clone(&stage).write_all_the_time());
    for incident in &story.incidents {
        others.spawn(Arc::clone(&stage).happen(*incident));
    }
    let mut orders = JoinSet::new();
    for order in &story.orders {
        orders.spawn(Arc::clone(&stage).carry_out(order.clone()));
    }
    let mut violations = Vec::new();
    let all = async {
        while let Some(ended) = orders.join_next().await {
            if let Err(error) = ended {
                violations.push(format!("the story itself fails: {error}"));
            }
        }
    };
    if tokio::time::timeout(STORY_LIMIT, all).await.is_err() {
        violations.push(format!("it has not ended after {STORY_LIMIT:?}"));
    }
    others.shutdown().await;
    sleep(story.setting.paced(Duration::from_secs(3600))).await;
    stage.count_outcomes(&mut violations);
    let broken = stage.machine.simulation.take_violations();
    violations.extend(broken.iter().map(ToString::to_string));
    for violation in &violations {
        stage.machine.trace.tell("VIOLATION", || violation.clone());
    }
    Ending {
        counts: stage.machine.tally.counts(begun.elapsed()),
        violations,
        trace: stage.machine.trace.lines(),
    }
}

/// Everything that a story happens on.
struct Stage {
    machine: Arc<Machine>,
    story: Story,
    cast: Mutex<Cast>,
    /// Executions that have ended.
    ended: watch::Sender<BTreeSet<ExecutionId>>,
    /// Executions that somebody has stopped, and not yet decided about.
    on_hold: Mutex<BTreeSet<ExecutionId>>,
    /// What intruders run.
    guests: Mutex<Vec<Run>>,
}

/// The processes.
struct Cast {
    /// All of them, and whose name they have.
    owners: Vec<(Life, String)>,
    /// The one that several executions share.
    shared: Option<Arc<Process>>,
    executions: u32,
    random: Random,
}

/// An execution in a process.
type Run = (Arc<Process>, Handle);

impl Stage {
    async fn set(story: &Story, trace: Trace) -> Self {
        let times_faster = story.setting.times_faster as f64;
        let durations = story.setting.durations(story.seed);
        let simulation = Simulation::with_durations(story.seed, durations, times_faster).await;
        story.setting.furnish(&simulation).await;
        let tally = Tally::new(story.setting.kind);
        let trace = trace.begun_now();
        let control_plane = &simulation.lasting.control_plane;
        control_plane.set_chaos(story.chaos.clone());
        control_plane.on_fault({
            let (tally, trace) = (tally.clone(), trace.clone());
            Arc::new(move |fault| {
                tally.fault(&fault.kind.to_string());
                trace.tell("RDS", || fault);
            })
        });
        let clock = WallClock::new(simulation.clock());
        let machine = Machine {
            simulation,
            disk: Disk::default(),
            clock,
            trace,
            tally,
            entered: watch::Sender::new(Vec::new()),
            timing: TIMING,
        };
        let random = Random::new(story.seed).fork();
        Self {
            machine: Arc::new(machine),
            story: story.clone(),
            cast: Mutex::new(Cast {
                owners: Vec::new(),
                shared: None,
                executions: 0,
                random,
            }),
            ended: watch::Sender::default(),
            on_hold: Mutex::default(),
            guests: Mutex::default(),
        }
    }

    fn cast(&self) -> MutexGuard<'_, Cast> {
        self.cast.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, who: &str, what: impl Into<String>) {
        self.machine.trace.tell(who, || what.into());
    }

    /// A process of its own, or the one that is shared.
    fn process(&self, is_alone: bool) -> Arc<Process> {
        let mut cast = self.cast();
        let shared = cast
            .shared
            .clone()
            .filter(|process| !process.life.is_over());
        if let Some(shared) = shared.filter(|_| !is_alone) {
            return shared;
        }
        let death = self.story.deaths.get(cast.owners.len()).copied().flatten();
        let number = cast.owners.len() as u64 + 1;
        let owner = cast.owner_of_next();
        let random = cast.random.fork();
        self.tell(PRODUCT, format!("process {number} begins, as {owner}"));
        let process = Process::begin(&self.machine, number, &owner, death, random);
        cast.owners.push((process.life.clone(), owner));
        if !is_alone {
            cast.shared = Some(Arc::clone(&process));
        }
        process
    }

    fn pause(&self) -> Duration {
        let longest = self
            .story
            .setting
            .paced(REACTION)
            .max(Duration::from_secs(60));
        Duration::from_secs(1) + self.cast().random.within(longest)
    }

    /// An order from its beginning to the end of what comes of it.
    async fn carry_out(self: Arc<Self>, order: Order) {
        sleep(order.after).await;
        let input = order.input(&self.story.setting, self.machine.now());
        let (id, run) = self.start(&input, order.is_alone).await;
        tokio::join!(self.see_through(&id, run), self.stop(&id, order.stop));
        if let Some(after) = order.roll_back_after {
            sleep(after).await;
            self.roll_back(&id).await;
        }
    }

    /// Starts an execution; who fails to looks whether there is one all the same.
    async fn start(&self, input: &Value, is_alone: bool) -> (ExecutionId, Option<Run>) {
        loop {
            let process = self.process(is_alone);
            let id = {
                let mut cast = self.cast();
                cast.executions += 1;
                ExecutionId::new(self.machine.now(), cast.executions)
            };
            let start = StartExecution {
                id: Some(id.clone()),
                machine_name: "restore".to_owned(),
                definition: DEFINITION.to_owned(),
                input: input.clone(),
            };
            if let Some(engine) = process.engine() {
                match engine.start(start) {
                    Ok(handle) => {
                        self.tell(PRODUCT, format!("starts {id}: {}", brief(input)));
                        return (id, Some((process, handle)));
                    }
                    Err(error) => self.tell(PRODUCT, format!("does not start {id}: {error}")),
                }
            }
            if self
                .machine
                .journal()
                .execution(&id)
                .is_ok_and(|found| found.is_some())
            {
                return (id, None);
            }
            sleep(self.pause()).await;
        }
    }

    /// Resumes an execution whenever it no longer runs, until it has ended.
    async fn see_through(&self, id: &ExecutionId, mut run: Option<Run>) {
        loop {
            if let Some((process, handle)) = run.take() {
                self.wait(id, &process, &handle).await;
            }
            sleep(self.pause()).await;
            if self.has_ended(id) {
                self.ended.send_modify(|ended| _ = ended.insert(id.clone()));
                return;
            }
            if !self.on_hold().contains(id) {
                run = self.resume(id, false);
                if run.is_none() {
                    sleep(TIMING.renew_interval).await;
                }
            }
        }
    }

    async fn wait(&self, id: &ExecutionId, process: &Process, handle: &Handle) {
        let told = tokio::select! {
            biased;
            () = process.life.over() => return,
            outcome = handle.wait() => match outcome {
                Ok(Outcome::Ended(_)) => return,
                Ok(Outcome::Stopped) => format!("{id} stops"),
                Err(error) => format!("{id} no longer runs there: {error}"),
            },
        };
        self.tell(process.life.name(), told);
    }

    fn resume(&self, id: &ExecutionId, is_alone: bool) -> Option<Run> {
        let process = self.process(is_alone);
        let resumed = process.engine()?.resume(id);
        let told = match &resumed {
            Ok(_) => format!("resumes {id}"),
            Err(error) => format!("does not resume {id}: {error}"),
        };
        self.tell(process.life.name(), told);
        Some((process, resumed.ok()?))
    }

    fn has_ended(&self, id: &ExecutionId) -> bool {
        let stored = self.machine.journal().execution(id).ok().flatten();
        stored.is_some_and(|stored| stored.ended.is_some())
    }

    /// Who only looks, and asks: the command line's `executions stop` and `rollback`.
    fn reader(&self) -> Engine {
        self.process(true).engine().expect("it has just begun")
    }

    /// `executions stop`, and what follows.
    async fn stop(&self, id: &ExecutionId, stop: Option<Stop>) {
        let Some(Stop { when, then }) = stop else {
            return;
        };
        let mut ended = self.ended.subscribe();
        tokio::select! {
            biased;
            // The sender is the stage's.
            _ = ended.wait_for(|ended| ended.contains(id)) => return,
            () = self.wait_for(when) => {}
        }
        self.machine.tally.fault("execution stopped");
        self.on_hold().insert(id.clone());
        self.tell(PRODUCT, format!("executions stop {id}"));
        self.settle(id).await;
        sleep(self.pause()).await;
        match then {
            Then::Resume => {}
            Then::ResumeTwice => {
                let run = self.resume(id, true);
                self.guests().extend(run);
            }
            Then::RollBack => self.roll_back(id).await,
        }
        self.on_hold().remove(id);
    }

    /// Asks for a stop until it is so.
    async fn settle(&self, id: &ExecutionId) {
        let reader = self.reader();
        loop {
            // A disk that is full, or an end that came first, shows in the status.
            _ = reader.request_stop(id);
            sleep(TIMING.poll_interval).await;
            let status = reader
                .execution(id)
                .ok()
                .flatten()
                .map(|record| record.status);
            if status.is_none_or(|status| status != ExecutionStatus::Running) {
                return;
            }
        }
    }

    /// `rollback`: ends the execution, and undoes it in another one.
    async fn roll_back(&self, id: &ExecutionId) {
        self.settle(id).await;
        let reader = self.reader();
        let aborted = reader.abort(id, "Trapheus.RolledBack", "a roll-back was asked for");
        self.tell(PRODUCT, format!("rollback {id}: {aborted:?}"));
        let history = reader.history(id).unwrap_or_default();
        if !self.has_ended(id) {
            return;
        }
        let Some(of) = RollbackOf::from_history(id.as_str(), &history) else {
            self.tell(PRODUCT, format!("rollback {id}: there is nothing to undo"));
            return;
        };
        let input = serde_json::json!({
            "task": "rollback", "identifier": of.plan.identifier, "rollbackOf": of,
        });
        self.machine.tally.fault("roll-back asked for");
        let (id, run) = self.start(&input, false).await;
        self.see_through(&id, run).await;
    }

    async fn wait_for(&self, when: When) {
        if let Some(state) = when.state {
            let mut entered = self.machine.entered.subscribe();
            let has_come = |entered: &Vec<String>| entered.iter().any(|one| one == state);
            // The sender is the stage's.
            _ = entered.wait_for(has_come).await;
        }
        sleep(when.after).await;
    }

    async fn happen(self: Arc<Self>, incident: Incident) {
        self.wait_for(incident.when).await;
        let machine = &self.machine;
        match incident.what {
            What::Person(act, which) => {
                machine.tally.fault(&of_a_person(act));
                let did = person::perform(&machine.simulation, act, Random::new(which)).await;
                self.tell("person", did);
            }
            What::Clock(by) => {
                machine.tally.fault("clock set");
                machine.clock.jump(by);
                self.tell("clock", format!("set by {by:#}"));
            }
            What::DiskFull(lasting) => {
                machine.tally.fault("disk full");
                machine.disk.fill(lasting);
                self.tell("disk", format!("full for {lasting:?}"));
            }
            What::Intruder => self.intrude(),
        }
    }

    /// Another process wants to go on with everything.
    fn intrude(&self) {
        self.machine.tally.fault("second process");
        let stored = self.machine.journal().executions().unwrap_or_default();
        let unended = stored.into_iter().filter(|stored| stored.ended.is_none());
        for stored in unended {
            let run = self.resume(&stored.id, true);
            self.guests().extend(run);
        }
    }

    /// The client, who writes through the name and reads what is there.
    async fn write_all_the_time(self: Arc<Self>) {
        let client = self.machine.simulation.client_of(TARGET);
        let mut silent_since = None;
        for number in 1_u64.. {
            let is_taken = client.put("counter", &number.to_string()).is_ok();
            match (is_taken, silent_since) {
                (true, Some(since)) => {
                    silent_since = None;
                    let silence: Duration = Instant::now() - since;
                    self.tell(
                        "client",
                        format!("served again after {:.3} s", silence.as_secs_f64()),
                    );
                }
                (false, None) => {
                    silent_since = Some(Instant::now());
                    self.tell("client", "nobody takes its write");
                }
                (true, None) | (false, Some(_)) => {}
            }
            sleep(self.story.writes_every).await;
        }
    }

    fn on_hold(&self) -> MutexGuard<'_, BTreeSet<ExecutionId>> {
        self.on_hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guests(&self) -> MutexGuard<'_, Vec<Run>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cast {
    /// A process that takes a dead one's name is known to follow it; the lease of one whose name
    /// nobody takes must expire.
    fn owner_of_next(&mut self) -> String {
        let new = format!("owner {}", self.owners.len() + 1);
        let lives = |owner: &String| {
            self.owners
                .iter()
                .any(|(life, other)| other == owner && !life.is_over())
        };
        let last = self.owners.last().map(|(_, owner)| owner.clone());
        match last.filter(|owner| !lives(owner)) {
            Some(dead) if self.random.chance(50) => dead,
            Some(_) | None => new,
        }
    }
}

/// An input without what it carries of an earlier execution.
fn brief(input: &Value) -> String {
    let mut input = input.clone();
    if let Some(of) = input.get_mut("rollbackOf") {
        *of = of["execution"].clone();
    }
    input.to_string()
}
