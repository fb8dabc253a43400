//! One definition, two engines: the deployed half of the product, without an account.
//!
//! moto's interpreter runs `workflow/restore.asl.json`, every task is a call of the real bootstrap's
//! process, and RDS is local RDS with real PostgreSQL. What comes of an input is compared with what
//! the embedded engine makes of the same input: the same states in the same order, and the same end.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod http;
    pub(crate) mod local;
    pub(crate) mod patience;
    pub(crate) mod python;
    pub(crate) mod rds;
    pub(crate) mod rows;
    pub(crate) mod steps;
    pub(crate) mod trapheus;
}

use std::collections::BTreeMap;
use std::fs;

use common::local::LocalRds;
use common::patience::{done, until};
use common::python;
use common::rds::Rds;
use common::rows::{Contents, PASSWORD, Rows, USER};
use common::steps::StepFunctions;
use common::trapheus::trapheus;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the Python tool's documentation tells its users to start executions with, as it stands.
const DB_RESTORE: &str = r#"{
    "identifier": "sample-rds-identifier",
    "task": "db_restore",
    "isCluster": false
}"#;
const CREATE_SNAPSHOT: &str = r#"{
    "identifier": "sample-rds-identifier",
    "task": "create_snapshot",
    "isCluster": false
}"#;

/// The same world for both engines.
struct World {
    local: LocalRds,
    rds: Rds,
    steps: StepFunctions,
}

impl World {
    fn new(environment: &[(&str, &str)]) -> Self {
        let local = LocalRds::up();
        Self {
            rds: Rds::at(&local.endpoint_url),
            steps: StepFunctions::up(&local.endpoint_url, environment),
            local,
        }
    }

    /// A database with a snapshot of its rows, and rows that were written since. Returns what is in
    /// the snapshot.
    fn database(&self, name: &str) -> (Rows, Contents) {
        let rows = self.rds.create(name);
        rows.fill();
        self.rds.snapshot(name, &format!("{name}-snapshot"));
        let kept = rows.contents();
        rows.write("since the snapshot");
        (rows, kept)
    }

    /// Runs an input by the embedded engine; returns its document, and the states it entered.
    fn embedded(&self, input: &Value) -> (Value, Vec<String>) {
        let home = TempDir::new().expect("there is room for a temporary directory");
        let file = home.path().join("input.json");
        fs::write(&file, input.to_string()).expect("a temporary file can be written");
        let file = file.to_str().expect("temporary paths are text");
        let document = |arguments: &[&str]| -> Value {
            let mut command = trapheus(home.path());
            command.env("AWS_ENDPOINT_URL", &self.local.endpoint_url);
            let done = command.args(arguments).output().expect("trapheus starts");
            serde_json::from_slice(&done.stdout).expect("its result is JSON")
        };
        let ended = document(&["start", "--input", file]);
        let shown = document(&["executions", "show", "last", "--history"]);
        let history = shown["history"].as_array().expect("it has a history");
        let entered = history.iter().filter(|event| {
            let kind = event["kind"].as_str().unwrap_or_default();
            kind.ends_with("StateEntered")
        });
        let path = entered.map(|event| text(&event["state"])).collect();
        (ended, path)
    }

