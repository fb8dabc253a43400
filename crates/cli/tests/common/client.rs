//! A client that has to live with a database that isn't there for a while.

use super::patience::done;
use super::rows::Rows;

impl Rows {
    /// Adds a row if the database answers; whether it has confirmed it.
    pub(crate) fn try_write(&self, note: &str) -> bool {
        done(self.try_execute(&format!("INSERT INTO orders (note) VALUES ('{note}')"))).is_ok()
    }

    /// How many rows have a note that begins so.
    pub(crate) fn count(&self, beginning: &str) -> i64 {
        done(async {
            let mut database = self.connect().await.expect("the database lets a client in");
            let question = "SELECT count(*) FROM orders WHERE note LIKE $1 || '%'";
            let question = sqlx::query_scalar(question).bind(beginning);
            question
                .fetch_one(&mut database)
                .await
                .expect("the rows can be counted")
        })
    }
}
