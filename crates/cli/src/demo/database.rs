//! The demo's database: created through the API as anybody would, filled, damaged, counted.

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::error::DisplayErrorContext;
use aws_sdk_rds::types::{ApplyMethod, Parameter, Tag};
use serde::Serialize;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Row};

use crate::error::{Context, Failure};

/// The name that everything is about.
pub(super) const IDENTIFIER: &str = "orders";
const USER: &str = "shop";
const PASSWORD: &str = "a-password-for-a-demo";
const PARAMETER_GROUP: &str = "orders-settings";

/// Where the database answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Endpoint {
    /// A loopback address.
    pub address: String,
    /// A TCP port.
    pub port: u16,
}

/// What is in the table `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contents {
    /// Its rows.
    pub rows: i64,
    /// The sum of all rows' hashes; it does not depend on their order.
    pub checksum: String,
}

/// Creates `orders` with settings of its own, and waits until it is available.
pub(super) async fn create(rds: &Client) -> Result<Endpoint, Failure> {
    parameter_group(rds).await?;
    rds.create_db_instance()
        .db_instance_identifier(IDENTIFIER)
        .engine("postgres")
        .db_instance_class("db.r6g.large")
        .allocated_storage(100)
        .max_allocated_storage(500)
        .storage_type("gp3")
        .db_name(IDENTIFIER)
        .master_username(USER)
        .master_user_password(PASSWORD)
        .db_parameter_group_name(PARAMETER_GROUP)
        .backup_retention_period(14)
        .preferred_backup_window("02:00-02:30")
        .preferred_maintenance_window("sun:03:00-sun:03:30")
        .multi_az(true)
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .enable_iam_database_authentication(true)
        .enable_cloudwatch_logs_exports("postgresql")
        .tags(Tag::builder().key("team").value("shop").build())
        .send()
        .await
        .map_err(|error| api_failed("create the database", &error))?;
    available(rds).await
}

async fn parameter_group(rds: &Client) -> Result<(), Failure> {
    let versions = rds
        .describe_db_engine_versions()
        .engine("postgres")
        .default_only(true)
        .send()
        .await
        .map_err(|error| api_failed("ask for engine versions", &error))?;
    let family = versions
        .db_engine_versions()
        .first()
        .and_then(|version| version.db_parameter_group_family())
        .ok_or_else(|| Failure::failed("local RDS knows no version of PostgreSQL"))?;
    rds.create_db_parameter_group()
        .db_parameter_group_name(PARAMETER_GROUP)
        .db_parameter_group_family(family)
        .description("what the shop's database needs")
        .send()
        .await
        .map_err(|error| api_failed("create a parameter group", &error))?;
    let set = |name: &str, value: &str, method: ApplyMethod| {
        Parameter::builder()
            .parameter_name(name)
            .parameter_value(value)
            .apply_method(method)
            .build()
    };
    rds.modify_db_parameter_group()
        .db_parameter_group_name(PARAMETER_GROUP)
        .parameters(set("work_mem", "16384", ApplyMethod::Immediate))
        .parameters(set("max_connections", "60", ApplyMethod::PendingReboot))
        .send()
        .await
        .map_err(|error| api_failed("set parameters", &error))?;
    Ok(())
}

/// Waits for `available`; how long is local RDS's business.
async fn available(rds: &Client) -> Result<Endpoint, Failure> {
    loop {
        let answer = rds
            .describe_db_instances()
            .db_instance_identifier(IDENTIFIER)
            .send()
            .await
            .map_err(|error| api_failed("look at the database", &error))?;
        let instance = answer.db_instances().first();
        let status = instance.and_then(|instance| instance.db_instance_status());
        let endpoint = instance.and_then(|instance| instance.endpoint());
        match (status, endpoint) {
            (Some("available"), Some(endpoint)) => return endpoint_of(endpoint),
            (Some("failed"), _) => {
                return Err(Failure::failed("the database could not be created"));
            }
            (Some(_) | None, _) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Where the database answers now.
pub(super) async fn endpoint(rds: &Client) -> Result<Endpoint, Failure> {
    available(rds).await
}

fn endpoint_of(endpoint: &aws_sdk_rds::types::Endpoint) -> Result<Endpoint, Failure> {
    let port = endpoint.port().and_then(|port| u16::try_from(port).ok());
    match (endpoint.address(), port) {
        (Some(address), Some(port)) => Ok(Endpoint {
            address: address.to_owned(),
            port,
        }),
        (address, port) => Err(Failure::failed(format!(
            "the endpoint is incomplete: {address:?}, port {port:?}"
        ))),
    }
}

impl Endpoint {
    /// How a client connects to it.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new()
            .host(&self.address)
            .port(self.port)
            .username(USER)
            .password(PASSWORD)
            .database(IDENTIFIER)
            .ssl_mode(PgSslMode::Disable)
    }

    async fn connect(&self) -> Result<PgConnection, Failure> {
        PgConnection::connect_with(&self.options())
            .await
            .context("connect to the database")
    }

    /// Makes the tables: `orders` with `rows` rows, and `visits` for the client's traffic.
    pub(super) async fn fill(&self, rows: u64) -> Result<(), Failure> {
        let rows = i64::try_from(rows)
            .map_err(|_| Failure::refused("--rows is more than a table can number"))?;
        let mut database = self.connect().await?;
        sqlx::raw_sql(
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL,
                                  amount numeric(10, 2) NOT NULL, note text NOT NULL);
             CREATE TABLE visits (id bigserial PRIMARY KEY, at timestamptz DEFAULT now());",
        )
        .execute(&mut database)
        .await
        .context("create the tables")?;
        sqlx::query(
            "INSERT INTO orders
             SELECT n, (n * 7919) % 50000, ((n * 31) % 99900) / 100.0 + 1, md5(n::text)
             FROM generate_series(1, $1) AS n",
        )
        .bind(rows)
        .execute(&mut database)
        .await
        .context("load the rows")?;
        sqlx::raw_sql("CREATE INDEX orders_customer ON orders (customer); ANALYZE orders;")
            .execute(&mut database)
            .await
            .context("create an index")?;
        database.close().await.context("close the connection")
    }

    /// A bad migration: every third order is gone, every amount is wrong.
    pub(super) async fn damage(&self) -> Result<(), Failure> {
        let mut database = self.connect().await?;
        sqlx::raw_sql("DELETE FROM orders WHERE id % 3 = 0; UPDATE orders SET amount = 0;")
            .execute(&mut database)
            .await
            .context("damage the rows")?;
        database.close().await.context("close the connection")
    }

    /// Counts the rows and sums their hashes.
    pub(super) async fn contents(&self) -> Result<Contents, Failure> {
        let mut database = self.connect().await?;
        let row = sqlx::query(
            "SELECT count(*), coalesce(sum(hashtextextended(o::text, 0)), 0)::text FROM orders AS o",
        )
        .fetch_one(&mut database)
        .await
        .context("count the rows")?;
        database.close().await.context("close the connection")?;
        Ok(Contents {
            rows: row.try_get(0).context("read the number of rows")?,
            checksum: row.try_get(1).context("read the checksum")?,
        })
    }
}

fn api_failed<E>(doing: &str, error: &E) -> Failure
where
    E: std::error::Error,
{
    Failure::failed(format!("cannot {doing}: {}", DisplayErrorContext(error)))
}
