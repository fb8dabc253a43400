//! S3, as far as it takes to put, get and delete one small object: requests that the SDK's own
//! signer signs. The SDK's client of S3 would be the largest part of the bootstrap.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::{Method, StatusCode};
use jiff::Timestamp;

use crate::log::chain;
use crate::settings::Place;

/// How often a request is sent that S3 does not answer, and the pause before the next one.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
/// The longest for one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);

/// A place in S3, where objects are.
pub(crate) struct Objects {
    place: Place,
    endpoint: String,
    aws: SdkConfig,
    connector: Connector,
    clock: fn() -> Timestamp,
}

/// What S3 answered with.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Objects {
    pub(crate) fn new(place: Place, aws: &SdkConfig, clock: fn() -> Timestamp) -> Self {
        let region = aws.region().map_or("us-east-1", AsRef::as_ref);
        let suffix = match region.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        };
        let endpoint = match aws.endpoint_url() {
            Some(stand_in) => stand_in.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{region}.{suffix}"),
        };
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        Self {
            place,
            endpoint,
            aws: aws.clone(),
            connector,
            clock,
        }
    }

    /// Where an object is, for people.
    pub(crate) fn shown(&self, name: &str) -> String {
        format!("s3://{}/{}{name}", self.place.bucket, self.place.prefix)
    }

    /// Puts an object, in place of one of its name. Says why not.
    pub(crate) async fn put(&self, name: &str, body: &[u8]) -> Result<(), String> {
        let answer = self.send(Method::PUT, name, body).await?;
        answer.taken().map(drop)
    }

    /// Gets an object; none where there is none. Says why not.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let answer = self.send(Method::GET, name, &[]).await?;
        match answer.code().as_deref() {
            Some("NoSuchKey") => Ok(None),
            _ => answer.taken().map(Some),
        }
    }

    /// Deletes an object, if there is one. Says why not.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), String> {
        let answer = self.send(Method::DELETE, name, &[]).await?;
        answer.taken().map(drop)
    }

    /// Sends a request. Whatever of these is sent twice has done the same as once.
    async fn send(&self, method: Method, name: &str, body: &[u8]) -> Result<Answer, String> {
        let mut attempt = 1;
        loop {
            let exchange = self.attempt(method.clone(), name, body);
            let late = |_| Err(format!("S3 does not answer within {} s", ATTEMPT.as_secs()));
            let answer = tokio::time::timeout(ATTEMPT, exchange)
                .await
                .unwrap_or_else(late);
            let is_answered = |answer: &Answer| !answer.status.is_server_error();
            if attempt == ATTEMPTS || answer.as_ref().is_ok_and(is_answered) {
                return answer;
            }
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, method: Method, name: &str, body: &[u8]) -> Result<Answer, String> {
        let Place { bucket, prefix } = &self.place;
        let address = format!("{}/{bucket}/{prefix}{name}", self.endpoint);
        let request = http::Request::builder().method(method).uri(&address);
        let mut request = request.body(body).map_err(text)?;
        self.sign(&address, &mut request).await?;
        let request = HttpRequest::try_from(request.map(SdkBody::from)).map_err(text)?;
        let answer = self.connector.call(request).await.map_err(text)?;
        let status = StatusCode::from_u16(answer.status().as_u16()).map_err(text)?;
        let body = ByteStream::new(answer.into_body())
            .collect()
            .await
            .map_err(text)?;
        Ok(Answer {
            status,
            body: body.to_vec(),
        })
    }

    async fn sign(&self, address: &str, request: &mut http::Request<&[u8]>) -> Result<(), String> {
        let provider = self
            .aws
            .credentials_provider()
            .ok_or("there are no credentials")?;
        let identity = provider.provide_credentials().await.map_err(text)?.into();
        // S3 signs addresses as they stand, and bodies by a header of their own.
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let signing = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.aws.region().map_or("us-east-1", AsRef::as_ref))
            .name("s3")
            .time(SystemTime::from((self.clock)()))
            .settings(settings)
            .build();
        let signing = signing.map_err(text)?.into();
        let body = SignableBody::Bytes(request.body());
        let signable =
            SignableRequest::new(request.method().as_str(), address, [].into_iter(), body);
        let signed = sign(signable.map_err(text)?, &signing).map_err(text)?;
        signed.into_parts().0.apply_to_request_http1x(request);
        Ok(())
    }
}

impl Answer {
    /// The body, unless S3 has refused.
    fn taken(self) -> Result<Vec<u8>, String> {
        match self.status.is_success() {
            true => Ok(self.body),
            false => Err(self.code().unwrap_or_else(|| self.status.to_string())),
        }
    }

    /// The code of a refusal.
    fn code(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = text.split_once("<Code>")?;
        let (code, _) = rest.split_once("</Code>")?;
        (!self.status.is_success()).then(|| code.to_owned())
    }
}

fn text(error: impl Error) -> String {
    chain(&error)
}
