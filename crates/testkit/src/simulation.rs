//! Everything wired together: local RDS without sockets, the door, the restore, the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::HttpClient;
use jiff::Timestamp;
use serde_json::Value;
use trapheus_asl::HistoryEvent;
use trapheus_engine::{
    Clock, Engine, ExecutionId, Handle, Journal, OwnerId, StartExecution, Timing, VirtualClock,
};
use trapheus_local::{
    ControlPlane, Durations, Fault, Options, RequestEntry, SimulatedClient, connector,
};
use trapheus_rds::{Limits, Rds};
use trapheus_restore::{
    Alert, DEFINITION, NoExecutions, RollbackOf, Standing, Summary, Tasks, summary,
};

use crate::adapter::{Moment, RestoreTasks};
use crate::alerts::Trouble;
use crate::frozen::Lasting;
use crate::gate::{Gate, GatedConnector};
use crate::in_state::StateWatch;
use crate::invariants::{Introduced, Violation};
use crate::recording::Recorder;
use crate::sql::SimulatedSql;
use crate::wire::{AUTHORIZATION, Element, REGION, Refusal, form};
use crate::world::World;

/// When every simulation begins.
const START: &str = "2026-01-01T00:00:00Z";

/// One process's world: its RDS, its journal, its clock.
pub struct Simulation {
    pub(crate) lasting: Lasting,
    pub(crate) client: Client,
    pub(crate) gate: Gate,
    /// What tasks work with besides RDS.
    pub(crate) options: trapheus_restore::Options,
    pub(crate) recorder: Recorder,
    pub(crate) in_state: StateWatch,
    tasks: Tasks,
    /// What a new process begins with: nothing that an earlier one remembered.
    new_tasks: Box<dyn Fn() -> Tasks + Send + Sync>,
}

/// An execution that has come to its end.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: ExecutionId,
    /// How it went.
    pub summary: Summary,
    /// What happened.
    pub history: Vec<HistoryEvent>,
}

impl Run {
    /// The states that were entered, in order.
    pub fn states(&self) -> Vec<&str> {
        let entered = self
            .history
            .iter()
            .filter(|event| event.kind.is_state_entered());
        entered.filter_map(|event| event.state.as_deref()).collect()
    }
}

impl Simulation {
    /// A world in which nothing waits.
    pub async fn new(seed: u64) -> Self {
        Self::with_durations(seed, Durations::Instant, 1.0).await
    }

    /// A world in which everything takes as long as on AWS, and calls are limited as for AWS.
    pub async fn with_aws_durations(seed: u64) -> Self {
        Self::with_durations(seed, Durations::Aws, 1.0).await
    }

    /// A world in which things take so long, divided by a scale.
    pub(crate) async fn with_durations(seed: u64, durations: Durations, time_scale: f64) -> Self {
        let start: Timestamp = START.parse().expect("it is a time");
        let clock = VirtualClock::starting_at(start);
        let options = Options {
            durations,
            time_scale,
            clock: tell(clock),
            ..Options::simulated(seed)
        };
        let control_plane = ControlPlane::open(options)
            .await
            .expect("memory can be opened");
        Self::of(Lasting::new(seed, durations, control_plane, clock))
    }

    /// A new process of the product in a world that may have seen others.
    pub(crate) fn of(lasting: Lasting) -> Self {
        let direct = connector(Arc::clone(&lasting.control_plane));
        let (gate, recorder) = (Gate::default(), Recorder::default());
        let gated = GatedConnector {
            connector: direct.clone(),
            gate: gate.clone(),
            recorder: recorder.clone(),
        };
        // Where nothing waits, a limit of calls per second would be all that there is to see.
        let limits = match lasting.durations {
            Durations::Instant => Limits::local(),
            Durations::Aws | Durations::Random { .. } => Limits::default(),
        };
        let rds = Rds::new(
            client(Introduced(gated)),
            Limits {
                jitter_seed: lasting.seed,
                ..limits
            },
        );
        let options = trapheus_restore::Options {
            clock: tell(lasting.clock),
            verifier: lasting.verifier.clone(),
            secrets: lasting.secrets.clone(),
            sql: Arc::new(SimulatedSql::of(&lasting.control_plane, &recorder)),
            login: None,
            blueprints: lasting.blueprints.clone(),
            notifier: lasting.notifier.clone(),
            executions: Arc::new(NoExecutions),
        };
        Self {
            client: client(direct),
            gate,
            options: options.clone(),
            recorder,
            in_state: StateWatch::default(),
            tasks: Tasks::new(rds.clone(), options.clone()),
            new_tasks: Box::new(move || Tasks::new(rds.clone(), options.clone())),
            lasting,
        }
    }

