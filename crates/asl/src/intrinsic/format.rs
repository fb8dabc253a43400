//! `States.Format`, and the escapes of quoted strings.

use serde_json::Value;

/// Replaces each `{}` of the template by the next value.
pub(super) fn format(template: &str, values: &[Value]) -> Result<String, String> {
    let mut values = values.iter();
    let mut output = String::new();
    let mut letters = template.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => output.extend(letters.next()),
            '{' => {
                if letters.next() != Some('}') {
                    return Err("a { of the template is neither {} nor \\{".to_owned());
                }
                let value = values.next().ok_or("there are fewer values than {}")?;
                output.push_str(&shown(value)?);
            }
            '}' => return Err("a } of the template is neither {} nor \\}".to_owned()),
            _ => output.push(letter),
        }
    }
    match values.next() {
        Some(_) => Err("there are more values than {}".to_owned()),
        None => Ok(output),
    }
}

/// The text that a quoted string stands for.
pub(super) fn unescape(text: &str) -> String {
    let mut output = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => output.extend(letters.next()),
            _ => output.push(letter),
        }
    }
    output
}

fn shown(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(_) | Value::Object(_) => {
            Err("an array or object has no place in a string; use States.JsonToString".to_owned())
        }
    }
}
