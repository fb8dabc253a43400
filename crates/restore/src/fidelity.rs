//! The fidelity report: what of the original's configuration the restored database has.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_rds::{Attribute, AttributeClass, Database, Settings, Way, attributes};

use crate::blueprint::{Blueprint, is_copied};
use crate::marks;
use crate::plan::Plan;
use crate::tasks::Piece;
use crate::tasks::attachments::backup_replication;

/// The original's configuration against the restored database's, attribute by attribute:
/// everything compared is kept, lost, or has a reason why nobody could have kept it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fidelity {
    /// How many attributes were compared: all that RDS shows.
    pub compared: usize,
    /// How many are the same.
    pub kept: usize,
    /// Those that differ though a request could have set them.
    pub lost: Vec<Loss>,
    /// Those that differ and that no request can set, each with the reason.
    pub not_restorable: Vec<String>,
    /// What breaks or stays behind although every attribute is kept, each with what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<String>,
}

/// An attribute that the restored database does not have as the original has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The database, by the name that it has in the end.
    #[serde(default)]
    pub database: String,
    /// The attribute, in RDS's spelling.
    pub attribute: String,
    /// The original's value.
    pub original: Value,
    /// The restored database's value.
    pub restored: Value,
}

impl Fidelity {
    /// Compares a restored database with the blueprint of the one whose name it gets.
    pub(crate) fn compare(plan: &Plan, piece: &Piece<'_>) -> Self {
        let (blueprint, restored) = (piece.blueprint, piece.database);
        let mut report = Self::default();
        for row in attributes(blueprint.subject)
            .iter()
            .filter(|row| row.is_shown())
        {
            report.compared += 1;
            let (original, found) = values(row, blueprint, restored);
            let found = found.map(|found| as_promoted(plan, found));
            if !is_copied(row) && original.is_none() || original == found {
                report.kept += 1;
            } else if let Some(why) = why_not_restorable(row, blueprint, restored) {
                let of = match piece.role {
                    Some(_) => format!(" of {}", piece.names.target),
                    None => String::new(),
                };
                report
                    .not_restorable
                    .push(format!("{}{of}: {why}", row.name));
            } else {
                report.lost.push(Loss {
                    database: piece.names.target.to_string(),
                    attribute: row.name.to_string(),
                    original: original.unwrap_or(Value::Null),
                    restored: found.unwrap_or(Value::Null),
                });
            }
        }
        report
    }

    /// Adds what was found of another database.
    pub(crate) fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.kept += other.kept;
        self.lost.extend(other.lost);
        self.not_restorable.extend(other.not_restorable);
    }

    /// What is lost and not allowed to be.
    pub fn unforgiven<'a>(&'a self, allowed: &'a [String]) -> impl Iterator<Item = &'a Loss> {
        self.lost
            .iter()
            .filter(|loss| !allowed.contains(&loss.attribute))
    }
}

/// A value as it will be when everything has its name: what is restored names the rest of it by
/// the names that they are made under.
fn as_promoted(plan: &Plan, value: Value) -> Value {
    match value {
        Value::String(name) => {
            let parts = plan.parts.iter().map(|part| &part.names);
            let mut all = parts.chain([&plan.names]);
            let known = all.find(|names| names.restored.as_str() == name);
            known.map_or(Value::String(name), |names| {
                Value::from(names.target.as_str())
            })
        }
        Value::Array(values) => {
            let values = values.into_iter().map(|value| as_promoted(plan, value));
            let mut values: Vec<Value> = values.collect();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        other => other,
    }
}

/// Both values of an attribute. The name is none of the configuration, and of the tags only the
/// user's are. Members are compared each by itself, and custom endpoints are made when everything
/// has its name.
fn values(
    row: &Attribute,
    blueprint: &Blueprint,
    restored: &Database,
) -> (Option<Value>, Option<Value>) {
    let tags = |tags: &trapheus_rds::Tags| (!tags.is_empty()).then(|| serde_json::json!(tags));
    match row.name.as_str() {
        "DBInstanceIdentifier" | "DBClusterIdentifier" | "DBClusterMembers" | "CustomEndpoints" => {
            (None, None)
        }
        backup_replication::REPLICATIONS => {
            let of = |settings: &Settings| {
                Some(backup_replication::regions(
                    settings.get(row.name.as_str())?,
                ))
            };
            (of(&blueprint.settings), of(&restored.settings))
        }
        "TagList" => (tags(&blueprint.tags), tags(&marks::users(&restored.tags))),
        name => (
            blueprint.settings.get(name).cloned(),
            restored.settings.get(name).cloned(),
        ),
    }
}

fn why_not_restorable(
    row: &Attribute,
    blueprint: &Blueprint,
    restored: &Database,
) -> Option<&'static str> {
    if !blueprint.settings.contains_key(row.name.as_str()) && is_copied(row) {
        return Some("the original shows none, and no request takes it away");
    }
    let engine = &blueprint.engine;
    // What only the restore of other engines takes comes with the snapshot, too.
    let is_settable = row.is_set_by(Way::Restore, engine) || row.is_set_by(Way::Modify, engine);
    let by_class = match row.class {
        AttributeClass::OtherApi(_) => None,
        AttributeClass::NotRestorable
        | AttributeClass::Restore
        | AttributeClass::Create
        | AttributeClass::RestoreOfSomeEngines
        | AttributeClass::Modify => {
            (!is_settable).then_some("it comes with the snapshot or is the database's own")
        }
    };
    by_class
        .or_else(|| blueprint.why_not_sent(row))
        .or_else(|| blueprint.why_not_reached(row, &restored.settings))
}
