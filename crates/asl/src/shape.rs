//! How `InputPath`, `OutputPath` and `ResultPath` shape what goes into a state and comes out.

use serde_json::{Value, json};

use crate::errors::Failure;
use crate::path::{Documents, Path};

/// An `InputPath` or `OutputPath`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    /// Everything: the field is absent.
    Whole,
    /// What is at the path.
    Path(Path),
    /// Nothing, which is an empty object: the field is null.
    Nothing,
}

impl Filter {
    /// What is left of the input.
    pub(crate) fn select(&self, documents: Documents<'_>) -> Result<Value, Failure> {
        match self {
            Filter::Whole => Ok(documents.input.clone()),
            Filter::Nothing => Ok(json!({})),
            Filter::Path(path) => path.find(documents).cloned().ok_or_else(|| {
                Failure::runtime(format!(
                    "Invalid path '{path}' : No results for path: {}",
                    path.in_brackets()
                ))
            }),
        }
    }
}

/// Where a result goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ResultPath {
    /// Nowhere: the input is the output.
    Discard,
    /// Into the input, at this path.
    At(Path),
}

impl ResultPath {
    /// The state's raw input with the result in it.
    pub(crate) fn combine(&self, input: &Value, result: Value) -> Result<Value, Failure> {
        match self {
            ResultPath::Discard => Ok(input.clone()),
            ResultPath::At(path) => {
                let mut output = input.clone();
                path.put(&mut output, result)?;
                Ok(output)
            }
        }
    }
}
