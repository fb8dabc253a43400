//! The input object, read key by key.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value};
use trapheus_rds::IdError;

use super::choices::{
    CreateIfMissing, FinalSnapshot, MasterPassword, RestoreTime, SnapshotChoice, Task,
};
use super::{InputError, KEYS, KEYS_NOT_YET};
use crate::alert::{AlertKind, Notify};
use crate::nearest::nearest;
use crate::saved::SavedBlueprint;

/// The input object, read key by key.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    pub(super) fn check_keys(&self) -> Result<(), InputError> {
        for key in self.0.keys().map(String::as_str) {
            if KEYS_NOT_YET.contains(&key) {
                return Err(InputError::NotYet(key.to_owned()));
            }
            if !KEYS.contains(&key) {
                let candidates = KEYS.iter().chain(KEYS_NOT_YET).copied();
                let nearest = nearest(key, candidates).expect("there are keys");
                return Err(InputError::UnknownKey {
                    key: key.to_owned(),
                    nearest,
                });
            }
        }
        Ok(())
    }

    /// The value of a key; `null` is the same as leaving it out.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn wrong(&self, key: &'static str, expected: impl Into<String>) -> InputError {
        let found = self.value(key).map(Value::to_string).unwrap_or_default();
        InputError::Value {
            key,
            expected: expected.into(),
            found,
        }
    }

    pub(super) fn read<T: serde::de::DeserializeOwned>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>, InputError> {
        let read = |value: &Value| T::deserialize(value).map_err(|_| self.wrong(key, expected));
        self.value(key).map(read).transpose()
    }

    fn text(&self, key: &'static str) -> Result<Option<&str>, InputError> {
        let read = |value| Value::as_str(value).ok_or_else(|| self.wrong(key, "a text"));
        self.value(key).map(read).transpose()
    }

    pub(super) fn name<T: std::str::FromStr<Err = IdError>>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, InputError> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|source| InputError::Name { key, source })
        };
        self.text(key)?.map(parse).transpose()
    }

    pub(super) fn boolean(&self, key: &'static str) -> Result<Option<bool>, InputError> {
        self.read(key, "true or false")
    }

    pub(super) fn task(&self) -> Result<Task, InputError> {
        let text = self.text("task")?.ok_or(InputError::Missing("task"))?;
        let known = Task::NAMES.iter().find(|(name, _)| *name == text);
        let names = Task::NAMES.map(|(name, _)| format!("`{name}`")).join(", ");
        known
            .map(|(_, task)| *task)
            .ok_or_else(|| self.wrong("task", format!("one of {names}")))
    }

    /// What is there instead may be a password, so it is not quoted.
    pub(super) fn master_password(&self) -> Result<Option<MasterPassword>, InputError> {
        let wrong = |_| InputError::Value {
            key: "masterPassword",
            expected: r#"`keep-snapshot`, `managed` or {"secretArn": "…"}"#.to_owned(),
            found: "what is there".to_owned(),
        };
        let value = self.value("masterPassword");
        value
            .map(|value| MasterPassword::deserialize(value).map_err(wrong))
            .transpose()
    }

    pub(super) fn snapshot(&self) -> Result<SnapshotChoice, InputError> {
        match self.text("snapshotIdentifier")? {
            None => Ok(SnapshotChoice::Default),
            Some("latest") => Ok(SnapshotChoice::Latest),
            Some(_) => Ok(self
                .name("snapshotIdentifier")?
                .map_or(SnapshotChoice::Default, SnapshotChoice::Named)),
        }
    }

    pub(super) fn restore_time(&self) -> Result<Option<RestoreTime>, InputError> {
        const KEY: &str = "restoreTime";
        let read = |text: &str| match text {
            "latest" => Ok(RestoreTime::Latest),
            text => text
                .parse()
                .map(RestoreTime::At)
                .map_err(|_| self.wrong(KEY, "`latest` or a time such as `2026-01-31T12:00:00Z`")),
        };
        self.text(KEY)?.map(read).transpose()
    }

    /// `true`, or an object with the blueprint to go by.
    pub(super) fn create_if_missing(&self) -> Result<Option<CreateIfMissing>, InputError> {
        const KEY: &str = "createIfMissing";
        match self.value(KEY) {
            None | Some(Value::Bool(false)) => Ok(None),
            Some(Value::Bool(true)) => Ok(Some(CreateIfMissing { blueprint: None })),
            Some(Value::Object(object)) if object.keys().eq(["blueprint"]) => {
                let blueprint = SavedBlueprint::deserialize(&object["blueprint"])
                    .map_err(|error| InputError::Blueprint(error.to_string()))?;
                Ok(Some(CreateIfMissing {
                    blueprint: Some(Box::new(blueprint)),
                }))
            }
            Some(_) => Err(self.wrong(KEY, r#"true, false or {"blueprint": {…}}"#)),
        }
    }

    pub(super) fn keep_snapshots(&self) -> Result<u32, InputError> {
        match self.read("keepSnapshots", "a whole number from 1")? {
            Some(0) => Err(self.wrong("keepSnapshots", "a whole number from 1")),
            Some(count) => Ok(count),
            None => Ok(1),
        }
    }

    pub(super) fn final_snapshot(&self) -> Result<FinalSnapshot, InputError> {
        match self.value("finalSnapshot") {
            None | Some(Value::Bool(false)) => Ok(FinalSnapshot::Skip),
            Some(Value::Bool(true)) => Ok(FinalSnapshot::Make),
            Some(Value::String(_)) => Ok(self
                .name("finalSnapshot")?
                .map_or(FinalSnapshot::Skip, FinalSnapshot::Named)),
            Some(_) => Err(self.wrong("finalSnapshot", "true, false or a name")),
        }
    }

    /// What is there instead may be the address of a webhook, so it is not quoted.
    pub(super) fn notify(&self) -> Result<Notify, InputError> {
        let wrong = || InputError::Value {
            key: "notify",
            expected: format!(
                r#"{{"on": […], "to": […], "longRunningAfter": "3h"}}: of {}; to names of channels and e-mail addresses"#,
                AlertKind::ALL.map(AlertKind::as_str).join(", ")
            ),
            found: "what is there".to_owned(),
        };
        let Some(value) = self.value("notify") else {
            return Ok(Notify::default());
        };
        let asked = Notify::deserialize(value).map_err(|_| wrong())?;
        let is_known = |kind: &AlertKind| AlertKind::ALL.contains(kind);
        let is_sound = asked.on.iter().flatten().all(is_known);
        is_sound.then_some(asked).ok_or_else(wrong)
    }

    pub(super) fn time_limit(&self) -> Result<Option<u64>, InputError> {
        let key = "timeLimit";
        match self.value(key).map(duration_seconds) {
            Some(None | Some(0)) => Err(self.wrong(key, "a duration such as `4h`")),
            Some(limit) => Ok(limit),
            None => Ok(None),
        }
    }

    pub(super) fn duration_seconds(&self, key: &'static str) -> Result<u64, InputError> {
        let wrong = || self.wrong(key, "a number of seconds or a duration such as `24h`");
        let read = |value| duration_seconds(value).ok_or_else(wrong);
        self.value(key).map_or(Ok(0), read)
    }
}

/// Seconds as a number, or a duration such as `24h`, `90m` or `7d`.
pub(crate) fn duration_seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => parse_duration(text),
        _ => None,
    }
}

/// Reads a duration in whole seconds; days count 24 hours.
fn parse_duration(text: &str) -> Option<u64> {
    if let Some(days) = text
        .trim()
        .strip_suffix('d')
        .and_then(|days| days.trim().parse::<u64>().ok())
    {
        return days.checked_mul(86_400);
    }
    let duration: SignedDuration = text.parse().ok()?;
    u64::try_from(duration.as_secs()).ok()
}
