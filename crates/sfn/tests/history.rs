//! Histories as AWS writes them, told in the engine's words; and what a summary makes of their
//! ends.

use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::builders::HistoryEventBuilder;
use aws_sdk_sfn::types::{
    ExecutionAbortedEventDetails, ExecutionFailedEventDetails, ExecutionRedrivenEventDetails,
    ExecutionStartedEventDetails, ExecutionTimedOutEventDetails, HistoryEvent as Event,
    HistoryEventType, LambdaFunctionFailedEventDetails, LambdaFunctionScheduleFailedEventDetails,
    LambdaFunctionScheduledEventDetails, LambdaFunctionSucceededEventDetails,
    LambdaFunctionTimedOutEventDetails, MapIterationEventDetails, StateEnteredEventDetails,
    StateExitedEventDetails, TaskScheduledEventDetails, TaskStartFailedEventDetails,
};
use serde_json::{Value, json};
use trapheus_asl::HistoryEvent;
use trapheus_restore::{ROLLED_BACK, Standing, SummaryStatus, summary};
use trapheus_sfn::Translator;

const RESTORE: &str = "arn:aws:lambda:eu-central-1:123456789012:function:trapheus-Restore";

/// A history as it is written: each event follows on the one before unless it says otherwise.
#[derive(Default)]
struct Written(Vec<Event>);

impl Written {
    fn add(
        self,
        kind: &str,
        details: impl FnOnce(HistoryEventBuilder) -> HistoryEventBuilder,
    ) -> Self {
        let before = self.0.len() as i64;
        self.add_after(before, kind, details)
    }

    fn add_after(
        mut self,
        before: i64,
        kind: &str,
        details: impl FnOnce(HistoryEventBuilder) -> HistoryEventBuilder,
    ) -> Self {
        let id = self.0.len() as i64 + 1;
        let event = Event::builder()
            .timestamp(DateTime::from_millis(1_790_000_000_000 + id * 1500))
            .r#type(HistoryEventType::from(kind))
            .id(id)
            .previous_event_id(before);
        let event = details(event).build();
        self.0.push(event.expect("an event has all that it must"));
        self
    }

    fn started(self) -> Self {
        let input = json!({ "identifier": "orders", "task": "db_restore" }).to_string();
        let started = ExecutionStartedEventDetails::builder().input(input).build();
        self.add_after(0, "ExecutionStarted", |event| {
            event.execution_started_event_details(started)
        })
    }

    fn entered_after(self, before: i64, kind: &str, name: &str) -> Self {
        let entered = StateEnteredEventDetails::builder().name(name).input("{}");
        let entered = entered.build().expect("it has a name");
        self.add_after(before, kind, |event| {
            event.state_entered_event_details(entered)
        })
    }

    fn entered(self, kind: &str, name: &str) -> Self {
        let before = self.0.len() as i64;
        self.entered_after(before, kind, name)
    }

    fn exited(self, kind: &str, name: &str) -> Self {
        let exited = StateExitedEventDetails::builder().name(name).output("{}");
        let exited = exited.build().expect("it has a name");
        self.add(kind, |event| event.state_exited_event_details(exited))
    }