    /// A client of the simulated RDS: what other programs do.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks RDS for something on the wire: members as the service model has them.
    ///
    /// # Errors
    /// RDS refuses.
    pub async fn ask(&self, action: &str, members: Value) -> Result<Element, Refusal> {
        let request = http::Request::post("/")
            .header(http::header::AUTHORIZATION, AUTHORIZATION)
            .body(form(action, &members))
            .expect("it is a request");
        let response = self.lasting.control_plane.handle(request).await;
        let answer = Element::parse(response.body());
        match answer.find("Error") {
            Some(error) => Err(Refusal {
                code: error.text_of("Code").to_owned(),
                message: error.text_of("Message").to_owned(),
            }),
            None => Ok(answer),
        }
    }

    /// The restore's tasks, to be called without an engine.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Writes a value through a database's endpoint.
    pub fn put(&self, name: &str, key: &str, value: &str) {
        self.client_of(name)
            .put(key, value)
            .expect("the database answers");
    }

    /// Reads a value through a database's endpoint; none also when nothing answers there.
    pub fn get(&self, name: &str, key: &str) -> Option<String> {
        self.client_of(name).get(key).ok().flatten()
    }

    /// Writes a value through whatever endpoint has an address.
    ///
    /// # Panics
    /// Nothing takes writes there.
    pub fn put_at(&self, address: &str, key: &str, value: &str) {
        self.client_at(address)
            .put(key, value)
            .expect("a writer answers");
    }

    /// Reads a value through whatever endpoint has an address; none also when nothing answers.
    pub fn get_at(&self, address: &str, key: &str) -> Option<String> {
        self.client_at(address).get(key).ok().flatten()
    }

    /// A client at whatever endpoint has an address.
    ///
    /// # Panics
    /// It is no address.
    pub fn client_at(&self, address: &str) -> SimulatedClient {
        let address = address.parse().expect("local RDS shows addresses");
        self.lasting.control_plane.simulated_client_at(address)
    }

    /// A client at a database's endpoint.
    pub fn client_of(&self, name: &str) -> SimulatedClient {
        self.lasting.control_plane.simulated_client(name)
    }

    /// Arms a fault.
    ///
    /// # Panics
    /// It is none that local RDS knows.
    pub fn arm(&self, fault: Value) {
        let fault: Fault = serde_json::from_value(fault).expect("it is a fault");
        self.lasting.control_plane.arm(fault);
    }

    /// Lets this many verifications pass, and none after; the plan's look at the target is one.
    pub fn refuse_verification_after(&self, passes: u32) {
        self.lasting.verifier.refuse_after(passes);
    }

    /// Keeps a password in a secret.
    pub fn keep_secret(&self, arn: &str, password: &str) {
        self.lasting.secrets.keep(arn, password);
    }

    /// Lets a task, as the definition names it, fail once.
    pub fn fail(&self, task: &str, moment: Moment) {
        self.lasting.failure.arm(task, moment);
    }

    /// What people were told, oldest first.
    pub fn alerts(&self) -> Vec<Alert> {
        self.lasting.notifier.told()
    }

    /// What is wrong with what people were told of an execution that has ended.
    ///
    /// # Errors
    /// They were not told of its outcome, or of another one.
    pub fn judge_alerts(&self, run: &Run) -> Result<(), String> {
        self.lasting.notifier.judge(run)
    }

