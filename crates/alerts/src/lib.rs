//! Carries alerts to people: by e-mail (SES), Slack, SNS and signed webhooks.
//!
//! [`Alerts`] is [`trapheus_restore`]'s `Notifier`. [`Settings`] says who there is: the table
//! `[alerts]` of `trapheus.toml`, with the environment over it. One message is composed of each
//! alert, and each channel writes it in its own language.
//!
//! All channels are told at the same time, and each within half a minute; what does not
//! arrive is a [`trapheus_restore::Delivery`] with the reason. A webhook's address is a secret, and
//! so is its key: neither is ever printed.

mod bounds;
mod channel;
mod email;
mod error;
mod html;
mod http;
mod message;
mod settings;
mod slack;
mod sns;
mod source;
mod text;
mod webhook;

pub use channel::{Alerts, Channel};
pub use error::SettingsError;
pub use settings::{EmailSettings, Settings, SlackSettings, SnsSettings, WebhookSettings};
pub use source::{Elsewhere, Source};
