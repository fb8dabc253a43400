//! The members of a request, which the model has typed already.

use serde_json::{Map, Value};

use super::error::ApiError;

/// The members of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input(pub(crate) Map<String, Value>);

impl Input {
    pub(crate) fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member)
    }

    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.get(member).and_then(Value::as_str)
    }

    /// A member that the model requires, so that it's there.
    pub(crate) fn required(&self, member: &str) -> Result<&str, ApiError> {
        self.text(member)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                ApiError::new(
                    "MissingParameter",
                    format!("The request must contain the parameter {member}."),
                )
            })
    }

    pub(crate) fn flag(&self, member: &str) -> bool {
        self.get(member).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn number(&self, member: &str) -> Option<i64> {
        self.get(member).and_then(Value::as_i64)
    }

    pub(crate) fn list(&self, member: &str) -> &[Value] {
        self.get(member)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The texts of a list.
    pub(crate) fn texts(&self, member: &str) -> Vec<String> {
        self.list(member)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }
}
