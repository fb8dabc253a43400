//! Clusters of real PostgreSQL servers behind the API, and clients that log in at their endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Region};
use aws_sdk_rds::types::DbCluster;
use jiff::Timestamp;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use trapheus_local::engines::Engine;
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::{ControlPlane, Durations, Engines, Home, Options, connector};

use crate::support::Place;

const PASSWORD: &str = "secret-1234";

/// A control plane with real servers that ends them all.
struct World {
    /// Removed last.
    _place: Place,
    plane: Arc<ControlPlane>,
    rds: Client,
}

impl World {
    async fn open() -> Self {
        let place = Place::new();
        let engine: Arc<dyn Engine> = Arc::new(Postgres::new());
        let plane = ControlPlane::open(Options {
            home: Home::Directory(place.path("home")),
            durations: Durations::Instant,
            time_scale: 1.0,
            clock: Arc::new(now),
            seed: u64::from(std::process::id()),
            engines: Engines::Real(BTreeMap::from([("postgres".to_owned(), engine)])),
        });
        let plane = plane.await.unwrap();
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .http_client(connector(Arc::clone(&plane)));
        Self {
            _place: place,
            rds: Client::from_conf(config.build()),
            plane,
        }
    }

    async fn cluster(&self, identifier: &str) -> DbCluster {
        loop {
            let describe = self.rds.describe_db_clusters();
            let found = describe.db_cluster_identifier(identifier).send().await;
            let found = match found {
                Ok(found) => found.db_clusters()[0].clone(),
                Err(error) => {
                    // In the middle of a rename neither name is known.
                    let error = error.into_service_error();
                    assert!(error.is_db_cluster_not_found_fault(), "{error:?}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            match found.status() {
                Some("available") => return found,
                Some("failed" | "migration-failed") => self.tell_why(identifier).await,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn member(&self, cluster: &str, identifier: &str) {
        let create = self.rds.create_db_instance();
        let create = create
            .db_instance_identifier(identifier)
            .db_cluster_identifier(cluster);
        let create = create
            .engine("aurora-postgresql")
            .db_instance_class("db.r6g.large");
        create.send().await.unwrap();
        self.address(identifier).await;
    }

    async fn tell_why(&self, identifier: &str) {
        let events = self.rds.describe_events().send().await.unwrap();
        let of_it = events.events().iter();
        let of_it = of_it.filter(|event| event.source_identifier() == Some(identifier));
        let told: Vec<_> = of_it.filter_map(|event| event.message()).collect();
        panic!("{identifier} failed: {told:?}");
    }

    /// Where an instance answers, once it does.
    async fn address(&self, identifier: &str) -> String {
        loop {
            let describe = self.rds.describe_db_instances();
            let found = describe.db_instance_identifier(identifier).send().await;
            let found = found.unwrap().db_instances()[0].clone();
            match (found.db_instance_status(), found.endpoint()) {
                (Some("available"), Some(endpoint)) => {
                    return endpoint.address().unwrap().to_owned();
                }
                (Some("failed"), _) => self.tell_why(identifier).await,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "real servers live in real time")]
fn now() -> Timestamp {
    Timestamp::now()
}

async fn connect(address: &str) -> Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(address)
        .port(5432)
        .ssl_mode(PgSslMode::Disable)
        .username("app")
        .password(PASSWORD)
        .database("orders");
    PgConnection::connect_with(&options).await
}

async fn execute(address: &str, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = connect(address).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

async fn count(address: &str) -> i64 {
    let mut connection = connect(address).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM items")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

/// Waits until so many rows have arrived; the table itself arrives no sooner than they do.
async fn has(address: &str, rows: i64) {
    let mut connection = connect(address).await.unwrap();
    let arrived = async {
        loop {
            let table: Option<String> = sqlx::query_scalar("SELECT to_regclass('items')::text")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            if table.is_some() && count(address).await == rows {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let arrived = tokio::time::timeout(Duration::from_secs(60), arrived).await;
    assert!(arrived.is_ok(), "{rows} rows do not arrive at {address}");
}

/// Goal: a cluster of three is what an application expects of one, through a fail-over, a snapshot that is taken while
/// a client writes, a restore and the swap of names.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_serves_through_fail_over_snapshot_and_restore() {
    let world = World::open().await;
    let create = world
        .rds
        .create_db_cluster()
        .db_cluster_identifier("orders");
    let create = create.engine("aurora-postgresql").database_name("orders");
    let create = create.master_username("app").master_user_password(PASSWORD);
    create.send().await.unwrap();
    world.cluster("orders").await;
    for member in ["one", "two", "three"] {
        world.member("orders", member).await;
    }
    let cluster = world.cluster("orders").await;
    let (writer, reader) = (
        cluster.endpoint().unwrap(),
        cluster.reader_endpoint().unwrap(),
    );
    execute(writer, "CREATE TABLE items (id int)")
        .await
        .unwrap();
    execute(writer, "INSERT INTO items SELECT generate_series(1, 1000)")
        .await
        .unwrap();
    let (one, two, three) = (
        world.address("one").await,
        world.address("two").await,
        world.address("three").await,
    );
    for address in [&two, &three] {
        has(address, 1000).await;
        assert!(execute(address, "DELETE FROM items").await.is_err());
    }
    let mut servers = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let mut connection = connect(reader).await.unwrap();
        let query = sqlx::query_scalar("SELECT current_setting('data_directory')");
        let data: String = query.fetch_one(&mut connection).await.unwrap();
        servers.insert(data);
    }
    assert_eq!(servers.len(), 2, "the reader endpoint is balanced");

    let mut at_writer = connect(writer).await.unwrap();
    let mut at_bystander = connect(&two).await.unwrap();
    let fail_over = world
        .rds
        .failover_db_cluster()
        .db_cluster_identifier("orders");
    fail_over
        .target_db_instance_identifier("three")
        .send()
        .await
        .unwrap();
    world.cluster("orders").await;
    assert!(
        at_writer.ping().await.is_err(),
        "the old writer's clients are cut"
    );
    at_bystander.ping().await.unwrap();
    execute(writer, "INSERT INTO items VALUES (1001)")
        .await
        .unwrap();
    execute(&three, "INSERT INTO items VALUES (1002)")
        .await
        .unwrap();
    for address in [&one, &two] {
        has(address, 1002).await;
        assert!(execute(address, "DELETE FROM items").await.is_err());
    }

    let writing = tokio::spawn({
        let writer = writer.to_owned();
        async move {
            let mut connection = connect(&writer).await.unwrap();
            for _ in 0..200 {
                let write = sqlx::query("INSERT INTO items VALUES (0), (0)");
                write.execute(&mut connection).await.unwrap();
            }
        }
    });
    let snapshot = world.rds.create_db_cluster_snapshot();
    let snapshot = snapshot
        .db_cluster_identifier("orders")
        .db_cluster_snapshot_identifier("s");
    snapshot.send().await.unwrap();
    world.cluster("orders").await;
    writing.await.unwrap();
    assert_eq!(count(writer).await, 1402);

    let restore = world.rds.restore_db_cluster_from_snapshot();
    let restore = restore
        .db_cluster_identifier("new")
        .snapshot_identifier("s");
    restore.engine("aurora-postgresql").send().await.unwrap();
    world.cluster("new").await;
    world.member("new", "new-one").await;
    world.member("new", "new-two").await;
    for (from, to) in [("orders", "aside"), ("new", "orders")] {
        let rename = world.rds.modify_db_cluster().db_cluster_identifier(from);
        let rename = rename.new_db_cluster_identifier(to).apply_immediately(true);
        rename.send().await.unwrap();
        world.cluster(to).await;
    }
    at_bystander.ping().await.unwrap();
    let restored = count(writer).await;
    assert!(
        (1002..=1402).contains(&restored) && restored % 2 == 0,
        "{restored} rows"
    );
    execute(writer, "INSERT INTO items VALUES (1)")
        .await
        .unwrap();
    has(reader, restored + 1).await;
    let aside = world.cluster("aside").await;
    assert_eq!(count(aside.endpoint().unwrap()).await, 1402);
    assert_eq!(count(&two).await, 1402);

    let delete = world
        .rds
        .delete_db_instance()
        .db_instance_identifier("new-one");
    delete.send().await.unwrap();
    let took_over = "INSERT INTO items VALUES (2)";
    while execute(writer, took_over).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(count(writer).await, restored + 2);
    world.plane.shut_down().await;
}
