//! The table of attributes of a member.

use super::Attribute;

pub(super) static TABLE: &[Attribute] = &[];
