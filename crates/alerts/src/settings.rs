//! The table `[alerts]` of `trapheus.toml`, and the environment over it.
//!
//! A variable of the environment replaces what the file says of its kind of channel. The names
//! that the Python tool's deployment had are understood as well.

use std::collections::BTreeSet;

use serde::Deserialize;
use trapheus_restore::{AlertKind, Recipient, Secret, deserialize_seconds};

use crate::error::SettingsError;
use crate::source::{Elsewhere, Source};

/// Who is told, and of what.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// What is told of, where a channel does not say it itself.
    pub on: Option<Vec<AlertKind>>,
    /// After how many seconds an execution takes too long; none for what its plan expects.
    #[serde(
        rename = "long-running-after",
        deserialize_with = "deserialize_seconds"
    )]
    pub long_running_after_seconds: Option<u64>,
    /// E-mail by SES.
    pub email: Option<EmailSettings>,
    /// Incoming webhooks of Slack.
    pub slack: Vec<SlackSettings>,
    /// Topics of SNS.
    pub sns: Vec<SnsSettings>,
    /// Webhooks of anybody.
    pub webhook: Vec<WebhookSettings>,
}

/// E-mail by SES.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmailSettings {
    /// The sender, an address that SES has verified.
    pub from: Option<Recipient>,
    /// Who always gets one; who is named by an input may get one besides.
    pub to: Vec<Recipient>,
    /// What is told of.
    pub on: Option<Vec<AlertKind>>,
}

/// An incoming webhook of Slack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackSettings {
    /// The channel's name here.
    pub name: Option<String>,
    /// Its address, which is a secret; or several of them, separated by commas or spaces.
    pub url: Source,
    /// What is told of.
    pub on: Option<Vec<AlertKind>>,
}

/// A topic of SNS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnsSettings {
    /// The channel's name here.
    pub name: Option<String>,
    /// The topic's ARN.
    pub topic: String,
    /// What is told of.
    pub on: Option<Vec<AlertKind>>,
}

/// A webhook of anybody.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// The channel's name here.
    pub name: Option<String>,
    /// Its address, which is a secret.
    pub url: Source,
    /// What alerts are signed with; none for unsigned ones.
    pub key: Option<Source>,
    /// What is told of.
    pub on: Option<Vec<AlertKind>>,
}

impl Settings {
    /// Puts the environment over the settings of a file.
    ///
    /// # Errors
    /// A variable does not hold what it should.
    pub fn under(
        mut self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let first = |names: [&'static str; 2]| {
            let found = |name| {
                Some((
                    name,
                    environment(name).filter(|text| !text.trim().is_empty())?,
                ))
            };
            names.into_iter().find_map(found)
        };
        if let Some((variable, text)) = first(["TRAPHEUS_ALERT_EMAIL_FROM", "SenderEmail"]) {
            let from = addresses(variable, &text)?.pop();
            self.email.get_or_insert_default().from = from;
        }
        if let Some((variable, text)) = first(["TRAPHEUS_ALERT_EMAIL_TO", "RecipientEmail"]) {
            self.email.get_or_insert_default().to = addresses(variable, &text)?;
        }
        if let Some((_, text)) = first(["TRAPHEUS_ALERT_SLACK_URLS", "SlackWebhookUrls"]) {
            let channel = |url: &str| SlackSettings {
                name: None,
                url: Source::Here(Secret::new(url)),
                on: None,
            };
            self.slack = items(&text).map(channel).collect();
        }
        if let Some(arn) = environment("TRAPHEUS_ALERT_SLACK_SECRET") {
            self.slack = vec![SlackSettings {
                name: None,
                url: Source::Elsewhere(Elsewhere::Secret(arn)),
                on: None,
            }];
        }
        if let Some(text) = environment("TRAPHEUS_ALERT_SNS_TOPICS") {
            let channel = |topic: &str| SnsSettings {
                name: None,
                topic: topic.to_owned(),
                on: None,
            };
            self.sns = items(&text).map(channel).collect();
        }
        if let Some(url) = environment("TRAPHEUS_ALERT_WEBHOOK_URL") {
            let key = environment("TRAPHEUS_ALERT_WEBHOOK_KEY");
            self.webhook = vec![WebhookSettings {
                name: None,
                url: Source::Here(Secret::new(url)),
                key: key.map(|key| Source::Here(Secret::new(key))),
                on: None,
            }];
        }
        Ok(self)
    }

    /// What a channel tells of when nobody asks for anything else.
    pub(crate) fn kinds(&self, of_channel: Option<&[AlertKind]>) -> BTreeSet<AlertKind> {
        let kinds = of_channel
            .or(self.on.as_deref())
            .unwrap_or(&AlertKind::USUAL);
        kinds.iter().copied().collect()
    }
}

/// The parts of a list: they are separated by commas or spaces.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character == ',' || character.is_whitespace())
        .filter(|item| !item.is_empty())
}

fn addresses(variable: &'static str, text: &str) -> Result<Vec<Recipient>, SettingsError> {
    let address = |item: &str| match item.parse() {
        Ok(address @ Recipient::Address(_)) => Ok(address),
        Ok(Recipient::Channel(_)) | Err(_) => Err(SettingsError::Address { variable }),
    };
    items(text).map(address).collect()
}
