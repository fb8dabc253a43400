//! Passwords that are kept in a place of their own: read when they are needed, never printed,
//! never remembered.

use std::fmt;

use async_trait::async_trait;

use crate::verifier::Credentials;
use serde::Deserialize;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that nobody should read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for the server that it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Why a secret can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

/// Reads secrets.
#[async_trait]
pub trait Secrets: Send + Sync + 'static {
    /// Reads what a secret of this ARN or name holds: the password, and whatever else it says.
    ///
    /// # Errors
    /// There is no such secret, it may not be read, or it holds no password. The error never
    /// quotes what the secret holds.
    async fn login(&self, arn: &str) -> Result<Credentials, SecretError>;
}
