//! Other accounts and Regions: doors there, which a role opens.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_rds::error::DisplayErrorContext;
use serde::{Deserialize, Serialize};

use crate::error::{Class, Error};
use crate::id::{AccountId, Arn, IdError, RegionId};
use crate::rds::{Rds, Shared};

const ASSUME_ROLE: &str = "AssumeRole";
/// The longest name of a session.
const SESSION_LENGTH_MAX: usize = 64;

/// Where to work, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// The Region.
    pub region: RegionId,
    /// The role there that is assumed; none for the own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleArn>,
    /// What the role's trust policy asks for besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

impl std::fmt::Display for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.id, self.region)
    }
}

/// The ARN of a role of IAM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arn", into = "Arn")]
pub struct RoleArn(Arn);

impl RoleArn {
    /// The role that a text names in an account of a partition: by its ARN, whose own account does
    /// not count, or by its name, with the path before it where it has one.
    ///
    /// # Errors
    /// It is neither.
    pub fn in_account(text: &str, partition: &str, account: &AccountId) -> Result<Self, IdError> {
        let name = match text.parse::<Arn>() {
            Ok(arn) => Self::try_from(arn)?.name().to_owned(),
            Err(_) => text.trim_start_matches('/').to_owned(),
        };
        let arn: Arn = format!("arn:{partition}:iam::{account}:role/{name}").parse()?;
        Self::try_from(arn)
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The account that it is a role of.
    pub fn account(&self) -> &str {
        self.0.account()
    }

    fn name(&self) -> &str {
        let resource = self.0.resource();
        resource.strip_prefix("role/").unwrap_or(resource)
    }
}

impl TryFrom<Arn> for RoleArn {
    type Error = IdError;

    fn try_from(arn: Arn) -> Result<Self, IdError> {
        let is_word = |name: &str| {
            let fits = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@-_/".contains(letter);
            !name.is_empty() && name.chars().all(fits)
        };
        let name = arn.resource().strip_prefix("role/");
        match name.is_some_and(is_word) && AccountId::from_str(arn.account()).is_ok() {
            true => Ok(Self(arn)),
            false => Err(IdError::form(
                "role",
                arn.as_str(),
                "arn:aws:iam::123456789012:role/trapheus-target",
            )),
        }
    }
}

impl From<RoleArn> for Arn {
    fn from(role: RoleArn) -> Arn {
        role.0
    }
}

/// The doors to other accounts and Regions that a process has opened. Clones share them.
#[derive(Clone)]
pub(crate) struct Abroad {
    config: SdkConfig,
    doors: Arc<Mutex<BTreeMap<(Account, String), Door>>>,
}

/// What one account and Region has of its own: credentials, a pace, pages.
#[derive(Clone)]
struct Door {
    client: aws_sdk_rds::Client,
    shared: Arc<Shared>,
}

impl Abroad {
    pub(crate) fn of(config: SdkConfig) -> Self {
        Self {
            config,
            doors: Arc::default(),
        }
    }
}

impl std::fmt::Debug for Abroad {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Abroad")
    }
}

impl Rds {
    /// Returns a handle that works in an account and a Region. Where a role is named, it is assumed
    /// for a session of this name, which the account's logs show. Calls are counted with those of
    /// `self`, and names of Route 53 stay those of the own account.
    ///
    /// # Errors
    /// [`Class::Denied`] when the role can't be assumed, [`Class::Unavailable`] when nobody answers,
    /// [`Class::NotImplemented`] when this door leads nowhere else.
    pub async fn in_account(&self, account: &Account, session: &str) -> Result<Self, Error> {
        let abroad = self.abroad.as_ref().ok_or_else(|| Error {
            class: Class::NotImplemented,
            operation: ASSUME_ROLE,
            code: None,
            message: "other accounts and Regions can't be reached from here".to_owned(),
        })?;
        let key = (account.clone(), session.to_owned());
        let known = {
            let doors = abroad.doors.lock().unwrap_or_else(PoisonError::into_inner);
            doors.get(&key).cloned()
        };
        let door = match known {
            Some(door) => door,
            None => {
                let door = self.open(&abroad.config, account, session).await?;
                let mut doors = abroad.doors.lock().unwrap_or_else(PoisonError::into_inner);
                doors.entry(key).or_insert(door).clone()
            }
        };
        Ok(self.by(door.client, door.shared))
    }

    async fn open(
        &self,
        config: &SdkConfig,
        account: &Account,
        session: &str,
    ) -> Result<Door, Error> {
        let region = Region::new(account.region.as_str().to_owned());
        let mut to = self.client.config().to_builder().region(region.clone());
        if let Some(role) = &account.role {
            let mut provider = AssumeRoleProvider::builder(role.as_str())
                .configure(config)
                .region(region)
                .session_name(session_name(session));
            if let Some(external_id) = &account.external_id {
                provider = provider.external_id(external_id);
            }
            let provider = provider.build().await;
            let assumed = provider.provide_credentials().await;
            assumed
                .map_err(|error| cannot_assume(role, &DisplayErrorContext(error).to_string()))?;
            to = to.credentials_provider(SharedCredentialsProvider::new(provider));
        }
        let limits = self.shared.limits.clone();
        Ok(Door {
            client: aws_sdk_rds::Client::from_conf(to.build()),
            shared: Arc::new(Shared::new(limits, self.all_calls().clone())),
        })
    }
}

/// The SDK tells apart only in words whether STS refused or did not answer.
fn cannot_assume(role: &RoleArn, why: &str) -> Error {
    let is_unanswered = ["dispatch failure", "timeout", "response error"]
        .iter()
        .any(|words| why.contains(words));
    let (class, message) = match is_unanswered {
        true => (Class::Unavailable, "STS does not answer".to_owned()),
        false => {
            let message = format!(
                "the role {} can't be assumed: it must exist, trust the caller (and the external id, where it \
                 asks for one), and the caller needs sts:AssumeRole on it",
                role.as_str()
            );
            (Class::Denied, message)
        }
    };
    tracing::debug!(role = role.as_str(), why, "a role can't be assumed");
    Error {
        class,
        operation: ASSUME_ROLE,
        code: None,
        message,
    }
}

/// A session's name has few characters to choose from.
fn session_name(text: &str) -> String {
    let fits = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter) => letter,
        _ => '-',
    };
    text.chars().map(fits).take(SESSION_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(text: &str) -> Result<String, IdError> {
        let account: AccountId = "222222222222".parse().unwrap();
        RoleArn::in_account(text, "aws", &account).map(|role| role.as_str().to_owned())
    }

    #[test]
    fn a_role_is_named_by_its_name_or_by_the_arn_of_its_like_elsewhere() {
        for text in [
            "ops/restore",
            "/ops/restore",
            "arn:aws:iam::111111111111:role/ops/restore",
        ] {
            assert_eq!(
                role(text).unwrap(),
                "arn:aws:iam::222222222222:role/ops/restore"
            );
        }
        for text in ["", "a role", "arn:aws:iam::111111111111:user/somebody"] {
            assert!(role(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_is_named_with_what_aws_takes() {
        assert_eq!(session_name("run_01: orders"), "run_01--orders");
        assert_eq!(session_name(&"a".repeat(80)).len(), 64);
    }
}
