//! The database that is restored: created through the API, and filled to a size.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Region};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};

use crate::Outcome;

/// Its name.
pub(crate) const IDENTIFIER: &str = "orders";
const USER: &str = "shop";
const PASSWORD: &str = "measured-here-only";
const MIB: u64 = 1024 * 1024;

/// With its indexes a row has about 330 bytes, so this is about 16 MiB.
const BATCH: &str = "INSERT INTO orders (customer, placed_at, note)
    SELECT (random() * 1000000)::int, timestamptz '2026-01-01' + i * interval '1 second',
           md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) || md5((i + 3)::text)
      FROM generate_series(1, 50000) AS i";

const SCHEMA: &str = "CREATE TABLE orders (
        id bigserial PRIMARY KEY, customer int, placed_at timestamptz, note text);
    CREATE INDEX ON orders (customer); CREATE INDEX ON orders (placed_at);
    CREATE TABLE visits (id bigserial PRIMARY KEY, at timestamptz DEFAULT now())";

/// A database that answers.
pub(crate) struct Database {
    address: String,
    port: u16,
}

impl Database {
    /// Creates it and waits until it is available.
    pub(crate) async fn create(endpoint_url: &str) -> Outcome<Self> {
        let rds = client(endpoint_url);
        rds.create_db_instance()
            .db_instance_identifier(IDENTIFIER)
            .engine("postgres")
            .db_instance_class("db.t3.medium")
            .allocated_storage(20)
            .db_name(IDENTIFIER)
            .master_username(USER)
            .master_user_password(PASSWORD)
            .send()
            .await?;
        loop {
            let answer = rds
                .describe_db_instances()
                .db_instance_identifier(IDENTIFIER)
                .send()
                .await?;
            let instance = answer.db_instances().first().ok_or("it has vanished")?;
            match (instance.db_instance_status(), instance.endpoint()) {
                (Some("available"), Some(endpoint)) => {
                    return Ok(Self {
                        address: endpoint.address().ok_or("no address")?.to_owned(),
                        port: endpoint.port().ok_or("no port")?.try_into()?,
                    });
                }
                (Some("failed"), _) => return Err("it could not be created".into()),
                (_, _) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// How a client connects to it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(&self.address)
            .port(self.port)
            .username(USER)
            .password(PASSWORD)
            .database(IDENTIFIER)
            .ssl_mode(PgSslMode::Disable)
            .disable_statement_logging()
    }

    /// Fills it until it has this size at least, and returns how many MiB it has.
    pub(crate) async fn fill(&self, mib_wanted: u64) -> Outcome<u64> {
        let mut connection = PgConnection::connect_with(&self.options()).await?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
        let bytes = loop {
            sqlx::query(BATCH).execute(&mut connection).await?;
            let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
                .fetch_one(&mut connection)
                .await?;
            let bytes = u64::try_from(bytes)?;
            if bytes >= mib_wanted * MIB {
                break bytes;
            }
        };
        sqlx::raw_sql("VACUUM ANALYZE orders")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(bytes / MIB)
    }
}

fn client(endpoint_url: &str) -> Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "benchmark"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}
