//! Refusals, by the codes that RDS has for them.

use super::model::MODEL;

/// Why a request isn't carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ApiError {
    /// The code on the wire, such as `DBInstanceNotFound`.
    pub(crate) code: String,
    /// What the user reads.
    pub(crate) message: String,
    status: Option<u16>,
}

impl ApiError {
    /// A refusal whose HTTP status is that of the code.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: None,
        }
    }

    /// A refusal with an HTTP status of its own, as faults on request have.
    pub(crate) fn with_status(code: &str, message: impl Into<String>, status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::new(code, message)
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status
            .or_else(|| MODEL.status(&self.code))
            .unwrap_or(match self.code.as_str() {
                "InternalFailure" => 500,
                "NotImplemented" => 501,
                "ServiceUnavailable" => 503,
                _ => 400,
            })
    }

    pub(crate) fn instance_not_found(identifier: &str) -> Self {
        Self::new(
            "DBInstanceNotFound",
            format!("DBInstance {identifier} not found."),
        )
    }

    pub(crate) fn instance_already_exists(identifier: &str) -> Self {
        Self::new(
            "DBInstanceAlreadyExists",
            format!("DB instance already exists: {identifier}"),
        )
    }

    pub(crate) fn instance_state(message: impl Into<String>) -> Self {
        Self::new("InvalidDBInstanceState", message)
    }

    pub(crate) fn cluster_not_found(identifier: &str) -> Self {
        Self::new(
            "DBClusterNotFoundFault",
            format!("DBCluster {identifier} not found."),
        )
    }

    pub(crate) fn cluster_state(message: impl Into<String>) -> Self {
        Self::new("InvalidDBClusterStateFault", message)
    }

    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }

    pub(crate) fn combination(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterCombination", message)
    }
}
