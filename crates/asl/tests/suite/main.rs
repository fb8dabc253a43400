//! The tests of the States Language crate, through its public surface.

mod behaviour;
mod conformance;
mod properties;
mod refusals;
mod restore_definition;
mod support;
