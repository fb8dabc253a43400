//! The name of an execution. Where names come from randomness, the caller brings it: see
//! [`OwnerId`](crate::OwnerId).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const PREFIX: &str = "run_";
const LENGTH: usize = 16;
/// Crockford's base 32: no letter that is read as a digit, and in the order of the characters'
/// codes, so that the text sorts as the number does.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Names one execution: `run_` and 16 characters of base 32, which sort by the time of the start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExecutionId(String);

impl ExecutionId {
    /// Makes an id of 48 bits of time (milliseconds) and 32 bits that tell apart what starts in the
    /// same one.
    pub fn new(started_at: Timestamp, distinction: u32) -> ExecutionId {
        let milliseconds =
            u64::try_from(started_at.as_millisecond()).unwrap_or(0) & 0xffff_ffff_ffff;
        let bits = (u128::from(milliseconds) << 32) | u128::from(distinction);
        let mut text = String::from(PREFIX);
        for position in (0..LENGTH).rev() {
            let digit = (bits >> (position * 5)) & 0b1_1111;
            text.push(char::from(ALPHABET[digit as usize]));
        }
        ExecutionId(text)
    }

    /// Makes the id of an execution that another one starts: the same for the same parent and
    /// purpose, and beside the parent's in the order of ids.
    pub fn child(parent: &str, purpose: &str) -> ExecutionId {
        let digits = parent.strip_prefix(PREFIX).unwrap_or(parent);
        let digit = |byte| {
            ALPHABET
                .iter()
                .position(|known| *known == byte)
                .unwrap_or(0)
        };
        let bits = digits
            .bytes()
            .take(LENGTH)
            .fold(0_u128, |bits, byte| (bits << 5) | digit(byte) as u128);
        let milliseconds = i64::try_from(bits >> 32).unwrap_or(0);
        let at = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
        ExecutionId::new(at, hash(&[parent, purpose]))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// FNV-1a: what it makes of a text is the same in every version of every program.
fn hash(texts: &[&str]) -> u32 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// A text that is not the id of an execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an execution's id: expected `run_` and 16 lower-case letters and digits")]
pub struct InvalidExecutionId {
    text: String,
}

impl FromStr for ExecutionId {
    type Err = InvalidExecutionId;

    fn from_str(text: &str) -> Result<ExecutionId, InvalidExecutionId> {
        let is_id = text.strip_prefix(PREFIX).is_some_and(|rest| {
            rest.len() == LENGTH && rest.bytes().all(|byte| ALPHABET.contains(&byte))
        });
        if is_id {
            Ok(ExecutionId(text.to_owned()))
        } else {
            Err(InvalidExecutionId {
                text: text.to_owned(),
            })
        }
    }
}

impl TryFrom<String> for ExecutionId {
    type Error = InvalidExecutionId;

    fn try_from(text: String) -> Result<ExecutionId, InvalidExecutionId> {
        text.parse()
    }
}

impl From<ExecutionId> for String {
    fn from(id: ExecutionId) -> String {
        id.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn ids_sort_by_time_then_by_distinction() {
        let ids = [
            ExecutionId::new(at(0), 0),
            ExecutionId::new(at(1), 0),
            ExecutionId::new(at(1), 1),
            ExecutionId::new(at(1_790_000_000_000), 7),
            ExecutionId::new(at(1_790_000_000_001), 0),
        ];
        assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
    }

    #[test]
    fn a_childs_id_follows_from_its_parents_and_the_purpose() {
        let parent = ExecutionId::new(at(1_790_000_000_123), 7);
        let child = |purpose| ExecutionId::child(parent.as_str(), purpose);
        assert_eq!(child("one"), child("one"));
        assert_ne!(child("one"), child("other"));
        let sibling = ExecutionId::new(at(1_790_000_000_123), 8);
        assert_ne!(child("one"), ExecutionId::child(sibling.as_str(), "one"));
        assert!(child("one") < ExecutionId::new(at(1_790_000_000_124), 0));
        assert!(child("one") >= ExecutionId::new(at(1_790_000_000_123), 0));
        // Long ids of long times, and what is no id at all.
        assert!(
            ExecutionId::child("anything", "one")
                .as_str()
                .parse::<ExecutionId>()
                .is_ok()
        );
    }

    #[test]
    fn what_is_printed_parses() {
        let id = ExecutionId::new(at(1_790_000_000_123), u32::MAX);
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_eq!(
            serde_json::from_str::<ExecutionId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "run_",
            "0123456789abcdef",
            "run_0123456789ABCDEF",
            "run_0123456789abcde",
            "run_0123456789abcdef0",
            "run_0123456789abcdei",
            "exp_0123456789abcdef",
        ] {
            assert!(text.parse::<ExecutionId>().is_err(), "{text}");
        }
    }
}
