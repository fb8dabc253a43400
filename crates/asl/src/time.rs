//! Points in time as the States Language writes them, and sums that cannot overflow.

use jiff::{SignedDuration, Timestamp};

/// The longest time that the language lets a definition speak of, in seconds.
pub(crate) const SECONDS_MAX: u64 = 99_999_999;

/// Reads RFC 3339 with an upper-case `T` and, without an offset, an upper-case `Z`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    // jiff also takes a space for the T, lower case, and dates without seconds.
    let well_formed = text.len() >= "2016-03-14T01:59:00Z".len()
        && text.as_bytes()[10] == b'T'
        && text.as_bytes()[16] == b':'
        && !text.contains(['t', 'z', ' ', '[']);
    if well_formed { text.parse().ok() } else { None }
}

/// Writes a time as the context object does: with milliseconds, in UTC.
pub(crate) fn format(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The time so much later, or the end of time.
pub(crate) fn later(at: Timestamp, delay: SignedDuration) -> Timestamp {
    at.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// The time so many seconds later, or the end of time.
pub(crate) fn seconds_later(at: Timestamp, seconds: u64) -> Timestamp {
    later(
        at,
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)),
    )
}
