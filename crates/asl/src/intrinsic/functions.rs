//! What each function computes. An error is the reason of a `States.IntrinsicFailure`.

use serde_json::Value;

use super::{Function, format};

/// AWS's limit on the length of what `States.ArrayRange` makes.
const RANGE_LENGTH_MAX: i64 = 1000;

pub(super) fn compute(function: Function, arguments: Vec<Value>) -> Result<Value, String> {
    let argument = |position: usize| &arguments[position];
    match function {
        Function::Array => Ok(Value::Array(arguments)),
        Function::ArrayContains => Ok(array(argument(0))?.contains(argument(1)).into()),
        Function::ArrayGetItem => item(array(argument(0))?, integer(argument(1))?),
        Function::ArrayLength => Ok(array(argument(0))?.len().into()),
        Function::ArrayPartition => partition(array(argument(0))?, integer(argument(1))?),
        Function::ArrayRange => range(
            integer(argument(0))?,
            integer(argument(1))?,
            integer(argument(2))?,
        ),
        Function::ArrayUnique => Ok(unique(array(argument(0))?)),
        Function::Format => {
            format::format(string(argument(0))?, &arguments[1..]).map(Value::String)
        }
        Function::JsonMerge => merge(argument(0), argument(1), argument(2)),
        Function::JsonToString => Ok(argument(0).to_string().into()),
        Function::MathAdd => integer(argument(0))?
            .checked_add(integer(argument(1))?)
            .map(Value::from)
            .ok_or_else(|| "the sum is too large".to_owned()),
        Function::StringSplit => Ok(split(string(argument(0))?, string(argument(1))?)),
        Function::StringToJson => serde_json::from_str(string(argument(0))?)
            .map_err(|error| format!("the string is not JSON: {error}")),
    }
}

fn array(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("an array is expected, not {value}"))
}

fn string(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("a string is expected, not {value}"))
}

/// An integer; as AWS does, a fraction is rounded half up.
fn integer(value: &Value) -> Result<i64, String> {
    let rounded = || {
        let rounded = (value.as_f64()? + 0.5).floor();
        // Beyond 2^53 a float is no longer an exact integer, so it is nobody's index or summand.
        (rounded.abs() <= 9_007_199_254_740_992.0).then_some(rounded as i64)
    };
    value
        .as_i64()
        .or_else(rounded)
        .ok_or_else(|| format!("an integer is expected, not {value}"))
}

fn item(array: &[Value], index: i64) -> Result<Value, String> {
    usize::try_from(index)
        .ok()
        .and_then(|index| array.get(index))
        .cloned()
        .ok_or_else(|| format!("the array has no element {index}"))
}

fn partition(array: &[Value], length: i64) -> Result<Value, String> {
    match usize::try_from(length) {
        Ok(length) if length > 0 => Ok(array.chunks(length).map(<[Value]>::to_vec).collect()),
        Ok(_) | Err(_) => Err(format!(
            "the length of a part must be positive, not {length}"
        )),
    }
}

fn range(first: i64, last: i64, step: i64) -> Result<Value, String> {
    if step == 0 {
        return Err("the step is zero".to_owned());
    }
    let mut elements = Vec::new();
    let mut next = Some(first);
    while let Some(element) = next.filter(|next| {
        if step > 0 {
            *next <= last
        } else {
            *next >= last
        }
    }) {
        if elements.len() as i64 == RANGE_LENGTH_MAX {
            return Err(format!("the range is longer than {RANGE_LENGTH_MAX}"));
        }
        elements.push(Value::from(element));
        next = element.checked_add(step);
    }
    Ok(Value::Array(elements))
}

fn unique(array: &[Value]) -> Value {
    let mut unique: Vec<Value> = Vec::new();
    for element in array {
        if !unique.contains(element) {
            unique.push(element.clone());
        }
    }
    Value::Array(unique)
}

fn merge(first: &Value, second: &Value, deep: &Value) -> Result<Value, String> {
    if deep != &Value::Bool(false) {
        return Err(
            "only shallow merging is possible: the third argument must be false".to_owned(),
        );
    }
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => {
            let mut merged = first.clone();
            merged.extend(second.clone());
            Ok(Value::Object(merged))
        }
        (first, second) => Err(format!(
            "two objects are expected, not {first} and {second}"
        )),
    }
}

fn split(text: &str, delimiters: &str) -> Value {
    text.split(|letter| delimiters.contains(letter))
        .filter(|part| !part.is_empty())
        .map(Value::from)
        .collect()
}
