//! What the binary prints, and where: standard output is data, standard error is for people. And
//! what it leaves behind when it is stopped: an execution that goes on from where it was.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod document;
    pub(crate) mod faults;
    pub(crate) mod http;
    pub(crate) mod instances;
    pub(crate) mod local;
    pub(crate) mod redact;
    pub(crate) mod requests;
    pub(crate) mod run;
    pub(crate) mod trapheus;
    pub(crate) mod world;
}

use std::process::Stdio;

use common::document::{assert_succeeded, assert_whole, text};
use common::instances::name_of;
use common::redact::redacted;
use common::run::Ended;
use common::world::World;
use insta::assert_snapshot;
use serde_json::Value;
use tokio::process::Child;

/// Every command that has a help of its own.
const COMMANDS: [&[&str]; 18] = [
    &[],
    &["demo"],
    &["plan"],
    &["restore"],
    &["refresh"],
    &["snapshot"],
    &["start"],
    &["executions"],
    &["executions", "list"],
    &["executions", "show"],
    &["executions", "watch"],
    &["executions", "resume"],
    &["executions", "stop"],
    &["rollback"],
    &["local"],
    &["local", "up"],
    &["doctor"],
    &["completions"],
];

impl World {
    /// Runs a command for a person and returns its standard output.
    async fn shown(&self, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--output", "text"]].concat();
        let ended = self.run(&arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        ended.stdout
    }

    /// A database with a snapshot.
    async fn create_with_snapshot(&self, name: &str) {
        self.create(name, |request| request).await;
        let snapshot = format!("{name}-snapshot");
        self.take_snapshot(name, &snapshot).await;
    }

    /// Starts a restore that comes as far as its restore request, and not further before
    /// [`World::let_go`].
    async fn start_held_restore(&self, name: &str) -> Child {
        let (action, parameter) = ("RestoreDBInstanceFromDBSnapshot", "DBInstanceIdentifier");
        let restored = format!("{name}-trapheus-new");
        self.start_held(&["restore", name], action, parameter, &restored)
            .await
    }

    /// One database serves at the name, and it is the restored one.
    async fn assert_restored(&self, name: &str, result: &Value) {
        assert_succeeded(result);
        let instances = self.instances(name).await;
        let names: Vec<&str> = instances.iter().map(name_of).collect();
        assert_eq!(names, [name]);
        assert_eq!(
            result["restoredResourceId"].as_str(),
            instances[0].dbi_resource_id()
        );
    }
}

#[test]
fn every_command_explains_itself() {
    let home = tempfile::TempDir::new().expect("there is room for a temporary directory");
    for command in COMMANDS {
        let output = common::trapheus::trapheus(home.path())
            .args(command)
            .arg("--help")
            .env("COLUMNS", "100")
            .env_remove("TRAPHEUS_HOME")
            .env_remove("TRAPHEUS_OUTPUT")
            .output()
            .expect("trapheus starts");
        let ended = Ended::of(output);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        let name = [&["help"], command].concat().join("-");
        assert_snapshot!(name, ended.stdout);
    }
}

#[test]
fn every_shell_has_completions() {
    let home = tempfile::TempDir::new().expect("there is room for a temporary directory");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = common::trapheus::trapheus(home.path())
            .args(["completions", shell])
            .output()
            .expect("trapheus starts");
        let ended = Ended::of(output);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(ended.stdout.contains("keep-original"), "{shell}");
    }
}

#[tokio::test]
async fn a_person_reads_the_story_of_a_restore() {
    let world = World::shared();
    let name = "told-shop";
    world.create_with_snapshot(name).await;
    let plan = world.shown(&["plan", name]).await;
    assert_snapshot!("plan", plan_without_figures(&plan));

    let ended = world.run(&["restore", name, "--output", "text"]).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_snapshot!("restore", figures_aside(&ended.stdout));
    // Whether a step is seen waiting depends on how fast the machine is.
    let lines = ended.stderr.lines();
    let done: Vec<&str> = lines
        .filter(|line| !line.trim_start().starts_with('…'))
        .collect();
    assert_snapshot!("restore-progress", figures_aside(&done.join("\n")));

    let list = world.shown(&["executions", "list"]).await;
    assert_snapshot!("executions-list", figures_aside(&list));
    let show = world.shown(&["executions", "show", "last"]).await;
    assert_snapshot!("executions-show", figures_aside(&show));
    let doctor = world.shown(&["doctor"]).await;
    for (sign, what) in [
        ("✓", "settings"),
        ("✓", "home"),
        ("✓", "RDS"),
        ("✓", "PostgreSQL"),
    ] {
        let line = format!("{sign} {what}");
        assert!(doctor.contains(&line), "{line}: {doctor}");
    }
    assert!(doctor.contains(world.endpoint_url()), "{doctor}");
    assert!(doctor.contains("1 executions"), "{doctor}");
}

