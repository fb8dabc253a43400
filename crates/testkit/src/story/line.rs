//! The way of one process to RDS: calls take time, answers come late or never, and a process dies
//! in the middle. What was sent arrives, whatever becomes of the sender.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use trapheus_local::connector::Connector;

use super::life::Life;
use super::random::Random;
use super::tally::{SITE, Tally};
use super::trace::Trace;

/// The way of one process to RDS.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) connector: Connector,
    pub(crate) life: Life,
    pub(crate) random: Arc<Mutex<Random>>,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
}

/// On the way there, which is shorter than any pause in which somebody acts upon a death.
const THERE: Duration = Duration::from_millis(300);
const BACK: Duration = Duration::from_millis(300);
/// Longer than any answer is waited for.
const TOO_LATE: Duration = Duration::from_secs(90);

impl Line {
    /// How long a call is under way, there and back.
    fn times(&self) -> (Duration, Duration) {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let there = random.within(THERE);
        if random.below(200) == 0 {
            return (there, TOO_LATE);
        }
        (there, random.within(BACK))
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let told = told(&request);
        let number = self.life.count_call();
        if self.life.is_over() || self.life.dies_in_call(number, false) {
            return std::future::pending().await;
        }
        self.tally.call();
        let (there, back) = self.times();
        let delivery = {
            let connector = self.connector.clone();
            let delivered = async move {
                tokio::time::sleep(there).await;
                connector.call(request).await
            };
            match SITE.try_with(Clone::clone) {
                Ok(site) => tokio::spawn(SITE.scope(site, delivered)),
                Err(_) => tokio::spawn(delivered),
            }
        };
        let answer = delivery
            .await
            .map_err(|error| ConnectorError::other(error.into(), None))?;
        self.tell(&told, &answer, back);
        if self.life.dies_in_call(number, true) {
            return std::future::pending().await;
        }
        tokio::time::sleep(back).await;
        answer
    }

    /// Looks that are answered are left out: there are many of them, and nothing happens in them.
    fn tell(&self, told: &str, answer: &Result<HttpResponse, ConnectorError>, back: Duration) {
        let is_good = answer
            .as_ref()
            .is_ok_and(|answer| answer.status().is_success());
        if back == TOO_LATE {
            self.tally.fault("answer too late");
        }
        let is_look = told.starts_with("Describe") || told.starts_with("List");
        let is_answered = answer
            .as_ref()
            .is_ok_and(|answer| answer.status().is_success() || code(answer).contains("NotFound"));
        if is_look && is_answered && back != TOO_LATE {
            return;
        }
        self.trace.tell(self.life.name(), || {
            let late = if back == TOO_LATE {
                ", answered too late"
            } else {
                ""
            };
            match answer {
                Ok(_) if is_good => format!("{told}{late}"),
                Ok(answer) => format!("{told}: {}{late}", code(answer)),
                Err(error) => format!("{told}: {error}{late}"),
            }
        });
    }
}

/// The action and whom it is about.
fn told(request: &HttpRequest) -> String {
    let body = request.body().bytes().unwrap_or_default();
    let mut told = String::new();
    for (name, value) in form_urlencoded::parse(body) {
        if name == "Action" {
            told += &value;
        } else if name.ends_with("Identifier") || name == "ResourceName" {
            told += " ";
            told += value.rsplit(':').next().unwrap_or_default();
        }
    }
    told
}

fn code(answer: &HttpResponse) -> String {
    let body = String::from_utf8_lossy(answer.body().bytes().unwrap_or_default());
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(|| answer.status().to_string(), |(code, _)| code.to_owned())
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Line").finish_non_exhaustive()
    }
}

impl HttpClient for Line {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}
