//! What is particular to DB clusters: their attributes, how they are shown, and how they and their members hang together.

pub(crate) mod attributes;
pub(crate) mod describe;
pub(crate) mod members;
pub(crate) mod settings;
