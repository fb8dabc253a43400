//! The door itself: every call of this crate goes through [`Rds::read`] or [`Rds::act`], which
//! wait for a turn, count, limit the time, classify failures, and repeat what may be repeated.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::timeout::TimeoutConfig;
use aws_sdk_rds::config::{Region, StalledStreamProtectionConfig};
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use crate::account::Abroad;
use crate::calls::Calls;
use crate::classify::error_of_call;
use crate::error::{Class, Error};
use crate::limits::{Limits, Pace};
use crate::permit::Permit;
use crate::poll::Pages;

/// The door to Amazon RDS. Cloning is cheap; clones share limits, pages and counters.
#[derive(Debug, Clone)]
pub struct Rds {
    pub(crate) client: Client,
    /// The way to Route 53, where there is one.
    pub(crate) names: Option<aws_sdk_route53::Client>,
    /// The way to other accounts and Regions, where there is one.
    pub(crate) abroad: Option<Abroad>,
    pub(crate) shared: Arc<Shared>,
    calls: Calls,
    permit: Permit,
}

/// What all handles of one process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) instance_pages: Pages,
    pub(crate) cluster_pages: Pages,
    pace: Pace,
    calls: Calls,
}

/// What may be done again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Anything that may go better next time: the call changes nothing.
    WhateverMayPass,
    /// Only what surely did nothing: no mutating call has a token that makes a second one safe.
    OnlyRefusals,
}

impl Rds {
    /// Makes a door from a client of the SDK. The client's own retries and time-outs are turned
    /// off: they would be neither counted nor limited, and would repeat mutating calls.
    pub fn new(client: Client, limits: Limits) -> Self {
        let config = client
            .config()
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let shared = Shared {
            pace: Pace::new(&limits),
            instance_pages: Pages::default(),
            cluster_pages: Pages::default(),
            calls: Calls::default(),
            limits,
        };
        Self {
            client: Client::from_conf(config),
            names: None,
            abroad: None,
            shared: Arc::new(shared),
            calls: Calls::default(),
            permit: Permit::default(),
        }
    }

    /// The same door, with a way to Route 53.
    pub fn with_names(self, client: aws_sdk_route53::Client) -> Self {
        Self {
            names: Some(client),
            ..self
        }
    }

    /// The same door, from which others open by the roles that the configuration's caller may assume.
    pub(crate) fn with_abroad(self, config: SdkConfig) -> Self {
        Self {
            abroad: Some(Abroad::of(config)),
            ..self
        }
    }

    /// Returns a handle that counts its own calls apart, and that count. Everything else is
    /// shared with `self`. A page that several handles wait for counts for the one that sent it.
    pub fn counting(&self) -> (Self, Calls) {
        let calls = Calls::default();
        (
            Self {
                calls: calls.clone(),
                ..self.clone()
            },
            calls,
        )
    }

    /// Returns a handle that asks for leave before each call that changes something: after its turn
    /// has come, so that as little as can be lies between the leave and the call.
    pub fn permitted_by(&self, permit: Permit) -> Self {
        Self {
            permit,
            ..self.clone()
        }
    }

    /// Asks for leave to change something in other ways than by a call of this door.
    ///
    /// # Errors
    /// Nothing may be changed any more.
    pub async fn ask_leave(&self, operation: &'static str) -> Result<(), Error> {
        let left = self.permit.ask().await;
        left.map_err(|reason| Error::not_permitted(operation, reason))
    }

    /// Returns a handle that calls another Region, at a pace of that Region's own. Its calls are
    /// counted with those of `self`.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        if self.region() == Some(region) {
            return self.clone();
        }
        let region = Region::new(region.to_owned());
        let config = self.client.config().to_builder().region(region).build();
        let shared = Shared::new(self.shared.limits.clone(), self.shared.calls.clone());
        self.by(Client::from_conf(config), Arc::new(shared))
    }

    /// The same handle by another way.
    pub(crate) fn by(&self, client: Client, shared: Arc<Shared>) -> Self {
        Self {
            client,
            shared,
            ..self.clone()
        }
    }

    /// Returns the counter of all calls through this door, whatever the handle.
    pub fn all_calls(&self) -> &Calls {
        &self.shared.calls
    }

    /// Returns the Region that calls go to.
    pub fn region(&self) -> Option<&str> {
        self.client.config().region().map(AsRef::as_ref)
    }

    /// Sends a call that changes nothing.
    pub(crate) async fn read<T, E, F>(
        &self,
        operation: &'static str,
        send: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        self.call(
            operation,
            Repeat::WhateverMayPass,
            self.shared.limits.read_timeout,
            send,
        )
        .await
    }

    /// Sends a call that changes something.
    pub(crate) async fn act<T, E, F>(
        &self,
        operation: &'static str,
        send: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        self.call(
            operation,
            Repeat::OnlyRefusals,
            self.shared.limits.act_timeout,
            send,
        )
        .await
    }

    async fn call<T, E, F>(
        &self,
        operation: &'static str,
        repeat: Repeat,
        timeout: Duration,
        send: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut attempt = 1;
        loop {
            self.shared.pace.turn().await;
            if repeat == Repeat::OnlyRefusals {
                self.ask_leave(operation).await?;
            }
            self.count(operation);
            let error = match tokio::time::timeout(timeout, send()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => repeat.soften(error_of_call(operation, error)),
                Err(_elapsed) => Error::unanswered(operation, timeout),
            };
            if error.class == Class::Throttled {
                self.shared.pace.slow_down();
            }
            if attempt >= self.shared.limits.attempts_max || !repeat.allows(&error.class) {
                return Err(error);
            }
            let wait = self.shared.pace.backoff(attempt);
            tracing::debug!(operation, attempt, ?wait, %error, "call failed; trying again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    fn count(&self, operation: &'static str) {
        self.calls.add(operation);
        self.shared.calls.add(operation);
    }
}

impl Shared {
    pub(crate) fn new(limits: Limits, calls: Calls) -> Self {
        Self {
            pace: Pace::new(&limits),
            instance_pages: Pages::default(),
            cluster_pages: Pages::default(),
            limits,
            calls,
        }
    }
}

impl Repeat {
    fn allows(self, class: &Class) -> bool {
        match self {
            Self::WhateverMayPass => matches!(class, Class::Throttled | Class::Unavailable),
            Self::OnlyRefusals => *class == Class::Throttled,
        }
    }

    /// Corrects the class of an error page that names no code. When reading, it means that the
    /// server lacks the operation; when acting, that nobody knows what the server has done.
    fn soften(self, mut error: Error) -> Error {
        if self == Self::OnlyRefusals
            && error.class == Class::NotImplemented
            && error.code.is_none()
        {
            error.class = Class::Unavailable;
        }
        error
    }
}
