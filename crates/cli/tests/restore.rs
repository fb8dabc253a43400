//! Restores through the real binary, against real PostgreSQL, while a client writes.
//!
//! The client keeps its own log of what the database confirmed. Afterwards the database has
//! exactly what it had at the snapshot's instant, and what was written since the restored one
//! serves; everything else about it is as it was, and nothing is left over.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod database;
    pub(crate) mod document;
    pub(crate) mod http;
    pub(crate) mod instances;
    pub(crate) mod local;
    pub(crate) mod requests;
    pub(crate) mod run;
    pub(crate) mod trapheus;
    pub(crate) mod world;
    pub(crate) mod writer;
}

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_rds::types::{ApplyMethod, DbInstance, Parameter};
use common::database::Database;
use common::document::{assert_succeeded, assert_whole, text};
use common::instances::name_of;
use common::requests::Now;
use common::run::Ended;
use common::world::World;
use common::writer::{Moment, Writer};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::postgres::PgConnection;

/// A database with data, settings of its own and a client that writes to it.
struct Story {
    world: World,
    name: &'static str,
    original: DbInstance,
    database: Database,
    items: (i64, String),
    writer: Writer,
}

/// What happened around a snapshot: its data is of an instant between the two moments.
#[derive(Clone, Copy)]
struct Between {
    before: Moment,
    after: Moment,
}

impl Story {
    async fn begin(name: &'static str) -> Self {
        let world = World::shared();
        parameter_group(&world, name).await;
        let original = world
            .create(name, |request| request.db_parameter_group_name(name))
            .await;
        let database = Database::of(&original);
        database.fill(name).await;
        let items = database.items().await;
        let writer = Writer::start(database.clone());
        writer.writes_on().await;
        Self {
            world,
            name,
            original,
            database,
            items,
            writer,
        }
    }

    /// Runs a command to its end while the client writes.
    async fn run(&self, arguments: &[&str], code: i32) -> (Value, Between) {
        self.during(self.world.run(arguments), code).await
    }

    async fn during(&self, run: impl Future<Output = Ended>, code: i32) -> (Value, Between) {
        self.writer.writes_on().await;
        let before = self.writer.now();
        let ended = run.await;
        let after = self.writer.now();
        let document = ended.with_code(code);
        assert_whole(&document);
        assert_eq!(document["identifier"], self.name);
        self.writer.writes_on().await;
        (document, Between { before, after })
    }

    async fn snapshot(&self) -> Between {
        let (taken, between) = self.run(&["snapshot", self.name], 0).await;
        assert_succeeded(&taken);
        assert_eq!(taken["task"], "create_snapshot_only");
        assert_eq!(
            taken["snapshotIdentifier"],
            format!("{}-snapshot", self.name)
        );
        assert_eq!(taken["outageSeconds"], 0.0);
        between
    }

    /// A bad migration, which the restore has to undo.
    async fn damage(&self) {
        let sql = "DELETE FROM items WHERE id % 3 = 0; UPDATE items SET name = 'lost'";
        self.database.execute(sql).await;
        assert_ne!(self.database.items().await, self.items);
    }

    /// The restored database serves at the name: same endpoint, same configuration, another
    /// identity; and nothing else is there but what `others` names.
    async fn assert_restored(&self, result: &Value, others: &[&str]) {
        let instances = self.world.instances(self.name).await;
        let names: Vec<&str> = instances.iter().map(name_of).collect();
        assert_eq!(names, [&[self.name], others].concat(), "{result:#}");
        let restored = &instances[0];
        let marks = marks(restored);
        assert_eq!(configuration(restored), configuration(&self.original));
        assert_ne!(restored.dbi_resource_id, self.original.dbi_resource_id);
        assert_eq!(marks["trapheus:execution"], text(&result["executionId"]));
        assert_eq!(marks["trapheus:target"], self.name);
        assert_eq!(marks["trapheus:role"], "restored");
        assert_eq!(
            result["restoredResourceId"].as_str(),
            restored.dbi_resource_id()
        );
        assert_eq!(
            result["originalResourceId"].as_str(),
            self.original.dbi_resource_id()
        );
        self.assert_serves(result).await;
    }

    /// The endpoint is where it was, and the server behind it runs with the same parameters.
    async fn assert_serves(&self, result: &Value) {
        let endpoint = self.original.endpoint().expect("it has an endpoint");
        let expected = json!({ "address": endpoint.address(), "port": endpoint.port() });
        assert_eq!(result["endpoint"], expected);
        assert_eq!(parameter(&self.database, "work_mem").await, "16MB");
        assert_eq!(parameter(&self.database, "max_connections").await, "60");
    }