    fn scheduled_after(self, before: i64) -> Self {
        let scheduled = LambdaFunctionScheduledEventDetails::builder()
            .resource(RESTORE)
            .input(r#"{"execution":"run_1"}"#)
            .build()
            .expect("it has a resource");
        self.add_after(before, "LambdaFunctionScheduled", |event| {
            event.lambda_function_scheduled_event_details(scheduled)
        })
    }

    /// A task is called; its function starts.
    fn called(self) -> Self {
        let before = self.0.len() as i64;
        self.scheduled_after(before)
            .add("LambdaFunctionStarted", |event| event)
    }

    fn returned(self, output: Value) -> Self {
        let output = LambdaFunctionSucceededEventDetails::builder().output(output.to_string());
        self.add("LambdaFunctionSucceeded", |event| {
            event.lambda_function_succeeded_event_details(output.build())
        })
    }

    fn failed(self, error: &str, cause: Value) -> Self {
        let envelope = json!({ "errorType": error, "errorMessage": cause.to_string() });
        let failed = LambdaFunctionFailedEventDetails::builder()
            .error(error)
            .cause(envelope.to_string());
        self.add("LambdaFunctionFailed", |event| {
            event.lambda_function_failed_event_details(failed.build())
        })
    }

    fn aborted(self, error: Option<&str>) -> Self {
        let aborted = ExecutionAbortedEventDetails::builder().set_error(error.map(str::to_owned));
        self.add_after(0, "ExecutionAborted", |event| {
            event.execution_aborted_event_details(aborted.build())
        })
    }

    fn execution_failed(self, error: &str) -> Self {
        let failed = ExecutionFailedEventDetails::builder()
            .error(error)
            .cause("it did not go");
        self.add("ExecutionFailed", |event| {
            event.execution_failed_event_details(failed.build())
        })
    }

    fn redriven(self) -> Self {
        let redriven = ExecutionRedrivenEventDetails::builder().redrive_count(1);
        self.add_after(0, "ExecutionRedriven", |event| {
            event.execution_redriven_event_details(redriven.build())
        })
    }

    fn told(&self) -> Vec<HistoryEvent> {
        let mut translator = Translator::default();
        let told = self
            .0
            .iter()
            .filter_map(|event| translator.translate(event));
        told.collect()
    }

    fn status(&self) -> SummaryStatus {
        summary("run_1", Standing::Stopped, &self.told()).status
    }
}

/// What is told of an event in a line.
fn line(event: &HistoryEvent) -> String {
    let state = event.state.as_deref().unwrap_or("-");
    match event.index {
        Some(index) => format!("{} {state}[{index}]", event.kind),
        None => format!("{} {state}", event.kind),
    }
}

#[test]
fn a_task_in_a_function_reads_like_any_task() {
    let history = Written::default()
        .started()
        .entered("TaskStateEntered", "Restore")
        .called()
        .failed("Trapheus.InProgress", json!({ "waiting": "creating" }))
        .called()
        .returned(json!({ "identifier": "orders-trapheus-new" }))
        .exited("TaskStateExited", "Restore");
    let told = history.told();
    let lines: Vec<String> = told.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "ExecutionStarted -",
            "TaskStateEntered Restore",
            "TaskScheduled Restore",
            "TaskFailed Restore",
            "TaskScheduled Restore",
            "TaskSucceeded Restore",
            "TaskStateExited Restore",
        ]
    );
    assert_eq!(
        told[0].input.as_ref().expect("it has one")["identifier"],
        "orders"
    );
    assert_eq!(told[2].resource.as_deref(), Some(RESTORE));
    assert_eq!(told[2].input, Some(json!({ "execution": "run_1" })));
    assert_eq!(told[3].error.as_deref(), Some("Trapheus.InProgress"));
    assert!(
        told[3]
            .cause
            .as_deref()
            .expect("it has one")
            .contains("creating")
    );
    assert_eq!(
        told[5].output,
        Some(json!({ "identifier": "orders-trapheus-new" }))
    );
    // Numbers and times are AWS's own, so that an event is found in its console.
    assert_eq!((told[3].id, told[3].previous_id), (5, 4));
    assert_eq!(told[0].at.to_string(), "2026-09-21T14:13:21.5Z");
}

