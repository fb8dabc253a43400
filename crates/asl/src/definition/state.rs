//! The states of a definition, one type for each of the language's eight.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::Flow;
use crate::choice::Condition;
use crate::expression::Expression;
use crate::path::Path;
use crate::retry::{ErrorEquals, Retrier};
use crate::shape::{Filter, ResultPath};
use crate::template::Template;

/// A state.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) input_path: Filter,
    pub(crate) output_path: Filter,
    pub(crate) kind: Kind,
}

/// What a state does.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    Task(Task),
    Choice(Choice),
    Wait(Wait),
    Pass(Pass),
    Parallel(Parallel),
    Map(Map),
    Succeed,
    Fail(Fail),
}

impl State {
    /// The part that Task, Parallel and Map have in common.
    pub(crate) fn work(&self) -> Option<&Work> {
        match &self.kind {
            Kind::Task(task) => Some(&task.work),
            Kind::Parallel(parallel) => Some(&parallel.work),
            Kind::Map(map) => Some(&map.work),
            Kind::Choice(_) | Kind::Wait(_) | Kind::Pass(_) | Kind::Succeed | Kind::Fail(_) => None,
        }
    }
}

/// What follows a state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Transition {
    Next(String),
    End,
}

/// What Task, Parallel and Map have in common: a result, errors, and a way on.
#[derive(Debug, PartialEq)]
pub(crate) struct Work {
    pub(crate) result_selector: Option<Template>,
    pub(crate) result_path: ResultPath,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    pub(crate) next: Transition,
}

/// One element of `Catch`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Catcher {
    pub(crate) error_equals: ErrorEquals,
    pub(crate) result_path: ResultPath,
    pub(crate) next: String,
}

/// Has a task done by somebody else.
#[derive(Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) resource: String,
    pub(crate) parameters: Option<Template>,
    pub(crate) timeout_seconds: Option<Count>,
    pub(crate) work: Work,
}

/// Takes one way or another.
#[derive(Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<ChoiceRule>,
    pub(crate) default: Option<String>,
}

/// One element of `Choices`.
#[derive(Debug, PartialEq)]
pub(crate) struct ChoiceRule {
    pub(crate) condition: Condition,
    pub(crate) next: String,
}

/// Waits for a time.
#[derive(Debug, PartialEq)]
pub(crate) struct Wait {
    pub(crate) until: Until,
    pub(crate) next: Transition,
}

/// What a Wait waits for.
#[derive(Debug, PartialEq)]
pub(crate) enum Until {
    Seconds(Count),
    Timestamp(Timestamp),
    TimestampPath(Path),
}

/// A number as the definition has it or as the input does.
#[derive(Debug, PartialEq)]
pub(crate) enum Count {
    Literal(u64),
    Path(Path),
}

/// Makes an output from its input.
#[derive(Debug, PartialEq)]
pub(crate) struct Pass {
    pub(crate) parameters: Option<Template>,
    pub(crate) result: Option<Value>,
    pub(crate) result_path: ResultPath,
    pub(crate) next: Transition,
}

/// Goes several ways at once.
#[derive(Debug, PartialEq)]
pub(crate) struct Parallel {
    pub(crate) parameters: Option<Template>,
    pub(crate) branches: Vec<Arc<Flow>>,
    pub(crate) work: Work,
}

/// More iterations at once than anybody has; the language itself sets no limit.
pub(crate) const CONCURRENCY_MAX: u64 = u32::MAX as u64;

/// Goes one way for each element of an array.
#[derive(Debug, PartialEq)]
pub(crate) struct Map {
    pub(crate) items_path: Path,
    pub(crate) item_selector: Option<Template>,
    pub(crate) processor: Arc<Flow>,
    /// `ItemProcessor`, or `Iterator` as it used to be called.
    pub(crate) processor_field: &'static str,
    /// How many iterations may run at once; zero or absent stands for any number.
    pub(crate) max_concurrency: Option<Count>,
    pub(crate) work: Work,
}

/// Ends the execution, or the Parallel or Map it stands in, as failed.
#[derive(Debug, PartialEq)]
pub(crate) struct Fail {
    pub(crate) error: Text,
    pub(crate) cause: Text,
}

/// A text as the definition has it or as it is computed.
#[derive(Debug, PartialEq)]
pub(crate) enum Text {
    Absent,
    Literal(String),
    Computed(Expression),
}
