//! The states that take no time: Choice, Pass, Succeed, Fail.

use serde_json::Value;

use super::run::ScopeId;
use super::turn::Turn;
use crate::definition::{Choice, Fail, Pass, State, Text, Transition};
use crate::errors::Failure;
use crate::path::Documents;

impl Turn<'_> {
    pub(super) fn choose(
        &mut self,
        scope: ScopeId,
        state: &State,
        choice: &Choice,
    ) -> Result<(), Failure> {
        let data = self.data(scope, state)?;
        let mut next = choice.default.as_ref();
        for rule in &choice.rules {
            if rule.condition.holds(data.documents())? {
                next = Some(&rule.next);
                break;
            }
        }
        let next = next.ok_or_else(Failure::no_choice_matched)?;
        self.leave(scope, data.output(state)?, &Transition::Next(next.clone()))
    }

    pub(super) fn pass(
        &mut self,
        scope: ScopeId,
        state: &State,
        pass: &Pass,
    ) -> Result<(), Failure> {
        let data = self.data(scope, state)?;
        let result = match &pass.result {
            Some(result) => result.clone(),
            None => data.parameters(pass.parameters.as_ref())?,
        };
        let output = data.output_with(state, result, None, &pass.result_path)?;
        self.leave(scope, output, &pass.next)
    }

    pub(super) fn succeed(&mut self, scope: ScopeId, state: &State) -> Result<(), Failure> {
        let output = self.data(scope, state)?.output(state)?;
        self.leave(scope, output, &Transition::End)
    }

    /// Always an error: the one that the Fail state names, or that it cannot name one.
    pub(super) fn fail_on_purpose(&mut self, scope: ScopeId, fail: &Fail) -> Result<(), Failure> {
        let input = self.run.visit(scope).input.clone();
        let context = self.context(scope);
        let documents = Documents {
            input: &input,
            context: &context,
        };
        Err(Failure {
            error: text(&fail.error, documents, "ErrorPath")?,
            cause: text(&fail.cause, documents, "CausePath")?,
        })
    }
}

fn text(text: &Text, documents: Documents<'_>, field: &str) -> Result<String, Failure> {
    match text {
        Text::Absent => Ok(String::new()),
        Text::Literal(text) => Ok(text.clone()),
        Text::Computed(expression) => match expression.evaluate(documents, field)? {
            Value::String(text) => Ok(text),
            other => Err(Failure::runtime(format!(
                "The {field} field must lead to a string, not to {other}."
            ))),
        },
    }
}
