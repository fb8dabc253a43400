//! Reads `Retry` and `Catch`.

use super::node::{Fields, Node, all};
use super::value::result_path;
use crate::check::Problem;
use crate::definition::Catcher;
use crate::errors::{ALL, RESERVED, RUNTIME};
use crate::retry::{DELAY_SECONDS_MAX, ErrorEquals, JitterStrategy, Retrier};
use crate::time::SECONDS_MAX;

/// What a Retrier waits before its first retry when it doesn't say, in seconds.
const INTERVAL_SECONDS_DEFAULT: u64 = 1;
/// How often a Retrier retries when it doesn't say.
const MAX_ATTEMPTS_DEFAULT: u32 = 3;
/// By how much the wait grows with each retry when a Retrier doesn't say.
const BACKOFF_RATE_DEFAULT: f64 = 2.0;

/// Reads `Retry`; absent is empty.
pub(super) fn retry(fields: &Fields<'_>) -> Option<Vec<Retrier>> {
    rules(fields, "Retry", retrier)
}

/// Reads `Catch`; absent is empty.
pub(super) fn catch(fields: &Fields<'_>) -> Option<Vec<Catcher>> {
    rules(fields, "Catch", catcher)
}

fn rules<T>(
    fields: &Fields<'_>,
    name: &str,
    read: impl Fn(&Fields<'_>, ErrorEquals) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(node) = fields.get(name) else {
        return Some(Vec::new());
    };
    let elements = node.elements()?;
    let last = elements.len().saturating_sub(1);
    all(elements.iter().enumerate().map(|(index, node)| {
        let fields = node.fields()?;
        fields.get("Comment");
        let names = fields
            .require("ErrorEquals")
            .and_then(|node| error_equals(&node, index == last));
        // Read with some names in any case, so that the other fields are looked at too.
        let rule = read(&fields, names.clone().unwrap_or(ErrorEquals(Vec::new())));
        fields.finish();
        names.and(rule)
    }))
}

fn error_equals(node: &Node<'_>, is_last: bool) -> Option<ErrorEquals> {
    let names = node.each(error_name)?;
    if names.iter().any(|name| name == ALL) {
        if names.len() > 1 {
            return node.report(Problem::StatesAllNotAlone);
        }
        if !is_last {
            return node.report(Problem::StatesAllNotLast);
        }
    }
    Some(ErrorEquals(names))
}

fn error_name(node: &Node<'_>) -> Option<String> {
    let name = node.string()?.to_owned();
    if name == RUNTIME {
        return node.report(Problem::UncatchableError { name });
    }
    if name.starts_with("States.") && !RESERVED.contains(&name.as_str()) {
        return node.report(Problem::UnknownErrorName { name });
    }
    Some(name)
}

fn retrier(fields: &Fields<'_>, error_equals: ErrorEquals) -> Option<Retrier> {
    let interval_seconds = fields.optional("IntervalSeconds", |node| node.integer(1..=SECONDS_MAX));
    let max_attempts = fields.optional("MaxAttempts", |node| {
        let attempts = node.integer(0..=SECONDS_MAX)?;
        Some(u32::try_from(attempts).expect("the limit fits"))
    });
    let backoff_rate = fields.optional("BackoffRate", backoff_rate);
    let max_delay_seconds = fields.optional("MaxDelaySeconds", |node| {
        node.integer(1..=DELAY_SECONDS_MAX)
    });
    let jitter = fields.optional("JitterStrategy", jitter_strategy);
    Some(Retrier {
        error_equals,
        interval_seconds: interval_seconds?.unwrap_or(INTERVAL_SECONDS_DEFAULT),
        max_attempts: max_attempts?.unwrap_or(MAX_ATTEMPTS_DEFAULT),
        backoff_rate: backoff_rate?.unwrap_or(BACKOFF_RATE_DEFAULT),
        max_delay_seconds: max_delay_seconds?,
        jitter: jitter?.unwrap_or(JitterStrategy::None),
    })
}

fn backoff_rate(node: &Node<'_>) -> Option<f64> {
    match node.value.as_f64() {
        None => node.report(Problem::WrongType {
            expected: "a number",
        }),
        Some(rate) if rate >= 1.0 => Some(rate),
        Some(_) => node.report(Problem::TooSmall {
            found: node.value.to_string(),
            minimum: 1,
        }),
    }
}

fn jitter_strategy(node: &Node<'_>) -> Option<JitterStrategy> {
    match node.string()? {
        "NONE" => Some(JitterStrategy::None),
        "FULL" => Some(JitterStrategy::Full),
        found => node.report(Problem::UnsupportedValue {
            found: found.to_owned(),
            supported: "NONE and FULL",
        }),
    }
}

fn catcher(fields: &Fields<'_>, error_equals: ErrorEquals) -> Option<Catcher> {
    fields.refuse("Assign", "there are no workflow variables; use ResultPath");
    let result_path = result_path(fields);
    let next = fields.require("Next").and_then(|node| node.string());
    Some(Catcher {
        error_equals,
        result_path: result_path?,
        next: next?.to_owned(),
    })
}
