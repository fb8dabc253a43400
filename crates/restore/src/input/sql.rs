//! What the input says of SQL: `prepare`, `verify` and `credentials`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::InputError;
use super::fields::Fields;
use crate::nearest::nearest;

/// All SQL of a document together. It goes into the journal and through every state, and Step
/// Functions carries no more than 256 KiB from one to the next.
const SQL_BYTES_MAX: usize = 64 * 1024;

/// What is done to the restored database before anybody can reach it by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Preparation {
    /// Scripts, in the order in which they run.
    #[serde(deserialize_with = "one_or_more")]
    pub sql: Vec<String>,
    /// The database in the server that they run in.
    pub database: Option<String>,
    /// Patterns of columns' names that the scripts have to change.
    #[serde(deserialize_with = "one_or_more")]
    pub require_masked: Vec<String>,
    /// Whether everything is switched off that would act on the outside world.
    pub quarantine: bool,
}

/// What must be true of the restored database before it gets the name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Verifications {
    /// Scripts, each of whose statements must return rows that are all true.
    #[serde(deserialize_with = "one_or_more")]
    pub sql: Vec<String>,
    /// The database in the server that they run in.
    pub database: Option<String>,
}

/// What the SQL logs in with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SqlCredentials {
    secret_arn: String,
}

/// One text is a list of one.
fn one_or_more<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        More(Vec<String>),
    }
    Ok(match Texts::deserialize(source)? {
        Texts::One(text) => vec![text],
        Texts::More(texts) => texts,
    })
}

impl Fields<'_> {
    pub(super) fn prepare(&self) -> Result<Option<Preparation>, InputError> {
        let keys = ["sql", "database", "requireMasked", "quarantine"];
        let form = r#"{"sql": ["…"], "database": "…", "requireMasked": ["…"], "quarantine": true}"#;
        self.object("prepare", &keys, form)
    }

    pub(super) fn verify(&self) -> Result<Option<Verifications>, InputError> {
        let form = r#"{"sql": ["…"], "database": "…"}"#;
        self.object("verify", &["sql", "database"], form)
    }

    pub(super) fn credentials(&self) -> Result<Option<String>, InputError> {
        let form = r#"{"secretArn": "…"}"#;
        let asked: Option<SqlCredentials> = self.object("credentials", &["secretArn"], form)?;
        Ok(asked.map(|asked| asked.secret_arn))
    }

    /// An object with keys of its own. What is there instead may be meant for nobody's eyes, so it
    /// is not quoted.
    fn object<T: DeserializeOwned>(
        &self,
        key: &'static str,
        known: &[&'static str],
        form: &str,
    ) -> Result<Option<T>, InputError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let keys = value
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys());
        for inner in keys.map(String::as_str) {
            if !known.contains(&inner) {
                return Err(InputError::UnknownKey {
                    key: format!("{key}.{inner}"),
                    nearest: nearest(inner, known.iter().copied()).expect("there are keys"),
                });
            }
        }
        let wrong = |_| InputError::Value {
            key,
            expected: form.to_owned(),
            found: "what is there".to_owned(),
        };
        T::deserialize(value).map(Some).map_err(wrong)
    }
}

/// Refuses what asks for nothing, which was hardly meant, and more SQL than an execution carries.
pub(super) fn check(
    prepare: Option<&Preparation>,
    verify: Option<&Verifications>,
    credentials: Option<&String>,
) -> Result<(), InputError> {
    if credentials.is_some() && prepare.is_none() && verify.is_none() {
        return Err(InputError::Contradiction(
            "`credentials` are for the SQL of `prepare` and `verify`: there is none",
        ));
    }
    let does_nothing = |asked: &Preparation| {
        asked.sql.is_empty() && asked.require_masked.is_empty() && !asked.quarantine
    };
    if prepare.is_some_and(does_nothing) || verify.is_some_and(|asked| asked.sql.is_empty()) {
        return Err(InputError::Contradiction(
            "`prepare` or `verify` asks for nothing: give it SQL, or leave it out",
        ));
    }
    let prepare = prepare.iter().flat_map(|asked| &asked.sql);
    let verify = verify.iter().flat_map(|asked| &asked.sql);
    if prepare.chain(verify).map(String::len).sum::<usize>() > SQL_BYTES_MAX {
        return Err(InputError::Contradiction(
            "there is more SQL than the 64 KiB that an execution carries: put the rest into a procedure",
        ));
    }
    Ok(())
}
