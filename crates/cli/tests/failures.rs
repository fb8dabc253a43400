//! Restores that fail in every state, restores that meet troubles which pass, and roll-backs and
//! deletions that fail themselves: where the original is afterwards, what is left over, and what
//! people are told.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod client;
    pub(crate) mod execution;
    pub(crate) mod http;
    pub(crate) mod journal;
    pub(crate) mod killed_execution;
    pub(crate) mod local;
    pub(crate) mod patience;
    pub(crate) mod rds;
    pub(crate) mod rows;
    pub(crate) mod trapheus;
    pub(crate) mod trouble;
}

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::execution::{Ended, Home};
use common::http::ask;
use common::journal::Journal;
use common::local::LocalRds;
use common::patience::done;
use common::rds::Rds;
use common::rows::Contents;
use common::trouble::fault;
use serde_json::{Value, json};

/// A database with rows, a snapshot of them, and rows that came after it.
struct Stage {
    rds: Rds,
    endpoint_url: String,
    target: &'static str,
    original: String,
    at_snapshot: Contents,
}

/// What a failure is and what it is called.
struct Failure {
    /// The state that fails.
    state: &'static str,
    /// The error's name.
    error: &'static str,
    /// The requests that go wrong: action, parameters, and how.
    fault: Option<(&'static str, Value, Value)>,
    /// What `trapheus` is told beside the usual.
    environment: &'static [(&'static str, &'static str)],
}

impl Stage {
    fn build(local: &LocalRds, target: &'static str) -> Self {
        let rds = Rds::at(&local.endpoint_url);
        let rows = rds.create(target);
        rows.fill();
        rds.snapshot(target, &format!("{target}-snapshot"));
        let at_snapshot = rows.contents();
        rows.write("after the snapshot");
        rows.execute("CREATE ROLE newcomer LOGIN PASSWORD 'newcomer'");
        Self {
            endpoint_url: local.endpoint_url.clone(),
            original: rds.resource_id(target),
            rds,
            target,
            at_snapshot,
        }
    }

    fn home(&self) -> Home {
        Home::new(&self.endpoint_url)
    }

    fn restored(&self) -> String {
        format!("{}-trapheus-new", self.target)
    }

    fn aside(&self) -> String {
        format!("{}-temp", self.target)
    }

    /// A request that renames a database.
    fn rename(from: &str, to: &str) -> Value {
        json!({ "DBInstanceIdentifier": from, "NewDBInstanceIdentifier": to })
    }

    /// Asks for a fault in this local RDS.
    fn fault(&self, action: &str, when: &Value, times: &Value, effect: &Value) {
        fault(&self.endpoint_url, action, when, times, effect);
    }

    /// From now on RDS refuses such requests with this code.
    fn refuse(&self, action: &str, when: &Value, code: &str) {
        self.fault(action, when, &Value::Null, &refused(code));
    }

    /// The faults that have not all happened.
    fn faults(&self) -> Value {
        ask(&self.endpoint_url, "GET", "/_trapheus/faults", "")["faults"].take()
    }

    /// Nothing goes wrong any more.
    fn clear_faults(&self) {
        ask(&self.endpoint_url, "DELETE", "/_trapheus/faults", "");
    }

    /// One failure in each state and of each kind.
    fn failures(&self, strategy: &str) -> Vec<Failure> {
        let of_restored = || json!({ "DBInstanceIdentifier": self.restored() });
        let move_aside = if strategy == "swap" {
            "MoveAside"
        } else {
            "MoveAsideFirst"
        };
        let fails = |state, error, action, when, how| Failure {
            state,
            error,
            fault: Some((action, when, how)),
            environment: &[],
        };
        let restore = "RestoreDBInstanceFromDBSnapshot";
        let modify = "ModifyDBInstance";
        let ends_in = |status: &str| json!({ "ends_in": status });
        vec![
            fails(
                "Restore",
                "Trapheus.Invalid",
                restore,
                of_restored(),
                refused("InvalidParameterValue"),
            ),
            fails(
                "Restore",
                "Trapheus.RestoreFailed",
                restore,
                of_restored(),
                ends_in("incompatible-parameters"),
            ),
            fails(
                "Configure",
                "Trapheus.ModifyFailed",
                modify,
                of_restored(),
                json!("modify_fails"),
            ),
            fails(
                "Configure",
                "Trapheus.ModifyFailed",
                modify,
                of_restored(),
                refused("InvalidParameterCombination"),
            ),
            Failure {
                state: "Verify",
                error: "Trapheus.VerificationFailed",
                fault: None,
                // The restored database is older than this user.
                environment: &[
                    ("TRAPHEUS_VERIFY_USER", "newcomer"),
                    ("TRAPHEUS_VERIFY_PASSWORD", "newcomer"),
                    ("TRAPHEUS_VERIFY_DATABASE", "shop"),
                ],
            },
            fails(
                move_aside,
                "Trapheus.Denied",
                modify,
                Self::rename(self.target, &self.aside()),
                refused("AccessDenied"),
            ),
            fails(
                "Promote",
                "Trapheus.Invalid",
                modify,
                Self::rename(&self.restored(), self.target),
                refused("InvalidParameterValue"),
            ),
            fails(
                "Promote",
                "Trapheus.ModifyFailed",
                modify,
                Self::rename(&self.restored(), self.target),
                ends_in("incompatible-network"),
            ),
        ]
    }

