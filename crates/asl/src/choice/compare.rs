//! Tests of one value: its type, or how it compares with another.
//!
//! A value of another type than the operator's passes no test; it is not a failure.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::look_up;
use crate::errors::Failure;
use crate::path::{Documents, Path};
use crate::time;

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// `IsNull`, `IsString` and so on.
    Type { test: TypeTest, expected: bool },
    /// `StringEquals`, `NumericLessThanPath` and so on.
    Compare {
        family: Family,
        relation: Relation,
        operand: Operand,
    },
    /// `StringMatches`: `*` stands for any letters, `\*` for itself.
    Matches { pattern: String },
}

/// The types that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypeTest {
    Null,
    Boolean,
    Numeric,
    String,
    Timestamp,
}

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Boolean,
    Numeric,
    String,
    Timestamp,
}

/// How it compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

/// What it compares with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Literal(Value),
    Path(Path),
}

impl Test {
    pub(super) fn passes(&self, value: &Value, documents: Documents<'_>) -> Result<bool, Failure> {
        match self {
            Test::Type { test, expected } => Ok(test.passes(value) == *expected),
            Test::Compare {
                family,
                relation,
                operand,
            } => {
                let operand = match operand {
                    Operand::Literal(literal) => literal,
                    Operand::Path(path) => look_up(path, documents)?,
                };
                Ok(family
                    .compare(value, operand)
                    .is_some_and(|ordering| relation.admits(ordering)))
            }
            Test::Matches { pattern } => {
                Ok(value.as_str().is_some_and(|text| matches(text, pattern)))
            }
        }
    }
}

impl TypeTest {
    fn passes(self, value: &Value) -> bool {
        match self {
            TypeTest::Null => value.is_null(),
            TypeTest::Boolean => value.is_boolean(),
            TypeTest::Numeric => value.is_number(),
            TypeTest::String => value.is_string(),
            TypeTest::Timestamp => timestamp(value).is_some(),
        }
    }
}

impl Family {
    /// How two values compare; `None` when one of them is not of this family.
    pub(crate) fn compare(self, left: &Value, right: &Value) -> Option<Ordering> {
        match self {
            Family::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
            Family::Numeric => numbers(left, right),
            Family::String => Some(left.as_str()?.cmp(right.as_str()?)),
            Family::Timestamp => Some(timestamp(left)?.cmp(&timestamp(right)?)),
        }
    }
}

impl Relation {
    fn admits(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equals => ordering.is_eq(),
            Relation::LessThan => ordering.is_lt(),
            Relation::GreaterThan => ordering.is_gt(),
            Relation::LessThanEquals => ordering.is_le(),
            Relation::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    time::parse(value.as_str()?)
}

/// Whole numbers compare exactly; `1` equals `1.0`.
fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(_), None) | (None, Some(_)) | (None, None) => {
            left.as_f64()?.partial_cmp(&right.as_f64()?)
        }
    }
}

/// One piece of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Anything,
    Letter(char),
}

/// Compares letter by letter; on a mismatch, the last `*` takes one letter more. Linear in memory
/// and at worst quadratic in time, whatever the pattern.
fn matches(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern = pieces(pattern);
    let (mut at, mut piece) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(piece) {
            Some(Piece::Anything) => {
                last_star = Some((piece, at));
                piece += 1;
            }
            Some(Piece::Letter(letter)) if *letter == text[at] => {
                at += 1;
                piece += 1;
            }
            Some(Piece::Letter(_)) | None => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    at = taken + 1;
                    piece = star + 1;
                }
                None => return false,
            },
        }
    }
    pattern[piece..]
        .iter()
        .all(|piece| *piece == Piece::Anything)
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut letters = pattern.chars();
    let mut pieces = Vec::new();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            '*' => Piece::Anything,
            '\\' => Piece::Letter(letters.next().unwrap_or('\\')),
            _ => Piece::Letter(letter),
        });
    }
    pieces
}
