//! Stops an execution before each of its events, one after the other.

use super::journal::Journal;

impl Journal {
    /// From now on the insert of an event never ends once the execution has so many.
    pub(crate) fn hold_after(&self, events: i64) {
        let is_reached = format!("SELECT count(*) >= {events} FROM events");
        self.hold(&format!("NEW.sequence >= {events}"), &is_reached);
    }

    /// How many events the execution has.
    pub(crate) fn events(&self) -> i64 {
        let count = "SELECT count(*) FROM events";
        self.connection
            .query_row(count, [], |row| row.get(0))
            .expect("events can be counted")
    }
}
