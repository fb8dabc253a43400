//! Restores through the real binary, against real MariaDB, while a client writes: what
//! `restore.rs` tells of PostgreSQL, as far as it depends on the server.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod instances;
    pub(crate) mod local;
    pub(crate) mod run;
    pub(crate) mod trapheus;
    pub(crate) mod world;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_sdk_rds::types::{ApplyMethod, DbInstance, Parameter};
use common::instances::{DATABASE, PASSWORD, USER, name_of};
use common::world::World;
use serde_json::{Value, json};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// A database of an engine that MariaDB serves, with rows and a client that adds some.
struct Story {
    world: World,
    name: &'static str,
    original: DbInstance,
    items: String,
    writer: Writer,
}

impl Story {
    async fn begin(engine: &str, name: &'static str) -> Self {
        let world = World::shared();
        parameter_group(&world, engine, name).await;
        let original = world
            .create(name, |request| {
                request.engine(engine).db_parameter_group_name(name)
            })
            .await;
        let login = login(&original);
        execute(
            &login,
            "CREATE TABLE items SELECT seq AS id, MD5(seq) AS name FROM seq_1_to_5000;
             CREATE INDEX items_by_name ON items (name);
             CREATE TABLE entries (id bigint PRIMARY KEY)",
        )
        .await;
        let items = ask(&login, ITEMS).await;
        let writer = Writer::start(login);
        writer.writes_on().await;
        Self {
            world,
            name,
            original,
            items,
            writer,
        }
    }

    /// Runs a command that logs in to verify.
    async fn run(&self, arguments: &[&str]) -> Value {
        let output = self
            .world
            .trapheus(arguments)
            .env("TRAPHEUS_VERIFY_PASSWORD", PASSWORD)
            .output()
            .await
            .expect("trapheus starts");
        let document = common::run::Ended::of(output).with_code(0);
        assert_eq!(document["status"], "SUCCEEDED", "{document:#}");
        assert_eq!(document["leftOver"], json!([]));
        document
    }

    /// The restored database serves the snapshot's rows at the name, with the settings of the original, and is alone.
    async fn assert_restored(&self, result: &Value) {
        let instances = self.world.instances(self.name).await;
        let names: Vec<&str> = instances.iter().map(name_of).collect();
        assert_eq!(names, [self.name], "{result:#}");
        let restored = &instances[0];
        assert_ne!(restored.dbi_resource_id, self.original.dbi_resource_id);
        assert_eq!(restored.endpoint, self.original.endpoint);
        assert_eq!(restored.engine_version, self.original.engine_version);
        let fidelity = &result["fidelity"];
        assert_eq!(fidelity["lost"], json!([]));
        assert_eq!(fidelity["kept"], fidelity["compared"]);
        let login = login(restored);
        assert_eq!(ask(&login, ITEMS).await, self.items);
        assert_eq!(ask(&login, "SELECT @@max_connections").await, "61");
        assert_eq!(ask(&login, "SELECT @@back_log").await, "77");
        let history = self.history(result).await;
        assert!(history.contains(r#""proof":"login""#), "{history}");
    }

    async fn history(&self, result: &Value) -> String {
        let execution = result["executionId"].as_str().expect("it has an id");
        let arguments = ["executions", "show", execution, "--history"];
        let shown = self.world.run(&arguments).await;
        shown.stdout.replace(": ", ":")
    }
}

/// Independent of the order of the rows.
const ITEMS: &str = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, name)))) FROM items";

/// A group of parameters that reach the server, one of them by a restart.
async fn parameter_group(world: &World, engine: &str, name: &str) {
    let versions = world
        .rds
        .describe_db_engine_versions()
        .engine(engine)
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
        .parameters(set("max_connections", "61"))
        .parameters(set("back_log", "77"))
        .send()
        .await
        .expect("parameters can be set");
}

fn login(instance: &DbInstance) -> MySqlConnectOptions {
    let endpoint = instance.endpoint().expect("it has an endpoint");
    let port = endpoint.port().expect("an endpoint has a port");
    MySqlConnectOptions::new()
        .host(endpoint.address().expect("an endpoint has an address"))
        .port(port.try_into().expect("a port has 16 bits"))
        .username(USER)
        .password(PASSWORD)
        .database(DATABASE)
        .ssl_mode(MySqlSslMode::Disabled)
        .disable_statement_logging()
}

async fn connect(login: &MySqlConnectOptions) -> MySqlConnection {
    MySqlConnection::connect_with(login)
        .await
        .expect("the database takes the login")
}

