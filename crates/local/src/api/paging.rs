//! Filters and pages of the Describe actions.

use serde_json::{Map, Value};

use super::error::ApiError;
use super::input::Input;

/// The records that a filter lets through: filters narrow, the values of one filter widen. Names and values are
/// case-sensitive. `matches` says whether a record has a value in the filter, which is one of `known`.
pub(super) fn filtered<T>(
    input: &Input,
    records: Vec<T>,
    known: &[&str],
    matches: impl Fn(&T, &str, &str) -> bool,
) -> Result<Vec<T>, ApiError> {
    let mut left = records;
    for filter in input.list("Filters") {
        let name = filter
            .get("Name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let values: Vec<&str> = filter
            .get("Values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !known.contains(&name) || values.is_empty() {
            return Err(ApiError::value(format!("Unrecognized filter name: {name}")));
        }
        left.retain(|record| values.iter().any(|value| matches(record, name, value)));
    }
    Ok(left)
}

/// One page of records in the member of the result. Records come in a stable order, and the marker names the first
/// one of the next page by its key, so that a page doesn't shift when records come and go.
pub(super) fn page(
    input: &Input,
    member: &str,
    records: Vec<(String, Value)>,
) -> Result<Map<String, Value>, ApiError> {
    let limit = match input.number("MaxRecords") {
        None => 100,
        Some(limit @ 20..=100) => limit as usize,
        Some(limit) => {
            let message =
                format!("Invalid value {limit} for MaxRecords. Must be between 20 and 100");
            return Err(ApiError::value(message));
        }
    };
    let from = input.text("Marker").unwrap_or_default();
    let mut left = records
        .into_iter()
        .skip_while(|(key, _)| !from.is_empty() && key.as_str() < from);
    let page: Vec<Value> = left
        .by_ref()
        .take(limit)
        .map(|(_, record)| record)
        .collect();
    let mut result = Map::new();
    result.insert(member.to_owned(), Value::from(page));
    if let Some((next, _)) = left.next() {
        result.insert("Marker".to_owned(), Value::from(next));
    }
    Ok(result)
}
