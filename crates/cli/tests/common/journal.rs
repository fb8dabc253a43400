//! Stops an execution at an exact point: when it is about to make an event durable.
//!
//! At that point the task that the event tells of has done its work, and nothing that is durable
//! says so: the worst moment for a process to be killed, and one that no timing could hit. The
//! journal is an SQLite file, so a trigger can hold the insert of one event for as long as the test
//! likes; it goes away with the killed process's transaction.

use std::cell::RefCell;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::execution::{Home, Running};
use super::patience::until;

/// What never comes to an end.
const ENDLESS: &str = "
    CREATE VIEW IF NOT EXISTS endless AS
        WITH RECURSIVE step (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM step)
        SELECT number FROM step;";

/// Whether an event tells of a task's success.
const IS_SUCCESS: &str = "json_extract(event, '$.type') = 'TaskSucceeded'";

/// The journal of a home, as the test meddles with it.
pub(crate) struct Journal {
    pub(super) connection: Connection,
    /// Asks whether everything is durable that comes before what is held.
    is_reached: RefCell<String>,
}

impl Journal {
    /// Opens the journal; where there is none yet, `trapheus` makes it.
    pub(crate) fn of(home: &Home) -> Self {
        home.run(&["executions", "list"]);
        let path = home.directory.path().join("executions.db");
        let connection = Connection::open(path).expect("the journal can be opened");
        let journal = Self {
            connection,
            is_reached: RefCell::default(),
        };
        journal.patience(Duration::from_secs(10));
        journal
            .connection
            .execute_batch(ENDLESS)
            .expect("the journal takes a view");
        journal
    }

    /// From now on the success of a task never becomes durable once there are so many successes.
    pub(crate) fn hold_after_successes(&self, successes: usize) {
        let enough = format!("SELECT count(*) >= {successes} FROM events WHERE {IS_SUCCESS}");
        let is_success = format!("EXISTS (SELECT NEW.event AS event WHERE {IS_SUCCESS})");
        self.hold(&format!("({enough}) AND {is_success}"), &enough);
    }

    /// From now on the insert of such an event never ends; the question tells whether the one
    /// before it is durable.
    pub(super) fn hold(&self, condition: &str, is_reached: &str) {
        self.release();
        let trigger = format!(
            "CREATE TRIGGER held BEFORE INSERT ON events WHEN {condition}
             BEGIN SELECT count(*) FROM endless; END;"
        );
        self.connection
            .execute_batch(&trigger)
            .expect("the journal takes a trigger");
        is_reached.clone_into(&mut self.is_reached.borrow_mut());
    }

    /// Nothing is held any more.
    pub(crate) fn release(&self) {
        self.connection
            .execute_batch("DROP TRIGGER IF EXISTS held")
            .expect("the trigger can be removed");
    }

    /// Waits until an insert is being held. False: the process ended without.
    pub(crate) fn is_held(&self, running: &mut Running<'_>) -> bool {
        until("an event is held or the process ends", || {
            if self.is_holding() {
                Some(true)
            } else {
                running.has_ended().then_some(false)
            }
        })
    }

    /// Whether an insert is being held. An ordinary write that takes long can pass for it, but only
    /// after everything before what is held: the execution is where it is to be killed.
    pub(crate) fn is_holding(&self) -> bool {
        let is_reached: bool = self
            .connection
            .query_row(&self.is_reached.borrow(), [], |row| row.get(0))
            .expect("events can be counted");
        self.patience(Duration::from_millis(50));
        let lock = self.connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
        self.patience(Duration::from_secs(10));
        let is_locked =
            lock.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        is_reached && is_locked
    }

    fn patience(&self, timeout: Duration) {
        self.connection
            .busy_timeout(timeout)
            .expect("SQLite takes a time-out");
    }
}
