//! What is refused, and what is not: before anything has changed, with a word of what to do.
//!
//! The proof is local RDS's log of requests: not even an attempt at a change is in it.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod database;
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

use std::fs;
use std::process::Stdio;

use aws_sdk_rds::types::DbInstance;
use common::database::Database;
use common::instances::name_of;
use common::redact::redacted;
use common::run::Ended;
use common::world::World;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::process::Child;

impl World {
    /// Runs a command that has to be refused, and returns what a person is told. Nothing that
    /// has `name` in its own was touched.
    async fn refused(&self, name: &str, arguments: &[&str]) -> String {
        self.refused_with(name, arguments, "").await
    }

    /// The same for an input document.
    async fn refused_input(&self, name: &str, document: &Value) -> String {
        let arguments = ["start", "--input", "-"];
        self.refused_with(name, &arguments, &document.to_string())
            .await
    }

    async fn refused_with(&self, name: &str, arguments: &[&str], input: &str) -> String {
        let since = self.now();
        let for_people = [arguments, &["--output", "text", "--quiet"]].concat();
        let ended = self.run_with(&for_people, input).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:#?}");
        let changes = self.changes_since(since, name);
        assert!(changes.is_empty(), "{arguments:?}: {changes:?}");
        told(&ended)
    }

    /// A database without a server behind it: enough to have a name, a snapshot and an engine.
    async fn create_mysql(&self, name: &str) -> DbInstance {
        self.create(name, |request| request.engine("mysql")).await
    }

    /// A database with data and a snapshot of it.
    async fn create_with_snapshot(&self, name: &str) -> DbInstance {
        let instance = self.create(name, |request| request).await;
        let snapshot = format!("{}-snapshot", name_of(&instance));
        self.take_snapshot(name_of(&instance), &snapshot).await;
        instance
    }
}

