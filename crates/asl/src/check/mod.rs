//! What can be wrong with a definition.

use std::fmt;

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The JSON path of the offender.
    pub at: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.at, self.problem)
    }
}

/// The kinds of things that can be wrong with a definition.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not JSON.
    #[error("not JSON: {reason}")]
    NotJson {
        /// Where and why, in the JSON parser's words.
        reason: String,
    },
}

/// A definition that was refused, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct DefinitionError {
    findings: Vec<Finding>,
}

impl DefinitionError {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        DefinitionError { findings }
    }

    /// What is wrong: at least one finding, in the definition's order.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the definition is refused")?;
        for finding in &self.findings {
            write!(formatter, "\n  {finding}")?;
        }
        Ok(())
    }
}
