//! What may stand in a string that is computed: a path, or a call of an intrinsic function.

use serde_json::Value;

use crate::errors::Failure;
use crate::intrinsic::Call;
use crate::path::{Documents, Path};

/// Something that has a value, given an input and a context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// The value at a path.
    Path(Path),
    /// The value of an intrinsic function.
    Call(Call),
}

impl Expression {
    /// The value; `field` names, in a failure, the field that the expression stands in.
    pub(crate) fn evaluate(&self, documents: Documents<'_>, field: &str) -> Result<Value, Failure> {
        match self {
            Expression::Path(path) => path.get(documents, field).cloned(),
            Expression::Call(call) => call.evaluate(documents, field),
        }
    }

    /// The paths in it.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Expression::Path(path) => vec![path],
            Expression::Call(call) => call.paths(),
        }
    }
}
