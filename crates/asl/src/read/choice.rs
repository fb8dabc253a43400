//! Reads the rules of a Choice state.

use super::node::{Fields, Node};
use super::value::path;
use crate::check::Problem;
use crate::choice::{Condition, Family, Operand, Relation, Test, TypeTest};
use crate::definition::{Choice, ChoiceRule};
use crate::path::Path;
use crate::time;

/// Reads `Choices` and `Default`.
pub(super) fn choice(fields: &Fields<'_>) -> Option<Choice> {
    let rules = fields.require("Choices").and_then(|node| node.each(rule));
    let default = fields.optional("Default", |node| node.string());
    Some(Choice {
        rules: rules?,
        default: default?.map(str::to_owned),
    })
}

fn rule(node: &Node<'_>) -> Option<ChoiceRule> {
    let fields = node.fields()?;
    fields.get("Comment");
    fields.refuse("Assign", "there are no workflow variables");
    let next = fields.require("Next").and_then(|node| node.string());
    let condition = condition(fields);
    Some(ChoiceRule {
        condition: condition?,
        next: next?.to_owned(),
    })
}

/// Reads a condition within another: it has no `Next`.
fn inner_condition(node: &Node<'_>) -> Option<Condition> {
    let fields = node.fields()?;
    fields.get("Comment");
    condition(fields)
}

fn condition(fields: Fields<'_>) -> Option<Condition> {
    fields.refuse(
        "Condition",
        "it belongs to JSONata; use Variable and an operator",
    );
    let condition = if let Some(node) = fields.get("And") {
        node.each(inner_condition).map(Condition::And)
    } else if let Some(node) = fields.get("Or") {
        node.each(inner_condition).map(Condition::Or)
    } else if let Some(node) = fields.get("Not") {
        inner_condition(&node).map(|condition| Condition::Not(Box::new(condition)))
    } else {
        comparison(&fields)
    };
    fields.finish();
    condition
}

fn comparison(fields: &Fields<'_>) -> Option<Condition> {
    let variable = fields.require("Variable").and_then(|node| path(&node));
    let operators: Vec<(Operator, Node<'_>)> = fields
        .names()
        .filter_map(|name| Some((Operator::named(name)?, fields.get(name)?)))
        .collect();
    let [(operator, node)] = operators.as_slice() else {
        return fields.node().report(Problem::NotExactlyOne {
            names: "the comparison operators",
            count: operators.len(),
        });
    };
    operator.condition(node, variable?)
}

const FAMILIES: [(&str, Family); 4] = [
    ("Boolean", Family::Boolean),
    ("Numeric", Family::Numeric),
    ("String", Family::String),
    ("Timestamp", Family::Timestamp),
];

/// What the name of an operator stands for.
#[derive(Clone, Copy)]
enum Operator {
    IsPresent,
    Type(TypeTest),
    Matches,
    Compare(Family, Relation),
    ComparePath(Family, Relation),
}

impl Operator {
    /// The operator of this name. Most names are made of what they compare, how, and with what:
    /// `NumericLessThanEqualsPath`.
    fn named(name: &str) -> Option<Operator> {
        match name {
            "IsPresent" => return Some(Operator::IsPresent),
            "IsNull" => return Some(Operator::Type(TypeTest::Null)),
            "IsBoolean" => return Some(Operator::Type(TypeTest::Boolean)),
            "IsNumeric" => return Some(Operator::Type(TypeTest::Numeric)),
            "IsString" => return Some(Operator::Type(TypeTest::String)),
            "IsTimestamp" => return Some(Operator::Type(TypeTest::Timestamp)),
            "StringMatches" => return Some(Operator::Matches),
            _ => {}
        }
        let (family, rest) = FAMILIES
            .into_iter()
            .find_map(|(prefix, family)| Some((family, name.strip_prefix(prefix)?)))?;
        let (relation, is_path) = match rest.strip_suffix("Path") {
            Some(relation) => (relation, true),
            None => (rest, false),
        };
        let relation = match relation {
            "Equals" => Relation::Equals,
            _ if family == Family::Boolean => return None,
            "LessThan" => Relation::LessThan,
            "GreaterThan" => Relation::GreaterThan,
            "LessThanEquals" => Relation::LessThanEquals,
            "GreaterThanEquals" => Relation::GreaterThanEquals,
            _ => return None,
        };
        Some(match is_path {
            true => Operator::ComparePath(family, relation),
            false => Operator::Compare(family, relation),
        })
    }

    fn condition(self, node: &Node<'_>, variable: Path) -> Option<Condition> {
        let test = match self {
            Operator::IsPresent => {
                return Some(Condition::IsPresent {
                    variable,
                    expected: node.boolean()?,
                });
            }
            Operator::Type(test) => Test::Type {
                test,
                expected: node.boolean()?,
            },
            Operator::Matches => Test::Matches {
                pattern: node.string()?.to_owned(),
            },
            Operator::Compare(family, relation) => {
                check_literal(node, family)?;
                Test::Compare {
                    family,
                    relation,
                    operand: Operand::Literal(node.value.clone()),
                }
            }
            Operator::ComparePath(family, relation) => Test::Compare {
                family,
                relation,
                operand: Operand::Path(path(node)?),
            },
        };
        Some(Condition::Test { variable, test })
    }
}

/// Reports a literal that the operator could never equal.
fn check_literal(node: &Node<'_>, family: Family) -> Option<()> {
    match family {
        Family::Boolean => node.boolean().map(drop),
        Family::String => node.string().map(drop),
        Family::Numeric if node.value.is_number() => Some(()),
        Family::Numeric => node.report(Problem::WrongType {
            expected: "a number",
        }),
        Family::Timestamp => {
            let text = node.string()?;
            match time::parse(text) {
                Some(_) => Some(()),
                None => node.report(Problem::BadTimestamp {
                    found: text.to_owned(),
                }),
            }
        }
    }
}
