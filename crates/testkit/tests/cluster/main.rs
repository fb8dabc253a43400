//! Restores of Aurora clusters in virtual time: what goes well, what fails and who dies.
//!
//! Method: a writer that is not the first member by name, two readers of other tiers and two
//! custom endpoints; one row tells whose data answers. The end is asserted at every endpoint, by
//! the address that it had before, and on all that RDS shows.

mod calls;
mod failures;
mod restores;
mod stage;
