//! `kill -9` of `trapheus` in every state of the pipeline, then `executions resume`: the end is the
//! same as without the kill.
//!
//! An execution is killed at two kinds of moments. Before each of its events is durable: the task
//! has done its work, and nothing says so. And in each state that waits for RDS: what the task has
//! begun goes on without anybody looking.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod each_event;
    pub(crate) mod execution;
    pub(crate) mod http;
    pub(crate) mod journal;
    pub(crate) mod killed_execution;
    pub(crate) mod killed_local;
    pub(crate) mod local;
    pub(crate) mod patience;
    pub(crate) mod rds;
    pub(crate) mod rows;
    pub(crate) mod stopped_execution;
    pub(crate) mod trapheus;
    pub(crate) mod trouble;
}

use std::thread;

use aws_sdk_rds::types::DbSnapshot;
use common::execution::{Ended, Home};
use common::http::ask;
use common::journal::Journal;
use common::local::LocalRds;
use common::patience::until;
use common::rds::Rds;
use common::rows::{Contents, Rows};
use common::trouble::fault;
use serde_json::{Value, json};

/// What there is when everything is over.
#[derive(Debug, PartialEq)]
struct Outcome {
    code: Option<i32>,
    told: Vec<(&'static str, String)>,
    contents: Contents,
    settings: String,
    tags: Vec<String>,
    databases: Vec<String>,
    snapshots: usize,
}

/// A database with rows, a snapshot of them, and rows that came after it.
struct Stage {
    rds: Rds,
    endpoint_url: String,
    target: &'static str,
    home: Home,
    rows: Rows,
    original: String,
    at_snapshot: Contents,
    at_start: Contents,
}

impl Stage {
    fn build(local: &LocalRds, target: &'static str) -> Self {
        let rds = Rds::at(&local.endpoint_url);
        let rows = rds.create(target);
        rows.fill();
        rds.snapshot(target, &format!("{target}-snapshot"));
        let at_snapshot = rows.contents();
        rows.write("after the snapshot");
        Self {
            home: Home::new(&local.endpoint_url),
            at_start: rows.contents(),
            rows,
            endpoint_url: local.endpoint_url.clone(),
            original: rds.resource_id(target),
            rds,
            target,
            at_snapshot,
        }
    }

    /// Runs to the end, killed before each event is durable; the states that it was killed in.
    fn killed_before_each_event(&self, start: &[&str]) -> (Ended, Vec<String>) {
        let journal = Journal::of(&self.home);
        // The first event is the start itself: without it there is nothing to be resumed.
        journal.hold_after(1);
        let mut running = self.home.start(start);
        let mut killed_in: Vec<String> = Vec::new();
        while journal.is_held(&mut running) {
            let state = self.home.state().expect("the execution has begun");
            running.kill();
            if killed_in.last() != Some(&state) {
                killed_in.push(state);
            }
            journal.hold_after(journal.events() + 1);
            running = self.home.start(RESUME);
        }
        (running.wait(), killed_in)
    }

    /// Runs to the end, killed once in each of some states, after its task has found that RDS is
    /// at work. `path` is every state in which a task succeeds.
    fn killed_while_rds_works(&self, start: &[&str], path: &[&str], kills: &[&str]) -> Ended {
        let journal = Journal::of(&self.home);
        let mut arguments = start;
        for state in kills {
            // A task that can't succeed can't leave its state before it is killed.
            let before = path.iter().position(|passed| passed == state);
            journal.hold_after_successes(before.expect("it is killed on its path"));
            let running = self.home.start(arguments);
            self.works_in(state, &journal);
            running.kill();
            arguments = RESUME;
        }
        journal.release();
        self.home.run(arguments)
    }

