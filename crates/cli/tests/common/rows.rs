//! What is in a database: read and written through its endpoint, as its users do.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Row};

use super::patience::done;

/// The master user of all test databases.
pub(crate) const USER: &str = "shop";
/// Its password.
pub(crate) const PASSWORD: &str = "a-password-for-a-test";

/// The rows behind one endpoint. Equal: clients reach them in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    address: String,
    port: u16,
}

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    /// How many rows.
    pub(crate) rows: i64,
    /// The sum of their hashes; it doesn't depend on their order.
    pub(crate) checksum: String,
}

impl Rows {
    /// The rows behind an endpoint.
    pub(crate) fn at(address: &str, port: u16) -> Self {
        Self {
            address: address.to_owned(),
            port,
        }
    }

    /// Makes a table with some rows.
    pub(crate) fn fill(&self) {
        self.execute(
            "CREATE TABLE orders (id bigserial PRIMARY KEY, note text NOT NULL);
             INSERT INTO orders (note) SELECT md5(n::text) FROM generate_series(1, 5000) AS n;",
        );
    }

    /// Adds a row; the note tells it from others.
    pub(crate) fn write(&self, note: &str) {
        self.execute(&format!("INSERT INTO orders (note) VALUES ('{note}')"));
    }

    /// What is in the table.
    pub(crate) fn contents(&self) -> Contents {
        let question = "SELECT count(*), coalesce(sum(hashtextextended(o::text, 0)), 0)::text
                        FROM orders AS o";
        done(async {
            let mut database = self.connect().await.expect("the database lets a client in");
            let row = sqlx::query(question)
                .fetch_one(&mut database)
                .await
                .expect("the rows can be counted");
            Contents {
                rows: row.get(0),
                checksum: row.get(1),
            }
        })
    }

    /// Runs statements that return nothing.
    pub(crate) fn execute(&self, statements: &str) {
        done(self.try_execute(statements)).expect("the database takes it");
    }

    pub(super) async fn try_execute(&self, statements: &str) -> Result<(), sqlx::Error> {
        let mut database = self.connect().await?;
        let statements = sqlx::AssertSqlSafe(statements);
        sqlx::raw_sql(statements).execute(&mut database).await?;
        database.close().await
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let options = PgConnectOptions::new()
            .host(&self.address)
            .port(self.port)
            .username(USER)
            .password(PASSWORD)
            .database("shop")
            .ssl_mode(PgSslMode::Disable);
        PgConnection::connect_with(&options).await
    }
}
