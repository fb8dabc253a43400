//! E-mail by SES: one message for each recipient, so that one whom SES refuses costs nobody else
//! the alert.

use aws_config::SdkConfig;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as Mail};
use aws_sdk_sesv2::{Client, config};

use crate::error::DeliveryError;
use crate::message::Message;
use crate::{bounds, html, text};

/// What mail programs show of a subject, and more.
const SUBJECT_LENGTH_MAX: usize = 150;

/// The sender.
pub(crate) struct Email {
    from: String,
    client: Client,
}

impl Email {
    pub(crate) fn new(from: &str, aws: &SdkConfig) -> Self {
        let config = config::Builder::from(aws)
            .retry_config(bounds::retries())
            .timeout_config(bounds::timeouts());
        Self {
            from: from.to_owned(),
            client: Client::from_conf(config.build()),
        }
    }

    pub(crate) async fn send(&self, to: &str, message: &Message) -> Result<(), DeliveryError> {
        let mail = mail(message).map_err(|error| DeliveryError::Aws(error.to_string()))?;
        let send = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(mail).build());
        let sent = send.send().await;
        sent.map(|_| ())
            .map_err(|error| DeliveryError::of_call(&error))
    }
}

fn mail(message: &Message) -> Result<Mail, BuildError> {
    let content = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder()
        .text(content(text::body(message))?)
        .html(content(html::page(message))?);
    let subject = text::subject(message, SUBJECT_LENGTH_MAX);
    Ok(Mail::builder()
        .subject(content(subject)?)
        .body(body.build())
        .build())
}
