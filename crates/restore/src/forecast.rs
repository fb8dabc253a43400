//! The fidelity report before its time: what of the configuration a restore will keep, as far as
//! the attribute tables and the snapshot tell.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_rds::{Attribute, AttributeClass, DbIdentifier, Omit, Settings, attributes};

use crate::blueprint::{Blueprint, is_copied};
use crate::tasks::attachments;

/// What the fidelity report is expected to say, and what it can't say: what breaks all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Forecast {
    /// How many attributes will be compared, of all databases that are made.
    pub compared: usize,
    /// How many will be the same.
    pub kept: usize,
    /// Those that no call of ours sets, each with the reason.
    pub lost: Vec<String>,
    /// Those that no request can set, each with the reason.
    pub not_restorable: Vec<String>,
    /// What breaks or stays behind although every attribute is kept, each with what to do.
    pub breaks: Vec<String>,
}

/// What becomes of an attribute that isn't kept.
enum Fate {
    Lost(String),
    NotRestorable(String),
}

impl Forecast {
    /// Adds the attributes of one database; `stored` are those that come with its data.
    pub(crate) fn add(&mut self, name: &DbIdentifier, blueprint: &Blueprint, stored: &Settings) {
        for row in attributes(blueprint.subject)
            .iter()
            .filter(|row| row.is_shown())
        {
            self.compared += 1;
            match fate(row, blueprint, stored) {
                None => self.kept += 1,
                Some(Fate::Lost(why)) => self.lost.push(format!("{name}: {}: {why}", row.name)),
                Some(Fate::NotRestorable(why)) => {
                    self.not_restorable
                        .push(format!("{name}: {}: {why}", row.name));
                }
            }
        }
    }
}

fn fate(row: &Attribute, blueprint: &Blueprint, stored: &Settings) -> Option<Fate> {
    let name = row.name.as_str();
    let asked = blueprint.settings.get(name)?;
    if !is_copied(row) {
        return None;
    }
    if row.omit.contains(&Omit::BoundToOriginal) {
        return Some(Fate::NotRestorable(
            "it is bound to the original".to_owned(),
        ));
    }
    if let Some(why) = blueprint.why_not_reached(row, stored) {
        return Some(Fate::NotRestorable(why.to_owned()));
    }
    match row.class {
        AttributeClass::NotRestorable => {
            let comes = stored.get(name).filter(|comes| *comes != asked)?;
            let why = format!(
                "it comes with the data: {} and not {}",
                shown(comes),
                shown(asked)
            );
            Some(Fate::NotRestorable(why))
        }
        AttributeClass::OtherApi(operation) if !attachments::keeps(name, asked) => Some(
            Fate::Lost(format!("{} would need {operation}", shown(asked))),
        ),
        AttributeClass::OtherApi(_)
        | AttributeClass::Restore
        | AttributeClass::Create
        | AttributeClass::RestoreOfSomeEngines
        | AttributeClass::Modify => None,
    }
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
