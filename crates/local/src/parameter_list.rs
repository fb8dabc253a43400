//! The parameters that an engine has. Where nothing is known about an engine's, every name is taken.

use std::sync::LazyLock;

use crate::catalogue::{self, System};

static POSTGRES: LazyLock<Vec<KnownParameter>> =
    LazyLock::new(|| parse(include_str!("../model/postgres-parameters.txt")));
static MYSQL: LazyLock<Vec<KnownParameter>> =
    LazyLock::new(|| parse(include_str!("../model/mysql-parameters.txt")));
static MARIADB: LazyLock<Vec<KnownParameter>> =
    LazyLock::new(|| parse(include_str!("../model/mariadb-parameters.txt")));

fn parse(text: &'static str) -> Vec<KnownParameter> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(KnownParameter::parse)
        .collect()
}

/// A parameter that an engine has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownParameter {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    data_type: &'static str,
    allowed: Allowed,
}

/// The values that a parameter takes.
#[derive(Clone, Copy, Debug)]
enum Allowed {
    Any,
    Range {
        least: &'static str,
        greatest: &'static str,
    },
    /// One of these words, between commas, or its number.
    OneOf(&'static str),
    /// Any of these words, between commas.
    SomeOf(&'static str),
}

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// At the next start.
    Static,
    /// At once.
    Dynamic,
    /// Never: the service sets it.
    Fixed,
}

impl KnownParameter {
    pub(crate) fn is_static(&self) -> bool {
        self.effect == Effect::Static
    }

    /// `DataType`.
    pub(crate) fn data_type(&self) -> &'static str {
        match self.data_type {
            "list" => "string",
            "set" => "list",
            data_type => data_type,
        }
    }

    /// `AllowedValues`.
    pub(crate) fn allowed_values(&self) -> Option<String> {
        match (self.data_type, self.allowed) {
            ("boolean", _) => Some("0,1".to_owned()),
            (_, Allowed::Range { least, greatest }) => Some(format!("{least}-{greatest}")),
            (_, Allowed::OneOf(words) | Allowed::SomeOf(words)) => Some(words.to_owned()),
            (_, Allowed::Any) => None,
        }
    }

    /// Whether a value is one that the service takes. A server may still refuse it.
    pub(crate) fn takes(&self, value: &str) -> bool {
        let is_of = |words: &str, value: &str| {
            let mut words = words.split(',');
            words.any(|word| word.eq_ignore_ascii_case(value.trim()))
        };
        match (self.data_type, self.allowed) {
            ("boolean", _) => {
                let value = value.to_ascii_lowercase();
                ["0", "1", "on", "off", "true", "false"].contains(&value.as_str())
            }
            // A formula such as {DBInstanceClassMemory/9531392} and a value with a unit are left to the server.
            ("integer" | "float", Allowed::Range { least, greatest }) => match value.parse::<f64>()
            {
                Ok(value) => {
                    let bound = |bound: &str| bound.parse::<f64>().ok();
                    bound(least).is_some_and(|least| value >= least)
                        && bound(greatest).is_some_and(|greatest| value <= greatest)
                }
                Err(_) => !value.is_empty(),
            },
            (_, Allowed::OneOf(words)) => is_of(words, value) || value.parse::<u8>().is_ok(),
            (_, Allowed::SomeOf(words)) => {
                value.is_empty() || value.split(',').all(|part| is_of(words, part))
            }
            ("integer" | "float", _) => !value.is_empty(),
            _ => true,
        }
    }

    fn parse(line: &'static str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let (name, effect, data_type) = (next(), next(), next());
        let allowed = match (data_type, next(), next()) {
            (_, "", _) => Allowed::Any,
            ("list", words, _) => Allowed::OneOf(words),
            ("set", words, _) => Allowed::SomeOf(words),
            (_, least, greatest) => Allowed::Range { least, greatest },
        };
        let effect = match effect {
            "static" => Effect::Static,
            "dynamic" => Effect::Dynamic,
            _ => Effect::Fixed,
        };
        Self {
            name,
            effect,
            data_type,
            allowed,
        }
    }
}

/// All parameters of an engine, if they are known.
pub(crate) fn of(engine: &str) -> Option<&'static [KnownParameter]> {
    match catalogue::product(engine)?.system {
        System::Postgres => Some(&POSTGRES),
        System::MySql => Some(&MYSQL),
        System::MariaDb => Some(&MARIADB),
        System::Oracle | System::SqlServer | System::Db2 => None,
    }
}

/// A parameter of an engine.
pub(crate) fn find(engine: &str, name: &str) -> Option<&'static KnownParameter> {
    of(engine)?
        .iter()
        .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}
