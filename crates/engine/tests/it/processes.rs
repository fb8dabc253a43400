//! Goal: what is promised holds between real processes: killed at any moment, an execution loses no
//! event, doubles none, and goes on at once; and two processes never run it.
//! Method: this test's executable runs itself again as a child that runs executions on a journal
//! file. Its tasks write a line to a file when they begin, and the child prints what it does, so
//! that the parent acts at known moments and no time decides a test.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use trapheus_asl::{Event, Status};
use trapheus_engine::{
    Clock, Delivery, Engine, Error, ExecutionId, ExecutionStatus, Journal, Outcome, OwnerId,
    SqliteJournal, SystemClock, TaskCall, TaskError, Tasks,
};

use crate::common::start;

const HOME: &str = "TRAPHEUS_TEST_HOME";
/// The counting task that the child may not go beyond, if there is one.
const GATE: &str = "TRAPHEUS_TEST_GATE";
const ID: &str = "run_0123456789abcdef";
/// How many tasks the execution calls, one after another.
const TASKS: u64 = 40;

/// Calls the task `count` with 1, 2, ... up to [`TASKS`], and the task `pair` twice at once.
fn counting(last: &str) -> trapheus_engine::StartExecution {
    let branch = |name: &str| {
        json!({
            "StartAt": name,
            "States": {name: {"Type": "Task", "Resource": "pair", "Parameters": {"n": name}, "End": true}}
        })
    };
    let definition = json!({
        "StartAt": "Pair",
        "States": {
            "Pair": {"Type": "Parallel", "Branches": [branch("left"), branch("right")],
                     "ResultPath": null, "Next": "Count"},
            "Count": {"Type": "Task", "Resource": "count", "Next": "Enough"},
            "Enough": {"Type": "Choice", "Default": "Count", "Choices": [
                {"Variable": "$.n", "NumericGreaterThanEquals": TASKS, "Next": "Last"}
            ]},
            "Last": {"Type": "Task", "Resource": last, "End": true}
        }
    });
    let id = Some(ID.parse().unwrap());
    trapheus_engine::StartExecution {
        id,
        ..start(definition, json!({"n": 0}))
    }
}

/// Tasks that leave a line in a file when they begin.
struct Visible {
    begun: Utf8PathBuf,
    gate: Option<u64>,
}

