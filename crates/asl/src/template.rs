//! Payload templates: the values of `Parameters`, `ResultSelector` and `ItemSelector`, in which a
//! member whose name ends in `.$` is computed.

use serde_json::{Map, Value};

use crate::errors::Failure;
use crate::expression::Expression;
use crate::path::Documents;

/// A JSON value with holes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Template {
    /// Stands for itself.
    Literal(Value),
    /// Members, in the definition's order.
    Object(Vec<(String, Template)>),
    /// Elements.
    Array(Vec<Template>),
    /// A hole: the member's name as it stands in the definition, and what fills it.
    Computed(String, Expression),
}

impl Template {
    /// Fills the holes.
    pub(crate) fn fill(&self, documents: Documents<'_>) -> Result<Value, Failure> {
        match self {
            Template::Literal(value) => Ok(value.clone()),
            Template::Object(members) => members
                .iter()
                .map(|(name, template)| Ok((name.clone(), template.fill(documents)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            Template::Array(elements) => elements
                .iter()
                .map(|element| element.fill(documents))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Template::Computed(field, expression) => expression.evaluate(documents, field),
        }
    }
}
