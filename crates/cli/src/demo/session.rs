//! A client's connection, in the language of its server: what the demo's tables are, how they are
//! filled, damaged, read and written to.

use serde::Serialize;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Row};

use super::kind::Dialect;

/// The master user of the demo's database.
pub(super) const USER: &str = "shop";
/// Its password.
pub(super) const PASSWORD: &str = "a-password-for-a-demo";
/// The database in the database.
pub(super) const DATABASE: &str = "orders";

/// Where a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Endpoint {
    /// A loopback address.
    pub(super) address: String,
    /// A TCP port.
    pub(super) port: u16,
}

/// What is in the table `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contents {
    /// Its rows.
    pub(super) rows: i64,
    /// The sum of all rows' hashes; it does not depend on their order.
    pub(super) checksum: String,
}

/// An open connection.
pub(super) enum Session {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

const POSTGRES_TABLES: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL,
                         amount numeric(10, 2) NOT NULL, note text NOT NULL);
    CREATE TABLE visits (id bigserial PRIMARY KEY, at timestamptz DEFAULT now());";
const POSTGRES_ROWS: &str = "
    INSERT INTO orders
    SELECT n, (n * 7919) % 50000, ((n * 31) % 99900) / 100.0 + 1, md5(n::text)
    FROM generate_series(1, $1) AS n";
const POSTGRES_CONTENTS: &str = "
    SELECT count(*), coalesce(sum(hashtextextended(o::text, 0)), 0)::text FROM orders AS o";

const MYSQL_TABLES: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL,
                         amount decimal(10, 2) NOT NULL, note text NOT NULL);
    CREATE TABLE visits (id bigint AUTO_INCREMENT PRIMARY KEY, at timestamp DEFAULT now());";
const MYSQL_ROWS: &str = "
    INSERT INTO orders
    SELECT seq, (seq * 7919) % 50000, ((seq * 31) % 99900) / 100.0 + 1, md5(seq)
    FROM seq_1_to_1000000000 WHERE seq <= ?";
const MYSQL_CONTENTS: &str = "
    SELECT count(*),
           cast(coalesce(sum(crc32(concat_ws('|', id, customer, amount, note))), 0) AS char)
    FROM orders";

const INDEX: &str = "CREATE INDEX orders_customer ON orders (customer)";
const DAMAGE: &str = "DELETE FROM orders WHERE id % 3 = 0; UPDATE orders SET amount = 0;";
const NEWEST: &str = "SELECT max(id) FROM orders";

impl Session {
    /// Connects to a server.
    pub(super) async fn open(to: &Endpoint, dialect: Dialect) -> Result<Self, sqlx::Error> {
        match dialect {
            Dialect::Postgres => {
                let options = PgConnectOptions::new()
                    .host(&to.address)
                    .port(to.port)
                    .username(USER)
                    .password(PASSWORD)
                    .database(DATABASE)
                    .ssl_mode(PgSslMode::Disable);
                Ok(Self::Postgres(PgConnection::connect_with(&options).await?))
            }
            Dialect::MySql => {
                let options = MySqlConnectOptions::new()
                    .host(&to.address)
                    .port(to.port)
                    .username(USER)
                    .password(PASSWORD)
                    .database(DATABASE)
                    .ssl_mode(MySqlSslMode::Disabled);
                Ok(Self::MySql(MySqlConnection::connect_with(&options).await?))
            }
        }
    }

    /// Makes the tables: `orders` with `rows` rows, and `visits` for the client's traffic.
    pub(super) async fn fill(&mut self, rows: i64) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                sqlx::raw_sql(POSTGRES_TABLES)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query(POSTGRES_ROWS)
                    .bind(rows)
                    .execute(&mut *connection)
                    .await?;
            }
            Self::MySql(connection) => {
                sqlx::raw_sql(MYSQL_TABLES)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query(MYSQL_ROWS)
                    .bind(rows)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        self.run(INDEX).await
    }

    /// A bad migration: every third order is gone, every amount is wrong.
    pub(super) async fn damage(&mut self) -> Result<(), sqlx::Error> {
        self.run(DAMAGE).await
    }

    /// Counts the rows and sums their hashes.
    pub(super) async fn contents(&mut self) -> Result<Contents, sqlx::Error> {
        let (rows, checksum) = match self {
            Self::Postgres(connection) => {
                let row = sqlx::query(POSTGRES_CONTENTS).fetch_one(connection).await?;
                (row.try_get(0)?, row.try_get(1)?)
            }
            Self::MySql(connection) => {
                let row = sqlx::query(MYSQL_CONTENTS).fetch_one(connection).await?;
                (row.try_get(0)?, row.try_get(1)?)
            }
        };
        Ok(Contents { rows, checksum })
    }

    /// Notes a visit.
    pub(super) async fn write(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(_) => self.run("INSERT INTO visits DEFAULT VALUES").await,
            Self::MySql(_) => self.run("INSERT INTO visits () VALUES ()").await,
        }
    }

    /// Looks for the newest order.
    pub(super) async fn read(&mut self) -> Result<Option<i64>, sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                sqlx::query(NEWEST).fetch_one(connection).await?.try_get(0)
            }
            Self::MySql(connection) => sqlx::query(NEWEST).fetch_one(connection).await?.try_get(0),
        }
    }

    /// Ends the connection in order.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => connection.close().await,
            Self::MySql(connection) => connection.close().await,
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                sqlx::raw_sql(sql).execute(connection).await?;
            }
            Self::MySql(connection) => {
                sqlx::raw_sql(sql).execute(connection).await?;
            }
        }
        Ok(())
    }
}
