//! From the SDK's shapes to ours, where more than one file needs it.

use std::str::FromStr;

use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::Tag;
use jiff::Timestamp;

use crate::database::Tags;

/// Parses a member of an answer; `None` when it is absent or not what RDS documents.
pub(crate) fn parse<T: FromStr>(member: Option<&str>) -> Option<T> {
    member?.parse().ok()
}

/// Converts an instant.
pub(crate) fn timestamp(at: Option<&DateTime>) -> Option<Timestamp> {
    let at = at?;
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// Converts an instant for a request; RDS reads whole seconds.
pub(crate) fn date_time(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.as_second())
}

/// Converts the tags of an answer.
pub(crate) fn tags_from_sdk(tags: &[Tag]) -> Tags {
    let pairs = tags.iter().filter_map(|tag| {
        Some((
            tag.key()?.to_owned(),
            tag.value().unwrap_or_default().to_owned(),
        ))
    });
    pairs.collect()
}

/// Converts the tags of a request. No tags are no list: an empty one would still be sent.
pub(crate) fn tags_to_sdk(tags: &Tags) -> Option<Vec<Tag>> {
    let list = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    (!tags.is_empty()).then(|| list.collect())
}
