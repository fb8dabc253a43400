//! How executions ended, on a bus of EventBridge, for others to react on.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::json;
use trapheus_restore::{Delivery, Summary};

const SOURCE: &str = "trapheus";
const DETAIL_TYPE: &str = "Trapheus Execution Ended";

/// A bus.
pub(crate) struct Bus {
    name: String,
    events: Client,
}

impl Bus {
    pub(crate) fn new(name: String, aws: &SdkConfig) -> Self {
        Self {
            name,
            events: Client::new(aws),
        }
    }

    /// Puts the document of an execution on the bus; what became of it is told as of any alert.
    pub(crate) async fn put(&self, summary: &Summary) -> Delivery {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(json!(summary).to_string())
            .build();
        let error = match self.events.put_events().entries(entry).send().await {
            Err(error) => {
                let said = error.message().or(error.code());
                Some(said.unwrap_or("EventBridge does not answer").to_owned())
            }
            // It answers well even of what it has not taken.
            Ok(answer) => answer
                .entries()
                .iter()
                .find_map(|entry| entry.error_message().or(entry.error_code()))
                .map(str::to_owned),
        };
        Delivery {
            channel: format!("the event bus {}", self.name),
            error,
        }
    }
}