    /// Lets a restore fail while a client writes, and looks at everything afterwards.
    fn fails(&self, strategy: &str, failure: &Failure, round: usize) {
        if let Some((action, when, how)) = &failure.fault {
            self.fault(action, when, &Value::Null, how);
        }
        let home = self.home();
        let rows = self.rds.rows(self.target);
        let before = self.rds.snapshots().len();
        let note = format!("round {round}: ");
        let is_over = AtomicBool::new(false);
        let (ended, confirmed) = thread::scope(|scope| {
            let client = {
                let (is_over, rows, note) = (&is_over, rows.clone(), &note);
                scope.spawn(move || {
                    let mut confirmed = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        confirmed += i64::from(rows.try_write(note));
                    }
                    confirmed
                })
            };
            let arguments = ["restore", self.target, "--strategy", strategy];
            let ended = home.start_with(&arguments, failure.environment).wait();
            is_over.store(true, Ordering::Relaxed);
            (ended, client.join().expect("the client stops"))
        });
        self.clear_faults();
        let context = format!("{} of {}: {ended:#?}", failure.state, self.target);
        assert_eq!(ended.result["error"]["name"], failure.error, "{context}");
        assert_eq!(failed_in(&home), failure.state, "{context}");
        self.is_as_before(&ended, &context);
        assert!(confirmed > 0, "the client wrote nothing");
        assert!(rows.count(&note) >= confirmed, "{context}");
        assert_eq!(self.rds.snapshots().len(), before, "{context}");
    }

    /// Makes sure that the original answers at its name, and that nothing is left over.
    fn is_as_before(&self, ended: &Ended, context: &str) {
        assert_eq!(ended.code, Some(1), "{context}");
        assert_eq!(ended.result["status"], "FAILED", "{context}");
        assert_eq!(ended.result["leftOver"], json!([]), "{context}");
        assert_eq!(self.rds.names(self.target), [self.target], "{context}");
        self.is_untouched(context);
    }

    /// Makes sure that the original answers at its name, without any marks.
    fn is_untouched(&self, context: &str) {
        let original = self.rds.available(self.target);
        assert_eq!(
            original.dbi_resource_id(),
            Some(&*self.original),
            "{context}"
        );
        let tags: Vec<_> = original.tag_list().iter().map(|tag| tag.key()).collect();
        assert_eq!(tags, [Some("team")], "{context}");
        assert_eq!(original.deletion_protection(), Some(true), "{context}");
        let rows = self.rds.rows(self.target);
        assert_eq!(rows.count("after the snapshot"), 1, "{context}");
    }
}

/// The state that the newest execution left for RollBack.
fn failed_in(home: &Home) -> String {
    let execution = home.look().expect("there is an execution");
    let history = execution["history"].as_array().expect("it has a history");
    let entered = history
        .iter()
        .filter(|event| event["kind"] == "TaskStateEntered")
        .map(|event| event["state"].as_str().expect("states have names"))
        .collect::<Vec<_>>();
    let rolled_back = entered.iter().position(|state| *state == "RollBack");
    let rolled_back = rolled_back.unwrap_or_else(|| panic!("it went {entered:?}"));
    entered[rolled_back - 1].to_owned()
}

fn refused(code: &str) -> Value {
    json!({ "error": { "code": code, "status": 400 } })
}

