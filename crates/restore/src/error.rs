//! Everything that a task can fail with: one list of names, which the definition's Retry and
//! Catch match, and the cause that travels with them.
//!
//! What the door to RDS reports becomes one of these names here and nowhere else.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use trapheus_rds::{Class, Error as RdsError};

/// How many calls of each operation were made.
pub type Calls = BTreeMap<String, u64>;

/// The name of a failure, in the definition's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorName {
    /// It is on its way: look again later.
    InProgress,
    /// RDS answers too many requests; nothing was done.
    Throttled,
    /// RDS failed or did not answer: whether it acted is unknown.
    Unavailable,
    /// AWS has no room for the database now.
    NoCapacity,
    /// A pre-flight check failed; nothing has changed.
    Refused,
    /// The credentials may not do it.
    Denied,
    /// RDS can never accept the request as it stands.
    Invalid,
    /// Something that must exist does not.
    NotFound,
    /// A name belongs to another database than the planned one.
    IdentityMismatch,
    /// A name that this execution needs is somebody else's, or another execution's.
    ForeignName,
    /// The restored database would lose a part of the configuration.
    AttributeLost,
    /// The restored database could not be prepared as the input asks.
    PreparationFailed,
    /// The restored database does not answer as a database of its engine should, or is not what
    /// the input asks it to be.
    VerificationFailed,
    /// RDS could not make the restored database.
    RestoreFailed,
    /// RDS could not configure the restored database.
    ModifyFailed,
    /// RDS could not make the snapshot.
    SnapshotFailed,
    /// The snapshot could not be restored in every account and Region.
    TargetFailed,
    /// A state took longer than the plan allows.
    TimeLimit,
    /// The name could not be given back; a person has to.
    RollbackFailed,
    /// A fault of this program.
    Internal,
}

impl ErrorName {
    /// All names, for documentation and for checks of the definition.
    pub const ALL: [ErrorName; 20] = [
        ErrorName::InProgress,
        ErrorName::Throttled,
        ErrorName::Unavailable,
        ErrorName::NoCapacity,
        ErrorName::Refused,
        ErrorName::Denied,
        ErrorName::Invalid,
        ErrorName::NotFound,
        ErrorName::IdentityMismatch,
        ErrorName::ForeignName,
        ErrorName::AttributeLost,
        ErrorName::PreparationFailed,
        ErrorName::VerificationFailed,
        ErrorName::RestoreFailed,
        ErrorName::ModifyFailed,
        ErrorName::SnapshotFailed,
        ErrorName::TargetFailed,
        ErrorName::TimeLimit,
        ErrorName::RollbackFailed,
        ErrorName::Internal,
    ];

    /// Returns the name as the definition writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorName::InProgress => "Trapheus.InProgress",
            ErrorName::Throttled => "Trapheus.Throttled",
            ErrorName::Unavailable => "Trapheus.Unavailable",
            ErrorName::NoCapacity => "Trapheus.NoCapacity",
            ErrorName::Refused => "Trapheus.Refused",
            ErrorName::Denied => "Trapheus.Denied",
            ErrorName::Invalid => "Trapheus.Invalid",
            ErrorName::NotFound => "Trapheus.NotFound",
            ErrorName::IdentityMismatch => "Trapheus.IdentityMismatch",
            ErrorName::ForeignName => "Trapheus.ForeignName",
            ErrorName::AttributeLost => "Trapheus.AttributeLost",
            ErrorName::PreparationFailed => "Trapheus.PreparationFailed",
            ErrorName::VerificationFailed => "Trapheus.VerificationFailed",
            ErrorName::RestoreFailed => "Trapheus.RestoreFailed",
            ErrorName::ModifyFailed => "Trapheus.ModifyFailed",
            ErrorName::SnapshotFailed => "Trapheus.SnapshotFailed",
            ErrorName::TargetFailed => "Trapheus.TargetFailed",
            ErrorName::TimeLimit => "Trapheus.TimeLimit",
            ErrorName::RollbackFailed => "Trapheus.RollbackFailed",
            ErrorName::Internal => "Trapheus.Internal",
        }
    }

    /// Whether the definition runs the task again after it.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            ErrorName::InProgress
                | ErrorName::Throttled
                | ErrorName::Unavailable
                | ErrorName::NoCapacity
        )
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a failed task says about it. It travels as JSON in the history, because the history is
/// all that is left of a task: also how far a wait has come, and what the attempt cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// What is waited for; only of [`ErrorName::InProgress`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// How far it has come, where RDS says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// What happened, for people; not of [`ErrorName::InProgress`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do about it: sentences, or commands to be typed as they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedy: Vec<String>,
    /// The calls that this attempt made.
    #[serde(default, skip_serializing_if = "Calls::is_empty")]
    pub calls: Calls,
}

