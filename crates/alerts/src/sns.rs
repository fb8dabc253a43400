//! A topic of SNS: plain text, with the kind of alert and the target as attributes to filter by.

use aws_config::SdkConfig;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sns::{Client, config};

use crate::channel::in_region_of;
use crate::error::DeliveryError;
use crate::message::Message;
use crate::{bounds, text};

/// What SNS takes: fewer than 100 characters of ASCII.
const SUBJECT_LENGTH_MAX: usize = 99;
/// What SNS takes is 256 KiB with the attributes; a character has four bytes at most.
const BODY_LENGTH_MAX: usize = 60_000;

pub(crate) async fn send(
    aws: &SdkConfig,
    topic: &str,
    message: &Message,
) -> Result<(), DeliveryError> {
    let config = config::Builder::from(&in_region_of(topic, aws))
        .retry_config(bounds::retries())
        .timeout_config(bounds::timeouts());
    let is_fifo = topic.ends_with(".fifo");
    let target = message.alert.identifier.as_ref();
    let target = target.map_or("trapheus", |target| target.as_str());
    let attribute =
        |value: &str| attribute(value).map_err(|error| DeliveryError::Aws(error.to_string()));
    let publish = Client::from_conf(config.build())
        .publish()
        .topic_arn(topic)
        .subject(subject(message))
        .message(text::cut(&text::body(message), BODY_LENGTH_MAX))
        .message_attributes("kind", attribute(message.alert.kind.as_str())?)
        .message_attributes("identifier", attribute(target)?)
        .set_message_group_id(is_fifo.then(|| target.to_owned()))
        .set_message_deduplication_id(is_fifo.then(|| message.id()));
    let published = publish.send().await;
    published
        .map(|_| ())
        .map_err(|error| DeliveryError::of_call(&error))
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
}

/// SNS refuses subjects of anything but ASCII.
fn subject(message: &Message) -> String {
    let subject = text::subject(message, SUBJECT_LENGTH_MAX);
    let ascii = |character: char| if character.is_ascii() { character } else { '?' };
    subject.chars().map(ascii).collect()
}
