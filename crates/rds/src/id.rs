//! The names of things in RDS, parsed once at the edge: validated as RDS validates them and
//! lower-cased as RDS stores them, so that two of them are equal exactly when RDS takes them for
//! the same thing.
//!
//! Which names Trapheus derives from others is the restore crate's business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest identifier of a DB instance or cluster, in characters.
pub const DB_IDENTIFIER_LENGTH_MAX: usize = 63;

/// The longest identifier of a DB snapshot, in characters.
pub const SNAPSHOT_ID_LENGTH_MAX: usize = 255;

/// The digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;

/// The longest identifier of a DB cluster snapshot that can be asked for, in characters.
pub const CLUSTER_SNAPSHOT_ID_LENGTH_MAX: usize = 63;

/// A text that cannot be the identifier it was given as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {reason}")]
pub struct IdError {
    /// What the text should have been, in RDS's words.
    pub what: &'static str,
    /// The text as it was given.
    pub text: String,
    /// The rule that it breaks.
    pub reason: Reason,
}

impl IdError {
    /// A text of another form than this example has.
    pub(crate) fn form(what: &'static str, text: &str, example: &'static str) -> Self {
        Self {
            what,
            text: text.to_owned(),
            reason: Reason::Form(example),
        }
    }
}

/// The rule that a text breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// There is more text than RDS stores.
    #[error("it is longer than {limit} characters")]
    TooLong {
        /// The longest text allowed, in characters.
        limit: usize,
    },
    /// Names begin with a letter.
    #[error("it must begin with a letter")]
    FirstIsNoLetter,
    /// Names consist of ASCII letters, digits and hyphens.
    #[error("it contains `{0}`; only letters, digits and hyphens are allowed")]
    Character(char),
    /// A name's last character is no hyphen.
    #[error("it must not end with a hyphen")]
    EndsWithHyphen,
    /// A name has no two hyphens in a row.
    #[error("it must not contain two hyphens in a row")]
    TwoHyphens,
    /// The text has another form than expected.
    #[error("it must look like `{0}`")]
    Form(&'static str),
}

macro_rules! text_newtype {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the text as RDS stores it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_newtype! {
    /// The identifier of a DB instance or a DB cluster: what its endpoint is named after.
    DbIdentifier
}

impl FromStr for DbIdentifier {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        name("DB identifier", text, DB_IDENTIFIER_LENGTH_MAX).map(Self)
    }
}

text_newtype! {
    /// The identity of a DB instance (`db-…`) or cluster (`cluster-…`) that no rename changes.
    ResourceId
}

impl FromStr for ResourceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let what = "resource id";
        let rest = text
            .strip_prefix("db-")
            .or_else(|| text.strip_prefix("cluster-"));
        match rest {
            Some(rest)
                if !rest.is_empty()
                    && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') =>
            {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(IdError {
                what,
                text: text.to_owned(),
                reason: Reason::Form("db-ABCDEFGHIJKL"),
            }),
        }
    }
}

text_newtype! {
    /// The identifier of a manual DB snapshot: one that may be created and deleted.
    SnapshotId
}

impl FromStr for SnapshotId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        name("DB snapshot identifier", text, SNAPSHOT_ID_LENGTH_MAX).map(Self)
    }
}

text_newtype! {
    /// What names an existing snapshot: its identifier, also an automated (`rds:…`) or an AWS
    /// Backup (`awsbackup:…`) one, or its ARN, which is how a shared one is named.
    SnapshotRef
}

impl FromStr for SnapshotRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.starts_with("arn:") {
            return Arn::from_str(text).map(|arn| Self(arn.0));
        }
        let lower = text.to_ascii_lowercase();
        match lower
            .strip_prefix("rds:")
            .or_else(|| lower.strip_prefix("awsbackup:"))
        {
            Some(rest) if !rest.is_empty() && lower.len() <= SNAPSHOT_ID_LENGTH_MAX => {
                Ok(Self(lower))
            }
            Some(_) => {
                let reason = Reason::Form("rds:orders-2026-01-31-03-05");
                Err(IdError {
                    what: "DB snapshot identifier",
                    text: text.to_owned(),
                    reason,
                })
            }
            None => name("DB snapshot identifier", text, SNAPSHOT_ID_LENGTH_MAX).map(Self),
        }
    }
}