/// Every failure one after the other on one database: each leaves it as it was.
fn fails_everywhere(strategy: &'static str, target: &'static str) {
    let local = LocalRds::up();
    let stage = Stage::build(&local, target);
    for (round, failure) in stage.failures(strategy).iter().enumerate() {
        stage.fails(strategy, failure, round);
    }
    local.down();
}

#[test]
fn swap_that_fails_leaves_the_original_at_its_name() {
    fails_everywhere("swap", "my-temp-db");
}

#[test]
fn in_place_that_fails_leaves_the_original_at_its_name() {
    fails_everywhere("in_place", "db-temperature");
}

#[test]
fn troubles_that_pass_only_cost_time() {
    let local = LocalRds::up();
    let stage = Stage::build(&local, "orders");
    let (target, restored, aside) = (stage.target, &stage.restored(), &stage.aside());
    let named = |name: &str| json!({ "DBInstanceIdentifier": name });
    let arms = |action, when: &Value, times: u64, effect: &str| {
        stage.fault(action, when, &json!(times), &json!(effect));
    };
    // More than one call's attempts.
    arms("RestoreDBInstanceFromDBSnapshot", &json!({}), 7, "throttle");
    arms("DescribeDBInstances", &named(restored), 3, "internal");
    for (action, when) in [
        ("CreateDBSnapshot", named(target)),
        ("RestoreDBInstanceFromDBSnapshot", named(restored)),
        ("ModifyDBInstance", named(restored)),
        ("ModifyDBInstance", Stage::rename(target, aside)),
        ("ModifyDBInstance", Stage::rename(restored, target)),
        ("ModifyDBInstance", named(aside)),
        ("DeleteDBInstance", named(aside)),
        ("DeleteDBSnapshot", json!({})),
        ("AddTagsToResource", json!({})),
    ] {
        arms(action, &when, 1, "lost_answer");
    }
    let at_start = stage.rds.rows(target).contents();
    let ended = stage.home().run(&["refresh", target]);
    assert_eq!(stage.faults(), json!([]), "they have all happened");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.result["status"], "SUCCEEDED");
    assert_eq!(ended.result["leftOver"], json!([]));
    assert_eq!(stage.rds.names(target), [target]);
    assert_ne!(stage.rds.resource_id(target), stage.original);
    assert_eq!(stage.rds.rows(target).contents(), at_start);
    assert_eq!(stage.rds.snapshots().len(), 1, "one has replaced the other");
    local.down();
}

#[test]
fn an_original_that_cannot_be_deleted_is_left_over() {
    let local = LocalRds::up();
    let stage = Stage::build(&local, "orders");
    let aside = stage.aside();
    let deletion = json!({ "DBInstanceIdentifier": aside });
    stage.refuse("DeleteDBInstance", &deletion, "AccessDenied");
    let ended = stage.home().run(&["restore", stage.target]);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert_eq!(ended.result["status"], "SUCCEEDED");
    let left_over = ended.result["leftOver"].to_string();
    assert!(left_over.contains(&aside), "{left_over}");
    assert!(left_over.contains(&stage.original), "{left_over}");
    let restored = stage.rds.rows(stage.target).contents();
    assert_eq!(restored, stage.at_snapshot);
    let original = stage.rds.available(&aside);
    assert_eq!(original.dbi_resource_id(), Some(&*stage.original));
    assert_eq!(original.deletion_protection(), Some(true), "as it was");
    local.down();
}

