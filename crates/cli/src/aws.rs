//! AWS's other services than RDS, by the settings in force: the SDK's own chain of credentials and
//! endpoints, with the profile and the Region of the settings.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::settings::Settings;

/// The configuration of a client of any service.
pub(crate) async fn config(settings: &Settings) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(&profile.value);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.value.clone()));
    }
    loader.load().await
}
