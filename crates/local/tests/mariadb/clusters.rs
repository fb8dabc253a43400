//! An Aurora MySQL cluster of real servers behind the API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Region};
use aws_sdk_rds::types::DbInstance;
use jiff::Timestamp;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions, Connection};
use trapheus_local::engines::Engine;
use trapheus_local::engines::mariadb::{MariaDb, Product};
use trapheus_local::{ControlPlane, Durations, Engines, Home, Options, connector};

use crate::support::Place;

const ENGINE: &str = "aurora-mysql";
const PASSWORD: &str = "secret-1234";

async fn open(place: &Place) -> (Arc<ControlPlane>, Client) {
    let engine: Arc<dyn Engine> = Arc::new(MariaDb::new(Product::AuroraMySql));
    let options = Options {
        home: Home::Directory(place.path("home")),
        durations: Durations::Instant,
        time_scale: 1.0,
        clock: Arc::new(now),
        seed: u64::from(std::process::id()),
        engines: Engines::Real(BTreeMap::from([(ENGINE.to_owned(), engine)])),
    };
    let plane = ControlPlane::open(options).await.unwrap();
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .http_client(connector(Arc::clone(&plane)));
    (plane, Client::from_conf(config.build()))
}

#[expect(clippy::disallowed_methods, reason = "real servers live in real time")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The cluster endpoint and the reader endpoint, once the cluster and its members are available.
async fn endpoints(rds: &Client) -> (String, String) {
    loop {
        let clusters = rds.describe_db_clusters().send().await.unwrap();
        let cluster = &clusters.db_clusters()[0];
        let instances = rds.describe_db_instances().send().await.unwrap();
        let failed = |one: &DbInstance| one.db_instance_status() == Some("failed");
        assert!(
            !instances.db_instances().iter().any(failed),
            "{instances:?}"
        );
        let mut instances = instances.db_instances().iter();
        let settled = instances.all(|one| one.db_instance_status() == Some("available"));
        match (cluster.endpoint(), cluster.reader_endpoint()) {
            (Some(writer), Some(reader)) if settled && cluster.status() == Some("available") => {
                return (writer.to_owned(), reader.to_owned());
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn execute(address: &str, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = connect(address).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

async fn count(address: &str) -> Result<i64, sqlx::Error> {
    let mut connection = connect(address).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM items");
    count.fetch_one(&mut connection).await
}

async fn connect(address: &str) -> Result<MySqlConnection, sqlx::Error> {
    let options = MySqlConnectOptions::new()
        .host(address)
        .port(3306)
        .ssl_mode(MySqlSslMode::Disabled)
        .username("app")
        .password(PASSWORD)
        .database("orders")
        .disable_statement_logging();
    MySqlConnection::connect_with(&options).await
}

/// Waits until so many rows have arrived.
async fn has(address: &str, rows: i64) {
    while count(address).await.ok() != Some(rows) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_outlives_its_members() {
    let place = Place::new();
    let (plane, rds) = open(&place).await;
    let create = rds.create_db_cluster().db_cluster_identifier("orders");
    let create = create.engine(ENGINE).database_name("orders");
    let create = create.master_username("app").master_user_password(PASSWORD);
    create.send().await.unwrap();
    endpoints(&rds).await;
    for member in ["one", "two"] {
        let create = rds.create_db_instance().db_instance_identifier(member);
        let create = create.db_cluster_identifier("orders").engine(ENGINE);
        create
            .db_instance_class("db.r6g.large")
            .send()
            .await
            .unwrap();
        endpoints(&rds).await;
    }
    let (writer, reader) = endpoints(&rds).await;
    execute(&writer, "CREATE TABLE items (id int)")
        .await
        .unwrap();
    execute(&writer, "INSERT INTO items VALUES (1), (2)")
        .await
        .unwrap();
    has(&reader, 2).await;
    assert!(execute(&reader, "DELETE FROM items").await.is_err());
    let fail_over = rds.failover_db_cluster().db_cluster_identifier("orders");
    fail_over.send().await.unwrap();
    endpoints(&rds).await;
    execute(&writer, "INSERT INTO items VALUES (3)")
        .await
        .unwrap();
    has(&reader, 3).await;
    assert!(execute(&reader, "DELETE FROM items").await.is_err());

    for member in ["one", "two"] {
        let delete = rds.delete_db_instance().db_instance_identifier(member);
        delete.send().await.unwrap();
        let is_there = || async {
            let found = rds.describe_db_instances().db_instance_identifier(member);
            found.send().await.is_ok()
        };
        while is_there().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let create = rds.create_db_instance().db_instance_identifier("three");
    let create = create.db_cluster_identifier("orders").engine(ENGINE);
    create
        .db_instance_class("db.r6g.large")
        .send()
        .await
        .unwrap();
    endpoints(&rds).await;
    has(&writer, 3).await;
    plane.shut_down().await;
}
