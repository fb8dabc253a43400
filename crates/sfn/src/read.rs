//! Reads histories, a page after the other.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::get_execution_history::GetExecutionHistoryError;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent as Event};
use trapheus_asl::HistoryEvent;
use trapheus_restore::Standing;

use crate::history::Translator;

/// Why a history could not be read, as the SDK says it.
pub type HistoryError = SdkError<GetExecutionHistoryError>;

/// As many events as a page holds.
const PAGE: i32 = 1000;
/// More than what happens between two looks of somebody who watches.
const NEWS: i32 = 50;

/// Whether Step Functions is at work on an execution.
#[must_use]
pub fn standing(status: &ExecutionStatus) -> Standing {
    match status {
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Standing::Running,
        _ended => Standing::Stopped,
    }
}

/// Everything that has happened to an execution, given by its ARN.
///
/// # Errors
/// When Step Functions does not answer, or refuses to.
pub async fn history(client: &Client, execution: &str) -> Result<Vec<HistoryEvent>, HistoryError> {
    let mut translator = Translator::default();
    let events = events_after(client, execution, 0).await?;
    Ok(events
        .iter()
        .filter_map(|event| translator.translate(event))
        .collect())
}

/// What has happened to an execution since its event number `seen`, the oldest first. What was
/// seen is not read again: the newest events come first, and mostly fit on one page.
///
/// # Errors
/// When Step Functions does not answer, or refuses to.
pub async fn events_after(
    client: &Client,
    execution: &str,
    seen: i64,
) -> Result<Vec<Event>, HistoryError> {
    let newest_first = seen > 0;
    let mut pages = client
        .get_execution_history()
        .execution_arn(execution)
        .reverse_order(newest_first)
        .max_results(if newest_first { NEWS } else { PAGE })
        .into_paginator()
        .send();
    let mut events = Vec::new();
    while let Some(page) = pages.next().await {
        events.extend(page?.events);
        if newest_first && events.last().is_some_and(|event| event.id <= seen) {
            break;
        }
    }
    events.retain(|event| event.id > seen);
    events.sort_by_key(|event| event.id);
    Ok(events)
}