async fn execute(login: &MySqlConnectOptions, sql: &'static str) {
    sqlx::raw_sql(sql)
        .execute(&mut connect(login).await)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// One value, as text.
async fn ask(login: &MySqlConnectOptions, question: &'static str) -> String {
    sqlx::raw_sql(question)
        .fetch_one(&mut connect(login).await)
        .await
        .and_then(|row| row.try_get_unchecked(0))
        .unwrap_or_else(|error| panic!("{question}: {error}"))
}

/// A client that adds one entry after the other, and connects again when it is disconnected.
struct Writer {
    confirmed: Arc<AtomicI64>,
    work: JoinHandle<()>,
}

impl Writer {
    fn start(login: MySqlConnectOptions) -> Self {
        let confirmed = Arc::<AtomicI64>::default();
        let last = Arc::clone(&confirmed);
        let work = tokio::spawn(async move {
            let mut entry = 0;
            loop {
                if let Ok(mut connection) = MySqlConnection::connect_with(&login).await {
                    loop {
                        entry += 1;
                        let insert = sqlx::query("INSERT INTO entries VALUES (?)").bind(entry);
                        if insert.execute(&mut connection).await.is_err() {
                            break;
                        }
                        last.store(entry, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self { confirmed, work }
    }

    fn confirmed(&self) -> i64 {
        self.confirmed.load(Ordering::SeqCst)
    }

    /// Waits until the database has confirmed some more entries from now on.
    async fn writes_on(&self) {
        let enough = self.confirmed() + 20;
        while self.confirmed() < enough {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.work.abort();
    }
}

#[tokio::test]
async fn swap_puts_back_the_snapshots_instant() {
    snapshot_damage_restore("mariadb", "maria-swap", "swap").await;
}

#[tokio::test]
async fn in_place_puts_back_the_snapshots_instant() {
    snapshot_damage_restore("mariadb", "maria-in-place", "in_place").await;
}

/// MariaDB stands in for MySQL.
#[tokio::test]
async fn a_database_of_mysql_is_put_back_too() {
    snapshot_damage_restore("mysql", "mysql-swap", "swap").await;
}

async fn snapshot_damage_restore(engine: &str, name: &'static str, strategy: &str) {
    let story = Story::begin(engine, name).await;
    let before = story.writer.confirmed();
    let snapshot = format!("{name}-snapshot");
    story.world.take_snapshot(name, &snapshot).await;
    let after = story.writer.confirmed();
    let login = login(&story.original);
    let damage = "DELETE FROM items WHERE id % 3 = 0; UPDATE items SET name = 'lost'";
    execute(&login, damage).await;
    story.writer.writes_on().await;
    let lost = story.writer.confirmed();

    let result = story.run(&["restore", name, "--strategy", strategy]).await;
    assert_eq!(result["strategy"], strategy);
    assert_eq!(result["engine"], engine);
    assert_eq!(result["snapshotIdentifier"], snapshot);
    story.assert_restored(&result).await;
    story.writer.writes_on().await;
    // Of the entries until the damage, those from before the snapshot are there, and no later ones.
    let count = format!("SELECT COALESCE(MAX(id), 0) FROM entries WHERE id <= {lost}");
    let last = through_the_command_line(&story.original, &count).await;
    let last: i64 = last.parse().expect("a number");
    assert!(
        (before..=after + 1).contains(&last),
        "{before} {last} {after}"
    );
}

#[tokio::test]
async fn refresh_restores_the_instant_of_a_new_snapshot() {
    let story = Story::begin("mariadb", "maria-refresh").await;
    let before = story.writer.confirmed();
    let result = story.run(&["refresh", story.name]).await;
    assert_eq!(result["task"], "create_snapshot");
    story.assert_restored(&result).await;
    story.writer.writes_on().await;
    let count = format!("SELECT COUNT(*) FROM entries WHERE id <= {before}");
    let count = through_the_command_line(&story.original, &count).await;
    assert_eq!(count, before.to_string());
}

/// A client that wasn't written here asks through the endpoint.
async fn through_the_command_line(instance: &DbInstance, question: &str) -> String {
    let endpoint = instance.endpoint().expect("it has an endpoint");
    let output = Command::new("mariadb")
        .env("MYSQL_PWD", PASSWORD)
        .args(["--no-defaults", "--skip-column-names", "--batch"])
        .arg(format!(
            "--host={}",
            endpoint.address().expect("an address")
        ))
        .arg(format!("--port={}", endpoint.port().expect("a port")))
        .args([&format!("--user={USER}"), DATABASE, "--execute", question])
        .output()
        .await
        .expect("the client of MariaDB is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
