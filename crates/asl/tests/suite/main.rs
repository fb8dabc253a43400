//! The tests of the States Language crate, through its public surface.

mod conformance;
mod restore_definition;
mod support;