#[async_trait]
impl Tasks for Visible {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let n = &call.input["n"];
        let mut begun = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.begun)
            .unwrap();
        writeln!(begun, "{} {n}", call.resource).unwrap();
        say(&format!("begun {} {n}", call.resource));
        match call.resource.as_str() {
            "count" if self.gate.is_some_and(|gate| n.as_u64() >= Some(gate)) => {
                std::future::pending().await
            }
            "count" => Ok(json!({"n": n.as_u64().unwrap() + 1})),
            "hang" => std::future::pending().await,
            _ => Ok(call.input),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the child talks to its parent")]
fn say(line: &str) {
    // The test harness's own output is on the same pipe and may lack a line's end.
    println!("\n{line}");
}

fn engine_on(home: &Utf8Path, clock: Arc<dyn Clock>) -> (Arc<SqliteJournal>, Engine) {
    let journal = Arc::new(SqliteJournal::open(home.join("executions.db")).unwrap());
    let tasks = Arc::new(Visible {
        begun: home.join("begun"),
        gate: std::env::var(GATE).ok().map(|gate| gate.parse().unwrap()),
    });
    let engine = Engine::new(journal.clone(), clock, tasks, OwnerId::this_process());
    (journal, engine)
}

/// Not a test: what the child does. `HOME` says where, and with which last task; it starts the
/// execution, or resumes it where there is one.
#[test]
fn child() {
    let Ok(home) = std::env::var(HOME) else {
        return;
    };
    let (home, last) = home.split_once('|').unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let told = runtime.block_on(async {
        let (_, engine) = engine_on(Utf8Path::new(home), Arc::new(SystemClock));
        let id: ExecutionId = ID.parse().unwrap();
        let handle = match engine.start(counting(last)) {
            Err(Error::AlreadyExists { .. }) => engine.resume(&id),
            other => other,
        };
        match handle {
            Ok(handle) => format!("outcome {:?}", handle.wait().await),
            Err(error) => format!("refused {error:?}"),
        }
    });
    say(&told);
}

/// A directory with a journal, and the children that run on it.
struct Home {
    _directory: TempDir,
    path: Utf8PathBuf,
    last: &'static str,
}

impl Home {
    fn new(last: &'static str) -> Home {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        Home {
            _directory: directory,
            path,
            last,
        }
    }

    fn spawn(&self) -> Running {
        self.spawn_by(Command::new(std::env::current_exe().unwrap()))
    }

    /// A child that goes no further than a counting task, however fast it is.
    fn spawn_up_to(&self, gate: u64) -> Running {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(GATE, gate.to_string());
        self.spawn_by(command)
    }

    /// A child that cannot write files beyond some size: to it, the disk is full.
    fn spawn_on_a_full_disk(&self, kibibytes: u32) -> Running {
        let mut shell = Command::new("bash");
        let script = format!("ulimit -f {kibibytes}; trap '' XFSZ; exec \"$0\" \"$@\"");
        shell
            .arg("-c")
            .arg(script)
            .arg(std::env::current_exe().unwrap());
        self.spawn_by(shell)
    }

    fn spawn_by(&self, mut command: Command) -> Running {
        let mut child = command
            .args(["--exact", "processes::child", "--nocapture"])
            .env(HOME, format!("{}|{}", self.path, self.last))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }

    fn engine(&self, clock: Arc<dyn Clock>) -> (Arc<SqliteJournal>, Engine) {
        engine_on(&self.path, clock)
    }

    /// The tasks that have begun, in order.
    fn begun(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path.join("begun")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The inputs of the counting task whose answers are in the journal.
    fn answered(&self) -> Vec<u64> {
        let (journal, _) = self.engine(Arc::new(SystemClock));
        let count = |event: Event| match event {
            Event::TaskSucceeded { output, .. } => Some(output["n"].as_u64()? - 1),
            _ => None,
        };
        let events = journal.events(&id(), 0).unwrap_or_default();
        events.into_iter().filter_map(count).collect()
    }
}

/// A child that runs. Dropping it kills it.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Reads what the child says up to a line that begins so, and returns that line.
    fn hear(&mut self, beginning: &str) -> String {
        let heard = self.lines.by_ref().map_while(Result::ok);
        let mut all = Vec::new();
        for line in heard {
            if line.starts_with(beginning) {
                return line;
            }
            all.push(line);
        }
        panic!("the child never said {beginning:?}, but {all:#?}");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// `kill -9`; when this returns the process is gone.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn id() -> ExecutionId {
    ID.parse().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn killed_again_and_again_it_loses_no_event_and_doubles_none() {
    let home = Home::new("echo");
    let mut kills = 0;
    // Each child is killed as soon as it has begun a further task, at whatever it is doing then.
    for n in (0..TASKS).step_by(3) {
        let answered = home.answered();
        let before = home.begun().len();
        let mut child = home.spawn_up_to((n + 2).min(TASKS - 1));
        child.hear(&format!("begun count {n}"));
        child.kill();
        kills += 1;
        // What was answered before is not asked again.
        let expected_first = answered.last().map_or(0, |last| last + 1);
        let again = home.begun()[before..]
            .iter()
            .find_map(|line| count_of(line));
        assert_eq!(again, Some(expected_first));
    }
    let (journal, engine) = home.engine(Arc::new(SystemClock));
    let status = engine.execution(&id()).unwrap().unwrap().status;
    assert_eq!(status, ExecutionStatus::Interrupted);
    runtime().block_on(async {
        let outcome = engine.resume(&id()).unwrap().wait().await.unwrap();
        let output = json!({"n": TASKS});
        assert_eq!(outcome, Outcome::Ended(Status::Succeeded { output }));
    });
    assert_eq!(
        home.answered()[..TASKS as usize],
        (0..TASKS).collect::<Vec<_>>()
    );
    // The start, two answers of the pair, the counting tasks, the last one: each once.
    assert_eq!(
        journal.events(&id(), 0).unwrap().len() as u64,
        1 + 2 + TASKS + 1
    );
    let doubled = home.begun().len() as u64 - (2 + TASKS + 1);
    assert!(
        doubled <= kills * 2,
        "{doubled} tasks were called again for {kills} kills"
    );
}

fn count_of(line: &str) -> Option<u64> {
    line.strip_prefix("count ")?.parse().ok()
}

#[test]
fn a_second_process_is_refused_until_the_first_is_dead_and_then_goes_on_at_once() {
    let home = Home::new("hang");
    let mut first = home.spawn();
    first.hear("begun hang");
    let (_, engine) = home.engine(Arc::new(SystemClock));
    for _ in 0..3 {
        let line = home.spawn().hear("refused");
        assert!(line.contains("Owned"), "{line}");
        let refused = runtime().block_on(async { engine.resume(&id()).map(|_| ()) });
        assert!(matches!(refused, Err(Error::Owned { .. })), "{refused:?}");
    }
    let record = engine.execution(&id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Running);
    assert_eq!(record.current_states, ["Last"]);

    first.kill();
    let status = engine.execution(&id()).unwrap().unwrap().status;
    assert_eq!(status, ExecutionStatus::Interrupted);
    let mut second = home.spawn();
    second.hear("begun hang");
    assert_eq!(
        home.begun()
            .iter()
            .filter(|line| line.starts_with("hang"))
            .count(),
        2
    );
}

#[test]
fn a_stop_and_an_abort_reach_another_process() {
    let home = Home::new("hang");
    let (_, engine) = home.engine(Arc::new(SystemClock));
    let mut first = home.spawn();
    first.hear("begun hang");
    assert_eq!(engine.request_stop(&id()).unwrap(), Delivery::Requested);
    assert!(first.hear("outcome").contains("Stopped"));
    let status = engine.execution(&id()).unwrap().unwrap().status;
    assert_eq!(status, ExecutionStatus::Stopped);

    let mut second = home.spawn();
    second.hear("begun hang");
    assert_eq!(
        engine.abort(&id(), "Enough", "said so").unwrap(),
        Delivery::Requested
    );
    assert!(second.hear("outcome").contains("Aborted"));
    let record = engine.execution(&id()).unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Aborted);
    assert_eq!(record.error.as_deref(), Some("Enough"));
}

#[test]
fn another_process_follows_from_the_start_to_the_end() {
    let home = Home::new("echo");
    let mut child = home.spawn();
    child.hear("begun");
    let (_, engine) = home.engine(Arc::new(SystemClock));
    let seen = runtime().block_on(async {
        let mut follower = engine.follow(&id()).unwrap();
        let mut seen = Vec::new();
        while let Some(event) = follower.next().await.unwrap() {
            seen.push(event);
        }
        seen
    });
    child.hear("outcome Ok(Ended(Succeeded");
    assert_eq!(seen, engine.history(&id()).unwrap());
}

#[test]
fn a_full_disk_stops_the_execution_loudly_and_it_resumes_when_there_is_room() {
    let home = Home::new("echo");
    let line = home.spawn_on_a_full_disk(100).hear("outcome");
    assert!(line.contains("Err(Journal(Database"), "{line}");
    let answered = home.answered();
    let begun = home.begun();
    assert!(
        !answered.is_empty() && (answered.len() as u64) < TASKS,
        "{answered:?}"
    );
    // The task whose answer could not be stored is the last that has begun.
    let last_begun = begun.last().and_then(|line| count_of(line));
    assert_eq!(last_begun, answered.last().map(|last| last + 1));

    home.spawn().hear("outcome Ok(Ended(Succeeded");
    assert_eq!(
        home.answered()[..TASKS as usize],
        (0..TASKS).collect::<Vec<_>>()
    );
    assert_eq!(
        home.begun().len(),
        begun.len() + TASKS as usize - answered.len() + 1
    );
}

/// A wall clock that is ahead.
struct Ahead(SignedDuration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }
}

#[test]
fn a_process_that_was_suspended_finds_itself_succeeded_and_writes_nothing() {
    let home = Home::new("hang");
    let mut first = home.spawn();
    first.hear("begun hang");
    first.signal("-STOP");
    // To this clock the lease of the suspended process has expired.
    let (journal, engine) = home.engine(Arc::new(Ahead(SignedDuration::from_secs(60))));
    let handle = runtime_of(&engine, |engine| engine.resume(&id()));
    let events = journal.events(&id(), 0).unwrap();
    first.signal("-CONT");
    let line = first.hear("outcome");
    assert!(line.contains("TakenOver"), "{line}");
    assert_eq!(journal.events(&id(), 0).unwrap(), events);
    drop(handle);
}

/// Runs something within a runtime that outlives it.
fn runtime_of<T>(
    engine: &Engine,
    run: impl FnOnce(&Engine) -> Result<T, Error>,
) -> (T, tokio::runtime::Runtime) {
    let runtime = runtime();
    let entered = runtime.enter();
    let result = run(engine).unwrap();
    drop(entered);
    (result, runtime)
}
