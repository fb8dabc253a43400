//! Lambda's Runtime API: three requests to a server beside the function, by which it gets its events
//! and answers them.

use std::error::Error;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::Timestamp;
use serde_json::{Value, json};
use trapheus_restore::TaskError;

use crate::log::chain;

const VERSION: &str = "2018-06-01";

/// The server that gives events.
pub(crate) struct Runtime {
    connector: Connector,
    /// What all addresses begin with.
    invocations: String,
}

/// An event, to be answered within its time.
pub(crate) struct Event {
    pub(crate) request: String,
    pub(crate) deadline: Timestamp,
    pub(crate) payload: Value,
}

/// Why no event can be had or answered. Lambda begins anew with another process then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RuntimeError {
    #[error("`AWS_LAMBDA_RUNTIME_API` is not set: this program runs on AWS Lambda")]
    NotOnLambda,
    #[error("the Runtime API does not answer: {0}")]
    Unreachable(String),
    #[error("the Runtime API answers {0}")]
    Refused(u16),
    #[error("the Runtime API gives no {0}")]
    Incomplete(&'static str),
}

impl Runtime {
    pub(crate) fn of_environment(
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, RuntimeError> {
        let server = environment("AWS_LAMBDA_RUNTIME_API").ok_or(RuntimeError::NotOnLambda)?;
        Ok(Self {
            // Without a time-out: the next event may be long in coming.
            connector: Connector::builder().build_http(),
            invocations: format!("http://{server}/{VERSION}/runtime/invocation"),
        })
    }

    /// Waits for the next event.
    pub(crate) async fn next(&self) -> Result<Event, RuntimeError> {
        let address = format!("{}/next", self.invocations);
        let request = http::Request::get(address).body(SdkBody::empty());
        let answer = self.send(request).await?;
        let header = |name: &'static str| {
            let value = answer.headers().get(name).map(str::to_owned);
            value.ok_or(RuntimeError::Incomplete(name))
        };
        let deadline = header("lambda-runtime-deadline-ms")?.parse().ok();
        let deadline =
            deadline.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
        let deadline = deadline.ok_or(RuntimeError::Incomplete("deadline"))?;
        let request = header("lambda-runtime-aws-request-id")?;
        let body = ByteStream::new(answer.into_body()).collect().await;
        let body = body.map_err(|error| RuntimeError::Unreachable(chain(&error)))?;
        let payload = serde_json::from_slice(&body.into_bytes());
        Ok(Event {
            request,
            deadline,
            payload: payload.map_err(|_| RuntimeError::Incomplete("event"))?,
        })
    }

    /// Answers an event. Step Functions takes the type of an error as its name, and the whole answer
    /// as its cause.
    pub(crate) async fn answer(
        &self,
        request: &str,
        made: Result<Value, TaskError>,
    ) -> Result<(), RuntimeError> {
        let (kind, body) = match made {
            Ok(result) => ("response", result),
            Err(error) => {
                let (name, cause) = (error.name.as_str(), error.cause.to_string());
                ("error", json!({ "errorType": name, "errorMessage": cause }))
            }
        };
        let address = format!("{}/{request}/{kind}", self.invocations);
        let request = http::Request::post(address).body(SdkBody::from(body.to_string()));
        self.send(request).await.map(drop)
    }

    async fn send(
        &self,
        request: Result<http::Request<SdkBody>, http::Error>,
    ) -> Result<HttpResponse, RuntimeError> {
        let unreachable = |error: &dyn Error| RuntimeError::Unreachable(chain(error));
        let request = request.map_err(|error| unreachable(&error))?;
        let request = HttpRequest::try_from(request).map_err(|error| unreachable(&error))?;
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(RuntimeError::Refused(answer.status().as_u16())),
        }
    }
}
