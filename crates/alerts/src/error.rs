//! What can go wrong, in words that never hold an address or a key.

use std::error::Error;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

/// Why an alert did not arrive on a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// The receiver answered, and not with a success.
    #[error("it answered {status}{}", said(.says))]
    Status {
        /// HTTP's status.
        status: u16,
        /// One word of the receiver.
        says: Option<String>,
    },
    /// AWS refused.
    #[error("{0}")]
    Aws(String),
    /// No connection came about, or it broke.
    #[error("it can't be reached{}", said(.0))]
    Unreachable(Option<String>),
    /// It did not answer.
    #[error("it did not answer within {0} s")]
    Late(u64),
    /// What is to be its address is none.
    #[error("its address is none of `http` or `https`")]
    Address,
    /// The address or the key can't be read.
    #[error("{0}")]
    Source(String),
}

impl DeliveryError {
    /// Says why a call of the SDK failed.
    pub(crate) fn of_call<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let said = [error.code(), error.message()];
        let said: Vec<&str> = said.into_iter().flatten().collect();
        match error {
            _ if !said.is_empty() => Self::Aws(said.join(": ")),
            SdkError::TimeoutError(_) => Self::Late(crate::bounds::ATTEMPTS_TOGETHER.as_secs()),
            SdkError::ResponseError(answer) => Self::Status {
                status: answer.raw().status().as_u16(),
                says: None,
            },
            SdkError::ServiceError(answer) => Self::Status {
                status: answer.raw().status().as_u16(),
                says: None,
            },
            other => Self::Unreachable(Some(root(other))),
        }
    }
}

/// The innermost cause: the operating system's or the certificate's own words, without any of the
/// layers that might quote a request.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

fn said(words: &Option<String>) -> String {
    match words {
        Some(words) => format!(" ({words})"),
        None => String::new(),
    }
}

/// Why settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A list of e-mail addresses in the environment holds something else.
    #[error("`{variable}` is no e-mail address, or list of them")]
    Address {
        /// The variable.
        variable: &'static str,
    },
    /// There is somebody to write to, and no sender.
    #[error("e-mail needs a sender: `from` of [alerts.email], or TRAPHEUS_ALERT_EMAIL_FROM")]
    NoSender,
    /// What is to be an e-mail address is none.
    #[error("`{0}` is no e-mail address")]
    NoAddress(String),
    /// A channel's name can't be written in an input document.
    #[error("`{0}` is no name for a channel: letters, digits, `-` and `_`, at most 40")]
    Name(String),
    /// Two channels of one name.
    #[error("two channels are called `{0}`")]
    Twice(String),
    /// What is no topic.
    #[error("`{0}` is not the ARN of an SNS topic")]
    Topic(String),
}