    /// Makes alerts not arrive.
    pub fn disturb_alerts(&self, trouble: Trouble) {
        self.lasting.notifier.set_trouble(trouble);
    }

    /// Runs an input document in which one task fails once; none when that task is not run.
    pub async fn run_failing(&self, input: Value, task: &str, moment: Moment) -> Option<Run> {
        self.fail(task, moment);
        let run = self.run(input).await;
        self.lasting.failure.is_spent().then_some(run)
    }

    /// What RDS holds now.
    pub async fn world(&self) -> World {
        World::look(&self.client).await
    }

    /// The actions that were asked of RDS, oldest first.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.request_entries().into_iter();
        entries.map(|entry| entry.action).collect()
    }

    /// What was asked of RDS, oldest first.
    pub fn request_entries(&self) -> Vec<RequestEntry> {
        self.lasting.control_plane.requests()
    }

    /// The parameters of every request of an action, oldest first; passwords are masked.
    pub fn parameters_of(&self, action: &str) -> Vec<BTreeMap<String, String>> {
        let entries = self.lasting.control_plane.requests().into_iter();
        entries
            .filter(|entry| entry.action == action)
            .map(|entry| entry.parameters)
            .collect()
    }

    /// What is on the disk.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        self.lasting.journal.clone()
    }

    /// The clock of this world.
    pub(crate) fn clock(&self) -> VirtualClock {
        self.lasting.clock
    }

    /// The promises that were broken and that nobody has asked about. Whoever doesn't ask sees
    /// the test fail.
    pub fn take_violations(&self) -> Vec<Violation> {
        self.lasting.ledger.take_violations()
    }

    /// Which task has asked RDS for which action.
    pub fn asked(&self) -> BTreeSet<(String, String)> {
        self.lasting.ledger.asked()
    }

    /// Fails when a promise was broken.
    fn check(&self) {
        let violations = self.take_violations();
        let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(
            told.is_empty(),
            "a promise was broken:\n{}",
            told.join("\n")
        );
    }

    /// The time in this world.
    pub fn now(&self) -> Timestamp {
        self.lasting.clock.now()
    }

    /// A process of the product: an engine of this world, and its owner's name in leases.
    pub fn process(&self, owner: &str) -> Engine {
        self.engine_of(owner, Timing::alone(), self.journal())
    }

    /// An engine of this world; all of them are the same owner, one after the other.
    pub(crate) fn engine(&self, journal: Arc<dyn Journal>) -> Engine {
        self.engine_of("simulation", Timing::alone(), journal)
    }

    /// An engine that others know by this name.
    pub(crate) fn engine_of(
        &self,
        owner: &str,
        timing: Timing,
        journal: Arc<dyn Journal>,
    ) -> Engine {
        let tasks = Arc::new(RestoreTasks {
            tasks: (self.new_tasks)(),
            failure: self.lasting.failure.clone(),
            recorder: self.recorder.clone(),
            in_state: self.in_state.clone(),
            control_plane: Arc::clone(&self.lasting.control_plane),
            ledger: self.lasting.ledger.clone(),
        });
        let owner = OwnerId::named(owner);
        Engine::with_timing(journal, Arc::new(self.lasting.clock), tasks, owner, timing)
    }

    /// Runs an input document to its end.
    pub async fn run(&self, input: Value) -> Run {
        let engine = self.engine(self.lasting.journal.clone());
        let handle = self.start(&engine, input);
        self.finish(&engine, &handle).await
    }

    /// Runs two input documents at once.
    pub async fn run_both(&self, one: Value, other: Value) -> (Run, Run) {
        let engine = self.engine(self.lasting.journal.clone());
        let (one, other) = (self.start(&engine, one), self.start(&engine, other));
        tokio::join!(self.finish(&engine, &one), self.finish(&engine, &other))
    }

    /// Runs many input documents in one process, each begun so long after the one before.
    pub async fn run_fleet(&self, inputs: Vec<Value>, apart: Duration) -> Vec<Run> {
        let engine = self.engine(self.lasting.journal.clone());
        let mut handles = Vec::new();
        for input in inputs {
            handles.push(self.start(&engine, input));
            tokio::time::sleep(apart).await;
        }
        let mut runs = Vec::new();
        for handle in &handles {
            runs.push(self.finish(&engine, handle).await);
        }
        runs
    }

    /// Ends an execution that nobody runs, as a roll-back of it does first.
    pub fn abort(&self, id: &ExecutionId) {
        let engine = self.engine(self.lasting.journal.clone());
        engine
            .abort(id, "Trapheus.RolledBack", "a roll-back was asked for")
            .expect("nobody runs it");
    }

    /// Runs an execution until it keeps its original, and stops there.
    pub async fn run_until_kept(&self, input: Value) -> Run {
        let engine = self.engine(self.lasting.journal.clone());
        let handle = self.start(&engine, input);
        loop {
            let run = self.read(&engine, handle.id());
            if run.states().last() == Some(&"KeepOriginal") {
                handle.stop().await.expect("it can be stopped");
                return run;
            }
            assert!(
                run.summary.finished_at.is_none(),
                "it ended early: {:#?}",
                run.summary
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Whether an execution has come to its end.
    pub fn has_ended(&self, id: &ExecutionId) -> bool {
        let stored = self.lasting.journal.execution(id);
        let stored = stored.expect("memory works");
        stored.is_some_and(|execution| execution.ended.is_some())
    }

    /// Goes on with an execution that was stopped.
    pub async fn resume(&self, id: &ExecutionId) -> Run {
        let engine = self.engine(self.lasting.journal.clone());
        let handle = engine.resume(id).expect("it was stopped");
        self.finish(&engine, &handle).await
    }

    /// The input that swaps the kept original of an execution back.
    pub fn rollback_input(&self, run: &Run, identifier: &str) -> Value {
        let of = RollbackOf::from_history(run.id.as_str(), &run.history)
            .expect("it has restored something");
        serde_json::json!({"task": "rollback", "identifier": identifier, "rollbackOf": of})
    }

    pub(crate) fn start(&self, engine: &Engine, input: Value) -> Handle {
        let start = StartExecution {
            id: Some(ExecutionId::new(
                self.now(),
                self.lasting.started.fetch_add(1, Ordering::SeqCst),
            )),
            machine_name: "restore".to_owned(),
            definition: DEFINITION.to_owned(),
            input,
        };
        engine.start(start).expect("the definition can be run")
    }

    /// Waits for the end of an execution that a process runs.
    pub async fn finish(&self, engine: &Engine, handle: &Handle) -> Run {
        handle.wait().await.expect("the journal works");
        let run = self.read(engine, handle.id());
        if let Err(wrong) = self.judge_alerts(&run) {
            panic!("{wrong}");
        }
        self.check();
        run
    }

    /// How an execution stands.
    pub fn look_at(&self, id: &ExecutionId) -> Run {
        self.read(&self.engine(self.journal()), id)
    }

    pub(crate) fn read(&self, engine: &Engine, id: &ExecutionId) -> Run {
        let history = engine.history(id).expect("the journal works");
        let summary = summary(id.as_str(), Standing::Stopped, &history);
        Run {
            id: id.clone(),
            summary,
            history,
        }
    }
}

/// The simulation's time, for those who want it as a function.
pub(crate) fn tell(clock: VirtualClock) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(move || clock.now())
}

pub(crate) fn client(http_client: impl HttpClient + 'static) -> Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(
            "simulation",
            "simulation",
            None,
            None,
            "simulation",
        ))
        .http_client(http_client);
    Client::from_conf(config.build())
}

impl Drop for Simulation {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Simulation")
            .field("clock", &self.lasting.clock)
            .finish_non_exhaustive()
    }
}
