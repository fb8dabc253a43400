//! Secrets of databases, in Secrets Manager, in the form that RDS itself stores.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use serde::Deserialize;
use trapheus_restore::{Credentials, Secret, SecretError, Secrets};

/// Secrets Manager.
pub(crate) struct SecretsManager(Client);

/// The members of a database's secret. RDS's own managed secrets have the first two only.
#[derive(Deserialize)]
struct DatabaseSecret {
    username: Option<String>,
    password: String,
    dbname: Option<String>,
}

impl SecretsManager {
    pub(crate) fn new(aws: &SdkConfig) -> Self {
        Self(Client::new(aws))
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn login(&self, arn: &str) -> Result<Credentials, SecretError> {
        let answer = self.0.get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| {
            let said = error.message().or(error.code());
            SecretError(said.unwrap_or("Secrets Manager does not answer").to_owned())
        })?;
        // The error's own text would quote a part of the secret.
        let found: Option<DatabaseSecret> = answer
            .secret_string()
            .and_then(|text| serde_json::from_str(text).ok());
        let found = found.ok_or_else(|| {
            SecretError("it is not JSON with `username` and `password`".to_owned())
        })?;
        Ok(Credentials {
            user: found.username,
            password: Secret::new(found.password),
            database: found.dbname,
        })
    }
}