/// The plan without what depends on the machine, and on what else is there.
fn plan_without_figures(plan: &str) -> String {
    let lines = plan.lines().map(|line| {
        let depends = line.contains("AvailabilityZone") || line.contains("GroupName");
        match line.trim_start().split_once(' ') {
            Some((name, _)) if depends => name.to_owned(),
            Some(("✓" | "!", _)) => figures_aside(line),
            Some(_) | None => redacted(line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What stays the same from run to run, with one space where columns were aligned.
fn figures_aside(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line
            .split_whitespace()
            .map(|word| match word.parse::<u64>() {
                Ok(_) => "[n]".to_owned(),
                Err(_) => redacted(word),
            });
        words.collect::<Vec<_>>().join(" ")
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    // A busy machine takes minutes for what takes seconds.
    lines.replace("[n] min [n] s", "[n] s")
}

#[tokio::test]
async fn a_program_reads_documents_and_events() {
    let world = World::shared();
    let name = "parsed-shop";
    world.create_with_snapshot(name).await;
    let plan = world.run(&["plan", name]).await;
    assert_eq!(plan.stderr, "");
    assert_eq!(plan.with_code(0)["names"]["aside"], "parsed-shop-temp");

    let ended = world.run(&["restore", name, "--events"]).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let mut events = lines(&ended);
    let result = events.pop().expect("the result comes last");
    assert_whole(&result);
    world.assert_restored(name, &result).await;
    let of = |event: &Value| text(&event["kind"]).to_owned();
    assert_eq!(of(&events[0]), "ExecutionStarted");
    assert_eq!(of(&events[events.len() - 1]), "ExecutionSucceeded");
    let ids: Vec<u64> = events
        .iter()
        .filter_map(|event| event["id"].as_u64())
        .collect();
    assert!(ids.iter().copied().eq(1..=events.len() as u64), "{ids:?}");

    // Another process reads the same, afterwards.
    let history = world
        .run(&["executions", "show", "last", "--history"])
        .await;
    let mut shown = history.with_code(0);
    assert_eq!(shown["history"], Value::Array(events));
    let members = shown.as_object_mut().expect("an object");
    members.remove("history");
    assert_eq!(shown, result);
    let list = world.run(&["executions", "list"]).await.with_code(0);
    assert_eq!(list["executions"], Value::Array(vec![result]));
}

#[tokio::test]
async fn ctrl_c_leaves_an_execution_that_the_printed_command_resumes() {
    let world = World::alone();
    let name = "stopped-shop";
    world.create_with_snapshot(name).await;
    let held = world.start_held_restore(name).await;
    interrupt(&held).await;
    let ended = Ended::of(held.wait_with_output().await.expect("it ends"));
    let stopped = ended.with_code(4);
    assert_eq!(stopped["status"], "STOPPED");
    world.let_go();

    let execution = text(&stopped["executionId"]);
    let resume = format!("trapheus executions resume {execution}");
    assert!(ended.stderr.contains(&format!("`{resume}`")), "{ended:#?}");
    let arguments: Vec<&str> = resume.split(' ').skip(1).collect();
    let result = world.run(&arguments).await.with_code(0);
    assert_eq!(result["executionId"], stopped["executionId"]);
    world.assert_restored(name, &result).await;
    // What has ended is not resumed again.
    let again = world.run(&arguments).await;
    assert_eq!(again.code, Some(2), "{again:#?}");
}

/// Standard output as one document of JSON a line.
fn lines(ended: &Ended) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    ended.stdout.lines().map(read).collect()
}

/// As a terminal does when somebody types Ctrl-C.
async fn interrupt(child: &Child) {
    let process = child.id().expect("it runs").to_string();
    let sent = tokio::process::Command::new("kill")
        .args(["-INT", &process])
        .status()
        .await;
    assert!(sent.expect("kill starts").success());
}

#[tokio::test]
async fn another_process_watches_and_stops_an_execution() {
    let world = World::alone();
    let name = "watched-shop";
    world.create_with_snapshot(name).await;
    let held = world.start_held_restore(name).await;
    let watcher = world
        .trapheus(&["executions", "watch", "last", "--events"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("trapheus starts");
    let running = world.run(&["executions", "show", "last"]).await;
    assert_eq!(running.with_code(0)["status"], "RUNNING");

    let stopped = world
        .run(&["executions", "stop", "last"])
        .await
        .with_code(0);
    assert_eq!(stopped["status"], "STOPPED");
    let ended = Ended::of(held.wait_with_output().await.expect("it ends"));
    assert_eq!(ended.with_code(4)["status"], "STOPPED");

    world.let_go();
    let result = world
        .run(&["executions", "resume", "last"])
        .await
        .with_code(0);
    world.assert_restored(name, &result).await;
    let watched = Ended::of(watcher.wait_with_output().await.expect("it ends"));
    let seen = lines(&watched);
    assert_eq!(seen[0]["kind"], "ExecutionStarted");
    assert_eq!(seen.last(), Some(&result));
}
