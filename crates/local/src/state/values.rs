//! Small values that many records share.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Attributes by the names of the table in [`crate::attributes`], in the shapes of RDS's requests.
pub(crate) type Settings = Map<String, Value>;

/// An account in a region: names are unique within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Scope {
    /// The key of something that has a name in this scope.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.account, self.region)
    }
}

/// The ARN of something: `kind` is RDS's short word for it, such as `db` or `snapshot`.
pub(crate) fn arn(scope: &Scope, kind: &str, name: &str) -> String {
    format!(
        "arn:aws:rds:{}:{}:{kind}:{name}",
        scope.region, scope.account
    )
}

/// Tags in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// The tags of a request's `Tags` member.
    pub(crate) fn from_request(tags: &[Value]) -> Self {
        let mut all = Self::default();
        for tag in tags {
            let text = |member: &str| {
                tag.get(member)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            all.set(text("Key"), text("Value"));
        }
        all
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(existing, _)| existing == key)?;
        Some(&found.1)
    }

    /// A tag's value is replaced where the key is there already.
    pub(crate) fn set(&mut self, key: String, value: String) {
        match self.0.iter_mut().find(|(existing, _)| *existing == key) {
            Some((_, existing)) => *existing = value,
            None => self.0.push((key, value)),
        }
    }

    pub(crate) fn merge(&mut self, others: Self) {
        for (key, value) in others.0 {
            self.set(key, value);
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(existing, _)| existing != key);
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The shape of `TagList`.
    pub(crate) fn describe(&self) -> Value {
        self.0
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect()
    }
}
