//! Intrinsic functions: `States.Format('{} rows', $.count)` and their like.
//!
//! `parse` reads a call, `functions` computes one. Functions whose value cannot be repeated by a
//! replay (`States.UUID`, `States.MathRandom`) are refused when a definition is read, and so are
//! `States.Hash` and the Base64 ones, which nothing here needs.

mod format;
mod functions;
mod parse;

use serde_json::Value;

use crate::errors::Failure;
use crate::expression::Expression;
use crate::path::{Documents, Path};

/// A call of an intrinsic function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    function: Function,
    arguments: Vec<Argument>,
}

/// The functions that are supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Format,
    JsonMerge,
    JsonToString,
    MathAdd,
    StringSplit,
    StringToJson,
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    /// A string in quotes, with its escapes: `States.Format` tells `\{` from `{`.
    Text(String),
    /// A number, `true`, `false` or `null`.
    Literal(Value),
    /// A path or another call.
    Expression(Expression),
}

impl Call {
    /// Reads a call; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Call, String> {
        parse::call(text)
    }

    /// The value of the call; `field` names the field it stands in.
    pub(crate) fn evaluate(&self, documents: Documents<'_>, field: &str) -> Result<Value, Failure> {
        let values = self
            .arguments
            .iter()
            .map(|argument| self.value_of(argument, documents, field))
            .collect::<Result<Vec<_>, _>>()?;
        functions::compute(self.function, values).map_err(|reason| {
            Failure::intrinsic(format!(
                "{} in the field '{field}': {reason}",
                self.function.name()
            ))
        })
    }

    /// The paths in its arguments.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        self.arguments
            .iter()
            .flat_map(|argument| match argument {
                Argument::Text(_) | Argument::Literal(_) => Vec::new(),
                Argument::Expression(expression) => expression.paths(),
            })
            .collect()
    }

    fn value_of(
        &self,
        argument: &Argument,
        documents: Documents<'_>,
        field: &str,
    ) -> Result<Value, Failure> {
        match argument {
            Argument::Text(text) if self.function == Function::Format => {
                Ok(Value::String(text.clone()))
            }
            Argument::Text(text) => Ok(Value::String(format::unescape(text))),
            Argument::Literal(value) => Ok(value.clone()),
            Argument::Expression(expression) => expression.evaluate(documents, field),
        }
    }
}

impl Function {
    const ALL: [Function; 13] = [
        Function::Array,
        Function::ArrayContains,
        Function::ArrayGetItem,
        Function::ArrayLength,
        Function::ArrayPartition,
        Function::ArrayRange,
        Function::ArrayUnique,
        Function::Format,
        Function::JsonMerge,
        Function::JsonToString,
        Function::MathAdd,
        Function::StringSplit,
        Function::StringToJson,
    ];

    fn name(self) -> &'static str {
        match self {
            Function::Array => "States.Array",
            Function::ArrayContains => "States.ArrayContains",
            Function::ArrayGetItem => "States.ArrayGetItem",
            Function::ArrayLength => "States.ArrayLength",
            Function::ArrayPartition => "States.ArrayPartition",
            Function::ArrayRange => "States.ArrayRange",
            Function::ArrayUnique => "States.ArrayUnique",
            Function::Format => "States.Format",
            Function::JsonMerge => "States.JsonMerge",
            Function::JsonToString => "States.JsonToString",
            Function::MathAdd => "States.MathAdd",
            Function::StringSplit => "States.StringSplit",
            Function::StringToJson => "States.StringToJson",
        }
    }

    /// How many arguments it takes; `None`: any number.
    fn arity(self) -> Option<usize> {
        match self {
            Function::Array | Function::Format => None,
            Function::ArrayLength
            | Function::ArrayUnique
            | Function::JsonToString
            | Function::StringToJson => Some(1),
            Function::ArrayContains
            | Function::ArrayGetItem
            | Function::ArrayPartition
            | Function::MathAdd
            | Function::StringSplit => Some(2),
            Function::ArrayRange | Function::JsonMerge => Some(3),
        }
    }
}
