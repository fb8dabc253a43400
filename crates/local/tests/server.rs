//! Goal: local RDS as users run it: over HTTP, with real PostgreSQL servers, restarted and stopped.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Region};
use aws_sdk_rds::types::DbInstance;
use camino::{Utf8Path, Utf8PathBuf};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use tempfile::TempDir;
use trapheus_local::Durations;
use trapheus_local::server::{Server, ServerError, ServerOptions, status};

/// A directory that the servers' user may enter, as it may not enter what `tempfile` makes.
fn place() -> (TempDir, Utf8PathBuf) {
    let place = tempfile::Builder::new()
        .permissions(PermissionsExt::from_mode(0o711))
        .tempdir_in("/tmp")
        .unwrap();
    let path = Utf8Path::from_path(place.path()).unwrap().join("local");
    (place, path)
}

fn options(data_directory: &Utf8Path) -> ServerOptions {
    ServerOptions {
        data_directory: data_directory.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        durations: Durations::Instant,
        time_scale: 1.0,
    }
}

fn client(server: &Server) -> Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(server.running().endpoint_url())
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

async fn available(rds: &Client, identifier: &str) -> DbInstance {
    for _ in 0..1200 {
        let found = rds
            .describe_db_instances()
            .db_instance_identifier(identifier)
            .send()
            .await;
        match found
            .ok()
            .and_then(|found| found.db_instances().first().cloned())
        {
            Some(instance) if instance.db_instance_status() == Some("available") => {
                return instance;
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("{identifier} never becomes available");
}

async fn connect(instance: &DbInstance) -> PgConnection {
    let endpoint = instance.endpoint().unwrap();
    let options = PgConnectOptions::new()
        .host(endpoint.address().unwrap())
        .port(endpoint.port().unwrap().try_into().unwrap())
        .username("app")
        .password("secret-1234")
        .database("shop")
        .ssl_mode(PgSslMode::Disable);
    options.connect().await.unwrap()
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

async fn create(rds: &Client, identifier: &str) -> DbInstance {
    let create = rds
        .create_db_instance()
        .db_instance_identifier(identifier)
        .engine("postgres");
    let create = create
        .db_instance_class("db.t3.micro")
        .allocated_storage(20)
        .db_name("shop")
        .port(5439);
    create
        .master_username("app")
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    available(rds, identifier).await
}

/// When the server behind a connection was started: it tells one process from another.
const STARTED: &str = "SELECT extract(epoch FROM pg_postmaster_start_time())::bigint";

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_server_answers_at_the_endpoint_of_its_original() {
    let (_place, directory) = place();
    let server = Server::start(options(&directory)).await.unwrap();
    let rds = client(&server);
    let original = create(&rds, "orders").await;
    // The state holds the passwords of all databases.
    for name in ["rds.db", "rds.db-wal", "rds.db-shm"] {
        let mode = directory
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mut connection = connect(&original).await;
    sqlx::query("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
        .execute(&mut connection)
        .await
        .unwrap();
    let snapshot = rds.create_db_snapshot().db_instance_identifier("orders");
    snapshot.db_snapshot_identifier("s").send().await.unwrap();
    available(&rds, "orders").await;
    sqlx::query("DELETE FROM orders")
        .execute(&mut connection)
        .await
        .unwrap();

    let restore = rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("new");
    restore.db_snapshot_identifier("s").send().await.unwrap();
    available(&rds, "new").await;
    for (from, to) in [("orders", "aside"), ("new", "orders")] {
        let modify = rds.modify_db_instance().db_instance_identifier(from);
        modify
            .new_db_instance_identifier(to)
            .apply_immediately(true)
            .send()
            .await
            .unwrap();
        available(&rds, to).await;
    }
    let cut = sqlx::query("SELECT 1").execute(&mut connection).await;
    assert!(cut.is_err(), "a rename cuts the connections");
    let restored = available(&rds, "orders").await;
    assert_eq!(restored.endpoint(), original.endpoint());
    let mut connection = connect(&restored).await;
    assert_eq!(
        number(&mut connection, "SELECT count(*) FROM orders").await,
        1000
    );

    // The control plane dies; the next one adopts the server as it runs.
    let started = number(&mut connection, STARTED).await;
    server.control_plane().halt().await;
    drop(server);
    let server = Server::start(options(&directory)).await.unwrap();
    let rds = client(&server);
    let adopted = available(&rds, "orders").await;
    assert_eq!(adopted.endpoint(), original.endpoint());
    let mut connection = connect(&adopted).await;
    assert_eq!(
        number(&mut connection, STARTED).await,
        started,
        "the server was restarted"
    );

    assert_eq!(status(&directory).unwrap().as_ref(), Some(server.running()));
    server.shut_down().await.unwrap();
    assert_eq!(status(&directory).unwrap(), None);
    assert!(
        sqlx::query("SELECT 1")
            .execute(&mut connection)
            .await
            .is_err(),
        "servers stop with it"
    );
}

#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let (place, directory) = place();
    let mut elsewhere = options(&directory);
    elsewhere.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(
        Server::start(elsewhere).await,
        Err(ServerError::NotLoopback(_))
    ));

    let server = Server::start(options(&directory)).await.unwrap();
    let second = Server::start(options(&directory)).await;
    assert!(
        matches!(second, Err(ServerError::AlreadyRunning { .. })),
        "{second:?}"
    );
    server.shut_down().await.unwrap();

    if nix::unistd::Uid::effective().is_root() {
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let closed = Server::start(options(&directory)).await;
        assert!(
            matches!(closed, Err(ServerError::NotTraversable { .. })),
            "{closed:?}"
        );
    }
}
