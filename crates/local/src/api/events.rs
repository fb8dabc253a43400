//! `DescribeEvents`.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::state::event::Event;

/// How far back RDS looks if not told otherwise.
const DEFAULT_MINUTES: i64 = 60;

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let source = input.text("SourceIdentifier").map(str::to_ascii_lowercase);
    let kind = input.text("SourceType");
    if source.is_some() && kind.is_none() {
        return Err(ApiError::combination(
            "SourceType is required if SourceIdentifier is supplied.",
        ));
    }
    let time = |member: &str| {
        input
            .text(member)
            .and_then(|text| text.parse::<Timestamp>().ok())
    };
    let minutes = input.number("Duration").unwrap_or(DEFAULT_MINUTES);
    let until = time("EndTime").unwrap_or(context.now);
    let from = time("StartTime").unwrap_or(until - SignedDuration::from_mins(minutes));
    let categories = input.texts("EventCategories");
    let is_asked = |event: &Event| {
        event.scope == *context.scope
            && (from..=until).contains(&event.at)
            && source
                .as_ref()
                .is_none_or(|source| event.source_identifier == *source)
            && kind.is_none_or(|kind| event.source_type.as_str() == kind)
            && (categories.is_empty() || categories.contains(&event.category))
    };
    let events = context.state.events.iter().filter(|(_, event)| is_asked(event)).map(|(key, event)| {
        let shown = json!({
            "SourceIdentifier": event.source_identifier,
            "SourceType": event.source_type.as_str(),
            "Message": event.message,
            "EventCategories": if event.category.is_empty() { vec![] } else { vec![&event.category] },
            "Date": event.at.to_string(),
            "SourceArn": event.source_arn,
        });
        (key.to_owned(), shown)
    });
    paging::page(input, "Events", events.collect())
}
