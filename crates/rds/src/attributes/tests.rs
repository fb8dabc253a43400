//! Compares the table with the service's own list of members, and sends what it captured.
