//! A cluster of real PostgreSQL servers through the real binary, while one client writes to the
//! cluster endpoint and another reads from the reader endpoint.
//!
//! The reader keeps a log of what it was shown. Afterwards every endpoint that there was serves
//! the snapshot's rows, by the same address, and what the writer takes reaches every reader.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod clusters;
    pub(crate) mod database;
    pub(crate) mod document;
    pub(crate) mod instances;
    pub(crate) mod local;
    pub(crate) mod run;
    pub(crate) mod trapheus;
    pub(crate) mod world;
    pub(crate) mod writer;
}

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::clusters::Endpoints;
use common::database::Database;
use common::document::{assert_succeeded, assert_whole};
use common::world::World;
use common::writer::Writer;
use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const NAME: &str = "ledger";
const MEMBERS: [&str; 3] = ["ledger-a", "ledger-b", "ledger-c"];
/// Between two questions of the reader.
const PAUSE: Duration = Duration::from_millis(10);
/// A question that takes longer has no answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the writer takes reaches the readers sooner.
const REPLICATION_LIMIT: Duration = Duration::from_secs(10);

/// A client that reads the state of the data all the time; it stops when it is dropped.
struct Reader {
    seen: Arc<Mutex<Vec<String>>>,
    work: JoinHandle<()>,
}

impl Reader {
    fn start(database: Database) -> Self {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&seen);
        let work = tokio::spawn(async move {
            loop {
                if let Ok(Ok(state)) = timeout(PATIENCE, state(&database)).await {
                    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                    if log.last() != Some(&state) {
                        log.push(state);
                    }
                }
                sleep(PAUSE).await;
            }
        });
        Self { seen, work }
    }

    /// The states that it was shown, each once for as long as it lasted.
    fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// The state of the data, as one row tells it.
async fn state(database: &Database) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&database.options).await?;
    let row = sqlx::query("SELECT state FROM story")
        .fetch_one(&mut connection)
        .await?;
    row.try_get(0)
}

/// Waits until a database shows the state.
async fn shows(database: &Database, expected: &str, what: &str) {
    let shown = async {
        while state(database).await.ok().as_deref() != Some(expected) {
            sleep(PAUSE).await;
        }
    };
    let in_time = timeout(REPLICATION_LIMIT, shown).await;
    in_time.unwrap_or_else(|_| panic!("{what} never shows {expected}"));
}

/// The members, their roles and every address are as they were; what the writer takes reaches
/// every reader; and readers take nothing.
async fn assert_serves(world: &World, before: &Endpoints, state_now: &str) {
    let endpoints = world.endpoints(NAME).await;
    assert_eq!(
        format!("{endpoints:?}"),
        format!("{before:?}"),
        "every address is as it was"
    );
    let clusters = world.clusters(NAME).await;
    let [cluster] = &clusters[..] else {
        panic!("{clusters:#?}")
    };
    let members = cluster.db_cluster_members().iter();
    let members: BTreeSet<_> = members
        .map(|member| (member.db_instance_identifier(), member.is_cluster_writer()))
        .collect();
    let expected = MEMBERS.map(|name| (Some(name), Some(name == "ledger-b")));
    assert_eq!(members, BTreeSet::from(expected));
    let instances = world.instances(NAME).await;
    assert_eq!(instances.len(), MEMBERS.len(), "nothing is left over");

    shows(&endpoints.writer, state_now, "the cluster").await;
    shows(&endpoints.readers, state_now, "the readers").await;
    endpoints
        .writer
        .execute("UPDATE story SET state = 'replicated'")
        .await;
    for (name, database) in &endpoints.others {
        shows(database, "replicated", name).await;
        let mut connection = PgConnection::connect_with(&database.options)
            .await
            .expect("a member takes the login");
        let row = sqlx::query("SELECT pg_is_in_recovery()")
            .fetch_one(&mut connection)
            .await;
        let is_reader: bool = row.expect("it answers").get(0);
        assert_eq!(is_reader, name != "ledger-b", "{name}");
    }
    shows(&endpoints.readers, "replicated", "the readers").await;
    let undo = format!("UPDATE story SET state = '{state_now}'");
    endpoints.writer.execute(&undo).await;
    for (name, database) in &endpoints.others {
        shows(database, state_now, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_refreshed_and_restored_while_clients_write_and_read() {
    let world = World::shared();
    world.create_cluster(NAME, "aurora-postgresql").await;
    let before = world.endpoints(NAME).await;
    before.writer.fill(NAME).await;
    before
        .writer
        .execute("CREATE TABLE story (state text); INSERT INTO story VALUES ('good')")
        .await;
    shows(&before.readers, "good", "the readers").await;
    let items = before.writer.items().await;
    let bystander = world.create("bystander", |request| request).await;
    world.take_snapshot("bystander", "bystander-snapshot").await;
    let writer = Writer::start(before.writer.clone());
    let reader = Reader::start(before.readers.clone());
    writer.writes_on().await;

    // A new snapshot, restored at once: everything is as it was at its instant.
    let written = writer.confirmed();
    let refreshed = world.run(&["refresh", NAME]).await.with_code(0);
    assert_whole(&refreshed);
    assert_succeeded(&refreshed);
    assert_eq!(refreshed["kind"], "cluster");
    assert_eq!(refreshed["fidelity"]["lost"], json!([]));
    writer.writes_on().await;
    assert_eq!(before.writer.items().await, items);
    assert_serves(&world, &before, "good").await;
    let present = before.writer.entries().await;
    assert!(
        present.is_superset(&written),
        "what was written before it is there"
    );
    let snapshot = refreshed["snapshotIdentifier"]
        .as_str()
        .expect("it names it");

    // A bad migration, and back to the snapshot.
    before
        .writer
        .execute("UPDATE items SET name = 'lost'; UPDATE story SET state = 'bad'")
        .await;
    shows(&before.readers, "bad", "the readers").await;
    let restored = world
        .run(&["restore", NAME, "--snapshot", snapshot])
        .await
        .with_code(0);
    assert_whole(&restored);
    assert_succeeded(&restored);
    writer.writes_on().await;
    assert_eq!(before.writer.items().await, items);
    assert_serves(&world, &before, "good").await;

    // The client at the reader endpoint was never shown anything but one state after the other.
    let expected = [
        "good",
        "replicated",
        "good",
        "bad",
        "good",
        "replicated",
        "good",
    ];
    assert_eq!(reader.seen(), expected);
    let gap = writer.longest_gap();
    assert!(
        gap < PATIENCE * 3,
        "the cluster endpoint was silent for {gap:?}"
    );
    let untouched = world
        .instance("bystander")
        .await
        .expect("it is nobody's business");
    assert_eq!(untouched.dbi_resource_id, bystander.dbi_resource_id);
    assert_eq!(world.snapshots("bystander").await.len(), 1);
}
