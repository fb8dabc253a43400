//! What the binary adds to the libraries' errors: context, a hint, an exit code.

use std::error::Error as StdError;
use std::fmt::Display;

use crate::exit::Exit;

/// An error as a person meets it: what happened, why, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What happened; the causes follow, each after a colon.
    pub message: String,
    /// What to do next, where something can be done.
    pub hint: Option<String>,
}

impl Failure {
    /// Something went wrong on the way; nothing is known to have changed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
            hint: None,
        }
    }

    /// Wrong use, or refused before anything changed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Refused,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Adds what was being done to an error on its way up.
pub(crate) trait Context<T> {
    /// `doing` completes the sentence "cannot …".
    fn context(self, doing: impl Display) -> Result<T, Failure>;
}

impl<T, E: StdError> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::failed(format!("cannot {doing}: {}", chain(&error))))
    }
}

/// An error and its causes on one line. Each `Display` says its own part only.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
