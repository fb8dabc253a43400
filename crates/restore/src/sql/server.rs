//! Real servers, by sqlx.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, ColumnIndex, Connection, Database, Decode, Either, Executor, Row, Type};
use tokio::time::timeout;

use super::text::{statements, strings, without_strings};
use super::{Answer, Column, Dialect, Server, Sql, SqlError, mysql, postgres, short};

/// The schema in which a server remembers the scripts that it has run.
pub(super) const MEMORY: &str = "trapheus_preparation";

/// How much of a statement, and of a value, is repeated to people.
const STATEMENT_CHARACTERS: usize = 120;
const VALUE_CHARACTERS: usize = 60;
/// How many values of a statement are.
const VALUES_SHOWN: usize = 5;

/// Shorter strings are no secrets, and parts of ordinary words.
const HIDDEN_LENGTH_MIN: usize = 4;

/// The class of SQLSTATEs that say who somebody is not.
const INVALID_AUTHORIZATION: &str = "28";
/// Those after which a session may be begun again: lost connections, a server that starts or
/// stops, deadlocks, objects in use.
const PASSING: [&str; 5] = ["08", "57P", "40001", "40P01", "55006"];

/// Runs SQL over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServerSql;

#[async_trait]
impl Sql for ServerSql {
    async fn quarantine(&self, server: &Server) -> Result<Vec<String>, SqlError> {
        match server.dialect {
            Dialect::Postgres => within(server, postgres::quarantine(server)).await,
            Dialect::MySql => within(server, mysql::quarantine(server)).await,
        }
    }

    async fn columns(&self, server: &Server) -> Result<Vec<Column>, SqlError> {
        match server.dialect {
            Dialect::Postgres => within(server, postgres::columns(server)).await,
            Dialect::MySql => within(server, mysql::columns(server)).await,
        }
    }

    async fn prepare(
        &self,
        server: &Server,
        execution: &str,
        scripts: &[String],
    ) -> Result<(), SqlError> {
        match server.dialect {
            Dialect::Postgres => {
                within(server, postgres::prepare(server, execution, scripts)).await
            }
            Dialect::MySql => within(server, mysql::prepare(server, execution, scripts)).await,
        }
    }

    async fn is_prepared(
        &self,
        server: &Server,
        execution: &str,
        scripts: usize,
    ) -> Result<bool, SqlError> {
        match server.dialect {
            Dialect::Postgres => {
                within(server, postgres::is_prepared(server, execution, scripts)).await
            }
            Dialect::MySql => within(server, mysql::is_prepared(server, execution, scripts)).await,
        }
    }

    async fn forget(&self, server: &Server) -> Result<(), SqlError> {
        match server.dialect {
            Dialect::Postgres => within(server, postgres::forget(server)).await,
            Dialect::MySql => within(server, mysql::forget(server)).await,
        }
    }

    async fn verify(&self, server: &Server, scripts: &[String]) -> Result<Vec<Answer>, SqlError> {
        match server.dialect {
            Dialect::Postgres => within(server, postgres::verify(server, scripts)).await,
            Dialect::MySql => within(server, mysql::verify(server, scripts)).await,
        }
    }
}

/// Cuts an operation off when its time is over; the connection closes with it.
async fn within<T>(
    server: &Server,
    work: impl Future<Output = Result<T, SqlError>>,
) -> Result<T, SqlError> {
    let seconds = server.patience.as_secs();
    timeout(server.patience, work).await.map_err(|_| {
        SqlError::Refused(format!(
            "the SQL has not ended after {seconds} s, the most that the plan allows"
        ))
    })?
}

/// What a failure of the driver means. Its text never holds the password.
pub(super) fn failed(what: &str, error: &sqlx::Error) -> SqlError {
    let text = format!("{what}: {error}");
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            let is_passing = PASSING.iter().any(|passing| code.starts_with(passing));
            match is_passing && !code.starts_with(INVALID_AUTHORIZATION) {
                true => SqlError::Passing(text),
                false => SqlError::Refused(text),
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
            SqlError::Passing(text)
        }
        _ => SqlError::Refused(text),
    }
}

/// Takes what a script has in strings out of the server's words, which go to people by alerts.
fn hiding(error: SqlError, strings: &[&str]) -> SqlError {
    let hidden = |mut text: String| {
        for string in strings.iter().filter(|it| it.len() >= HIDDEN_LENGTH_MIN) {
            text = text.replace(string, "…");
        }
        text
    };
    match error {
        SqlError::Passing(text) => SqlError::Passing(hidden(text)),
        SqlError::Refused(text) => SqlError::Refused(hidden(text)),
    }
}

/// Runs SQL of our own that returns nothing.
pub(super) async fn execute<C>(connection: &mut C, what: &str, sql: String) -> Result<(), SqlError>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(drop)
        .map_err(|error| failed(what, &error))
}

