//! Reads the small things that stand in many states: paths, templates, expressions, seconds.

use serde_json::Value;

use super::node::{Fields, Node, all};
use crate::check::Problem;
use crate::definition::{Count, Text};
use crate::expression::Expression;
use crate::intrinsic::Call;
use crate::path::{Path, Root};
use crate::shape::{Filter, ResultPath};
use crate::template::Template;

/// Reads a path into the input or the context object.
pub(super) fn path(node: &Node<'_>) -> Option<Path> {
    let text = node.string()?;
    match Path::parse(text) {
        Ok(path) => known(node, path),
        Err(reason) => node.report(Problem::BadPath {
            path: text.to_owned(),
            reason,
        }),
    }
}

/// Reads an `InputPath` or `OutputPath`.
pub(super) fn filter(fields: &Fields<'_>, name: &str) -> Option<Filter> {
    match fields.get(name) {
        None => Some(Filter::Whole),
        Some(node) if node.value.is_null() => Some(Filter::Nothing),
        Some(node) => path(&node).map(Filter::Path),
    }
}

/// Reads a `ResultPath`.
pub(super) fn result_path(fields: &Fields<'_>) -> Option<ResultPath> {
    match fields.get("ResultPath") {
        None => Some(ResultPath::At(Path::whole_input())),
        Some(node) if node.value.is_null() => Some(ResultPath::Discard),
        Some(node) => {
            let path = path(&node)?;
            match path.root() {
                Root::Input => Some(ResultPath::At(path)),
                Root::Context => node.report(Problem::BadPath {
                    path: path.to_string(),
                    reason: "the context object cannot be written to".to_owned(),
                }),
            }
        }
    }
}

/// Reads a path or a call of an intrinsic function.
pub(super) fn expression(node: &Node<'_>) -> Option<Expression> {
    let text = node.string()?;
    if text.starts_with('$') {
        return path(node).map(Expression::Path);
    }
    match Call::parse(text) {
        Ok(call) => {
            let paths = call.paths().into_iter().cloned().collect::<Vec<_>>();
            all(paths.into_iter().map(|path| known(node, path)))?;
            Some(Expression::Call(call))
        }
        Err(reason) => node.report(Problem::BadIntrinsic {
            call: text.to_owned(),
            reason,
        }),
    }
}

/// Reads a payload template that must be an object.
pub(super) fn template(fields: &Fields<'_>, name: &str) -> Option<Option<Template>> {
    fields.optional(name, |node| {
        node.fields()?;
        any_template(node)
    })
}

fn any_template(node: &Node<'_>) -> Option<Template> {
    match node.value {
        Value::Object(_) => {
            let entries = node.fields()?.entries();
            all(entries
                .iter()
                .map(|(name, node)| template_member(name, node)))
            .map(Template::Object)
        }
        Value::Array(_) => all(node.elements()?.iter().map(any_template)).map(Template::Array),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Some(Template::Literal(node.value.clone()))
        }
    }
}

fn template_member(name: &str, node: &Node<'_>) -> Option<(String, Template)> {
    match name.strip_suffix(".$") {
        Some(plain) => {
            let computed = Template::Computed(name.to_owned(), expression(node)?);
            Some((plain.to_owned(), computed))
        }
        None => Some((name.to_owned(), any_template(node)?)),
    }
}

/// Reads a number that stands in one field, or in the input at the path of another.
pub(super) fn count(
    fields: &Fields<'_>,
    [literal, path_field, both]: [&'static str; 3],
    minimum: u64,
    maximum: u64,
) -> Option<Option<Count>> {
    let number = fields.optional(literal, |node| node.integer(minimum..=maximum));
    let at_path = fields.optional(path_field, path);
    match (number?, at_path?) {
        (None, None) => Some(None),
        (Some(number), None) => Some(Some(Count::Literal(number))),
        (None, Some(path)) => Some(Some(Count::Path(path))),
        (Some(_), Some(_)) => fields.node().report(Problem::NotExactlyOne {
            names: both,
            count: 2,
        }),
    }
}

/// Reads a text that stands in one field, or is computed in another.
pub(super) fn text(
    fields: &Fields<'_>,
    [literal, path_field, both]: [&'static str; 3],
) -> Option<Text> {
    let text = fields.optional(literal, |node| node.string());
    let computed = fields.optional(path_field, expression);
    match (text?, computed?) {
        (None, None) => Some(Text::Absent),
        (Some(text), None) => Some(Text::Literal(text.to_owned())),
        (None, Some(expression)) => Some(Text::Computed(expression)),
        (Some(_), Some(_)) => fields.node().report(Problem::NotExactlyOne {
            names: both,
            count: 2,
        }),
    }
}

/// Refuses a path into the context object that can never lead to anything.
fn known(node: &Node<'_>, path: Path) -> Option<Path> {
    let members: Vec<&str> = path.members().collect();
    let exists = matches!(
        members.as_slice(),
        [] | ["Execution" | "State" | "StateMachine" | "Map"]
            | ["Execution", "Id" | "Name" | "StartTime"]
            | ["Execution", "Input", ..]
            | ["State", "EnteredTime" | "Name" | "RetryCount"]
            | ["StateMachine", "Id" | "Name"]
            | ["Map", "Item"]
            | ["Map", "Item", "Index"]
            | ["Map", "Item", "Value", ..]
    );
    if exists || path.root() == Root::Input {
        Some(path)
    } else {
        node.report(Problem::UnknownContextField {
            path: path.to_string(),
        })
    }
}
