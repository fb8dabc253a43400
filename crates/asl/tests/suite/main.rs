//! The tests of the States Language crate, through its public surface.

mod restore_definition;
mod support;
