//! Servers that are rows in memory: what simulations and fast tests run against.

/// The simulated servers of one control plane; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct SimulatedServers {}

/// Reads and writes rows through the name of an instance, as an application would.
#[derive(Clone, Debug)]
pub struct SimulatedClient {
    identifier: String,
}

/// Nothing answers at the name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing answers at {identifier}")]
pub struct NotAnswering {
    /// The name.
    pub identifier: String,
}

impl SimulatedClient {
    pub(crate) fn new(identifier: &str) -> Self {
        Self {
            identifier: identifier.to_owned(),
        }
    }

    /// Sets a row and counts the write.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn put(&self, _key: &str, _value: &str) -> Result<(), NotAnswering> {
        Err(NotAnswering {
            identifier: self.identifier.clone(),
        })
    }

    /// A row.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn get(&self, _key: &str) -> Result<Option<String>, NotAnswering> {
        Err(NotAnswering {
            identifier: self.identifier.clone(),
        })
    }

    /// How many writes the data behind the name has seen, those before its snapshot included.
    ///
    /// # Errors
    /// Nothing answers at the name.
    pub fn writes(&self) -> Result<u64, NotAnswering> {
        Err(NotAnswering {
            identifier: self.identifier.clone(),
        })
    }
}
