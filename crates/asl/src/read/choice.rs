//! Reads the rules of a Choice state.

use super::node::{Fields, Node};
use super::value::path;
use crate::check::Problem;
use crate::choice::{Condition, Family, Operand, Relation, Test, TypeTest};
use crate::definition::{Choice, ChoiceRule};
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
    let operators: Vec<(Operator, Node<'_>)> = OPERATORS
        .iter()
        .filter_map(|(name, operator)| Some((*operator, fields.get(name)?)))
        .collect();
    let [(operator, node)] = operators.as_slice() else {
        return fields.node().report(Problem::NotExactlyOne {
            names: "the comparison operators",
            count: operators.len(),
        });
    };
    operator.condition(node, variable?)
}

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
    fn condition(self, node: &Node<'_>, variable: crate::path::Path) -> Option<Condition> {
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

/// Every operator by its name in the language.
const OPERATORS: &[(&str, Operator)] = &[
    ("IsPresent", Operator::IsPresent),
    ("IsNull", Operator::Type(TypeTest::Null)),
    ("IsBoolean", Operator::Type(TypeTest::Boolean)),
    ("IsNumeric", Operator::Type(TypeTest::Numeric)),
    ("IsString", Operator::Type(TypeTest::String)),
    ("IsTimestamp", Operator::Type(TypeTest::Timestamp)),
    ("StringMatches", Operator::Matches),
    (
        "BooleanEquals",
        Operator::Compare(Family::Boolean, Relation::Equals),
    ),
    (
        "BooleanEqualsPath",
        Operator::ComparePath(Family::Boolean, Relation::Equals),
    ),
    (
        "NumericEquals",
        Operator::Compare(Family::Numeric, Relation::Equals),
    ),
    (
        "NumericEqualsPath",
        Operator::ComparePath(Family::Numeric, Relation::Equals),
    ),
    (
        "NumericLessThan",
        Operator::Compare(Family::Numeric, Relation::LessThan),
    ),
    (
        "NumericLessThanPath",
        Operator::ComparePath(Family::Numeric, Relation::LessThan),
    ),
    (
        "NumericGreaterThan",
        Operator::Compare(Family::Numeric, Relation::GreaterThan),
    ),
    (
        "NumericGreaterThanPath",
        Operator::ComparePath(Family::Numeric, Relation::GreaterThan),
    ),
    (
        "NumericLessThanEquals",
        Operator::Compare(Family::Numeric, Relation::LessThanEquals),
    ),
    (
        "NumericLessThanEqualsPath",
        Operator::ComparePath(Family::Numeric, Relation::LessThanEquals),
    ),
    (
        "NumericGreaterThanEquals",
        Operator::Compare(Family::Numeric, Relation::GreaterThanEquals),
    ),
    (
        "NumericGreaterThanEqualsPath",
        Operator::ComparePath(Family::Numeric, Relation::GreaterThanEquals),
    ),
    (
        "StringEquals",
        Operator::Compare(Family::String, Relation::Equals),
    ),
    (
        "StringEqualsPath",
        Operator::ComparePath(Family::String, Relation::Equals),
    ),
    (
        "StringLessThan",
        Operator::Compare(Family::String, Relation::LessThan),
    ),
    (
        "StringLessThanPath",
        Operator::ComparePath(Family::String, Relation::LessThan),
    ),
    (
        "StringGreaterThan",
        Operator::Compare(Family::String, Relation::GreaterThan),
    ),
    (
        "StringGreaterThanPath",
        Operator::ComparePath(Family::String, Relation::GreaterThan),
    ),
    (
        "StringLessThanEquals",
        Operator::Compare(Family::String, Relation::LessThanEquals),
    ),
    (
        "StringLessThanEqualsPath",
        Operator::ComparePath(Family::String, Relation::LessThanEquals),
    ),
    (
        "StringGreaterThanEquals",
        Operator::Compare(Family::String, Relation::GreaterThanEquals),
    ),
    (
        "StringGreaterThanEqualsPath",
        Operator::ComparePath(Family::String, Relation::GreaterThanEquals),
    ),
    (
        "TimestampEquals",
        Operator::Compare(Family::Timestamp, Relation::Equals),
    ),
    (
        "TimestampEqualsPath",
        Operator::ComparePath(Family::Timestamp, Relation::Equals),
    ),
    (
        "TimestampLessThan",
        Operator::Compare(Family::Timestamp, Relation::LessThan),
    ),
    (
        "TimestampLessThanPath",
        Operator::ComparePath(Family::Timestamp, Relation::LessThan),
    ),
    (
        "TimestampGreaterThan",
        Operator::Compare(Family::Timestamp, Relation::GreaterThan),
    ),
    (
        "TimestampGreaterThanPath",
        Operator::ComparePath(Family::Timestamp, Relation::GreaterThan),
    ),
    (
        "TimestampLessThanEquals",
        Operator::Compare(Family::Timestamp, Relation::LessThanEquals),
    ),
    (
        "TimestampLessThanEqualsPath",
        Operator::ComparePath(Family::Timestamp, Relation::LessThanEquals),
    ),
    (
        "TimestampGreaterThanEquals",
        Operator::Compare(Family::Timestamp, Relation::GreaterThanEquals),
    ),
    (
        "TimestampGreaterThanEqualsPath",
        Operator::ComparePath(Family::Timestamp, Relation::GreaterThanEquals),
    ),
];
