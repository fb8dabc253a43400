//! The inside of a story's database: data that stays as it is, and a look at what is there.

use aws_sdk_rds::types::DbInstance;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Executor, Row};

use super::instances::{DATABASE, PASSWORD, USER};

/// A database's endpoint, with what it takes to log in.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// How a client connects.
    pub(crate) options: PgConnectOptions,
}

impl Database {
    /// The database behind an endpoint.
    pub(crate) fn of(instance: &DbInstance) -> Self {
        let endpoint = instance.endpoint().expect("it has an endpoint");
        let address = endpoint.address().expect("an endpoint has an address");
        Self::at(address, endpoint.port().expect("an endpoint has a port"))
    }

    /// The database behind whatever endpoint has an address.
    pub(crate) fn at(address: &str, port: i32) -> Self {
        let options = PgConnectOptions::new()
            .host(address)
            .port(port.try_into().expect("a port has 16 bits"))
            .username(USER)
            .password(PASSWORD)
            .database(DATABASE)
            .ssl_mode(PgSslMode::Disable);
        Self { options }
    }

    /// Makes the tables: `items`, which nobody writes to, and `entries` for a client that does.
    pub(crate) async fn fill(&self, kind: &str) {
        let sql = format!(
            "CREATE TABLE items AS
                 SELECT n AS id, '{kind} ' || md5(n::text) AS name FROM generate_series(1, 5000) AS n;
             CREATE INDEX items_by_name ON items (name);
             CREATE TABLE entries (id bigint PRIMARY KEY);"
        );
        self.execute(&sql).await;
    }

    /// Runs SQL that returns nothing.
    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        connection
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The number of `items` and the sum of their hashes.
    pub(crate) async fn items(&self) -> (i64, String) {
        let sql = "SELECT count(*), sum(hashtextextended(items::text, 0))::text FROM items";
        let row = sqlx::query(sql)
            .fetch_one(&mut self.connect().await)
            .await
            .expect("items can be counted");
        (row.get(0), row.get(1))
    }

    pub(super) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options)
            .await
            .expect("the database takes the login")
    }
}
