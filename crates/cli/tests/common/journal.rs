//! Stops an execution at an exact point: when it is about to make an event durable.
//!
//! At that point the task that the event tells of has done its work, and nothing that is durable
//! says so: the worst moment for a process to be killed, and one that no timing could hit. The
//! journal is an SQLite file, so a trigger can hold the insert of one event for as long as the test
//! likes; it goes away with the killed process's transaction.

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

/// Looks in a row at which the journal must be locked: an ordinary write is over long before.
const LOOKS_LOCKED: u32 = 5;

/// The journal of a home, as the test meddles with it.
pub(crate) struct Journal(pub(super) Connection);

impl Journal {
    /// Opens the journal; where there is none yet, `trapheus` makes it.
    pub(crate) fn of(home: &Home) -> Self {
        home.run(&["executions", "list"]);
        let connection = Connection::open(home.directory.path().join("executions.db"))
            .expect("the journal can be opened");
        connection
            .busy_timeout(Duration::from_secs(10))
            .expect("SQLite takes a time-out");
        connection
            .execute_batch(ENDLESS)
            .expect("the journal takes a view");
        Self(connection)
    }

    /// From now on the success of a task never becomes durable once there are so many successes.
    pub(crate) fn hold_after_successes(&self, successes: usize) {
        self.hold(&format!(
            "{successes} <= (SELECT count(*) FROM events WHERE {IS_SUCCESS})
             AND EXISTS (SELECT NEW.event AS event WHERE {IS_SUCCESS})"
        ));
    }

    /// From now on the insert of such an event never ends.
    pub(super) fn hold(&self, condition: &str) {
        self.release();
        let trigger = format!(
            "CREATE TRIGGER held BEFORE INSERT ON events WHEN {condition}
             BEGIN SELECT count(*) FROM endless; END;"
        );
        self.0
            .execute_batch(&trigger)
            .expect("the journal takes a trigger");
    }

    /// Nothing is held any more.
    pub(crate) fn release(&self) {
        self.0
            .execute_batch("DROP TRIGGER IF EXISTS held")
            .expect("the trigger can be removed");
    }

    /// Waits until an insert is being held. False: the process ended without.
    pub(crate) fn is_held(&self, running: &mut Running<'_>) -> bool {
        let probe = || {
            let lock = self.0.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
            lock.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
        };
        self.patience(Duration::ZERO);
        let mut locked = 0;
        let held = until("an event is held or the process ends", || {
            locked = if probe() { locked + 1 } else { 0 };
            if locked == LOOKS_LOCKED {
                Some(true)
            } else {
                running.has_ended().then_some(false)
            }
        });
        self.patience(Duration::from_secs(10));
        held
    }

    fn patience(&self, timeout: Duration) {
        self.0
            .busy_timeout(timeout)
            .expect("SQLite takes a time-out");
    }
}