    /// Everything about a database that a restore has to keep.
    fn configuration(&self, name: &str) -> Vec<(&'static str, String)> {
        let found = self.rds.available(name);
        let tags = found.tag_list().iter();
        let tags: BTreeMap<_, _> = tags
            .filter(|tag| !tag.key().unwrap_or_default().starts_with("trapheus:"))
            .map(|tag| (tag.key(), tag.value()))
            .collect();
        vec![
            ("class", format!("{:?}", found.db_instance_class())),
            ("backups", format!("{:?}", found.backup_retention_period())),
            (
                "window",
                format!("{:?}", found.preferred_maintenance_window()),
            ),
            ("protection", format!("{:?}", found.deletion_protection())),
            ("tags", format!("{tags:?}")),
        ]
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is text").to_owned()
}

fn path(ended: &Value) -> Vec<String> {
    let path = ended["path"].as_array().expect("it has a path");
    path.iter().map(text).collect()
}

/// The input, for another database.
fn of(name: &str, input: &Value) -> Value {
    let mut input = input.clone();
    input["identifier"] = json!(name);
    input
}

/// Both engines take the same way with the same input, to the same end.
fn assert_the_same(world: &World, input: &Value, [by_steps, by_ourselves]: [&str; 2]) -> Value {
    let (rows, kept) = world.database(by_steps);
    let before = world.configuration(by_steps);
    let original = world.rds.resource_id(by_steps);
    let ended = world.steps.execute(by_steps, &of(by_steps, input));
    assert_eq!(ended["status"], "SUCCEEDED", "{ended:#}");
    assert_eq!(world.configuration(by_steps), before);
    assert_ne!(world.rds.resource_id(by_steps), original);
    assert_eq!(world.rds.names(by_steps), [by_steps]);

    let (own_rows, own_kept) = world.database(by_ourselves);
    let (document, own_path) = world.embedded(&of(by_ourselves, input));
    assert_eq!(document["status"], "SUCCEEDED", "{document:#}");
    assert_eq!(path(&ended), own_path);
    assert_eq!(world.configuration(by_ourselves), before);
    let fidelity = &ended["output"]["configured"]["fidelity"];
    assert_eq!(fidelity["kept"], document["fidelity"]["kept"]);
    assert_eq!(fidelity["lost"], json!([]));
    // The snapshot of `create_snapshot` has what was written since the first one.
    if input["task"] != "create_snapshot" {
        assert_eq!(rows.contents(), kept);
        assert_eq!(own_rows.contents(), own_kept);
    }
    ended
}

#[test]
fn the_harness_holds_by_itself() {
    python::unittest("test_step_functions", &[]);
}

#[test]
fn the_python_tools_inputs_give_their_outcome_on_both_engines() {
    let world = World::new(&[]);
    let restore: Value = serde_json::from_str(DB_RESTORE).unwrap();
    assert_the_same(&world, &restore, ["sample-rds-identifier", "own-restore"]);
    let mut in_place = restore;
    in_place["strategy"] = json!("in_place");
    let ended = assert_the_same(&world, &in_place, ["placed", "own-placed"]);
    assert!(path(&ended).contains(&"MoveAsideFirst".to_owned()));
    world.local.down();
}

#[test]
fn a_snapshot_has_its_blueprint_in_s3_and_what_lambda_fails_with_passes() {
    let world = World::new(&[("TRAPHEUS_BLUEPRINTS", "s3://kept/blueprints/")]);
    world
        .steps
        .boto3("s3", "create_bucket", &json!({ "Bucket": "kept" }));
    let snapshot: Value = serde_json::from_str(CREATE_SNAPSHOT).unwrap();
    let (rows, _) = world.database("sample-rds-identifier");
    let before = rows.contents();
    for fault in [
        json!({ "function": "Snapshot", "error": "TooManyRequestsException", "times": 2 }),
        json!({ "function": "Restore", "error": "ServiceException" }),
        json!({ "function": "Restore", "kill_after": 0.05 }),
    ] {
        world.steps.fail(&fault);
    }
    let ended = world.steps.execute("nightly", &snapshot);
    assert_eq!(ended["status"], "SUCCEEDED", "{ended:#}");
    assert_eq!(rows.contents(), before);
    assert_eq!(world.rds.names("sample"), ["sample-rds-identifier"]);
    let calls = world.steps.list("/_invocations");
    let errors: Vec<&Value> = calls.iter().map(|call| &call["error"]).collect();
    for error in ["Lambda.TooManyRequestsException", "Lambda.ServiceException"] {
        assert!(errors.contains(&&json!(error)), "{errors:?}");
    }
    let kept = world
        .steps
        .boto3("s3", "list_objects_v2", &json!({ "Bucket": "kept" }));
    let key = text(&kept["Contents"][0]["Key"]);
    assert!(key.starts_with("blueprints/arn_aws_rds_"), "{kept:#}");

    // Whoever calls a task of an execution that has ended changes nothing.
    let plan = calls.iter().find(|call| call["function"] == "Plan");
    let mut again = plan.expect("it ran")["payload"].clone();
    again["plan"] = world.steps.invoke("Plan", &again)["Payload"].clone();
    let late = world.steps.invoke("Snapshot", &again);
    assert_eq!(
        late["Payload"]["errorType"], "Trapheus.Unavailable",
        "{late:#}"
    );
    let cause = text(&late["Payload"]["errorMessage"]);
    assert!(cause.contains("nightly is SUCCEEDED"), "{cause}");
    assert_eq!(world.rds.names("sample"), ["sample-rds-identifier"]);
    world.local.down();
}

#[test]
fn a_failure_is_rolled_back_and_told_to_everybody() {
    let topic = "arn:aws:sns:us-east-1:123456789012:restores";
    let world = World::new(&[
        ("TRAPHEUS_ALERT_EMAIL_FROM", "trapheus@example.com"),
        ("TRAPHEUS_ALERT_EMAIL_TO", "dba@example.com"),
        ("TRAPHEUS_ALERT_SNS_TOPICS", topic),
        ("TRAPHEUS_EVENT_BUS", "default"),
    ]);
    let sender = json!({ "EmailAddress": "trapheus@example.com" });
    world.steps.boto3("ses", "verify_email_identity", &sender);
    world
        .steps
        .boto3("sns", "create_topic", &json!({ "Name": "restores" }));
    let (rows, _) = world.database("orders");
    let before = rows.contents();
    let original = world.rds.resource_id("orders");
    let login = json!({ "username": USER, "password": PASSWORD }).to_string();
    let login = json!({ "Name": "orders-login", "SecretString": login });
    let secret = world.steps.boto3("secretsmanager", "create_secret", &login);
    let input = json!({
        "identifier": "orders", "task": "db_restore",
        "verify": { "sql": "SELECT count(*) > 1000000 FROM orders", "database": "shop" },
        "credentials": { "secretArn": secret["ARN"] },
    });
    let ended = world.steps.execute("fails", &input);
    assert_eq!(ended["status"], "FAILED", "{ended:#}");
    assert_eq!(ended["error"], "Trapheus.VerificationFailed", "{ended:#}");
    assert_eq!(
        path(&ended)[6..],
        ["Verify", "RollBack", "ReportFailure", "Failed"].map(str::to_owned)
    );
    let cause = text(&ended["cause"]);
    assert!(cause.contains("returned"), "{cause}");
    assert_eq!(world.rds.resource_id("orders"), original);
    assert_eq!(world.rds.names("orders"), ["orders"]);
    assert_eq!(rows.contents(), before);

    let messages = world.steps.list("/_messages");
    let told = |key: &str| messages.iter().find(|message| message.get(key).is_some());
    let mail = told("to").expect("somebody got an e-mail").to_string();
    assert!(
        mail.contains("dba@example.com") && mail.contains("1000000"),
        "{mail}"
    );
    assert!(told("topic").is_some(), "{messages:#?}");
    let events = world.steps.list("/_events");
    let [event] = &events[..] else {
        panic!("one event: {events:#?}")
    };
    assert_eq!(event["Source"], "trapheus");
    assert_eq!(event["DetailType"], "Trapheus Execution Ended");
    let detail: Value = serde_json::from_str(event["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["status"], "FAILED", "{detail:#}");
    assert_eq!(detail["executionId"], "fails");
    assert_eq!(detail["error"]["name"], "Trapheus.VerificationFailed");
    assert_eq!(detail["originalResourceId"], original);
    world.local.down();
}

#[test]
fn a_cluster_comes_back_with_its_members() {
    let world = World::new(&[]);
    let client = &world.rds.client;
    let cluster = client
        .create_db_cluster()
        .db_cluster_identifier("ledger")
        .engine("aurora-postgresql")
        .database_name("shop")
        .master_username(USER)
        .master_user_password(PASSWORD);
    done(cluster.send()).expect("a cluster can be created");
    // The first one is the writer.
    for name in ["ledger-b", "ledger-a"] {
        let member = client
            .create_db_instance()
            .db_cluster_identifier("ledger")
            .db_instance_identifier(name)
            .db_instance_class("db.r6g.large")
            .engine("aurora-postgresql");
        until("the cluster takes a member", || {
            done(member.clone().send()).ok()
        });
        world.rds.available(name);
    }
    let rows = world.rds.rows("ledger-b");
    rows.fill();
    let input = json!({ "identifier": "ledger", "task": "create_snapshot", "isCluster": true });
    let before = rows.contents();
    let ended = world.steps.execute("cluster", &input);
    assert_eq!(ended["status"], "SUCCEEDED", "{ended:#}");
    assert_eq!(world.rds.names("ledger"), ["ledger-a", "ledger-b"]);
    until("the writer serves what was in the snapshot", || {
        (world.rds.rows("ledger-b").contents() == before).then_some(())
    });
    world.local.down();
}