impl Cause {
    /// Reads a cause from a history. Lambda puts what a function fails with into an envelope, which
    /// is taken off. A text that is no cause of ours, such as an engine's, is taken as the message.
    pub fn parse(text: &str) -> Cause {
        let envelope: Option<Envelope> = serde_json::from_str(text).ok();
        let text = envelope.as_ref().map_or(text, |it| &it.error_message);
        serde_json::from_str(text).unwrap_or_else(|_| Cause {
            message: Some(text.to_owned()),
            ..Cause::default()
        })
    }

    /// Returns what it says, for people.
    pub fn text(&self) -> &str {
        self.message
            .as_deref()
            .or(self.waiting.as_deref())
            .unwrap_or_default()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).expect("texts and numbers are JSON");
        formatter.write_str(&json)
    }
}

/// What Step Functions gives as the cause of a Lambda function that failed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    error_message: String,
}

/// Why a task did not make it so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {}", cause.text())]
pub struct TaskError {
    /// What the definition matches.
    pub name: ErrorName,
    /// What is said about it.
    pub cause: Box<Cause>,
}

impl TaskError {
    /// A failure that has to be explained.
    pub fn new(name: ErrorName, message: impl Into<String>) -> Self {
        let cause = Cause {
            message: Some(message.into()),
            ..Cause::default()
        };
        Self {
            name,
            cause: Box::new(cause),
        }
    }

    /// Something is on its way.
    pub fn in_progress(waiting: impl Into<String>) -> Self {
        let cause = Cause {
            waiting: Some(waiting.into()),
            ..Cause::default()
        };
        Self {
            name: ErrorName::InProgress,
            cause: Box::new(cause),
        }
    }

    /// Says how far it has come.
    #[must_use]
    pub fn at_percent(mut self, percent: Option<u8>) -> Self {
        self.cause.percent = percent;
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl IntoIterator<Item = String>) -> Self {
        self.cause.remedy.extend(remedy);
        self
    }

    /// A failed call that has no better name in its context.
    pub(crate) fn of_call(error: &RdsError) -> Self {
        let name = match &error.class {
            Class::NotFound => ErrorName::NotFound,
            Class::AlreadyExists => ErrorName::ForeignName,
            Class::WrongStateNow => return Self::in_progress(error.to_string()),
            Class::Throttled => ErrorName::Throttled,
            Class::NoCapacity => ErrorName::NoCapacity,
            Class::Denied => ErrorName::Denied,
            Class::Invalid
            | Class::ReferenceNotFound
            | Class::QuotaExceeded
            | Class::NotImplemented
            | Class::Unknown => ErrorName::Invalid,
            Class::Unavailable => ErrorName::Unavailable,
            Class::IdentityMismatch => ErrorName::IdentityMismatch,
        };
        Self::new(name, error.to_string())
    }
}

impl From<RdsError> for TaskError {
    fn from(error: RdsError) -> Self {
        Self::of_call(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_survives_the_history() {
        let error = TaskError::in_progress("renaming orders").at_percent(Some(40));
        assert_eq!(Cause::parse(&error.cause.to_string()), *error.cause);
    }

    #[test]
    fn the_envelope_of_a_lambda_function_is_taken_off() {
        let error = TaskError::new(ErrorName::Denied, "no").with_remedy(["ask".to_owned()]);
        let envelope = serde_json::json!({
            "errorType": error.name.as_str(),
            "errorMessage": error.cause.to_string(),
            "stackTrace": [],
        });
        assert_eq!(Cause::parse(&envelope.to_string()), *error.cause);
        let killed = r#"{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out"}"#;
        assert_eq!(Cause::parse(killed).text(), "Task timed out");
    }

    #[test]
    fn a_foreign_cause_is_a_message() {
        assert_eq!(
            Cause::parse("the task took longer").text(),
            "the task took longer"
        );
    }

    #[test]
    fn every_error_that_the_definition_matches_exists() {
        for word in crate::DEFINITION
            .split('"')
            .filter(|word| word.starts_with("Trapheus."))
        {
            assert!(
                ErrorName::ALL.iter().any(|name| name.as_str() == word),
                "{word}"
            );
        }
    }
}
