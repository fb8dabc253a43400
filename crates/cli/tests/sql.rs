//! SQL through the real binary in real servers: masking, a verification that fails, a column that
//! was forgotten, a quarantine, and where the password comes from.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod instances;
    pub(crate) mod local;
    pub(crate) mod run;
    pub(crate) mod trapheus;
    pub(crate) mod world;
}

#[path = "stories/secrets.rs"]
mod secrets;

use aws_sdk_rds::types::DbInstance;
use common::instances::{DATABASE, PASSWORD, USER};
use common::run::Ended;
use common::world::World;
use serde_json::{Value, json};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Executor, Row};
use tempfile::TempDir;

/// Files with SQL, and the environment with the password.
struct Scripts(TempDir);

impl Scripts {
    fn new() -> Self {
        Self(TempDir::new().expect("there is room for a temporary directory"))
    }

    fn file(&self, name: &str, sql: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, sql).expect("a file can be written");
        path.display().to_string()
    }
}

async fn run(world: &World, arguments: &[&str], password: Option<&str>) -> Ended {
    let mut command = world.trapheus(arguments);
    if let Some(password) = password {
        command.env("TRAPHEUS_VERIFY_PASSWORD", password);
        command.env("TRAPHEUS_VERIFY_USER", USER);
        command.env("TRAPHEUS_VERIFY_DATABASE", DATABASE);
    }
    Ended::of(command.output().await.expect("trapheus starts"))
}

/// A PostgreSQL database behind an endpoint.
struct Database(PgConnectOptions);

impl Database {
    fn of(instance: &DbInstance) -> Self {
        let endpoint = instance.endpoint().expect("it has an endpoint");
        let port = endpoint.port().expect("an endpoint has a port");
        let options = PgConnectOptions::new_without_pgpass()
            .host(endpoint.address().expect("an endpoint has an address"))
            .port(port.try_into().expect("a port has 16 bits"))
            .username(USER)
            .password(PASSWORD)
            .database(DATABASE)
            .ssl_mode(PgSslMode::Disable);
        Self(options)
    }

    async fn connect(&self) -> PgConnection {
        let connected = PgConnection::connect_with(&self.0).await;
        connected.expect("the database takes the login")
    }

