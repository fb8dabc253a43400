//! What Step Functions refuses, for people: what was tried, why not, and what to do.

use std::fmt::Display;

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use trapheus_sfn::HistoryError;

use crate::error::{Failure, chain};
use crate::exit::Exit;

/// A call that failed. `doing` completes the sentence "cannot …"; `action` is what the permission
/// to make the call is named.
pub(super) fn failure<E>(doing: impl Display, action: &str, error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let said = error.message().unwrap_or("no reason is given");
    let Some(code) = error.code() else {
        return Failure::failed(format!("cannot {doing}: {}", chain(error))).hint(
            "is Step Functions reachable from here? `trapheus doctor --engine step-functions` looks",
        );
    };
    let refused = |hint: String| {
        Failure::refused(format!("cannot {doing}: {}: {said}", short(code))).hint(hint)
    };
    match short(code) {
        "AccessDenied" | "UnauthorizedOperation" => {
            refused(format!("the credentials lack states:{action}"))
        }
        "ExpiredToken" | "UnrecognizedClient" | "InvalidClientTokenId" | "InvalidSignature" => {
            refused("the credentials are not valid: `aws sso login`, or set AWS_PROFILE".into())
        }
        "StateMachineDoesNotExist" => refused(NO_MACHINE.into()),
        "StateMachineTypeNotSupported" => refused(EXPRESS.into()),
        "InvalidArn" => refused("--state-machine takes a state machine's ARN, or its name".into()),
        "Throttling" | "TooManyRequests" => {
            Failure::failed(format!("cannot {doing}: {said}")).hint("try again in a moment")
        }
        code => Failure::failed(format!("cannot {doing}: {code}: {said}")),
    }
}

/// What to do where there is no state machine.
pub(super) const NO_MACHINE: &str =
    "`trapheus deploy` makes it; --state-machine names another, and --region where it is";

/// What to do about a machine of the wrong kind.
pub(super) const EXPRESS: &str = "an EXPRESS state machine keeps no history and ends after five \
    minutes: name a STANDARD one by --state-machine";

/// Whether the call found no such execution: also for a moment after its start.
pub(super) fn is_no_execution<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("ExecutionDoesNotExist")
}

/// A history that could not be read.
pub(super) fn unread(id: &str, error: &HistoryError) -> Failure {
    failure(
        format!("read the history of {id}"),
        "GetExecutionHistory",
        error,
    )
}

/// An execution cannot be followed, and goes on all the same.
pub(super) fn lost_sight(id: &str, why: Failure) -> Failure {
    Failure {
        exit: Exit::Stopped,
        message: format!("{id} cannot be followed: {}", why.message),
        hint: Some(format!(
            "it goes on in Step Functions: `trapheus executions watch {id}`"
        )),
    }
}

/// The code as it is known: some services append `Exception` to some of them.
fn short(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}
