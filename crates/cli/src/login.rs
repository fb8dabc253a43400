//! Secrets: what Verify logs in with (a password from the environment, or a secret of Secrets
//! Manager), and the master password that a restored database is to get.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use serde::Deserialize;
use trapheus_restore::{Credentials, Secret, SecretError, Secrets};

use crate::aws;
use crate::error::Failure;
use crate::settings::Settings;

/// Where the password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// From the environment.
    Password(Credentials),
    /// From this secret, named by its name or ARN, in the form that RDS itself stores.
    SecretsManager {
        /// The name or ARN.
        secret: String,
        /// The database, where the secret names none.
        database: Option<String>,
    },
}

/// The members of a database's secret. RDS's own managed secrets have the first two only.
#[derive(Deserialize)]
struct DatabaseSecret {
    username: Option<String>,
    password: String,
    dbname: Option<String>,
}

/// Finds what to log in with; `None` where nothing is said, and the handshake has to do.
pub(crate) async fn credentials(settings: &Settings) -> Result<Option<Credentials>, Failure> {
    match &settings.login {
        None => Ok(None),
        Some(Login::Password(credentials)) => Ok(Some(credentials.clone())),
        Some(Login::SecretsManager { secret, database }) => {
            let found = read(settings, secret).await.map_err(|why| {
                Failure::refused(format!(
                    "the secret {secret} that Verify logs in with cannot be read: {why}"
                ))
                .hint(
                    "it needs secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own",
                )
            })?;
            Ok(Some(Credentials {
                user: found.username,
                password: Secret::new(found.password),
                database: found.dbname.or_else(|| database.clone()),
            }))
        }
    }
}

/// Secrets Manager, by the settings in force.
pub(crate) struct SecretsManager(pub Settings);

#[async_trait]
impl Secrets for SecretsManager {
    async fn login(&self, arn: &str) -> Result<Credentials, SecretError> {
        let found = read(&self.0, arn).await.map_err(SecretError)?;
        Ok(Credentials {
            user: found.username,
            password: Secret::new(found.password),
            database: found.dbname,
        })
    }
}

/// Reads a secret, or says why it can't be read, without a word of what it holds.
async fn read(settings: &Settings, secret: &str) -> Result<DatabaseSecret, String> {
    let answer = Client::new(&aws::config(settings).await)
        .get_secret_value()
        .secret_id(secret)
        .send()
        .await;
    let answer = answer.map_err(|error| {
        let said = error.message().or(error.code()).map(str::to_owned);
        said.unwrap_or_else(|| "Secrets Manager does not answer".to_owned())
    })?;
    let text = answer.secret_string().ok_or("it holds no text")?;
    // The error's own text would quote a part of the secret.
    serde_json::from_str(text)
        .map_err(|_| "it is not JSON with `username` and `password`".to_owned())
}
