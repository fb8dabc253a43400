//! The engine's tests through its public surface: one binary, one module per promise.

mod clocks;
mod common;
mod journal;
mod ownership;
mod prefixes;
mod processes;
mod running;