    async fn execute(&self, sql: &'static str) {
        let done = self.connect().await.execute(sqlx::raw_sql(sql)).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// One value, as text.
    async fn ask(&self, question: &'static str) -> String {
        let mut connection = self.connect().await;
        let row = sqlx::query(question).fetch_one(&mut connection);
        let row = row
            .await
            .unwrap_or_else(|error| panic!("{question}: {error}"));
        row.get(0)
    }
}

async fn history(world: &World, result: &Value) -> String {
    let execution = result["executionId"].as_str().expect("it has an id");
    world
        .run(&["executions", "show", execution, "--history"])
        .await
        .stdout
}

#[tokio::test]
async fn postgresql_is_masked_verified_and_quarantined_before_it_has_the_name() {
    let world = World::shared();
    let original = world.create("masked", |request| request).await;
    let database = Database::of(&original);
    database
        .execute(
            "CREATE TABLE customers (id int PRIMARY KEY, email text, home_phone text);
             INSERT INTO customers SELECT n, n || '@example.com', '+' || n FROM generate_series(1, 100) n;
             CREATE MATERIALIZED VIEW mailing AS SELECT email FROM customers;
             CREATE SCHEMA cron;
             CREATE TABLE cron.job (jobid int, active bool);
             INSERT INTO cron.job VALUES (1, true), (2, false);",
        )
        .await;
    world.take_snapshot("masked", "masked-snapshot").await;
    let scripts = Scripts::new();
    let mask = scripts.file(
        "mask.sql",
        "-- home_phone is in the second statement\n\
         CREATE FUNCTION pg_temp.hide(text) RETURNS text AS $$ SELECT 'x;' || md5($1) $$ LANGUAGE sql;\n\
         UPDATE customers SET email = pg_temp.hide(email);\n\
         DO $do$ BEGIN UPDATE customers SET home_phone = NULL; END $do$;\n\
         REFRESH MATERIALIZED VIEW mailing;",
    );
    let verify = scripts.file(
        "verify.sql",
        "SELECT count(*) = 100, bool_and(home_phone IS NULL) FROM customers;
         SELECT count(*) FROM mailing WHERE email LIKE 'x;%'",
    );

    // The plan says what will run, and changes nothing.
    let asked = ["--prepare", &mask, "--verify", &verify, "--quarantine"];
    let masked = ["--require-masked", "email,phone"];
    let plan = [&["plan", "masked"][..], &asked, &masked].concat();
    let plan = run(&world, &plan, Some(PASSWORD)).await.with_code(0);
    let step = |state: &str| {
        let mut steps = plan["steps"].as_array().expect("a plan has steps").iter();
        let step = steps.find(|step| step["state"] == state);
        step.expect("it is there")["what"].to_string()
    };
    assert!(
        step("Prepare").contains("4 statements of SQL"),
        "{}",
        step("Prepare")
    );
    assert!(
        step("Verify").contains("2 statements of SQL"),
        "{}",
        step("Verify")
    );

    // Nothing to log in with: refused.
    let start = [&["restore", "masked"][..], &asked, &masked].concat();
    let refused = run(&world, &start, None).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");

    let result = run(&world, &start, Some(PASSWORD)).await.with_code(0);
    assert_eq!(result["status"], "SUCCEEDED", "{result:#}");
    assert_eq!(result["verified"][1]["saw"], "100", "{result:#}");
    let off: Vec<&str> = result["quarantined"]
        .as_array()
        .expect("something was switched off")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        off.iter().any(|line| line.contains("pg_cron's job 1")),
        "{off:?}"
    );
    for (question, answer) in [
        (
            "SELECT count(*)::text FROM customers WHERE email LIKE '%@%' OR home_phone IS NOT NULL",
            "0",
        ),
        (
            "SELECT count(*)::text FROM mailing WHERE email LIKE '%@%'",
            "0",
        ),
        ("SELECT count(*)::text FROM pg_subscription", "0"),
        (
            "SELECT count(*)::text FROM pg_replication_slots WHERE slot_type = 'logical'",
            "0",
        ),
        ("SELECT count(*)::text FROM cron.job WHERE active", "0"),
        (
            "SELECT count(*)::text FROM pg_namespace WHERE nspname LIKE 'trapheus%'",
            "0",
        ),
    ] {
        assert_eq!(database.ask(question).await, answer, "{question}");
    }
    let history = history(&world, &result).await;
    assert!(
        !history.contains(PASSWORD),
        "the history holds the password"
    );
}

#[tokio::test]
async fn what_is_wrong_in_postgresql_rolls_back_and_says_where() {
    let world = World::shared();
    let original = world.create("unmasked", |request| request).await;
    let database = Database::of(&original);
    database
        .execute(
            "CREATE TABLE customers (id int PRIMARY KEY, email text);
             INSERT INTO customers VALUES (1, 'somebody@example.com');
             CREATE SCHEMA audit;
             CREATE TABLE audit.customers (email text);",
        )
        .await;
    world.take_snapshot("unmasked", "unmasked-snapshot").await;
    let scripts = Scripts::new();
    let mask = scripts.file(
        "mask.sql",
        "UPDATE customers SET email = 'x' /* audit.customers */;",
    );
    let broken = scripts.file(
        "broken.sql",
        "UPDATE customers SET email = 'x';\nUPDATE nobody SET a = 1;",
    );
    let untrue = scripts.file(
        "untrue.sql",
        "SELECT true; SELECT count(*) FROM audit.customers",
    );
    let writes = scripts.file("writes.sql", "DELETE FROM customers RETURNING true");
    let ends = scripts.file("ends.sql", "UPDATE customers SET email = 'x'; COMMIT;");
    let masked = ["--prepare", &mask, "--require-masked", "mail"];
    for (arguments, code, name, says) in [
        (
            &masked[..],
            1,
            "PreparationFailed",
            "email of audit.customers in the database shop",
        ),
        (
            &["--prepare", &broken],
            1,
            "PreparationFailed",
            "UPDATE nobody SET a = 1",
        ),
        (
            &["--verify", &untrue],
            1,
            "VerificationFailed",
            "`SELECT count(*) FROM audit.customers` returned 0",
        ),
        (&["--verify", &writes], 1, "VerificationFailed", "read-only"),
        (&["--prepare", &ends], 2, "", "`COMMIT` would end it"),
    ] {
        let arguments = [&["restore", "unmasked"][..], arguments].concat();
        let ended = run(&world, &arguments, Some(PASSWORD)).await;
        let said = format!("{ended:?}");
        assert!(said.contains(says), "{says}: {said}");
        let result = ended.with_code(code);
        let error = result["error"]["name"].as_str().unwrap_or_default();
        assert!(error.ends_with(name), "{result:#}");
        let email = database.ask("SELECT email FROM customers").await;
        assert_eq!(email, "somebody@example.com");
        assert_eq!(world.instances("unmasked").await.len(), 1, "{arguments:?}");
    }
}

