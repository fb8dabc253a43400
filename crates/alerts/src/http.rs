//! Posts to webhooks: again and again for a while, when the receiver is busy or broken, and never
//! for long. Redirections are not followed: an address is a secret of its receiver.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::header::{CONTENT_TYPE, USER_AGENT};
use tokio::time::{Instant, sleep, timeout};
use trapheus_restore::Secret;

use crate::bounds::{ATTEMPT, ATTEMPTS, ATTEMPTS_TOGETHER, FIRST_PAUSE};
use crate::error::{DeliveryError, root};

/// More than one word of an answer is of no interest.
const ANSWER_LENGTH_MAX: usize = 64;

/// A client for webhooks.
pub(crate) struct Http {
    connector: Connector,
}

/// What is posted.
pub(crate) struct Post<'a> {
    pub(crate) url: &'a Secret,
    /// JSON.
    pub(crate) body: &'a str,
    pub(crate) headers: &'a [(&'static str, String)],
}

/// What came of one attempt.
enum Attempt {
    Delivered,
    /// For good.
    Failed(DeliveryError),
    /// For now; the receiver may say for how long.
    Again(DeliveryError, Option<Duration>),
}

impl Http {
    pub(crate) fn new() -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(ATTEMPT);
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .connector_settings(settings.build())
            .build();
        Self { connector }
    }

    /// Posts until the receiver takes it or refuses it for good, or time is up.
    pub(crate) async fn post(&self, post: &Post<'_>) -> Result<(), DeliveryError> {
        let deadline = Instant::now() + ATTEMPTS_TOGETHER;
        let mut backoff = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let (error, asked) = match self.attempt(post).await {
                Attempt::Delivered => return Ok(()),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again(error, asked) => (error, asked),
            };
            let pause = asked.unwrap_or_default().max(jittered(backoff));
            if attempt == ATTEMPTS || Instant::now() + pause + ATTEMPT > deadline {
                return Err(error);
            }
            sleep(pause).await;
            backoff *= 2;
            attempt += 1;
        }
    }

    async fn attempt(&self, post: &Post<'_>) -> Attempt {
        let request = match request(post) {
            Ok(request) => request,
            Err(error) => return Attempt::Failed(error),
        };
        let exchange = async {
            match self.connector.call(request).await {
                Ok(answer) => judge(answer).await,
                Err(error) => Attempt::Again(unreachable(&error), None),
            }
        };
        let late = || Attempt::Again(DeliveryError::Late(ATTEMPT.as_secs()), None);
        timeout(ATTEMPT, exchange).await.unwrap_or_else(|_| late())
    }
}

fn request(post: &Post<'_>) -> Result<HttpRequest, DeliveryError> {
    let address = |_| DeliveryError::Address;
    let url: http::Uri = post.url.reveal().parse().map_err(address)?;
    let is_known = matches!(url.scheme_str(), Some("http" | "https"));
    if !is_known || url.host().is_none() {
        return Err(DeliveryError::Address);
    }
    let mut request = http::Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("trapheus/", env!("CARGO_PKG_VERSION")));
    for (name, value) in post.headers {
        request = request.header(*name, value);
    }
    let request = request.body(SdkBody::from(post.body));
    let request = request.map_err(|_| DeliveryError::Address)?;
    HttpRequest::try_from(request).map_err(|_| DeliveryError::Address)
}

async fn judge(answer: HttpResponse) -> Attempt {
    let status = answer.status();
    if status.is_success() {
        return Attempt::Delivered;
    }
    let wait = answer.headers().get("retry-after");
    let wait = wait.and_then(|seconds| seconds.trim().parse().ok());
    let status = status.as_u16();
    let error = DeliveryError::Status {
        status,
        says: word(answer.into_body()).await,
    };
    match status {
        408 | 429 | 500.. => Attempt::Again(error, wait.map(Duration::from_secs)),
        _ => Attempt::Failed(error),
    }
}

/// Slack says in one word what is wrong. Anything longer may quote what was sent.
async fn word(body: SdkBody) -> Option<String> {
    let mut body = ByteStream::new(body);
    let mut read = Vec::new();
    while let Some(Ok(bytes)) = body.next().await {
        read.extend_from_slice(&bytes);
        if read.len() > ANSWER_LENGTH_MAX {
            return None;
        }
    }
    let text = String::from_utf8(read).ok()?;
    let text = text.trim();
    let is_word = |character: char| character.is_ascii_lowercase() || character == '_';
    (!text.is_empty() && text.chars().all(is_word)).then(|| text.to_owned())
}

fn unreachable(error: &ConnectorError) -> DeliveryError {
    match error.is_timeout() {
        true => DeliveryError::Late(ATTEMPT.as_secs()),
        false => DeliveryError::Unreachable(Some(root(error))),
    }
}

/// Between half of it and all of it, so that many who failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..1.0))
}
