//! The channels: who is told of what, all of them at the same time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use tokio::task::JoinSet;
use trapheus_restore::{Alert, AlertKind, Delivery, Notifier, Notify, Recipient};

use crate::bounds;
use crate::email::Email;
use crate::error::{DeliveryError, SettingsError};
use crate::http::Http;
use crate::message::Message;
use crate::settings::Settings;
use crate::source::Source;
use crate::{slack, sns, webhook};

/// Everybody who can be told. Clones are the same.
#[derive(Clone)]
pub struct Alerts(Arc<Inner>);

struct Inner {
    channels: Vec<Channel>,
    /// What those are told of whom an input names and who tell of nothing by themselves.
    usual: BTreeSet<AlertKind>,
    email: Option<Email>,
    patience_seconds: Option<u64>,
    /// Made when it is needed: it reads the certificates of this machine.
    http: LazyLock<Http>,
    aws: SdkConfig,
}

/// One that can be told.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its name, or the e-mail address that it is.
    pub name: String,
    kinds: BTreeSet<AlertKind>,
    route: Route,
}

/// How a channel is reached.
#[derive(Debug, Clone)]
enum Route {
    /// By e-mail, to the address that the channel is called.
    Email,
    Slack {
        url: Source,
    },
    Sns {
        topic: String,
    },
    Webhook {
        url: Source,
        key: Option<Source>,
    },
}

impl Alerts {
    /// Makes the channels of the settings. AWS is called as the configuration says, and not yet.
    ///
    /// # Errors
    /// The settings contradict themselves.
    pub fn new(settings: &Settings, aws: &SdkConfig) -> Result<Self, SettingsError> {
        Ok(Self(Arc::new(Inner {
            channels: channels(settings)?,
            usual: settings.kinds(None),
            email: sender(settings)?.map(|from| Email::new(from, aws)),
            patience_seconds: settings.long_running_after_seconds,
            http: LazyLock::new(Http::new),
            aws: aws.clone(),
        })))
    }

    /// The channels of the settings.
    pub fn channels(&self) -> &[Channel] {
        &self.0.channels
    }
}

impl Inner {
    fn knows(&self, recipient: &Recipient) -> bool {
        match recipient {
            Recipient::Channel(name) => self.channels.iter().any(|channel| channel.name == *name),
            Recipient::Address(_) => self.email.is_some(),
        }
    }

    /// The channels that are told of this kind. Who is named by the input is told as well.
    fn told(&self, kind: AlertKind, asked: &Notify) -> Vec<Channel> {
        let named: Vec<String> = asked.to.iter().map(Recipient::to_string).collect();
        let is_further = |name: &&String| {
            name.contains('@') && !self.channels.iter().any(|channel| channel.name == **name)
        };
        let further = named.iter().filter(is_further).map(|address| Channel {
            name: address.clone(),
            kinds: self.usual.clone(),
            route: Route::Email,
        });
        let tells = |channel: &Channel| {
            let kinds = match (named.contains(&channel.name), channel.kinds.is_empty()) {
                // A channel without kinds of its own speaks only when it is named.
                (false, true) => return kind == AlertKind::Test,
                (true, true) => &self.usual,
                (_, false) => &channel.kinds,
            };
            match &asked.on {
                _ if kind == AlertKind::Test => true,
                Some(on) => on.contains(&kind),
                None => kinds.contains(&kind),
            }
        };
        let known = self.channels.iter().cloned();
        let mut told: Vec<Channel> = known.chain(further).filter(tells).collect();
        if self.email.is_none() {
            told.retain(|channel| !matches!(channel.route, Route::Email));
        }
        told
    }

    async fn deliver(&self, channel: &Channel, message: &Message) -> Result<(), DeliveryError> {
        match (&channel.route, &self.email) {
            (Route::Email, Some(email)) => email.send(&channel.name, message).await,
            (Route::Email, None) => Ok(()),
            (Route::Slack { url }, _) => {
                let url = url.read(&self.aws).await?;
                slack::send(&self.http, &url, message).await
            }
            (Route::Sns { topic }, _) => sns::send(&self.aws, topic, message).await,
            (Route::Webhook { url, key }, _) => {
                let url = url.read(&self.aws).await?;
                let key = match key {
                    Some(key) => Some(key.read(&self.aws).await?),
                    None => None,
                };
                webhook::send(&self.http, &url, key.as_ref(), message).await
            }
        }
    }
}

#[async_trait]
impl Notifier for Alerts {
    fn audience(&self, kind: AlertKind, asked: &Notify) -> Result<Vec<String>, Recipient> {
        if let Some(unknown) = asked.to.iter().find(|to| !self.0.knows(to)) {
            return Err(unknown.clone());
        }
        let told = self.0.told(kind, asked).into_iter();
        Ok(told.map(|channel| channel.name).collect())
    }

    fn patience_seconds(&self) -> Option<u64> {
        self.0.patience_seconds
    }