    /// The entries are those of the snapshot's instant and those since the restored database
    /// serves: all that were confirmed before `taken`, none from after it until the cutover, and
    /// all from the end of the restore on. In between, what is there is a beginning and an end.
    async fn assert_entries(&self, taken: Between, restored: Between) {
        let confirmed = self.writer.confirmed();
        let present = self.database.entries().await;
        let missing: Vec<i64> = confirmed.difference(&present).copied().collect();
        let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
            panic!("nothing was written between the snapshot and the cutover");
        };
        assert!(*first > taken.before.confirmed, "{first} was lost");
        assert!(*first <= taken.after.tried + 1, "{first} is too late");
        assert!(*last <= restored.after.tried, "{last} was lost");
        let survivors = confirmed
            .range(first..=last)
            .filter(|id| present.contains(id));
        assert_eq!(
            survivors.count(),
            0,
            "what is gone is no stretch of the log"
        );
    }

    #[expect(clippy::print_stderr, reason = "a figure for whoever reads the log")]
    fn tell_the_gap(&self, result: &Value) {
        let gap = self.writer.longest_gap().as_secs_f64();
        let outage = result["outageSeconds"].as_f64().expect("it was down");
        eprintln!(
            "{}: the client's longest gap was {gap:.3} s, the reported outage {outage:.3} s",
            self.name
        );
        assert!(outage > 0.0);
    }

    /// The calls in the result are the calls that RDS received.
    fn assert_calls(&self, result: &Value, since: Now) {
        let mut received = BTreeMap::<String, u64>::new();
        for action in self.world.changes_since(since, self.name) {
            *received.entry(action).or_default() += 1;
        }
        let calls = result["apiCalls"].as_object().expect("calls are counted");
        let looks = |name: &str| name.starts_with("Describe") || name.starts_with("List");
        let counted: BTreeMap<String, u64> = calls
            .iter()
            .filter(|(name, _)| !looks(name))
            .map(|(name, count)| (name.clone(), count.as_u64().expect("a number")))
            .collect();
        assert_eq!(counted, received);
        assert!(calls.keys().any(|name| looks(name)), "{calls:?}");
    }
}

/// A group of parameters that reach the server.
async fn parameter_group(world: &World, name: &str) {
    let versions = world
        .rds
        .describe_db_engine_versions()
        .engine("postgres")
        .default_only(true)
        .send()
        .await
        .expect("versions can be described");
    let family = versions.db_engine_versions()[0]
        .db_parameter_group_family()
        .expect("a version has a family");
    world
        .rds
        .create_db_parameter_group()
        .db_parameter_group_name(name)
        .db_parameter_group_family(family)
        .description("what the story's database needs")
        .send()
        .await
        .expect("a parameter group can be made");
    let set = |name: &str, value: &str| {
        Parameter::builder()
            .parameter_name(name)
            .parameter_value(value)
            .apply_method(ApplyMethod::PendingReboot)
            .build()
    };
    world
        .rds
        .modify_db_parameter_group()
        .db_parameter_group_name(name)
        .parameters(set("work_mem", "16384"))
        .parameters(set("max_connections", "60"))
        .send()
        .await
        .expect("parameters can be set");
}

