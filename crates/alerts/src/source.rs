//! Where a webhook's address or key comes from: the settings themselves, an environment variable,
//! or a secret of Secrets Manager. It is read when it is needed, and printed never.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{Client, config};
use serde::Deserialize;
use trapheus_restore::Secret;

use crate::bounds;
use crate::channel::in_region_of;
use crate::error::DeliveryError;

/// Where a secret text comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a text, { env = \"…\" } or { secret = \"…\" }")]
pub enum Source {
    /// From here.
    Here(Secret),
    /// From somewhere else.
    Elsewhere(Elsewhere),
}

/// Where a text is that isn't in the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Elsewhere {
    /// In this environment variable.
    Env(String),
    /// In this secret of Secrets Manager, named by its ARN: the whole of its text.
    Secret(String),
}

impl Source {
    pub(crate) async fn read(&self, aws: &SdkConfig) -> Result<Secret, DeliveryError> {
        match self {
            Self::Here(secret) => Ok(secret.clone()),
            Self::Elsewhere(Elsewhere::Env(name)) => std::env::var(name)
                .map(|text| Secret::new(text.trim()))
                .map_err(|_| DeliveryError::Source(format!("`{name}` is not set"))),
            Self::Elsewhere(Elsewhere::Secret(arn)) => {
                let config = config::Builder::from(&in_region_of(arn, aws))
                    .retry_config(bounds::retries())
                    .timeout_config(bounds::timeouts());
                let secrets = Client::from_conf(config.build());
                let answer = secrets.get_secret_value().secret_id(arn).send().await;
                let unread = |why: &dyn fmt::Display| {
                    DeliveryError::Source(format!("the secret {arn} can't be read: {why}"))
                };
                let answer = answer.map_err(|error| unread(&DeliveryError::of_call(&error)))?;
                let text = answer
                    .secret_string()
                    .ok_or_else(|| unread(&"it holds no text"))?;
                Ok(Secret::new(text.trim()))
            }
        }
    }
}

/// Says where it comes from, and never what it is.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(_) => formatter.write_str("the settings"),
            Self::Elsewhere(Elsewhere::Env(name)) => write!(formatter, "`{name}`"),
            Self::Elsewhere(Elsewhere::Secret(arn)) => write!(formatter, "the secret {arn}"),
        }
    }
}
