//! Reads what Task, Parallel and Map have in common, and the way on that most states have.

use super::error_rules::{catch, retry};
use super::node::Fields;
use super::value::{result_path, template};
use crate::check::Problem;
use crate::definition::{Transition, Work};

/// Reads `ResultSelector`, `ResultPath`, `Retry`, `Catch` and the way on.
pub(super) fn work(fields: &Fields<'_>) -> Option<Work> {
    let result_selector = template(fields, "ResultSelector");
    let result_path = result_path(fields);
    let retry = retry(fields);
    let catch = catch(fields);
    let next = next(fields);
    Some(Work {
        result_selector: result_selector?,
        result_path: result_path?,
        retry: retry?,
        catch: catch?,
        next: next?,
    })
}

/// Reads `Next` or `End`.
pub(super) fn next(fields: &Fields<'_>) -> Option<Transition> {
    let next = fields.optional("Next", |node| node.string());
    let end = fields.optional("End", |node| node.boolean());
    let not_one = |count| Problem::NotExactlyOne {
        names: "Next and End",
        count,
    };
    match (next?, end?.unwrap_or(false)) {
        (Some(next), false) => Some(Transition::Next(next.to_owned())),
        (None, true) => Some(Transition::End),
        (None, false) => fields.node().report(not_one(0)),
        (Some(_), true) => fields.node().report(not_one(2)),
    }
}