/// A server's own word on one of its parameters.
async fn parameter(database: &Database, name: &str) -> String {
    let mut connection = PgConnection::connect_with(&database.options)
        .await
        .expect("the database takes the login");
    sqlx::query_scalar("SELECT current_setting($1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .expect("a parameter can be shown")
}

/// Everything that a restore has to keep: all but what is new by nature and Trapheus's own marks.
fn configuration(instance: &DbInstance) -> DbInstance {
    let mut configuration = instance.clone();
    configuration.dbi_resource_id = None;
    configuration.instance_create_time = None;
    configuration.latest_restorable_time = None;
    let tags = configuration.tag_list.get_or_insert_default();
    tags.retain(|tag| !tag.key().is_some_and(|key| key.starts_with("trapheus:")));
    configuration
}

/// The marks that Trapheus put on a database.
fn marks(instance: &DbInstance) -> BTreeMap<&str, &str> {
    let tags = instance.tag_list().iter();
    let tags = tags.filter_map(|tag| Some((tag.key()?, tag.value()?)));
    tags.filter(|(key, _)| key.starts_with("trapheus:"))
        .collect()
}

#[tokio::test]
async fn swap_puts_back_the_snapshots_instant() {
    snapshot_damage_restore("swap-shop", "swap").await;
}

#[tokio::test]
async fn in_place_puts_back_the_snapshots_instant() {
    snapshot_damage_restore("in-place-shop", "in_place").await;
}

async fn snapshot_damage_restore(name: &'static str, strategy: &str) {
    let story = Story::begin(name).await;
    let taken = story.snapshot().await;
    story.damage().await;
    let since = story.world.now();
    let (result, restored) = story
        .run(&["restore", name, "--strategy", strategy], 0)
        .await;
    assert_succeeded(&result);
    assert_eq!(result["task"], "db_restore");
    assert_eq!(result["strategy"], strategy);
    story.assert_restored(&result, &[]).await;
    story.assert_calls(&result, since);
    assert_eq!(story.database.items().await, story.items);
    story.assert_entries(taken, restored).await;
    let snapshots = snapshot_names(&story.world, name).await;
    assert_eq!(snapshots, [format!("{name}-snapshot")]);
    story.tell_the_gap(&result);
}

async fn snapshot_names(world: &World, source: &str) -> Vec<String> {
    let snapshots = world.snapshots(source).await;
    let name = |snapshot: &aws_sdk_rds::types::DbSnapshot| {
        let name = snapshot.db_snapshot_identifier();
        name.expect("every snapshot has a name").to_owned()
    };
    snapshots.iter().map(name).collect()
}

#[tokio::test]
async fn refresh_restores_the_instant_of_a_new_snapshot() {
    let name = "refresh-shop";
    let story = Story::begin(name).await;
    let (result, during) = story.run(&["refresh", name], 0).await;
    assert_succeeded(&result);
    assert_eq!(result["task"], "create_snapshot");
    assert_eq!(result["snapshotIdentifier"], format!("{name}-snapshot"));
    story.assert_restored(&result, &[]).await;
    assert_eq!(story.database.items().await, story.items);
    story.assert_entries(during, during).await;
    story.tell_the_gap(&result);
}

#[tokio::test]
async fn as_many_snapshots_stay_as_are_asked_for() {
    let name = "snapshot-shop";
    let story = Story::begin(name).await;
    story.world.take_snapshot(name, "somebody-elses").await;
    let mut taken = Vec::new();
    for keep in ["1", "2", "2"] {
        let (result, _) = story
            .run(&["snapshot", name, "--keep-snapshots", keep], 0)
            .await;
        assert_succeeded(&result);
        taken.push(text(&result["snapshotIdentifier"]).to_owned());
    }
    assert_eq!(taken[0], format!("{name}-snapshot"));
    let expected = ["somebody-elses", &taken[1], &taken[2]];
    assert_eq!(snapshot_names(&story.world, name).await, expected);
    let (last, _) = story.run(&["snapshot", name], 0).await;
    let expected = ["somebody-elses", text(&last["snapshotIdentifier"])];
    assert_eq!(snapshot_names(&story.world, name).await, expected);
}

#[tokio::test]
async fn a_kept_original_is_swapped_back_with_all_its_rows() {
    let name = "kept-shop";
    let aside = "kept-shop-temp";
    let story = Story::begin(name).await;
    story.snapshot().await;
    let (kept, during) = story
        .run(&["restore", name, "--keep-original", "1h"], 0)
        .await;
    assert_eq!(kept["status"], "KEEPING_ORIGINAL");
    assert_eq!(kept["finishedAt"], Value::Null);
    story.assert_restored(&kept, &[aside]).await;
    let original = story.world.settled(aside, "available").await;
    let execution = text(&kept["executionId"]);
    assert_eq!(original.dbi_resource_id, story.original.dbi_resource_id);
    assert_eq!(marks(&original)["trapheus:execution"], execution);
    assert_eq!(marks(&original)["trapheus:role"], "original");

    let (back, _) = story.run(&["rollback", execution], 5).await;
    assert_eq!(back["status"], "SUCCEEDED");
    assert_eq!(back["task"], "rollback");
    let instance = story.world.settled(name, "available").await;
    assert_eq!(instance.dbi_resource_id, story.original.dbi_resource_id);
    assert_eq!(configuration(&instance), configuration(&story.original));
    assert_eq!(marks(&instance), BTreeMap::new());
    story.assert_serves(&back).await;
    // The original has everything that it confirmed before it left the name. What is confirmed after
    // the first of these lines is in nobody's way.
    let confirmed = story.writer.confirmed();
    let entries = story.database.entries().await;
    assert!(
        confirmed
            .range(..=during.before.confirmed)
            .all(|id| entries.contains(id))
    );
    // The restored database has answered at the name: nobody may delete what clients wrote to it.
    let instances = story.world.instances(name).await;
    let [_, restored] = instances.as_slice() else {
        panic!("one database is aside: {instances:?}");
    };
    assert_eq!(
        kept["restoredResourceId"].as_str(),
        restored.dbi_resource_id()
    );
    assert!(back["leftOver"].to_string().contains(name_of(restored)));
    let theirs = Database::of(restored).entries().await;
    let written_since = confirmed.difference(&entries).collect::<Vec<_>>();
    assert!(!written_since.is_empty());
    assert!(written_since.iter().all(|id| theirs.contains(id)));
    story.tell_the_gap(&back);
}

#[tokio::test]
async fn a_database_that_is_gone_altogether_comes_back_as_it_was() {
    let name = "gone-shop";
    let story = Story::begin(name).await;
    story.snapshot().await;
    let unprotect = story.world.rds.modify_db_instance();
    let unprotect = unprotect
        .db_instance_identifier(name)
        .deletion_protection(false);
    let unprotected = unprotect.apply_immediately(true).send().await;
    unprotected.expect("the protection can be taken off");
    story.world.settled(name, "available").await;
    let delete = story.world.rds.delete_db_instance();
    let delete = delete
        .db_instance_identifier(name)
        .skip_final_snapshot(true);
    delete.send().await.expect("it can be deleted");
    while !story.world.instances(name).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let restore = ["restore", name, "--create-if-missing"];
    let result = story.world.run(&restore).await.with_code(0);
    assert_succeeded(&result);
    let instances = story.world.instances(name).await;
    let [made] = instances.as_slice() else {
        panic!("there is more than one database: {instances:?}");
    };
    assert_ne!(made.dbi_resource_id, story.original.dbi_resource_id);
    assert_eq!(configuration(made), configuration(&story.original));
    assert_eq!(story.database.items().await, story.items);
    story.assert_serves(&result).await;
    story.writer.writes_on().await;
}

#[tokio::test]
async fn an_original_whose_time_is_over_goes_when_its_execution_is_resumed() {
    let name = "resumed-shop";
    let story = Story::begin(name).await;
    story.snapshot().await;
    let (kept, _) = story
        .run(&["restore", name, "--keep-original", "1s"], 0)
        .await;
    assert_eq!(kept["status"], "KEEPING_ORIGINAL");
    story.assert_restored(&kept, &["resumed-shop-temp"]).await;
    let execution = text(&kept["executionId"]);
    let resume = ["executions", "resume", execution, "--wait"];
    let (result, _) = story.run(&resume, 0).await;
    assert_succeeded(&result);
    assert_eq!(result["executionId"], kept["executionId"]);
    story.assert_restored(&result, &[]).await;
}

#[tokio::test]
async fn one_database_gets_anothers_data_and_stays_what_it_is() {
    let source = Story::begin("production").await;
    let target = Story::begin("staging").await;
    assert_ne!(source.items, target.items);
    source.snapshot().await;
    // Its first backup may be made at any time.
    let settled = async || {
        let mut shown = source.world.settled("production", "available").await;
        shown.latest_restorable_time = None;
        shown
    };
    let before = settled().await;
    let arguments = ["restore", "staging", "--from", "production"];
    let (result, _) = target.run(&arguments, 0).await;
    assert_succeeded(&result);
    assert_eq!(result["snapshotIdentifier"], "production-snapshot");
    target.assert_restored(&result, &[]).await;
    assert_eq!(target.database.items().await, source.items);
    assert_eq!(settled().await, before);
    assert_eq!(source.world.instances("production").await.len(), 1);
    let snapshots = snapshot_names(&source.world, "production").await;
    assert_eq!(snapshots, ["production-snapshot"]);
}

#[tokio::test]
async fn the_python_tools_input_is_valid_as_it_stands() {
    let name = "python-shop";
    let story = Story::begin(name).await;
    let taken = story.snapshot().await;
    story.damage().await;
    let document =
        format!(r#"{{"identifier": "{name}", "task": "db_restore", "isCluster": false}}"#);
    let arguments = ["start", "--input", "-"];
    let run = story.world.run_with(&arguments, &document);
    let (result, restored) = story.during(run, 0).await;
    assert_succeeded(&result);
    story.assert_restored(&result, &[]).await;
    assert_eq!(story.database.items().await, story.items);
    story.assert_entries(taken, restored).await;
}