#[test]
fn a_task_that_could_not_begin_has_failed() {
    let not_scheduled = LambdaFunctionScheduleFailedEventDetails::builder().error("Lambda.Unknown");
    let timed_out = LambdaFunctionTimedOutEventDetails::builder().error("States.Timeout");
    let not_started = TaskStartFailedEventDetails::builder()
        .resource_type("lambda")
        .resource("invoke")
        .error("States.Permissions")
        .build()
        .expect("it has all that it must");
    let service = TaskScheduledEventDetails::builder()
        .resource_type("lambda")
        .resource("invoke")
        .region("eu-central-1")
        .parameters(r#"{"FunctionName":"trapheus-Restore"}"#)
        .build()
        .expect("it has all that it must");
    let told = Written::default()
        .started()
        .entered("TaskStateEntered", "Restore")
        .scheduled_after(2)
        .add("LambdaFunctionScheduleFailed", |event| {
            event.lambda_function_schedule_failed_event_details(not_scheduled.build())
        })
        .called()
        .add("LambdaFunctionTimedOut", |event| {
            event.lambda_function_timed_out_event_details(timed_out.build())
        })
        .add("TaskScheduled", |event| {
            event.task_scheduled_event_details(service)
        })
        .add("TaskStartFailed", |event| {
            event.task_start_failed_event_details(not_started)
        })
        .told();
    let ended: Vec<_> = told[3..]
        .iter()
        .filter_map(|event| Some((line(event), event.error.as_deref()?)))
        .collect();
    assert_eq!(
        ended,
        [
            ("TaskFailed Restore".to_owned(), "Lambda.Unknown"),
            ("TaskTimedOut Restore".to_owned(), "States.Timeout"),
            ("TaskFailed Restore".to_owned(), "States.Permissions"),
        ]
    );
    assert_eq!(
        told[6].input,
        Some(json!({ "FunctionName": "trapheus-Restore" }))
    );
}

#[test]
fn iterations_that_run_side_by_side_are_told_apart() {
    let iteration = |index| {
        let details = MapIterationEventDetails::builder();
        details.name("EachTarget").index(index).build()
    };
    let told = Written::default()
        .started()
        .entered("MapStateEntered", "EachTarget")
        .add("MapStateStarted", |event| event)
        .add("MapIterationStarted", |event| {
            event.map_iteration_started_event_details(iteration(0))
        })
        .add_after(3, "MapIterationStarted", |event| {
            event.map_iteration_started_event_details(iteration(1))
        })
        .entered_after(4, "TaskStateEntered", "RestoreThere")
        .entered_after(5, "TaskStateEntered", "RestoreThere")
        .scheduled_after(6)
        .scheduled_after(7)
        .add_after(9, "MapIterationSucceeded", |event| {
            event.map_iteration_succeeded_event_details(iteration(1))
        })
        .add_after(8, "MapIterationSucceeded", |event| {
            event.map_iteration_succeeded_event_details(iteration(0))
        })
        .add("MapStateSucceeded", |event| event)
        .exited("MapStateExited", "EachTarget")
        .entered("TaskStateEntered", "Unshare")
        .told();
    let lines: Vec<String> = told.iter().map(line).collect();
    assert_eq!(
        lines[1..],
        [
            "MapStateEntered EachTarget",
            "MapStateStarted EachTarget",
            "MapIterationStarted EachTarget[0]",
            "MapIterationStarted EachTarget[1]",
            "TaskStateEntered RestoreThere[0]",
            "TaskStateEntered RestoreThere[1]",
            "TaskScheduled RestoreThere[0]",
            "TaskScheduled RestoreThere[1]",
            "MapIterationSucceeded EachTarget[1]",
            "MapIterationSucceeded EachTarget[0]",
            "MapStateSucceeded EachTarget",
            "MapStateExited EachTarget",
            "TaskStateEntered Unshare",
        ]
    );
}

#[test]
fn an_execution_that_is_redriven_goes_on_in_its_state() {
    let aborted = Written::default()
        .started()
        .entered("TaskStateEntered", "Restore")
        .called()
        .aborted(None);
    assert_eq!(aborted.status(), SummaryStatus::Stopped);

    let before = aborted.0.len() as i64;
    // AWS goes on with the task, and does not enter the state anew.
    let redriven = aborted.redriven().scheduled_after(before + 1);
    let told = redriven.told();
    let lines: Vec<String> = told.iter().map(line).collect();
    assert_eq!(
        lines[3..],
        [
            "ExecutionAborted -",
            "ExecutionRedriven -",
            "TaskScheduled Restore"
        ]
    );
    let running = summary("run_1", Standing::Running, &told);
    assert_eq!(running.status, SummaryStatus::Running);
    assert_eq!((running.finished_at, running.error), (None, None));
}

#[test]
fn only_an_end_that_the_definition_has_is_one() {
    let begun = || {
        Written::default()
            .started()
            .entered("TaskStateEntered", "Restore")
    };
    // Ended from outside: by somebody, by AWS's limits, or so that it is undone.
    assert_eq!(
        begun().aborted(Some("MyReason")).status(),
        SummaryStatus::Stopped
    );
    assert_eq!(
        begun().aborted(Some(ROLLED_BACK)).status(),
        SummaryStatus::Failed
    );
    let timed_out = begun().add("ExecutionTimedOut", |event| {
        let details = ExecutionTimedOutEventDetails::builder().error("States.Timeout");
        event.execution_timed_out_event_details(details.build())
    });
    assert_eq!(timed_out.status(), SummaryStatus::Stopped);
    let cut_short = begun().execution_failed("States.Runtime");
    assert_eq!(cut_short.status(), SummaryStatus::Stopped);
    let told = summary("run_1", Standing::Stopped, &cut_short.told());
    assert_eq!((told.exit_code(), told.finished_at), (4, None));
    assert_eq!(told.error.expect("it says why").name, "States.Runtime");

    let failed = |error| {
        let begun = begun().entered("FailStateEntered", "Failed");
        begun.execution_failed(error).status()
    };
    assert_eq!(failed("Trapheus.Denied"), SummaryStatus::Failed);
    assert_eq!(
        failed("Trapheus.RollbackFailed"),
        SummaryStatus::RollbackFailed
    );

    let keeping = Written::default()
        .started()
        .entered("WaitStateEntered", "KeepOriginal");
    assert_eq!(keeping.status(), SummaryStatus::KeepingOriginal);
    assert_eq!(
        keeping.add("ExecutionSucceeded", |event| event).status(),
        SummaryStatus::Succeeded
    );
}
