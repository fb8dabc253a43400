//! The parameters that an engine has. Where nothing is known about an engine's, every name is taken.

use std::sync::LazyLock;

static POSTGRES: LazyLock<Vec<KnownParameter>> = LazyLock::new(|| {
    let text = include_str!("../model/postgres-parameters.txt");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(KnownParameter::parse)
        .collect()
});

/// A parameter that an engine has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownParameter {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    /// `DataType`.
    pub(crate) data_type: &'static str,
    range: Option<(&'static str, &'static str)>,
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

    /// `AllowedValues`.
    pub(crate) fn allowed_values(&self) -> Option<String> {
        match (self.data_type, self.range) {
            ("boolean", _) => Some("0,1".to_owned()),
            (_, Some((least, greatest))) => Some(format!("{least}-{greatest}")),
            (_, None) => None,
        }
    }

    /// Whether a value is one that the service takes. A server may still refuse it.
    pub(crate) fn takes(&self, value: &str) -> bool {
        let is_within = |value: f64| {
            self.range.is_none_or(|(least, greatest)| {
                least.parse().is_ok_and(|least: f64| value >= least)
                    && greatest
                        .parse()
                        .is_ok_and(|greatest: f64| value <= greatest)
            })
        };
        match self.data_type {
            "boolean" => ["0", "1", "on", "off", "true", "false"].contains(&value),
            // A formula such as {DBInstanceClassMemory/9531392} and a value with a unit are left to the server.
            "integer" | "float" => value.parse().map_or(!value.is_empty(), is_within),
            _ => true,
        }
    }

    fn parse(line: &'static str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let (name, effect, data_type) = (next(), next(), next());
        let (least, greatest) = (next(), next());
        let effect = match effect {
            "static" => Effect::Static,
            "dynamic" => Effect::Dynamic,
            _ => Effect::Fixed,
        };
        Self {
            name,
            effect,
            data_type,
            range: (!greatest.is_empty()).then_some((least, greatest)),
        }
    }
}

/// All parameters of an engine, if they are known.
pub(crate) fn of(engine: &str) -> Option<&'static [KnownParameter]> {
    (engine == "postgres").then(|| POSTGRES.as_slice())
}

/// A parameter of an engine.
pub(crate) fn find(engine: &str, name: &str) -> Option<&'static KnownParameter> {
    of(engine)?
        .iter()
        .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}