#[test]
fn a_roll_back_that_fails_says_what_to_type() {
    let local = LocalRds::up();
    let stage = Stage::build(&local, "orders");
    let (target, restored, aside) = (stage.target, &stage.restored(), &stage.aside());
    let rename = "ModifyDBInstance";
    stage.refuse(rename, &Stage::rename(restored, target), "AccessDenied");
    stage.refuse(rename, &Stage::rename(aside, target), "AccessDenied");
    let home = stage.home();
    let ended = home.run(&["restore", target]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert_eq!(ended.result["status"], "ROLLBACK_FAILED");
    assert_eq!(ended.result["error"]["name"], "Trapheus.RollbackFailed");

    stage.clear_faults();
    let remedy = ended.result["error"]["remedy"].as_array();
    let commands = remedy.expect("the report holds the commands");
    for command in commands {
        let words: Vec<&str> = command.as_str().expect("text").split(' ').collect();
        if words[..3] == ["aws", "rds", "modify-db-instance"] {
            let after = |flag: &str| {
                let flag = words.iter().position(|word| *word == flag);
                words[flag.expect("the command has the flag") + 1]
            };
            let rename = stage.rds.client.modify_db_instance();
            let rename = rename
                .db_instance_identifier(after("--db-instance-identifier"))
                .new_db_instance_identifier(after("--new-db-instance-identifier"))
                .apply_immediately(true);
            // A step that is done already is refused.
            let _answer = done(rename.send());
        }
    }
    assert_eq!(
        stage.rds.available(target).dbi_resource_id(),
        Some(&*stage.original)
    );
    local.down();
}

#[test]
fn a_restored_database_that_answered_at_the_name_is_kept() {
    let local = LocalRds::up();
    let stage = Stage::build(&local, "orders");
    let home = stage.home();
    // Plan, Restore, Configure, Prepare, Verify and MoveAside succeed; Promote has given the name away.
    kill_before_success(&home, &["restore", stage.target], 6, "Promote");
    let promoted = stage.rds.resource_id(stage.target);
    assert_ne!(promoted, stage.original);
    stage.fault(
        "DescribeDBInstances",
        &json!({}),
        &json!(1),
        &refused("AccessDenied"),
    );
    let ended = home.run(&["executions", "resume", "last"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(ended.result["status"], "FAILED");
    stage.is_untouched("after a failure in Promote");
    let names = stage.rds.names(stage.target);
    let [_, kept] = names.as_slice() else {
        panic!("two databases are expected: {names:?}");
    };
    assert_eq!(stage.rds.resource_id(kept), promoted);
    assert_eq!(stage.rds.rows(kept).contents(), stage.at_snapshot);
    let left_over = ended.result["leftOver"].to_string();
    assert!(
        left_over.contains(kept) && left_over.contains(&promoted),
        "{left_over}"
    );
    local.down();
}

#[test]
fn a_strangers_database_at_the_aside_name_is_not_touched() {
    let local = LocalRds::up();
    let stage = Stage::build(&local, "orders");
    let home = stage.home();
    kill_before_success(&home, &["restore", stage.target], 4, "Verify");
    stage.rds.create(&stage.aside()).fill();
    let stranger = stage.rds.resource_id(&stage.aside());
    let ended = home.run(&["executions", "resume", "last"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(ended.result["error"]["name"], "Trapheus.ForeignName");
    stage.is_untouched("beside a stranger");
    assert_eq!(
        stage.rds.names(stage.target),
        [stage.target, &stage.aside()]
    );
    assert_eq!(stage.rds.resource_id(&stage.aside()), stranger);
    assert_eq!(stage.rds.rows(&stage.aside()).contents().rows, 5000);
    local.down();
}

#[test]
fn a_snapshot_is_replaced_by_a_finished_one_only() {
    let local = LocalRds::up();
    let stage = Stage::build(&local, "a-snapshot");
    let old = format!("{}-snapshot", stage.target);
    let status = |name: &str| {
        let snapshots = stage.rds.snapshots().into_iter();
        let mut named =
            snapshots.filter(|snapshot| snapshot.db_snapshot_identifier() == Some(name));
        named.next().and_then(|snapshot| snapshot.status)
    };
    let fails = json!({ "ends_in": "failed" });
    stage.fault("CreateDBSnapshot", &json!({}), &json!(1), &fails);
    let home = stage.home();
    let failed = home.run(&["refresh", stage.target]);
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert_eq!(failed.result["error"]["name"], "Trapheus.SnapshotFailed");
    assert_eq!(status(&old).as_deref(), Some("available"));
    stage.is_untouched("after a failed snapshot");

    // The names of an execution's snapshots tell seconds apart.
    done(async { tokio::time::sleep(Duration::from_secs(1)).await });
    let made = home.run(&["snapshot", stage.target]);
    assert_eq!(made.code, Some(0), "{made:#?}");
    let new = made.result["snapshotIdentifier"].as_str().expect("a name");
    assert_eq!(status(new).as_deref(), Some("available"));
    assert_eq!(status(&old), None, "it has been replaced");
    local.down();
}

/// Starts an execution, and kills it when so many tasks have succeeded and the next one has, too,
/// but nothing durable says so.
fn kill_before_success(home: &Home, arguments: &[&str], successes: usize, state: &str) {
    let journal = Journal::of(home);
    journal.hold_after_successes(successes);
    let mut running = home.start(arguments);
    assert!(journal.is_held(&mut running), "it ended by itself");
    running.kill();
    journal.release();
    assert_eq!(home.state().as_deref(), Some(state));
}