/// What a person reads, without the figures below it.
fn told(ended: &Ended) -> String {
    let whole = redacted(&format!("{}{}", ended.stdout, ended.stderr));
    let lines = whole.lines().filter(|line| !line.starts_with("  "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn an_input_that_nobody_can_understand() {
    let world = World::shared();
    let name = "misread-shop";
    world.create_mysql(name).await;
    let input = |key: &str, value: &str| {
        let mut input = json!({ "identifier": name, "task": "db_restore" });
        input[key] = json!(value);
        input
    };
    let mut told = Vec::new();
    for document in [
        input("task", "snapshot_only"),
        input("task", "create-snapshot-only"),
        input("task", ""),
        json!({ "identifier": name }),
        json!({ "task": "db_restore" }),
        input("keepOrignal", "24h"),
        input("snapshotIdentifer", "a-snapshot"),
        input("allowlost", "Tags"),
        input("identifier", "no_underscores"),
        input("identifier", "two--hyphens"),
        input("strategy", "in-place"),
        input("keepOriginal", "for a while"),
        input("restoreTime", "yesterday"),
        input("prepare", "mask.sql"),
        json!([name]),
    ] {
        told.push(world.refused_input(name, &document).await);
    }
    told.push(
        world
            .refused_with(name, &["start", "--input", "-"], "{")
            .await,
    );
    let told = told.concat();
    assert_snapshot!(told, @r#"
    error: the input is refused: `task` must be one of `db_restore`, `create_snapshot`, `create_snapshot_only`, `restore_rds_in_target_accounts`, `rollback`, not "snapshot_only"
    error: the input is refused: `task` must be one of `db_restore`, `create_snapshot`, `create_snapshot_only`, `restore_rds_in_target_accounts`, `rollback`, not "create-snapshot-only"
    error: the input is refused: `task` must be one of `db_restore`, `create_snapshot`, `create_snapshot_only`, `restore_rds_in_target_accounts`, `rollback`, not ""
    error: the input is refused: `task` is missing
    error: the input is refused: `identifier` is missing
    error: the input is refused: unknown key `keepOrignal`; did you mean `keepOriginal`?
    error: the input is refused: unknown key `snapshotIdentifer`; did you mean `snapshotIdentifier`?
    error: the input is refused: unknown key `allowlost`; did you mean `allowLost`?
    error: the input is refused: `identifier` is no name that RDS takes: `no_underscores` is not a DB identifier: it contains `_`; only letters, digits and hyphens are allowed
    error: the input is refused: `identifier` is no name that RDS takes: `two--hyphens` is not a DB identifier: it must not contain two hyphens in a row
    error: the input is refused: `strategy` must be `swap` or `in_place`, not "in-place"
    error: the input is refused: `keepOriginal` must be a number of seconds or a duration such as `24h`, not "for a while"
    error: the input is refused: `restoreTime` must be `latest` or a time such as `[time]`, not "yesterday"
    error: the input is refused: `prepare` must be {"sql": ["…"], "database": "…", "requireMasked": ["…"], "quarantine": true}, not what is there
    error: the input is refused: the input must be a JSON object
    error: - is not JSON: EOF while parsing an object at line 1 column 1

    hint: the smallest document is {"identifier": "orders", "task": "db_restore"}
    "#);
}

#[tokio::test]
async fn a_target_that_is_not_what_it_is_said_to_be() {
    let world = World::shared();
    let name = "mistaken-shop";
    world.create_mysql(name).await;
    let document = json!({ "identifier": name, "task": "db_restore", "isCluster": true });
    let told = world.refused_input(name, &document).await;
    assert_snapshot!(told, @"mistaken-shop was not restored: Trapheus.Refused: mistaken-shop is no cluster, and `isCluster` says that it is one");
    let told = world
        .refused("nobodys-shop", &["restore", "nobodys-shop"])
        .await;
    assert_snapshot!(told, @r#"nobodys-shop was not restored: Trapheus.Refused: there is no database nobodys-shop in this account and Region; to make one: "createIfMissing": true"#);
    let document = json!({ "identifier": "nobodys-shop", "task": "create_snapshot_only" });
    let told = world.refused_input("nobodys-shop", &document).await;
    assert_snapshot!(told, @"nobodys-shop was not restored: Trapheus.Refused: there is no database nobodys-shop in this account and Region");
}

#[tokio::test]
async fn a_snapshot_that_is_not_the_targets() {
    let world = World::shared();
    let name = "unsaved-shop";
    world.create(name, |request| request).await;
    let told = world.refused(name, &["restore", name]).await;
    assert_snapshot!(told, @"unsaved-shop was not restored: Trapheus.Refused: snapshot: there is no snapshot unsaved-shop-snapshot or one that Trapheus made of unsaved-shop");
    let told = world
        .refused(name, &["restore", name, "--snapshot", "nowhere"])
        .await;
    assert_snapshot!(told, @"unsaved-shop was not restored: Trapheus.Refused: snapshot: there is no snapshot nowhere");
    let told = world
        .refused(name, &["restore", name, "--snapshot", "latest"])
        .await;
    assert_snapshot!(told, @"unsaved-shop was not restored: Trapheus.Refused: snapshot: there is no usable snapshot of unsaved-shop");

    // Somebody took a snapshot of another database under the name that is looked for.
    let other = "unrelated";
    world.create(other, |request| request).await;
    world.take_snapshot(other, "unsaved-shop-snapshot").await;
    let told = world.refused(name, &["restore", name]).await;
    assert_snapshot!(told, @r#"unsaved-shop was not restored: Trapheus.Refused: snapshot: there is no snapshot unsaved-shop-snapshot or one that Trapheus made of unsaved-shop; unsaved-shop-snapshot was taken from unrelated, and to use its data, say so: "sourceIdentifier": "unrelated", "snapshotIdentifier": "unsaved-shop-snapshot""#);
    let told = world
        .refused(
            name,
            &["restore", name, "--snapshot", "unsaved-shop-snapshot"],
        )
        .await;
    assert_snapshot!(told, @r#"unsaved-shop was not restored: Trapheus.Refused: snapshot's source: unsaved-shop-snapshot was taken from unrelated, not from unsaved-shop; if its data is meant, say so: "sourceIdentifier": "unrelated""#);

    let other = "unsaved-mysql";
    world.create_mysql(other).await;
    world.take_snapshot(other, "unsaved-mysql-snapshot").await;
    let told = world
        .refused(name, &["restore", name, "--from", other])
        .await;
    assert_snapshot!(told, @"unsaved-shop was not restored: Trapheus.Refused: engine: unsaved-mysql-snapshot is of mysql, and unsaved-shop is postgres");
}

#[tokio::test]
async fn a_target_that_is_not_available() {
    let world = World::shared();
    let name = "stopped-shop";
    world.create_with_snapshot(name).await;
    let stop = world.rds.stop_db_instance().db_instance_identifier(name);
    stop.send().await.expect("a database can be stopped");
    world.settled(name, "stopped").await;
    let mut told = String::new();
    for command in ["restore", "refresh", "snapshot"] {
        told += &world.refused(name, &[command, name]).await;
    }
    assert_snapshot!(told, @"
    stopped-shop was not restored: Trapheus.Refused: status: stopped-shop is stopped; it must be available
    stopped-shop was not restored: Trapheus.Refused: status: stopped-shop is stopped; it must be available
    stopped-shop was not restored: Trapheus.Refused: status: stopped-shop is stopped; it must be available
    ");
}

#[tokio::test]
async fn a_name_that_somebody_else_has() {
    let world = World::shared();
    let name = "crowded-shop";
    world.create_with_snapshot(name).await;
    for stranger in ["crowded-shop-temp", "crowded-shop-trapheus-new"] {
        let before = world.create_mysql(stranger).await;
        for strategy in ["swap", "in_place"] {
            let arguments = ["restore", name, "--strategy", strategy];
            let told = world.refused(name, &arguments).await;
            let expected = format!("name {stranger}: a database of this name exists");
            assert!(told.contains(&expected), "{told}");
        }
        assert_eq!(world.instance(stranger).await, Some(before));
    }
    let told = world.refused(name, &["restore", name]).await;
    assert_snapshot!(told, @"crowded-shop was not restored: Trapheus.Refused: name crowded-shop-trapheus-new: a database of this name exists ([resource]), and Trapheus did not make it; name crowded-shop-temp: a database of this name exists ([resource]), and Trapheus did not make it");
}

#[tokio::test]
async fn a_protected_target_that_was_not_confirmed() {
    let world = World::shared();
    let settings = r#"protect = ["prod-*", "tag:team=shop"]"#;
    fs::write(world.home.path().join("trapheus.toml"), settings).expect("settings can be written");
    let mut told = String::new();
    for name in ["prod-shop", "tagged-shop"] {
        world.create_mysql(name).await;
        told += &world.refused(name, &["restore", name]).await;
        let wrong = ["restore", name, "--confirm", "another-shop"];
        told += &world.refused(name, &wrong).await;
    }
    assert_snapshot!(told, @r#"
    error: prod-shop is protected by "prod-*" and was not confirmed

    hint: pass --confirm prod-shop
    error: prod-shop is protected by "prod-*" and was not confirmed

    hint: pass --confirm prod-shop
    error: tagged-shop is protected by "tag:team=shop" and was not confirmed

    hint: pass --confirm tagged-shop
    error: tagged-shop is protected by "tag:team=shop" and was not confirmed

    hint: pass --confirm tagged-shop
    "#);
    // Confirmed, it gets as far as any other.
    let told = world
        .refused(
            "prod-shop",
            &["restore", "prod-shop", "--confirm", "PROD-shop"],
        )
        .await;
    assert!(told.contains("there is no snapshot"), "{told}");
}

/// Lets a held restore go on to its end.
async fn finish(world: &World, held: Child) -> Ended {
    world.let_go();
    Ended::of(held.wait_with_output().await.expect("it ends"))
}

#[tokio::test]
async fn a_second_restore_while_the_first_is_about_to_swap() {
    let world = World::alone();
    let name = "twice-shop";
    world.create_with_snapshot(name).await;
    let arguments = ["restore", name];
    let (rename, to) = ("ModifyDBInstance", "NewDBInstanceIdentifier");
    let first = world
        .start_held(&arguments, rename, to, "twice-shop-temp")
        .await;
    let told = refused_beside(&world, name, &["restore", name]).await;
    assert_snapshot!(told, @"twice-shop was not restored: Trapheus.Refused: one at a time: twice-shop is being restored by execution [execution]; wait for it or, in the home that it was started in, go on with it (trapheus executions resume [execution]) or undo it (trapheus rollback [execution]); if its home is lost, take its mark off: aws rds remove-tags-from-resource --resource-name arn:aws:rds:us-east-1:123456789012:db:twice-shop --tag-keys trapheus:execution trapheus:role; name twice-shop-trapheus-new: execution [execution] is at work on the target; wait for it or, in the home that it was started in, go on with it (trapheus executions resume [execution]) or undo it (trapheus rollback [execution]); if its home is lost, delete twice-shop-trapheus-new yourself");
    let told = refused_beside(&world, name, &["restore", name, "--strategy", "in_place"]).await;
    assert_snapshot!(told, @"twice-shop was not restored: Trapheus.Refused: one at a time: twice-shop is being restored by execution [execution]; wait for it or, in the home that it was started in, go on with it (trapheus executions resume [execution]) or undo it (trapheus rollback [execution]); if its home is lost, take its mark off: aws rds remove-tags-from-resource --resource-name arn:aws:rds:us-east-1:123456789012:db:twice-shop --tag-keys trapheus:execution trapheus:role; name twice-shop-trapheus-new: execution [execution] is at work on the target; wait for it or, in the home that it was started in, go on with it (trapheus executions resume [execution]) or undo it (trapheus rollback [execution]); if its home is lost, delete twice-shop-trapheus-new yourself");
    assert_restored(&world, name, finish(&world, first).await).await;
}

#[tokio::test]
async fn a_second_restore_while_the_first_restores_in_place() {
    let world = World::alone();
    let name = "in-place-twice";
    world.create_with_snapshot(name).await;
    let arguments = ["restore", name, "--strategy", "in_place"];
    let (rename, to) = ("ModifyDBInstance", "NewDBInstanceIdentifier");
    let first = world
        .start_held(&arguments, rename, to, "in-place-twice-temp")
        .await;
    let told = refused_beside(&world, name, &arguments).await;
    assert_snapshot!(told, @"in-place-twice was not restored: Trapheus.Refused: one at a time: in-place-twice is being restored by execution [execution]; wait for it or, in the home that it was started in, go on with it (trapheus executions resume [execution]) or undo it (trapheus rollback [execution]); if its home is lost, take its mark off: aws rds remove-tags-from-resource --resource-name arn:aws:rds:us-east-1:123456789012:db:in-place-twice --tag-keys trapheus:execution trapheus:role");
    assert_restored(&world, name, finish(&world, first).await).await;

    let (restore, from) = ("RestoreDBInstanceFromDBSnapshot", "DBInstanceIdentifier");
    let first = world
        .start_held(&arguments, restore, from, "in-place-twice-trapheus-new")
        .await;
    let told = refused_beside(&world, name, &arguments).await;
    assert_snapshot!(told, @"in-place-twice was not restored: Trapheus.Refused: in-place-twice is being restored by another execution, [execution], which has moved the original to in-place-twice-temp; if nobody is at work on it any more: trapheus executions resume [execution]");
    assert_restored(&world, name, finish(&world, first).await).await;
}

/// A run that is refused while another one keeps trying: what that one tries is known, and
/// everything else would be this one's.
async fn refused_beside(world: &World, name: &str, arguments: &[&str]) -> String {
    let home = tempfile::TempDir::new().expect("there is room for a temporary directory");
    let since = world.now();
    let for_people = [arguments, &["--output", "text", "--quiet", "--home"]].concat();
    let output = world
        .trapheus(&for_people)
        .arg(home.path())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("trapheus starts");
    let ended = Ended::of(output);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let mut changes = world.changes_since(since, name);
    // The first one's attempts, all of which are refused.
    changes.dedup();
    assert!(changes.len() <= 1, "{changes:?}");
    told(&ended)
}

async fn assert_restored(world: &World, name: &str, ended: Ended) {
    let result = ended.with_code(0);
    assert_eq!(result["status"], "SUCCEEDED", "{result:#}");
    let instances = world.instances(name).await;
    let names: Vec<&str> = instances.iter().map(name_of).collect();
    assert_eq!(names, [name]);
    assert_eq!(
        result["restoredResourceId"].as_str(),
        instances[0].dbi_resource_id()
    );
}

#[tokio::test]
async fn names_with_the_words_of_the_python_tool_are_ordinary() {
    restore_by_name("my-temp-db").await;
    restore_by_name("a-snapshot").await;
}

#[tokio::test]
async fn a_name_of_63_characters_is_restored() {
    for last in ["1", "2"] {
        let name = "longer".repeat(10) + "-" + last + "x";
        assert_eq!(name.len(), 63);
        restore_by_name(&name).await;
    }
}

#[tokio::test]
async fn upper_case_is_the_same_name() {
    restore_by_name("Upper-Case-SHOP").await;
}

/// A whole restore: damaged data comes back, and nothing else is there afterwards.
async fn restore_by_name(name: &str) {
    let world = World::shared();
    let instance = world.create(name, |request| request).await;
    let database = Database::of(&instance);
    database.fill(name).await;
    let items = database.items().await;
    world.run(&["snapshot", name]).await.with_code(0);
    database.execute("DELETE FROM items").await;
    let ended = world.run(&["restore", name]).await;
    assert_restored(&world, &name.to_lowercase(), ended).await;
    assert_eq!(database.items().await, items);
}
