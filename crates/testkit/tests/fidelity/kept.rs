//! How much is kept, as `docs/fidelity.md` tells it.

use std::fmt::Write as _;

use crate::facts::Fact;

const DOCUMENT: &str = include_str!("../../../../docs/fidelity.md");

/// The document says of this kind of database how many attributes are kept, and why the others
/// are not. `outcome` is `kept`, or the reason; `python` is what the Python tool was seen to do.
pub(crate) fn assert_documented(
    kind: &str,
    facts: &[Fact],
    outcome: impl Fn(&str) -> String,
    python: &str,
) {
    let settable = || facts.iter().filter(|fact| fact.is_settable);
    let mut others = format!("Not seen to be kept, of a {kind}:\n\n");
    let mut kept = 0;
    for fact in settable() {
        let outcome = outcome(&fact.attribute);
        if outcome == KEPT {
            kept += 1;
        } else {
            writeln!(others, "- `{}`: {outcome}", fact.attribute).expect("a text takes everything");
        }
    }
    let (total, settable) = (facts.len(), settable().count());
    let row = format!("| {kind} | {total} | {settable} | {kept} | {python} |\n");
    for text in [row, others] {
        assert!(
            DOCUMENT.contains(&text),
            "docs/fidelity.md has to say:\n{text}"
        );
    }
}

/// The outcome of what every database that has it keeps.
pub(crate) const KEPT: &str = "kept";

/// One outcome of what databases of several kinds are seen to do: kept by one is kept, because
/// a loss ends a test.
pub(crate) fn together<'a>(outcomes: impl Iterator<Item = &'a str>) -> String {
    let mut outcomes: Vec<&str> = outcomes.collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    match outcomes.iter().any(|outcome| outcome.starts_with(KEPT)) {
        true => KEPT.to_owned(),
        false if outcomes.is_empty() => {
            "of RDS Custom, whose databases can't be renamed".to_owned()
        }
        false => outcomes.join("; "),
    }
}
