//! One function: an event goes in, its task runs, and the result or the error comes out.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;
use trapheus_alerts::Alerts;
use trapheus_rds::{ConnectOptions, Permit, Rds};
use trapheus_restore::{
    Delivery, ErrorName, Options, ServerSql, ServerVerifier, TaskError, Tasks, summary_at_report,
};

use crate::blueprints::BlueprintObjects;
use crate::events::Bus;
use crate::executions::StateMachine;
use crate::log::chain;
use crate::runtime::Event;
use crate::s3::Objects;
use crate::secrets::SecretsManager;
use crate::settings::Settings;

/// What is left of a function's time when its task is cut off, to say so.
const TO_ANSWER: Duration = Duration::from_secs(2);

const REPORT: &str = "${Report}";

/// A function that is ready for events.
pub(crate) struct Function {
    resource: String,
    tasks: Tasks,
    machine: StateMachine,
    bus: Option<Bus>,
}

impl Function {
    /// Makes one by its settings. AWS is not called yet.
    pub(crate) async fn new(settings: Settings) -> Result<Self, Box<dyn Error>> {
        let aws = aws().await;
        let machine = StateMachine::new(settings.state_machine, &aws);
        let place = settings
            .blueprints
            .map(|place| Objects::new(place, &aws, now));
        let options = Options {
            clock: Arc::new(now),
            verifier: Arc::new(ServerVerifier::new(None)),
            secrets: Arc::new(SecretsManager::new(&aws)),
            sql: Arc::new(ServerSql),
            login: None,
            blueprints: Arc::new(BlueprintObjects(place)),
            notifier: Arc::new(Alerts::new(&settings.alerts, &aws)?),
            executions: Arc::new(machine.clone()),
        };
        let rds = Rds::connect(ConnectOptions::default()).await?;
        Ok(Self {
            resource: settings.resource,
            tasks: Tasks::new(rds, options),
            machine,
            bus: settings.event_bus.map(|name| Bus::new(name, &aws)),
        })
    }

    /// Runs the task for one event, and writes one line about it.
    pub(crate) async fn call(&self, event: Event) -> Result<Value, TaskError> {
        let began = Instant::now();
        let execution = event.payload["execution"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let request = event.request.clone();
        let made = self.make_it_so(&execution, event).await;
        let (outcome, text, calls) = match &made {
            Ok(result) => ("done", "", result["calls"].to_string()),
            Err(error) => {
                let calls = json!(error.cause.calls).to_string();
                (error.name.as_str(), error.cause.text(), calls)
            }
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let task = self.task();
        tracing::info!(execution, task, outcome, text, calls, milliseconds, request);
        made
    }

    async fn make_it_so(&self, execution: &str, event: Event) -> Result<Value, TaskError> {
        let tasks = self
            .tasks
            .within(time_left(&event))
            .permitted_by(self.permit(execution));
        if self.resource != REPORT {
            return tasks.run(&self.resource, event.payload).await;
        }
        let told = self.tell_the_bus(&event.payload);
        let (reported, told) = tokio::join!(tasks.run(REPORT, event.payload.clone()), told);
        let mut reported = reported?;
        let delivery = told.map(|error| json!(error));
        if let (Some(delivery), Some(report)) = (delivery, reported.as_object_mut()) {
            let deliveries = report.entry("deliveries").or_insert_with(|| json!([]));
            if let Some(all) = deliveries.as_array_mut() {
                all.push(delivery);
            }
        }
        Ok(reported)
    }

    /// Puts how it ended on the bus, where there is one.
    async fn tell_the_bus(&self, event: &Value) -> Option<Delivery> {
        let bus = self.bus.as_ref()?;
        let summary = summary_at_report(event, now())?;
        Some(bus.put(&summary).await)
    }

    /// Whoever stops an execution wants nothing more to be changed by it.
    fn permit(&self, execution: &str) -> Permit {
        let (machine, execution) = (self.machine.clone(), execution.to_owned());
        Permit::new(move || {
            let (machine, execution) = (machine.clone(), execution.clone());
            async move { machine.is_running(&execution).await }
        })
    }

    fn task(&self) -> &str {
        self.resource.trim_start_matches("${").trim_end_matches('}')
    }
}

/// What a function answers that has no sound settings.
pub(crate) fn misconfigured(error: &dyn Error) -> TaskError {
    let text = chain(error);
    tracing::error!(error = text, "the function's settings are not sound");
    TaskError::new(ErrorName::Refused, text)
}

/// AWS, as the function's environment says.
async fn aws() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .load()
        .await
}

/// How long the task may take, if the function is to say so when it takes longer.
fn time_left(event: &Event) -> Duration {
    let left = Duration::try_from(event.deadline.duration_since(now())).unwrap_or_default();
    left.saturating_sub(TO_ANSWER)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary is where real time comes in"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