    /// Waits until the execution is in a state, and has found there that RDS is at work, or, on a
    /// machine that is slower than that, that it was.
    fn works_in(&self, state: &str, journal: &Journal) {
        until(&format!("the execution waits in {state}"), || {
            let execution = self.home.look()?;
            let history = execution["history"].as_array()?;
            let entered = history
                .iter()
                .rposition(|event| event["kind"] == "TaskStateEntered")?;
            let is_there = history[entered]["state"] == state;
            let has_waited = history[entered..]
                .iter()
                .any(|event| event["error"] == "Trapheus.InProgress");
            (is_there && (has_waited || journal.is_holding())).then_some(())
        });
    }

    /// How many requests were answered that change something.
    fn changes(&self) -> usize {
        let answer = ask(&self.endpoint_url, "GET", "/_trapheus/requests", "");
        let requests = answer["requests"].as_array().expect("a list");
        let is_change = |request: &&Value| {
            let action = request["action"].as_str().expect("an action");
            !action.starts_with("Describe") && !action.starts_with("List")
        };
        requests.iter().filter(is_change).count()
    }

    /// From now on RDS refuses to give the restored database the target's name.
    fn refuse_promotion(&self) {
        let rename = json!({
            "DBInstanceIdentifier": format!("{}-trapheus-new", self.target),
            "NewDBInstanceIdentifier": self.target,
        });
        let refusal = json!({ "error": { "code": "InvalidParameterValue", "status": 400 } });
        let action = "ModifyDBInstance";
        fault(&self.endpoint_url, action, &rename, &Value::Null, &refusal);
    }

