//! What can be wrong with a definition: the findings, and the checks that need a whole flow.
//!
//! `problem` names every kind of finding. Most are reported while a definition is read; `flow`
//! holds those about how states lead to each other.

mod flow;
mod problem;

use std::fmt;

pub(crate) use flow::{check_flow, check_names};
pub use problem::Problem;

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

/// A definition that was refused, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct DefinitionError {
    findings: Vec<Finding>,
}

impl DefinitionError {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        DefinitionError { findings }
    }

    /// What is wrong: at least one finding, those of one object in the definition's order.
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