impl SnapshotRef {
    /// Returns the identifier when this names a manual snapshot of the own account.
    pub fn as_manual(&self) -> Option<SnapshotId> {
        self.0.parse().ok()
    }
}

impl SnapshotRef {
    /// Whether this names a snapshot by its ARN, as one of another account is named.
    pub fn is_arn(&self) -> bool {
        self.0.starts_with("arn:")
    }
}

impl From<SnapshotId> for SnapshotRef {
    fn from(id: SnapshotId) -> Self {
        Self(id.0)
    }
}

impl From<Arn> for SnapshotRef {
    fn from(arn: Arn) -> Self {
        Self(arn.0)
    }
}

text_newtype! {
    /// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
    Arn
}

impl FromStr for Arn {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, service, _region, _account, resource]
                if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => {
                let reason = Reason::Form("arn:aws:rds:eu-west-1:123456789012:db:orders");
                Err(IdError {
                    what: "ARN",
                    text: text.to_owned(),
                    reason,
                })
            }
        }
    }
}

text_newtype! {
    /// The number of an account of AWS: twelve digits.
    AccountId
}

impl FromStr for AccountId {
    type Err = IdError;

    /// Leading zeros, which are lost where an account is written as a number, may be left out.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match is_number && text.len() <= ACCOUNT_DIGITS {
            true => Ok(Self(format!("{text:0>ACCOUNT_DIGITS$}"))),
            false => Err(IdError::form("account", text, "123456789012")),
        }
    }
}

text_newtype! {
    /// A Region of AWS, such as `eu-west-1`.
    RegionId
}

impl FromStr for RegionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parts: Vec<&str> = text.split('-').collect();
        let is_word = |part: &&str| {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            !part.is_empty() && part.bytes().all(fits)
        };
        match parts.len() >= 3 && parts.iter().all(is_word) {
            true => Ok(Self(text.to_owned())),
            false => Err(IdError::form("Region", text, "eu-west-1")),
        }
    }
}

impl Arn {
    /// Returns the partition, for instance `aws`.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// Returns the Region, empty for what has none.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// Returns the account's number.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Returns the last part, for instance `db:orders`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        self.0
            .splitn(6, ':')
            .nth(index)
            .expect("an ARN has six parts")
    }
}

