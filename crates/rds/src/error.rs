//! What can go wrong in a call.
//!
//! What follows from a [`Class`] (look again, wait, give up, roll back) is the caller's decision,
//! except that the door itself repeats what surely changed nothing.

use std::fmt::Display;
use std::time::Duration;

/// A call that did not do what was asked.
///
/// It can be cloned because one failed page of a shared poll fails everybody who waits for it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct Error {
    /// What kind of failure it is.
    pub class: Class,
    /// The operation that failed, in RDS's words.
    pub operation: &'static str,
    /// The code on the wire, when the server sent one.
    pub code: Option<String>,
    /// The server's or the network's own words.
    pub message: String,
}

/// The kinds of failure that make a difference to what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What the request is about does not exist (any more, or yet).
    NotFound,
    /// Something that the request refers to (a group, a role, a certificate) does not exist.
    ReferenceNotFound,
    /// The name is taken; perhaps by an earlier attempt of one's own.
    AlreadyExists,
    /// The state of the thing does not allow it now; states settle.
    WrongStateNow,
    /// There were too many requests; nothing was done.
    Throttled,
    /// AWS has no room for it now.
    NoCapacity,
    /// A quota of the account is used up; waiting does not help.
    QuotaExceeded,
    /// The caller may not do it, or could not prove who it is.
    Denied,
    /// The request can never succeed as it stands.
    Invalid,
    /// The server failed or no answer came: the outcome of a mutating call is UNKNOWN.
    Unavailable,
    /// The server does not know this operation.
    NotImplemented,
    /// The name belongs to another thing than the one meant; nothing was sent.
    IdentityMismatch,
    /// The server's answer is none that this program knows.
    Unknown,
}

impl Error {
    /// An answer that lacks what RDS always sends.
    pub(crate) fn incomplete(operation: &'static str, missing: &str) -> Self {
        Self {
            class: Class::Unknown,
            operation,
            code: None,
            message: format!("the answer has no usable {missing}"),
        }
    }

    /// A call whose answer did not come in time.
    pub(crate) fn unanswered(operation: &'static str, timeout: Duration) -> Self {
        let message = format!("no answer within {timeout:?}");
        Self {
            class: Class::Unavailable,
            operation,
            code: None,
            message,
        }
    }

    /// A request that is refused before it is sent.
    pub(crate) fn refused(operation: &'static str, message: String) -> Self {
        Self {
            class: Class::Invalid,
            operation,
            code: None,
            message,
        }
    }

    /// A call that was not sent because nobody may send it now. Whoever is told that nothing
    /// answered looks again, which is right: somebody else may be at work.
    pub(crate) fn not_permitted(operation: &'static str, reason: String) -> Self {
        Self {
            class: Class::Unavailable,
            operation,
            code: None,
            message: reason,
        }
    }

    /// What RDS itself would answer, found by the look before the call.
    pub(crate) fn not_found(operation: &'static str, code: &str, what: &str) -> Self {
        Self {
            class: Class::NotFound,
            operation,
            code: Some(code.to_owned()),
            message: format!("{what} does not exist"),
        }
    }

    /// A name that belongs to another thing than the one meant.
    pub(crate) fn mismatch(
        operation: &'static str,
        name: &str,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        let message = format!("{name} was {expected}, but now it is {found}; it is left alone");
        Self {
            class: Class::IdentityMismatch,
            operation,
            code: None,
            message,
        }
    }
}
