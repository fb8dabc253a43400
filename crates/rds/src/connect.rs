//! From the user's settings to a door: the SDK's standard chain of credentials, profiles,
//! single sign-on, Regions and endpoints.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_rds::config::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::limits::Limits;
use crate::rds::Rds;

/// What the user says about where RDS is; what is absent comes from the environment, as for
/// every AWS tool.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// Another server than AWS's, for instance `http://127.0.0.1:4566`.
    pub endpoint_url: Option<String>,
    /// Who calls.
    pub identity: Identity,
    /// How fast.
    pub limits: Limits,
}

/// Who calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Identity {
    /// Whom the SDK's standard chain finds.
    #[default]
    Standard,
    /// Nobody in particular, in `us-east-1` unless said otherwise: for a server that does not
    /// check signatures.
    Anybody,
}

/// What is missing before the first call can be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No Region is configured.
    #[error(
        "no AWS Region is configured: pass --region, set AWS_REGION, or set `region` in the profile"
    )]
    NoRegion,
    /// There are no credentials, or they cannot be had now.
    #[error(
        "no AWS credentials: set AWS_PROFILE, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`"
    )]
    NoCredentials(#[source] Option<aws_credential_types::provider::error::CredentialsError>),
}

impl Rds {
    /// Makes a door from the user's settings. It checks that there are a Region and credentials,
    /// but makes no call to RDS.
    ///
    /// # Errors
    /// [`ConnectError`] names what to set.
    pub async fn connect(options: ConnectOptions) -> Result<Self, ConnectError> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        let default_region = match options.identity {
            Identity::Standard => None,
            Identity::Anybody => {
                loader = loader.credentials_provider(Credentials::new(
                    "anybody", "anybody", None, None, "trapheus",
                ));
                Some("us-east-1".to_owned())
            }
        };
        if let Some(profile) = options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = options.region.or(default_region) {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint_url) = options.endpoint_url {
            loader = loader.endpoint_url(endpoint_url);
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err(ConnectError::NoRegion);
        }
        let provider = config
            .credentials_provider()
            .ok_or(ConnectError::NoCredentials(None))?;
        provider
            .provide_credentials()
            .await
            .map_err(|error| ConnectError::NoCredentials(Some(error)))?;
        let rds = Self::new(aws_sdk_rds::Client::new(&config), options.limits);
        let rds = rds.with_names(aws_sdk_route53::Client::new(&config));
        Ok(rds.with_abroad(config))
    }
}
