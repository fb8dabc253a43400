//! What the service itself says: the members that set an attribute, where an answer shows it, and
//! the types of the members. Neither the attribute table nor local RDS is asked.

use std::collections::BTreeMap;

use serde_json::Value;

const FACTS: &str = include_str!("../../../rds/facts/rds-config-attributes.json");
const MODEL: &str = include_str!("../../../local/model/rds-2014-10-31.txt");

/// An attribute.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) attribute: String,
    /// Where the answer of a Describe call shows it.
    pub(crate) path: Option<String>,
    /// The member of the create request.
    pub(crate) create: Option<String>,
    /// Whether any request after a restore sets it.
    pub(crate) is_settable: bool,
    /// The clusters that have it, in words; of clusters only.
    pub(crate) clusters: String,
}

/// The attributes of `subject` (`db_instance` and so on), which this request creates.
pub(crate) fn of(subject: &str, create: &str) -> Vec<Fact> {
    let facts: Value = serde_json::from_str(FACTS).expect("the facts are JSON");
    let rows = facts[subject].as_array().expect("the subject has rows");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    rows.iter()
        .map(|row| Fact {
            attribute: text(&row["attribute"]).expect("every row has its name"),
            path: text(&row["describe"]["path"]),
            create: text(&row[create]),
            is_settable: row["class"] != "not-restorable",
            clusters: text(&row["cluster_types"]).unwrap_or_default(),
        })
        .collect()
}

/// The members of a structure of the service model with their types.
pub(crate) fn members(structure: &str) -> BTreeMap<&'static str, &'static str> {
    let heading = format!("structure {structure}");
    let lines = MODEL.lines().skip_while(|line| *line != heading).skip(1);
    lines
        .map_while(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| (name.trim_end_matches('!'), kind))
        .collect()
}