#[tokio::test]
async fn mariadb_is_masked_and_its_events_are_off() {
    let world = World::shared();
    let original = world
        .create("maria-masked", |request| request.engine("mariadb"))
        .await;
    let endpoint = original.endpoint().expect("it has an endpoint");
    let port = endpoint.port().expect("an endpoint has a port");
    let login = MySqlConnectOptions::new()
        .host(endpoint.address().expect("an endpoint has an address"))
        .port(port.try_into().expect("a port has 16 bits"))
        .username(USER)
        .password(PASSWORD)
        .database(DATABASE)
        .ssl_mode(MySqlSslMode::Disabled);
    let mut connection = MySqlConnection::connect_with(&login)
        .await
        .expect("a login");
    sqlx::raw_sql(
        "CREATE TABLE customers (id int PRIMARY KEY, Email varchar(100), runs int DEFAULT 0);
         INSERT INTO customers (id, Email) VALUES (1, 'somebody@example.com');
         CREATE EVENT `tell ``them` ON SCHEDULE EVERY 1 DAY DO UPDATE customers SET runs = runs + 100;",
    )
    .execute(&mut connection)
    .await
    .expect("the database takes it");
    world
        .take_snapshot("maria-masked", "maria-masked-snapshot")
        .await;
    let scripts = Scripts::new();
    let mask = scripts.file(
        "mask.sql",
        "UPDATE `customers` SET email = 'x', runs = runs + 1 # Email\n;",
    );
    let verify = scripts.file(
        "verify.sql",
        "SELECT COUNT(*) > 0, MIN(runs) FROM customers",
    );
    let start = [
        "restore",
        "maria-masked",
        "--prepare",
        &mask,
        "--verify",
        &verify,
    ];

    let forgotten = [&start[..], &["--require-masked", "id"]].concat();
    let ended = run(&world, &forgotten, Some(PASSWORD)).await.with_code(1);
    let message = ended["error"]["message"].to_string();
    assert!(
        message.contains("id of customers in the database shop"),
        "{message}"
    );

    let asked = [&start[..], &["--require-masked", "EMAIL", "--quarantine"]].concat();
    let result = run(&world, &asked, Some(PASSWORD)).await.with_code(0);
    assert_eq!(
        result["quarantined"],
        json!(["event `shop`.`tell ``them`: disabled"])
    );
    let mut connection = MySqlConnection::connect_with(&login)
        .await
        .expect("a login");
    let row = sqlx::raw_sql(
        "SELECT CONCAT(Email, ' ', runs, ' ', (SELECT status FROM information_schema.events), ' ',
                (SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'trapheus%'))
         FROM customers",
    )
    .fetch_one(&mut connection)
    .await
    .expect("a row");
    let found: String = row.try_get_unchecked(0).expect("a text");
    assert_eq!(found, "x 1 DISABLED 0");
}