/// Checks `text` against the rules that all of RDS's own names share and lower-cases it.
fn name(what: &'static str, text: &str, limit: usize) -> Result<String, IdError> {
    let illegal = |c: &char| !(c.is_ascii_alphanumeric() || *c == '-');
    let reason = if text.is_empty() {
        Reason::Empty
    } else if let Some(c) = text.chars().find(illegal) {
        Reason::Character(c)
    } else if text.len() > limit {
        Reason::TooLong { limit }
    } else if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Reason::FirstIsNoLetter
    } else if text.ends_with('-') {
        Reason::EndsWithHyphen
    } else if text.contains("--") {
        Reason::TwoHyphens
    } else {
        return Ok(text.to_ascii_lowercase());
    };
    Err(IdError {
        what,
        text: text.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason_of<T: FromStr<Err = IdError>>(text: &str) -> Option<Reason> {
        text.parse::<T>().err().map(|error| error.reason)
    }

    #[test]
    fn an_account_has_twelve_digits_and_a_region_words() {
        let account = |text: &str| text.parse::<AccountId>().map(|id| id.to_string());
        assert_eq!(account("123456789012").unwrap(), "123456789012");
        assert_eq!(account("12345678901").unwrap(), "012345678901");
        for text in ["", "1234567890123", "12345678901x", "-1"] {
            assert!(account(text).is_err(), "{text}");
        }
        for text in ["eu-west-1", "us-gov-east-1"] {
            assert_eq!(text.parse::<RegionId>().unwrap().as_str(), text);
        }
        for text in ["", "west", "eu-west-", "EU-WEST-1", "eu west 1"] {
            assert!(text.parse::<RegionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_are_lower_case_whatever_was_typed() {
        let typed: DbIdentifier = "Orders-DB".parse().unwrap();
        assert_eq!(typed.as_str(), "orders-db");
        assert_eq!(typed, "orders-db".parse().unwrap());
    }

    #[test]
    fn ordinary_words_of_the_tool_are_ordinary_in_names() {
        for text in ["my-temp-db", "a-snapshot", "x", &"a".repeat(63)] {
            assert_eq!(reason_of::<DbIdentifier>(text), None, "{text}");
        }
    }

    #[test]
    fn each_broken_rule_is_named() {
        assert_eq!(reason_of::<DbIdentifier>(""), Some(Reason::Empty));
        assert_eq!(
            reason_of::<DbIdentifier>(&"a".repeat(64)),
            Some(Reason::TooLong { limit: 63 })
        );
        assert_eq!(
            reason_of::<DbIdentifier>("1orders"),
            Some(Reason::FirstIsNoLetter)
        );
        assert_eq!(
            reason_of::<DbIdentifier>("orders_1"),
            Some(Reason::Character('_'))
        );
        assert_eq!(
            reason_of::<DbIdentifier>("örders"),
            Some(Reason::Character('ö'))
        );
        assert_eq!(
            reason_of::<DbIdentifier>("orders-"),
            Some(Reason::EndsWithHyphen)
        );
        assert_eq!(
            reason_of::<DbIdentifier>("or--ders"),
            Some(Reason::TwoHyphens)
        );
        assert_eq!(
            reason_of::<SnapshotId>(&"a".repeat(256)),
            Some(Reason::TooLong { limit: 255 })
        );
        let error = "orders-".parse::<DbIdentifier>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`orders-` is not a DB identifier: it must not end with a hyphen"
        );
    }

    #[test]
    fn automated_snapshots_can_be_named_but_not_made() {
        let text = "rds:Orders-2026-01-31-03-05";
        let automated: SnapshotRef = text.parse().unwrap();
        assert_eq!(automated.as_str(), "rds:orders-2026-01-31-03-05");
        assert_eq!(automated.as_manual(), None);
        assert_eq!(reason_of::<SnapshotId>(text), Some(Reason::Character(':')));
        assert!("rds:".parse::<SnapshotRef>().is_err());
        let manual: SnapshotRef = "nightly".parse().unwrap();
        assert_eq!(manual.as_manual(), Some("nightly".parse().unwrap()));
    }

    #[test]
    fn an_arn_says_where_and_whose() {
        let arn: Arn = "arn:aws:rds:eu-west-1:123456789012:snapshot:rds:orders-1"
            .parse()
            .unwrap();
        assert_eq!((arn.region(), arn.account()), ("eu-west-1", "123456789012"));
        assert_eq!(arn.resource(), "snapshot:rds:orders-1");
        assert_eq!(
            SnapshotRef::from(arn.clone()),
            arn.as_str().parse().unwrap()
        );
        assert!("arn:aws:rds".parse::<Arn>().is_err());
    }

    #[test]
    fn a_resource_id_keeps_its_case() {
        let id: ResourceId = "db-ABCDEFGHIJKLMNOP".parse().unwrap();
        assert_eq!(id.as_str(), "db-ABCDEFGHIJKLMNOP");
        assert!("db-".parse::<ResourceId>().is_err());
        assert!("orders".parse::<ResourceId>().is_err());
    }

    #[test]
    fn json_holds_plain_text_and_is_checked_when_read() {
        let id: DbIdentifier = serde_json::from_str("\"Orders\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"orders\"");
        assert!(serde_json::from_str::<DbIdentifier>("\"or ders\"").is_err());
    }
}
