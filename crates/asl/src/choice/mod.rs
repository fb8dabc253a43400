//! The rules of a Choice state, and whether one matches.
//!
//! A rule that looks at what isn't there fails the execution, as on AWS; `IsPresent` alone may
//! ask. `And` and `Or` stop at the first rule that decides, so `IsPresent` can guard the others.

mod compare;

pub(crate) use compare::{Family, Operand, Relation, Test, TypeTest};

use crate::errors::Failure;
use crate::path::{Documents, Path};

/// What can be true or false of an input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// All are true.
    And(Vec<Condition>),
    /// At least one is true.
    Or(Vec<Condition>),
    /// It is false.
    Not(Box<Condition>),
    /// Something is there, or not.
    IsPresent { variable: Path, expected: bool },
    /// What is there passes a test.
    Test { variable: Path, test: Test },
}

impl Condition {
    /// Whether it is true.
    pub(crate) fn holds(&self, documents: Documents<'_>) -> Result<bool, Failure> {
        match self {
            Condition::And(conditions) => {
                for condition in conditions {
                    if !condition.holds(documents)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(conditions) => {
                for condition in conditions {
                    if condition.holds(documents)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(condition) => Ok(!condition.holds(documents)?),
            Condition::IsPresent { variable, expected } => {
                Ok(variable.find(documents).is_some() == *expected)
            }
            Condition::Test { variable, test } => {
                test.passes(look_up(variable, documents)?, documents)
            }
        }
    }
}

fn look_up<'a>(path: &Path, documents: Documents<'a>) -> Result<&'a serde_json::Value, Failure> {
    path.find(documents).ok_or_else(|| {
        Failure::runtime(format!(
            "Invalid path '{path}': The choice state's condition path references an invalid value."
        ))
    })
}
