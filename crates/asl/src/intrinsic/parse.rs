//! Reads the text of a call.

use serde_json::Value;

use super::{Argument, Call, Function};
use crate::expression::Expression;
use crate::path::Path;

/// Calls may stand in calls; deeper than this nobody writes them, and AWS refuses them at ten.
const DEPTH_MAX: usize = 10;

/// Reads one call that fills the whole text.
pub(super) fn call(text: &str) -> Result<Call, String> {
    let (call, rest) = nested_call(text, 1)?;
    if rest.trim().is_empty() {
        Ok(call)
    } else {
        Err(format!("'{rest}' follows the call"))
    }
}

fn nested_call(text: &str, depth: usize) -> Result<(Call, &str), String> {
    if depth > DEPTH_MAX {
        return Err(format!("calls are nested deeper than {DEPTH_MAX}"));
    }
    let (name, mut rest) = text
        .split_once('(')
        .ok_or_else(|| "an opening parenthesis is missing".to_owned())?;
    let function = function(name.trim())?;
    let mut arguments = Vec::new();
    if let Some(after) = rest.trim_start().strip_prefix(')') {
        rest = after;
    } else {
        loop {
            let (argument, after) = argument(rest.trim_start(), depth)?;
            arguments.push(argument);
            let after = after.trim_start();
            if let Some(after) = after.strip_prefix(',') {
                rest = after;
            } else if let Some(after) = after.strip_prefix(')') {
                rest = after;
                break;
            } else {
                return Err(format!("',' or ')' is expected before '{after}'"));
            }
        }
    }
    check_arguments(function, &arguments)?;
    Ok((
        Call {
            function,
            arguments,
        },
        rest,
    ))
}

fn function(name: &str) -> Result<Function, String> {
    Function::ALL
        .into_iter()
        .find(|function| function.name() == name)
        .ok_or_else(|| match name {
            "States.UUID" | "States.MathRandom" => {
                format!("{name} is not supported: a replay could not repeat its value")
            }
            _ => format!("{name} is not a supported intrinsic function"),
        })
}

fn check_arguments(function: Function, arguments: &[Argument]) -> Result<(), String> {
    match function.arity() {
        Some(arity) if arity != arguments.len() => Err(format!(
            "{} takes {arity} arguments, not {}",
            function.name(),
            arguments.len()
        )),
        None if function == Function::Format && arguments.is_empty() => {
            Err("States.Format takes a template".to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

fn argument(text: &str, depth: usize) -> Result<(Argument, &str), String> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (quoted, rest) = quoted(rest)?;
        return Ok((Argument::Text(quoted.to_owned()), rest));
    }
    if text.starts_with("States.") {
        let (call, rest) = nested_call(text, depth + 1)?;
        return Ok((Argument::Expression(Expression::Call(call)), rest));
    }
    let (word, rest) = text.split_at(end_of_word(text));
    let word = word.trim_end();
    if word.starts_with('$') {
        let path = Path::parse(word).map_err(|reason| format!("{word}: {reason}"))?;
        return Ok((Argument::Expression(Expression::Path(path)), rest));
    }
    match serde_json::from_str(word) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => {
            Ok((Argument::Literal(value), rest))
        }
        Ok(Value::String(_) | Value::Array(_) | Value::Object(_)) | Err(_) => {
            Err(format!("'{word}' is not an argument"))
        }
    }
}

/// Splits behind the closing quote, keeping escapes as they are.
fn quoted(text: &str) -> Result<(&str, &str), String> {
    let mut escaped = false;
    for (position, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return Ok((&text[..position], &text[position + 1..])),
            _ => {}
        }
    }
    Err("a ' is never closed".to_owned())
}

/// Where a path or literal ends: at the first comma or parenthesis outside of brackets.
fn end_of_word(text: &str) -> usize {
    let mut in_brackets = false;
    text.find(|letter| {
        match letter {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        !in_brackets && matches!(letter, ',' | ')')
    })
    .unwrap_or(text.len())
}
