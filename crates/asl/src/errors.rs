//! The error names that the States Language reserves, and the failure that carries one.

/// Matches every error but those that end an execution whatever is said.
pub(crate) const ALL: &str = "States.ALL";
/// Matches every error of a task but its time-out.
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
/// A task did not answer within its `TimeoutSeconds`.
pub(crate) const TIMEOUT: &str = "States.Timeout";
/// The definition and its data do not fit; neither retried nor caught.
pub(crate) const RUNTIME: &str = "States.Runtime";
/// A value outgrew the limit of a payload; `States.ALL` does not catch it.
pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";

/// Every name that begins with `States.` and means something to AWS.
pub(crate) const RESERVED: [&str; 16] = [
    ALL,
    TASK_FAILED,
    TIMEOUT,
    RUNTIME,
    DATA_LIMIT_EXCEEDED,
    INTRINSIC_FAILURE,
    NO_CHOICE_MATCHED,
    RESULT_PATH_MATCH_FAILURE,
    "States.HeartbeatTimeout",
    "States.Permissions",
    "States.ParameterPathFailure",
    "States.QueryEvaluationError",
    "States.BranchFailed",
    "States.ExceedToleratedFailureThreshold",
    "States.ItemReaderFailed",
    "States.ResultWriterFailed",
];

/// Why a state could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: String,
    pub(crate) cause: String,
}

impl Failure {
    pub(crate) fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Failure {
            error: error.into(),
            cause: cause.into(),
        }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Failure::new(RUNTIME, cause)
    }

    pub(crate) fn intrinsic(cause: impl Into<String>) -> Self {
        Failure::new(INTRINSIC_FAILURE, cause)
    }

    pub(crate) fn no_choice_matched() -> Self {
        Failure::new(
            NO_CHOICE_MATCHED,
            "No rule of the Choice state matched and it has no Default.",
        )
    }

    pub(crate) fn result_path(path: &str) -> Self {
        Failure::new(
            RESULT_PATH_MATCH_FAILURE,
            format!("Unable to apply the ResultPath '{path}' to the state's input."),
        )
    }

    pub(crate) fn timeout() -> Self {
        Failure::new(TIMEOUT, "")
    }

    pub(crate) fn data_limit(state: &str, limit_bytes: usize) -> Self {
        Failure::new(
            DATA_LIMIT_EXCEEDED,
            format!(
                "The state/task '{state}' returned a result with a size exceeding the maximum \
                 number of bytes service limit ({limit_bytes})."
            ),
        )
    }

    /// Says, as AWS does, which state did not fit its data; other errors speak for themselves.
    pub(crate) fn in_state(self, state: &str, entered: u64) -> Self {
        if self.error != RUNTIME {
            return self;
        }
        let cause = format!(
            "An error occurred while executing the state '{state}' (entered at the event id \
             #{entered}). {}",
            self.cause
        );
        Failure { cause, ..self }
    }
}