/// The first column of every row, as text.
pub(super) async fn texts<C>(
    connection: &mut C,
    what: &str,
    sql: String,
) -> Result<Vec<String>, SqlError>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
    usize: ColumnIndex<<C::Database as Database>::Row>,
    for<'r> String: Decode<'r, C::Database> + Type<C::Database>,
{
    let rows = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await;
    let rows = rows.map_err(|error| failed(what, &error))?;
    rows.iter()
        .map(|row| {
            row.try_get_unchecked(0)
                .map_err(|error| failed(what, &error))
        })
        .collect()
}

/// Runs a user's script as a whole, and says what its statements returned.
pub(super) async fn run<C>(
    connection: &mut C,
    dialect: Dialect,
    script: &str,
) -> Result<Vec<Answer>, SqlError>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
    usize: ColumnIndex<<C::Database as Database>::Row>,
    for<'r> Option<String>: Decode<'r, C::Database> + Type<C::Database>,
{
    let written = statements(dialect, script);
    // The server is who splits a script; where the two of us differ, ours has too few or too many.
    let name = |number: usize| match written.get(number) {
        Some(statement) => short(
            &without_strings(dialect, statement.text),
            STATEMENT_CHARACTERS,
        ),
        None => format!("statement {}", number + 1),
    };
    let mut answers = Vec::new();
    let mut seen = Seen::default();
    let mut results = sqlx::raw_sql(AssertSqlSafe(script.to_owned())).fetch_many(connection);
    loop {
        let next = results.try_next().await;
        let next = next.map_err(|error| {
            let error = failed(&format!("`{}`", name(answers.len())), &error);
            hiding(error, &strings(dialect, script))
        })?;
        match next {
            Some(Either::Right(row)) => seen.row(&row),
            Some(Either::Left(_)) => {
                let statement = name(answers.len());
                answers.push(std::mem::take(&mut seen).answer(statement));
            }
            None => return Ok(answers),
        }
    }
}

/// What a statement has returned so far.
#[derive(Debug, Default)]
struct Seen {
    values: usize,
    untrue: usize,
    shown: Vec<String>,
}

impl Seen {
    fn row<R: Row>(&mut self, row: &R)
    where
        usize: ColumnIndex<R>,
        for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    {
        for column in 0..row.len() {
            let value: Option<String> = match row.try_get_unchecked(column) {
                Ok(value) => value,
                Err(_) => Some("something that is no text".to_owned()),
            };
            self.value(value.as_deref());
        }
    }

    /// What isn't true is shown first.
    fn value(&mut self, value: Option<&str>) {
        self.values += 1;
        let shown = short(value.unwrap_or("NULL"), VALUE_CHARACTERS);
        if !value.is_some_and(is_true) {
            self.shown.insert(self.untrue.min(VALUES_SHOWN), shown);
            self.untrue += 1;
        } else {
            self.shown.push(shown);
        }
        self.shown.truncate(VALUES_SHOWN);
    }

    fn answer(self, statement: String) -> Answer {
        let more = self.values - self.shown.len();
        let mut saw = match self.shown.is_empty() {
            true => "no row".to_owned(),
            false => self.shown.join(", "),
        };
        if more > 0 {
            saw = format!("{saw} and {more} more");
        }
        Answer {
            statement,
            saw,
            holds: self.values > 0 && self.untrue == 0,
        }
    }
}

/// What servers write for true, and any number but zero.
fn is_true(value: &str) -> bool {
    let number = value.trim().parse::<f64>();
    value.eq_ignore_ascii_case("t")
        || value.eq_ignore_ascii_case("true")
        || number.is_ok_and(|number| number != 0.0 && !number.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: &[Option<&str>]) -> Answer {
        let mut seen = Seen::default();
        for value in values {
            seen.value(*value);
        }
        seen.answer("SELECT".to_owned())
    }

    #[test]
    fn true_is_what_servers_write_for_it() {
        for value in ["t", "TRUE", "1", "-1", "0.5", "17"] {
            assert!(is_true(value), "{value}");
        }
        for value in ["f", "false", "0", "0.0", "", "NaN", "yes", "orders"] {
            assert!(!is_true(value), "{value}");
        }
    }

    #[test]
    fn all_values_of_at_least_one_row_must_be_true() {
        assert!(answer(&[Some("t"), Some("1")]).holds);
        assert!(!answer(&[]).holds);
        assert_eq!(answer(&[]).saw, "no row");
        let mixed = answer(&[Some("t"), None, Some("t"), Some("0")]);
        assert!(!mixed.holds);
        assert_eq!(mixed.saw, "NULL, 0, t, t");
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let long = "x".repeat(1000);
        let values: Vec<Option<&str>> = vec![Some(&long); 1000];
        let answer = answer(&values);
        assert!(answer.saw.len() < 500, "{}", answer.saw.len());
        assert!(answer.saw.ends_with("and 995 more"), "{}", answer.saw);
    }
}
