//! Alerts: what people are told of an execution, who is asked to be told, and the door to those
//! who carry it there.
//!
//! An alert never decides anything: who can't be told is named in the report, and that is all.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use trapheus_rds::{DbIdentifier, Endpoint, ResourceId};

use crate::input::{self, Task};
use crate::tasks::Report;

/// The longest address that e-mail knows.
const ADDRESS_LENGTH_MAX: usize = 254;
/// A channel's name is a word, not a text.
const CHANNEL_LENGTH_MAX: usize = 40;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// It is as asked for.
    Succeeded,
    /// It is as asked for, and somebody has to look after what is left over.
    LeftOver,
    /// It failed, and the name is as it was before.
    Failed,
    /// It stopped before it changed anything.
    Refused,
    /// The name could not be given back: a person has to.
    RollbackFailed,
    /// It goes on, and takes longer than expected.
    LongRunning,
    /// Nothing: somebody wants to see whether alerts arrive.
    Test,
}

impl AlertKind {
    /// What an execution can tell of.
    pub const ALL: [AlertKind; 6] = [
        AlertKind::Succeeded,
        AlertKind::LeftOver,
        AlertKind::Failed,
        AlertKind::Refused,
        AlertKind::RollbackFailed,
        AlertKind::LongRunning,
    ];

    /// What is told of where nobody says otherwise. Not refusals: nothing has changed, and whoever
    /// asked has the answer already.
    pub const USUAL: [AlertKind; 5] = [
        AlertKind::Succeeded,
        AlertKind::LeftOver,
        AlertKind::Failed,
        AlertKind::RollbackFailed,
        AlertKind::LongRunning,
    ];

    /// Returns the word of the input and of the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::Succeeded => "succeeded",
            AlertKind::LeftOver => "left_over",
            AlertKind::Failed => "failed",
            AlertKind::Refused => "refused",
            AlertKind::RollbackFailed => "rollback_failed",
            AlertKind::LongRunning => "long_running",
            AlertKind::Test => "test",
        }
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What people are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What it is about.
    pub kind: AlertKind,
    /// The execution.
    pub execution_id: String,
    /// What it does; none where the input was not understood.
    pub task: Option<Task>,
    /// The target; none where the input was not understood.
    pub identifier: Option<DbIdentifier>,
    /// When this was so.
    pub at: Timestamp,
    /// What happened, what has changed and what to do.
    #[serde(flatten)]
    pub report: Report,
    /// Where the databases are now.
    pub databases: Vec<Whereabouts>,
    /// The command that undoes it, where one does.
    pub undo: Option<String>,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Whereabouts {
    /// Its name now, or the one that it is to be looked for at.
    pub identifier: DbIdentifier,
    /// Its identity, where it is known.
    pub resource_id: Option<ResourceId>,
    /// Where clients reach it, if it has the target's name.
    pub endpoint: Option<Endpoint>,
    /// What it is, and what becomes of it.
    pub what: String,
}

/// Who is told of an execution besides those whom the settings name, as the input says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notify {
    /// What is told of; when absent, as the settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<AlertKind>>,
    /// Who is told as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Recipient>,
    /// After how many seconds the execution takes too long; when absent, as the settings say.
    #[serde(
        default,
        rename = "longRunningAfter",
        deserialize_with = "deserialize_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub long_running_after_seconds: Option<u64>,
}

/// Reads seconds as a number, or a duration such as `3h`, for settings and for the input.
///
/// # Errors
/// It is neither.
pub fn deserialize_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(from)?;
    let read = input::duration_seconds(&value);
    let wrong = "it must be a number of seconds or a duration such as `3h`";
    read.map(Some)
        .ok_or_else(|| serde::de::Error::custom(wrong))
}

impl Notify {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A channel of the settings by its name, or an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Recipient {
    /// A channel of the settings.
    Channel(String),
    /// Somebody who gets an e-mail.
    Address(String),
}

/// Neither a channel's name nor an e-mail address. What it is instead is not quoted: it may be a
/// webhook's address, which is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither the name of a channel (letters, digits, `-` and `_`) nor an e-mail address; addresses of webhooks belong into the settings"
)]
pub struct RecipientError;

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let is_word = |text: &str, others: &str| {
            let fits =
                |character: char| character.is_ascii_alphanumeric() || others.contains(character);
            !text.is_empty() && text.chars().all(fits)
        };
        match text.split_once('@') {
            Some((name, domain))
                if is_word(name, "!#$%&'*+-/=?^_`{|}~.")
                    && is_word(domain, "-.")
                    && text.len() <= ADDRESS_LENGTH_MAX =>
            {
                Ok(Self::Address(text.to_owned()))
            }
            None if is_word(text, "-_") && text.len() <= CHANNEL_LENGTH_MAX => {
                Ok(Self::Channel(text.to_owned()))
            }
            _ => Err(RecipientError),
        }
    }
}

impl TryFrom<String> for Recipient {
    type Error = RecipientError;

    fn try_from(text: String) -> Result<Self, RecipientError> {
        text.parse()
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        match recipient {
            Recipient::Channel(text) | Recipient::Address(text) => text,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Channel(text) | Self::Address(text)) = self;
        formatter.write_str(text)
    }
}

/// What became of an alert on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The channel, by its name; never its address where that is a secret.
    pub channel: String,
    /// Why it did not arrive; none where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Carries alerts to people.
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// The channels that are told of this kind, by their names.
    ///
    /// # Errors
    /// The input names somebody who can't be told; the first of them.
    fn audience(&self, kind: AlertKind, asked: &Notify) -> Result<Vec<String>, Recipient>;

    /// After how many seconds an execution takes too long, where the settings say it.
    fn patience_seconds(&self) -> Option<u64>;

    /// Tells all of them, at the same time and within bounds; says what became of it on each
    /// channel.
    async fn tell(&self, alert: &Alert, asked: &Notify) -> Vec<Delivery>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Recipient, RecipientError> {
        text.parse()
    }

    #[test]
    fn a_recipient_is_a_word_or_an_address() {
        assert_eq!(parse("ops-1"), Ok(Recipient::Channel("ops-1".to_owned())));
        let address = "o'hara+rds@example.com";
        assert_eq!(parse(address), Ok(Recipient::Address(address.to_owned())));
    }

    #[test]
    fn what_could_end_a_header_or_hold_a_secret_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "a@b@c",
            "a b@example.com",
            "a@example.com\r\nBcc: x@example.com",
            "a@example.com,b@example.com",
            "Ops <ops@example.com>",
            "https://hooks.example.com/T0/B0/secret",
            "ops\n",
        ] {
            assert_eq!(parse(text), Err(RecipientError), "{text:?}");
        }
        assert!(parse(&"x".repeat(41)).is_err());
    }
}
