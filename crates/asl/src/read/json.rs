//! Parses JSON as serde_json does, but notices members that stand twice in one object.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::node::member;
use crate::check::{Finding, Problem};

/// The JSON value of a text, with the findings about duplicate members.
pub(super) fn parse(text: &str) -> Result<(Value, Vec<Finding>), serde_json::Error> {
    let findings = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Place {
        at: "$".to_owned(),
        findings: &findings,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, findings.into_inner()))
}

/// A value that is about to be read.
struct Place<'a> {
    at: String,
    findings: &'a RefCell<Vec<Finding>>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        let place = |index| Place {
            at: format!("{}[{index}]", self.at),
            findings: self.findings,
        };
        while let Some(element) = access.next_element_seed(place(elements.len()))? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let at = member(&self.at, &name);
            let place = Place {
                at: at.clone(),
                findings: self.findings,
            };
            if members
                .insert(name, access.next_value_seed(place)?)
                .is_some()
            {
                let finding = Finding {
                    at,
                    problem: Problem::DuplicateField,
                };
                self.findings.borrow_mut().push(finding);
            }
        }
        Ok(Value::Object(members))
    }
}
