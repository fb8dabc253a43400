//! How data flows through a state: what it starts from, and what its result becomes.

use std::sync::Arc;

use serde_json::Value;

use super::run::ScopeId;
use super::turn::Turn;
use crate::definition::{Count, State};
use crate::errors::Failure;
use crate::path::{Documents, Path};
use crate::shape::{Filter, ResultPath};
use crate::template::Template;

/// AWS's limit on a state's output and a task's result.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// What a state works with.
pub(super) struct Data {
    raw: Arc<Value>,
    input: Arc<Value>,
    pub(super) context: Value,
}

impl Turn<'_> {
    /// The data of the scope's state, with `InputPath` applied.
    pub(super) fn data(&self, scope: ScopeId, state: &State) -> Result<Data, Failure> {
        let raw = Arc::clone(&self.run.visit(scope).input);
        let context = self.context(scope);
        let input = match &state.input_path {
            Filter::Whole => Arc::clone(&raw),
            path @ (Filter::Path(_) | Filter::Nothing) => Arc::new(path.select(Documents {
                input: &raw,
                context: &context,
            })?),
        };
        Ok(Data {
            raw,
            input,
            context,
        })
    }
}

impl Data {
    /// What paths in the state's fields lead into.
    pub(super) fn documents(&self) -> Documents<'_> {
        Documents {
            input: &self.input,
            context: &self.context,
        }
    }

    /// The input as `Parameters` makes it, or as it is.
    pub(super) fn parameters(&self, parameters: Option<&Template>) -> Result<Value, Failure> {
        match parameters {
            Some(template) => template.fill(self.documents()),
            None => Ok(Value::clone(&self.input)),
        }
    }

    /// A number that the definition has, or that the input has where the definition says.
    pub(super) fn count(
        &self,
        count: &Count,
        field: &str,
        minimum: u64,
        maximum: u64,
    ) -> Result<u64, Failure> {
        match count {
            Count::Literal(number) => Ok(*number),
            Count::Path(path) => {
                let value = path.get(self.documents(), field)?;
                match value.as_u64() {
                    Some(number) if (minimum..=maximum).contains(&number) => Ok(number),
                    Some(_) | None => Err(bad_count(field, path, value)),
                }
            }
        }
    }

    /// The output of a state that has no result of its own.
    pub(super) fn output(&self, state: &State) -> Result<Value, Failure> {
        state.output_path.select(self.documents())
    }

    /// The output that a result becomes: selected, put into the raw input, filtered.
    pub(super) fn output_with(
        &self,
        state: &State,
        result: Value,
        selector: Option<&Template>,
        result_path: &ResultPath,
    ) -> Result<Value, Failure> {
        let context = &self.context;
        let result = match selector {
            Some(template) => template.fill(Documents {
                input: &result,
                context,
            })?,
            None => result,
        };
        let combined = result_path.combine(&self.raw, result)?;
        state.output_path.select(Documents {
            input: &combined,
            context,
        })
    }
}

/// Refuses what is larger than AWS lets pass from state to state.
pub(super) fn check_size(state: &str, value: &Value) -> Result<(), Failure> {
    if value.to_string().len() > PAYLOAD_BYTES_MAX {
        return Err(Failure::data_limit(state, PAYLOAD_BYTES_MAX));
    }
    Ok(())
}

/// A number that the state cannot use, in AWS's words.
fn bad_count(field: &str, path: &Path, value: &Value) -> Failure {
    let problem = match value.as_i64() {
        None => "cannot be parsed as a long value",
        Some(number) if number < 0 => "references a negative value",
        Some(_) => "references a value out of range",
    };
    Failure::runtime(format!(
        "The {field} parameter {problem}: {path} == {}",
        shown(value)
    ))
}

/// A value in a cause: strings stand without quotes there.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}
