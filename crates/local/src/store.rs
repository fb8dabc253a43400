//! Where the state is kept.

/// State in memory, for simulation; a clone shares it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {}