    /// Makes sure that everything is as it was before the execution.
    fn is_rolled_back(&self, ended: &Ended) {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let outcome = self.outcome(ended);
        assert_eq!(outcome.told[0].1, r#""FAILED""#);
        assert_eq!(ended.result["error"]["name"], "Trapheus.Invalid");
        assert_eq!(ended.result["leftOver"], json!([]));
        assert_eq!(outcome.contents, self.at_start);
        assert_eq!(outcome.databases, ["target"]);
        assert_eq!(outcome.tags, ["team"]);
        assert_eq!(self.rds.resource_id(self.target), self.original);
    }

    /// Makes sure that everything is as it should be after a restore.
    fn is_restored(&self, ended: &Ended, contents: &Contents) {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let outcome = self.outcome(ended);
        assert_eq!(outcome.told[0].1, r#""SUCCEEDED""#);
        assert_eq!(ended.result["leftOver"], json!([]));
        assert_eq!(outcome.contents, *contents);
        assert_eq!(outcome.databases, ["target"]);
        assert_ne!(self.rds.resource_id(self.target), self.original);
    }

    /// What there is in the end, without the names, identities and times that differ by nature.
    fn outcome(&self, ended: &Ended) -> Outcome {
        let anonymous = |text: String| {
            let text = text.replace(self.target, "target");
            text.replace(&self.original, "original")
        };
        let told = |key| (key, anonymous(ended.result[key].to_string()));
        let instance = self.rds.available(self.target);
        assert_eq!(self.rds.rows(self.target), self.rows, "the endpoint");
        let of_target =
            |snapshot: &&DbSnapshot| snapshot.db_instance_identifier() == Some(self.target);
        Outcome {
            code: ended.code,
            told: TOLD.map(told).into(),
            contents: self.rows.contents(),
            settings: format!(
                "{:?} {:?} {:?}",
                instance.backup_retention_period(),
                instance.preferred_maintenance_window(),
                instance.deletion_protection(),
            ),
            tags: instance
                .tag_list()
                .iter()
                .filter_map(|tag| tag.key.clone())
                .collect(),
            databases: self
                .rds
                .names(self.target)
                .into_iter()
                .map(anonymous)
                .collect(),
            snapshots: self.rds.snapshots().iter().filter(of_target).count(),
        }
    }
}

/// What the final document says that doesn't differ by nature.
const TOLD: [&str; 7] = [
    "status", "task", "strategy", "fidelity", "leftOver", "warnings", "error",
];

/// Goes on, until the original's time is over, too.
const RESUME: &[&str] = &["executions", "resume", "last", "--wait"];

/// The states of a refresh that keeps its original for a while.
const SWAP: [&str; 11] = [
    "Plan",
    "Snapshot",
    "Restore",
    "Configure",
    "Prepare",
    "Verify",
    "MoveAside",
    "Promote",
    "Report",
    "KeepOriginal",
    "Retire",
];
/// The same in place: the original moves first, and is found moved later.
const IN_PLACE: [&str; 12] = [
    "Plan",
    "Snapshot",
    "MoveAsideFirst",
    "Restore",
    "Configure",
    "Prepare",
    "Verify",
    "MoveAside",
    "Promote",
    "Report",
    "KeepOriginal",
    "Retire",
];

fn refresh(stage: &Stage, strategy: &'static str) -> [&'static str; 7] {
    let keep = "--keep-original";
    [
        "refresh",
        stage.target,
        "--strategy",
        strategy,
        keep,
        "1",
        "--wait",
    ]
}

fn restore(stage: &Stage, strategy: &'static str) -> [&'static str; 4] {
    ["restore", stage.target, "--strategy", strategy]
}

/// Runs several stories beside each other in one local RDS, whose operations take that long.
fn beside_each_other<const N: usize>(durations: &[&str], stories: [(&'static str, Story); N]) {
    let mut local = LocalRds::up();
    let stages = thread::scope(|scope| {
        let built = stories.map(|(target, story)| {
            let local = &local;
            (scope.spawn(move || Stage::build(local, target)), story)
        });
        built.map(|(stage, story)| (stage.join().expect("the stage is built"), story))
    });
    local.kill();
    local.up_again(durations);
    thread::scope(|scope| {
        let told = stages.map(|(stage, story)| scope.spawn(move || story(&stage)));
        for story in told {
            story.join().expect("the story ends well");
        }
    });
    local.down();
}

type Story = fn(&Stage);

/// An execution that is killed before each event, and one that isn't.
fn killed_and_spared(strategy: &'static str, states: &[&str]) {
    let local = LocalRds::up();
    let [killed, spared] = thread::scope(|scope| {
        let killed = scope.spawn(|| {
            let stage = Stage::build(&local, "killed");
            let (ended, killed_in) = stage.killed_before_each_event(&refresh(&stage, strategy));
            assert_eq!(killed_in, states);
            stage.is_restored(&ended, &stage.at_start);
            stage.outcome(&ended)
        });
        let spared = scope.spawn(|| {
            let stage = Stage::build(&local, "spared");
            stage.outcome(&stage.home.run(&refresh(&stage, strategy)))
        });
        [killed, spared].map(|story| story.join().expect("the story ends well"))
    });
    assert_eq!(killed, spared);
    local.down();
}

#[test]
fn swap_killed_before_each_event_ends_as_if_it_was_not() {
    killed_and_spared("swap", &SWAP);
}

#[test]
fn in_place_killed_before_each_event_ends_as_if_it_was_not() {
    killed_and_spared("in_place", &IN_PLACE);
}

#[test]
fn a_failing_restore_killed_before_each_event_is_rolled_back() {
    let swap: Story = |stage| {
        stage.refuse_promotion();
        let (ended, killed_in) = stage.killed_before_each_event(&restore(stage, "swap"));
        let before = [
            "Plan",
            "Restore",
            "Configure",
            "Prepare",
            "Verify",
            "MoveAside",
            "Promote",
        ];
        let after = ["RollBack", "ReportFailure"];
        assert_eq!(killed_in, [&before[..], &after].concat());
        stage.is_rolled_back(&ended);
    };
    let in_place: Story = |stage| {
        stage.refuse_promotion();
        let (ended, killed_in) = stage.killed_before_each_event(&restore(stage, "in_place"));
        let before = [
            "Plan",
            "MoveAsideFirst",
            "Restore",
            "Configure",
            "Prepare",
            "Verify",
            "MoveAside",
        ];
        let after = ["Promote", "RollBack", "ReportFailure"];
        assert_eq!(killed_in, [&before[..], &after].concat());
        stage.is_rolled_back(&ended);
    };
    beside_each_other(&[], [("orders", swap), ("bills", in_place)]);
}

#[test]
fn an_execution_killed_while_rds_works_finds_the_work_done() {
    let swap: Story = |stage| {
        let start = ["refresh", stage.target];
        let kills = [
            "Snapshot",
            "Restore",
            "Configure",
            "MoveAside",
            "Promote",
            "Retire",
        ];
        let path = without_keeping(&SWAP);
        let ended = stage.killed_while_rds_works(&start, &path, &kills);
        stage.is_restored(&ended, &stage.at_start);
    };
    let in_place: Story = |stage| {
        let start = restore(stage, "in_place");
        let kills = [
            "MoveAsideFirst",
            "Restore",
            "Configure",
            "Promote",
            "Retire",
        ];
        let mut path = without_keeping(&IN_PLACE);
        path.retain(|state| *state != "Snapshot");
        let ended = stage.killed_while_rds_works(&start, &path, &kills);
        stage.is_restored(&ended, &stage.at_snapshot);
    };
    let failing: Story = |stage| {
        stage.refuse_promotion();
        let start = restore(stage, "in_place");
        let before = [
            "Plan",
            "MoveAsideFirst",
            "Restore",
            "Configure",
            "Prepare",
            "Verify",
            "MoveAside",
        ];
        let path = [&before[..], &["RollBack"]].concat();
        let ended = stage.killed_while_rds_works(&start, &path, &["RollBack"]);
        stage.is_rolled_back(&ended);
    };
    let stories = [("orders", swap), ("bills", in_place), ("stock", failing)];
    beside_each_other(AS_ON_AWS, stories);
}

/// Every operation, renames included, takes longer than a task looks for before it says that it
/// has to wait.
const AS_ON_AWS: &[&str] = &["--durations", "aws", "--time-scale", "24"];

/// A process that is stopped is not dead: it wakes up and knows nothing of the time that has passed.
#[test]
fn a_stopped_process_is_succeeded_when_its_lease_is_over_and_changes_nothing_when_it_wakes() {
    let story: Story = |stage| {
        let start = restore(stage, "swap");
        let running = stage.home.start(&start);
        let restored = format!("{}-trapheus-new", stage.target);
        until("it restores", || {
            stage
                .rds
                .names(stage.target)
                .contains(&restored)
                .then_some(())
        });
        let execution = stage.home.look().expect("it has begun");
        let id = execution["executionId"].as_str().expect("it has an id");
        let ask = |home: &Home, arguments: &[&str]| home.ask(&stage.endpoint_url, arguments);
        for home in [&stage.home, &Home::new(&stage.endpoint_url)] {
            let (code, said) = ask(home, &start);
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains(&format!("resume {id}")), "{said}");
        }
        running.signal("STOP");
        let resume = ["executions", "resume", id];
        let (code, said) = ask(&stage.home, &resume);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("is run by process"), "{said}");
        let (code, said) = until("its lease is over", || {
            Some(ask(&stage.home, &resume)).filter(|(code, _)| *code != Some(2))
        });
        assert_eq!(code, Some(0), "{said}");
        let changes = stage.changes();
        running.signal("CONT");
        assert_ne!(
            running.code(),
            Some(0),
            "it is told that another one has ended it"
        );
        assert_eq!(stage.changes(), changes);
        assert_eq!(stage.rds.names(stage.target), [stage.target]);
        assert_ne!(stage.rds.resource_id(stage.target), stage.original);
        assert_eq!(stage.rds.rows(stage.target).contents(), stage.at_snapshot);
    };
    beside_each_other(
        &["--durations", "aws", "--time-scale", "60"],
        [("orders", story)],
    );
}

/// The states in which a task succeeds, where no original is kept.
fn without_keeping<'a>(states: &[&'a str]) -> Vec<&'a str> {
    let mut path = states.to_vec();
    path.retain(|state| *state != "KeepOriginal");
    path
}
