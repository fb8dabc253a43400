//! Reads a definition's JSON into the types of [`crate::definition`], and reports every finding
//! on the way instead of stopping at the first.
//!
//! Reading functions return `None` when they have reported why; a definition is accepted only
//! when nothing was reported. Fields that nobody asked for are reported as unknown, so that what
//! isn't implemented cannot be ignored by accident.

mod choice;
mod error_rules;
mod json;
mod machine;
mod node;
mod state;
mod value;
mod work;

pub(crate) use machine::machine;
pub(crate) use node::member;
