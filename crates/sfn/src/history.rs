//! Step Functions' history in the words of the embedded engine's: the same kinds, the same fields.
//!
//! An event of Step Functions names its state only where the state is entered or left; between,
//! it names the event before it, so the state is found by following those. Numbers are Step
//! Functions' own: they are what its console shows.

use std::collections::HashMap;

use aws_sdk_sfn::types::HistoryEvent as Event;
use jiff::Timestamp;
use serde_json::{Value, json};
use trapheus_asl::{HistoryEvent, HistoryKind};

/// Where an event happened.
#[derive(Debug, Clone, Default)]
struct Place {
    state: Option<String>,
    /// The iteration of a Map.
    index: Option<usize>,
}

/// Translates the events of one execution, in their order.
#[derive(Debug, Default)]
pub struct Translator {
    places: HashMap<i64, Place>,
    /// The last place within a state: where an execution that is redriven goes on.
    last: Place,
}

impl Translator {
    /// The event in our words; none where it tells nothing that they tell, such as that a
    /// function's process has taken up its work.
    pub fn translate(&mut self, event: &Event) -> Option<HistoryEvent> {
        let name = event.r#type.as_str();
        let place = self.place(name, event);
        self.places.insert(event.id, place.clone());
        let kind = kind(name)?;
        let of_a_state = !name.starts_with("Execution");
        if of_a_state {
            self.last = place.clone();
        }
        let (error, cause) = failure(event);
        Some(HistoryEvent {
            id: event.id.unsigned_abs(),
            previous_id: event.previous_event_id.unsigned_abs(),
            at: at(event),
            kind,
            state: place.state.filter(|_| of_a_state),
            index: place.index.filter(|_| of_a_state),
            resource: resource(event),
            input: input(event).map(|text| value(&text)),
            output: output(event).map(|text| value(&text)),
            error,
            cause,
        })
    }

    fn place(&self, name: &str, event: &Event) -> Place {
        let before = self.places.get(&event.previous_event_id);
        let before = before.unwrap_or(&self.last).clone();
        let iteration = event
            .map_iteration_started_event_details
            .as_ref()
            .or(event.map_iteration_succeeded_event_details.as_ref())
            .or(event.map_iteration_failed_event_details.as_ref())
            .or(event.map_iteration_aborted_event_details.as_ref());
        if let Some(iteration) = iteration {
            return Place {
                state: iteration.name.clone().or(before.state),
                index: usize::try_from(iteration.index).ok(),
            };
        }
        let entered = event.state_entered_event_details.as_ref();
        let exited = event.state_exited_event_details.as_ref();
        let own = entered.map(|it| &it.name).or(exited.map(|it| &it.name));
        Place {
            state: own.cloned().or(before.state),
            // What happens to a Map as a whole follows on one of its iterations.
            index: before.index.filter(|_| !name.starts_with("MapState")),
        }
    }
}

/// The kinds have the same names, but that a task in a Lambda function has names of its own, and
/// may fail before it has begun.
fn kind(name: &str) -> Option<HistoryKind> {
    let name = match name.strip_prefix("LambdaFunction") {
        Some(what) => format!("Task{what}"),
        None => name.to_owned(),
    };
    match name.as_str() {
        "TaskScheduleFailed" | "TaskStartFailed" | "TaskSubmitFailed" => {
            Some(HistoryKind::TaskFailed)
        }
        name => serde_json::from_value(json!(name)).ok(),
    }
}

/// Step Functions dates by the millisecond, and writes that as a number with a point.
fn at(event: &Event) -> Timestamp {
    let milliseconds = (event.timestamp.as_secs_f64() * 1000.0).round();
    Timestamp::from_millisecond(milliseconds as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The first of an event's details that is there, and in it the fields.
macro_rules! details {
    ($event:ident, [$($details:ident),+], $it:ident => $fields:expr) => {
        None$(.or_else(|| $event.$details.as_ref().map(|$it| $fields)))+
    };
}

fn input(event: &Event) -> Option<String> {
    let scheduled = |event: &Event| {
        details!(event, [lambda_function_scheduled_event_details], it => it.input.clone()).or_else(
            || details!(event, [task_scheduled_event_details], it => Some(it.parameters.clone())),
        )
    };
    details!(
        event,
        [execution_started_event_details, state_entered_event_details],
        it => it.input.clone()
    )
    .or_else(|| scheduled(event))
    .flatten()
}

fn output(event: &Event) -> Option<String> {
    details!(
        event,
        [
            lambda_function_succeeded_event_details,
            task_succeeded_event_details,
            state_exited_event_details,
            execution_succeeded_event_details
        ],
        it => it.output.clone()
    )
    .flatten()
}

fn resource(event: &Event) -> Option<String> {
    details!(
        event,
        [lambda_function_scheduled_event_details, task_scheduled_event_details],
        it => it.resource.clone()
    )
}

fn failure(event: &Event) -> (Option<String>, Option<String>) {
    details!(
        event,
        [
            lambda_function_failed_event_details,
            lambda_function_schedule_failed_event_details,
            lambda_function_start_failed_event_details,
            lambda_function_timed_out_event_details,
            task_failed_event_details,
            task_start_failed_event_details,
            task_submit_failed_event_details,
            task_timed_out_event_details,
            execution_failed_event_details,
            execution_aborted_event_details,
            execution_timed_out_event_details
        ],
        it => (it.error.clone(), it.cause.clone())
    )
    .unwrap_or_default()
}

/// Data is JSON, or as good as a text.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