    async fn tell(&self, alert: &Alert, asked: &Notify) -> Vec<Delivery> {
        let message = Arc::new(Message::of(alert));
        let mut attempts = JoinSet::new();
        let mut names = Vec::new();
        for channel in self.0.told(alert.kind, asked) {
            let (inner, message) = (Arc::clone(&self.0), Arc::clone(&message));
            let number = names.len();
            names.push(channel.name.clone());
            attempts.spawn(async move {
                let delivery = inner.deliver(&channel, &message);
                let delivered = tokio::time::timeout(bounds::CHANNEL, delivery).await;
                let late = DeliveryError::Late(bounds::CHANNEL.as_secs());
                (number, delivered.unwrap_or(Err(late)))
            });
        }
        // What breaks down on the way has not been delivered.
        let mut errors: Vec<Option<String>> = vec![Some("it broke down".to_owned()); names.len()];
        while let Some(ended) = attempts.join_next().await {
            if let Ok((number, delivered)) = ended {
                errors[number] = delivered.err().map(|error| error.to_string());
            }
        }
        let deliveries = names.into_iter().zip(errors);
        deliveries
            .map(|(channel, error)| Delivery { channel, error })
            .collect()
    }
}

/// Says how it is reached, without an address that is a secret.
impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.route {
            Route::Email => write!(formatter, "e-mail to {name}"),
            Route::Slack { url } => write!(formatter, "{name}: Slack, its address from {url}"),
            Route::Sns { topic } => write!(formatter, "{name}: SNS, {topic}"),
            Route::Webhook { url, key } => {
                write!(formatter, "{name}: webhook, its address from {url}")?;
                match key {
                    Some(key) => write!(formatter, ", signed with a key from {key}"),
                    None => formatter.write_str(", not signed"),
                }
            }
        }
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.0.channels).finish()
    }
}

/// The sender of e-mail, where there is one.
fn sender(settings: &Settings) -> Result<Option<&str>, SettingsError> {
    match &settings.email {
        None => Ok(None),
        Some(email) => match &email.from {
            Some(Recipient::Address(from)) => Ok(Some(from)),
            Some(Recipient::Channel(name)) => Err(SettingsError::NoAddress(name.clone())),
            None => Err(SettingsError::NoSender),
        },
    }
}

fn channels(settings: &Settings) -> Result<Vec<Channel>, SettingsError> {
    let mut channels = Vec::new();
    if let Some(email) = &settings.email {
        for to in &email.to {
            let Recipient::Address(address) = to else {
                return Err(SettingsError::NoAddress(to.to_string()));
            };
            channels.push(Channel {
                name: address.clone(),
                kinds: settings.kinds(email.on.as_deref()),
                route: Route::Email,
            });
        }
    }
    let count = settings.slack.len();
    for (number, slack) in settings.slack.iter().enumerate() {
        channels.push(Channel {
            name: name(slack.name.as_deref(), "slack", number, count)?,
            kinds: settings.kinds(slack.on.as_deref()),
            route: Route::Slack {
                url: slack.url.clone(),
            },
        });
    }
    let count = settings.sns.len();
    for (number, sns) in settings.sns.iter().enumerate() {
        if region_of(&sns.topic).is_none() {
            return Err(SettingsError::Topic(sns.topic.clone()));
        }
        channels.push(Channel {
            name: name(sns.name.as_deref(), "sns", number, count)?,
            kinds: settings.kinds(sns.on.as_deref()),
            route: Route::Sns {
                topic: sns.topic.clone(),
            },
        });
    }
    let count = settings.webhook.len();
    for (number, webhook) in settings.webhook.iter().enumerate() {
        channels.push(Channel {
            name: name(webhook.name.as_deref(), "webhook", number, count)?,
            kinds: settings.kinds(webhook.on.as_deref()),
            route: Route::Webhook {
                url: webhook.url.clone(),
                key: webhook.key.clone(),
            },
        });
    }
    let mut seen = BTreeSet::new();
    match channels.iter().find(|channel| !seen.insert(&channel.name)) {
        Some(twice) => Err(SettingsError::Twice(twice.name.clone())),
        None => Ok(channels),
    }
}

/// A channel's own name, else what it is, with a number where there are several.
fn name(
    given: Option<&str>,
    what: &str,
    number: usize,
    count: usize,
) -> Result<String, SettingsError> {
    let Some(given) = given else {
        return Ok(match count {
            1 => what.to_owned(),
            _ => format!("{what}-{}", number + 1),
        });
    };
    match given.parse() {
        Ok(Recipient::Channel(name)) => Ok(name),
        Ok(Recipient::Address(_)) | Err(_) => Err(SettingsError::Name(given.to_owned())),
    }
}

/// The configuration with the Region of an ARN: a topic or a secret answers in its own one only.
pub(crate) fn in_region_of(arn: &str, aws: &SdkConfig) -> SdkConfig {
    let region = region_of(arn).or_else(|| aws.region().cloned());
    aws.to_builder().region(region).build()
}

fn region_of(arn: &str) -> Option<Region> {
    let mut parts = arn.split(':');
    let region = match (parts.next(), parts.nth(2)) {
        (Some("arn"), Some(region)) if !region.is_empty() => region,
        _ => return None,
    };
    Some(Region::new(region.to_owned()))
}
