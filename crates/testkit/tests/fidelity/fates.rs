//! What became of each attribute, as it is on the wire.

use std::collections::BTreeMap;

use trapheus_testkit::Element;

use crate::facts::Fact;

/// What became of one attribute in one restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The original has what any database has.
    NotVaried,
    Kept,
    Lost,
}

/// Compares what is shown of an original and of what was restored in its place.
pub(crate) fn fates(
    facts: &[Fact],
    plain: &Element,
    before: &Element,
    after: &Element,
) -> BTreeMap<String, Fate> {
    let fate = |fact: &Fact| {
        let at = |database: &Element| shown(database, fact);
        Some(match (at(plain)?, at(before)?, at(after)?) {
            (plain, before, after) if plain == before && before == after => Fate::NotVaried,
            (_, before, after) if before == after => Fate::Kept,
            _ => Fate::Lost,
        })
    };
    facts
        .iter()
        .filter_map(|fact| Some((fact.attribute.clone(), fate(fact)?)))
        .collect()
}

/// The value of an attribute, read from the wire.
fn shown(database: &Element, fact: &Fact) -> Option<Vec<String>> {
    let mut values = database.values(fact.path.as_ref()?);
    match fact.attribute.as_str() {
        // A new database has a new secret; that it has one is the attribute.
        "ManageMasterUserPassword" => values
            .iter_mut()
            .for_each(|arn| *arn = "managed".to_owned()),
        "DBInstanceIdentifier" | "DBClusterIdentifier" => values.clear(),
        "TagList" => values.retain(|tag| !tag.starts_with("Key=trapheus:")),
        _ => {}
    }
    Some(values)
}
