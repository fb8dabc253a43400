//! What must hold whatever happens: replaying gives the same, what is illegal changes nothing,
//! and no text makes the parser panic.

use proptest::prelude::*;
use serde_json::{Value, json};
use trapheus_asl::{Action, Event, StateMachine, TaskId, TimerId};

use crate::support::{Run, Script, Scripted, execution, start_time};

/// A machine with retries, catches, branches, iterations, waits and time-outs.
fn definition() -> String {
    let task = |resource: &str| {
        json!({
            "Type": "Task", "Resource": resource, "TimeoutSeconds": 30, "ResultPath": "$.r",
            "Retry": [{ "ErrorEquals": ["E"], "MaxAttempts": 2, "JitterStrategy": "FULL" }],
        })
    };
    let with = |mut state: Value, name: &str, value: Value| {
        state[name] = value;
        state
    };
    let end = |state| with(state, "End", json!(true));
    let flow = |name: &str, state: Value| json!({ "StartAt": name, "States": { name: state } });
    let map = json!({
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "ResultPath": "$.m",
        "ItemSelector": { "i.$": "$$.Map.Item.Index" }, "Next": "Wait",
        "ItemProcessor": flow("Each", end(task("three"))),
        "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Wait" }],
    });
    json!({ "TimeoutSeconds": 10_000, "StartAt": "First", "States": {
        "First": with(task("one"), "Next", json!("Both")),
        "Both": {
            "Type": "Parallel", "ResultPath": "$.p", "Next": "Map",
            "Branches": [flow("Left", end(task("two"))), flow("Right", end(task("three")))],
            "Retry": [{ "ErrorEquals": ["F"], "MaxAttempts": 1 }],
            "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Map" }],
        },
        "Map": map,
        "Wait": { "Type": "Wait", "Seconds": 7, "Next": "Done" },
        "Done": { "Type": "Succeed" },
    } })
    .to_string()
}

fn scripted() -> impl Strategy<Value = Scripted> {
    let error = |error: &str| Scripted::Error {
        error: error.to_owned(),
        cause: "c".to_owned(),
    };
    prop_oneof![
        3 => Just(Scripted::Output(json!({ "a": 1 }))),
        2 => Just(Scripted::Echo),
        2 => Just(error("E")),
        1 => Just(error("F")),
        1 => Just(Scripted::Hang),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    let runs = || prop::collection::vec(scripted(), 1..6);
    (runs(), runs(), runs()).prop_map(|(one, two, three)| {
        [("one", one), ("two", two), ("three", three)]
            .into_iter()
            .map(|(name, runs)| (name.to_owned(), runs))
            .collect()
    })
}

/// Something that may or may not be possible at the moment.
fn any_event() -> impl Strategy<Value = Event> {
    let at = start_time();
    let task =
        (0_u64..12).prop_map(|id| serde_json::from_value::<TaskId>(json!(id)).expect("an id"));
    let timer =
        (0_u64..12).prop_map(|id| serde_json::from_value::<TimerId>(json!(id)).expect("an id"));
    prop_oneof![
        Just(Event::ExecutionStarted {
            at,
            input: json!({})
        }),
        task.clone().prop_map(move |task| Event::TaskSucceeded {
            at,
            task,
            output: json!(1)
        }),
        task.prop_map(move |task| Event::TaskFailed {
            at,
            task,
            error: "E".to_owned(),
            cause: "c".to_owned()
        }),
        timer.prop_map(move |timer| Event::TimerFired { at, timer }),
    ]
}

/// Any JSON, with a liking for the words of the language.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "Type",
        "Task",
        "Choice",
        "Wait",
        "Pass",
        "Parallel",
        "Map",
        "Succeed",
        "Fail",
        "StartAt",
        "States",
        "A",
        "B",
        "Next",
        "End",
        "Retry",
        "Catch",
        "ErrorEquals",
        "States.ALL",
        "Choices",
        "Variable",
        "StringEquals",
        "NumericLessThanPath",
        "And",
        "Not",
        "$",
        "$.a",
        "$.a[0]",
        "$$",
        "$$.State.Name",
        "$.",
        "$[",
        "$['a",
        "a.$",
        "States.Format('{}', $.a)",
        "States.Array(",
        "Branches",
        "ItemProcessor",
        "Iterator",
        "Parameters",
        "ResultPath",
        "Seconds",
        "Timestamp",
        "2016-03-14T01:59:00Z",
        "ééééééééééé\u{301}éééé",
        "Resource",
        "Default",
    ])
    .prop_map(str::to_owned);
    let text = prop_oneof![4 => words, 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever was done by then, a replay of the events so far goes on as the first run did.
    #[test]
    fn every_prefix_replays_to_the_same(script in script(), cut in any::<prop::sample::Index>()) {
        let definition = definition();
        let run = Run::new(&definition, json!({ "items": [1, 2, 3] }), &script);
        let cut = cut.index(run.events.len() + 1);
        let mut first = execution(&definition);
        let mut replayed = execution(&definition);
        let mut actions = Vec::new();
        for event in &run.events[..cut] {
            actions.extend(first.apply(event).expect("it happened"));
            replayed.apply(event).expect("it happened");
        }
        prop_assert_eq!(replayed.status(), first.status());
        prop_assert_eq!(replayed.outstanding(), outstanding(&actions, &run.events[..cut]));
        for event in &run.events[cut..] {
            actions.extend(replayed.apply(event).expect("it happened"));
        }
        prop_assert_eq!(replayed.status(), run.status());
        prop_assert_eq!(actions, run.actions);
    }

    /// An event that is refused leaves no trace.
    #[test]
    fn illegal_events_change_nothing(
        script in script(),
        events in prop::collection::vec(any_event(), 1..30),
    ) {
        let definition = definition();
        let run = Run::new(&definition, json!({ "items": [1, 2, 3] }), &script);
        let mut execution = execution(&definition);
        let mut actions = Vec::new();
        let mut strange = events.iter().cycle();
        for event in &run.events {
            let unwanted = strange.next().expect("a cycle has no end");
            let before = format!("{execution:?}");
            // Legal ones would lead elsewhere, so they are tried on a copy.
            if execution.clone().apply(unwanted).is_err() {
                execution.apply(unwanted).expect_err("it was refused a moment ago");
                prop_assert_eq!(before, format!("{execution:?}"));
            }
            actions.extend(execution.apply(event).expect("it happened"));
        }
        prop_assert_eq!(actions, run.actions);
    }

    /// Whatever is read, it is accepted or refused.
    #[test]
    fn no_json_makes_the_parser_panic(value in any_json(), state in any_json()) {
        drop(StateMachine::parse(&value.to_string()));
        let machine = json!({ "StartAt": "A", "States": { "A": state, "B": { "Type": "Succeed" } } });
        drop(StateMachine::parse(&machine.to_string()));
    }

    /// Nor does any text.
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), path in "\\$[$.\\['\\]a0*(),é]{0,12}") {
        drop(StateMachine::parse(&text));
        let pass = json!({ "Type": "Pass", "Parameters": { "a.$": path }, "End": true });
        let machine = json!({ "StartAt": "A", "States": { "A": pass } });
        drop(StateMachine::parse(&machine.to_string()));
    }
}

/// The tasks and timers that were started and neither answered nor cancelled, tasks first.
fn outstanding(actions: &[Action], events: &[Event]) -> Vec<Action> {
    let over_task = |id: &TaskId| {
        actions.iter().any(|action| matches!(action, Action::CancelTask { task } if task == id))
            || events.iter().any(|event| {
                matches!(event, Event::TaskSucceeded { task, .. } | Event::TaskFailed { task, .. } if task == id)
            })
    };
    let over_timer = |id: &TimerId| {
        actions
            .iter()
            .any(|action| matches!(action, Action::CancelTimer { timer } if timer == id))
            || events
                .iter()
                .any(|event| matches!(event, Event::TimerFired { timer, .. } if timer == id))
    };
    let tasks = actions
        .iter()
        .filter(|action| matches!(action, Action::StartTask { task, .. } if !over_task(task)));
    let timers = actions
        .iter()
        .filter(|action| matches!(action, Action::StartTimer { timer, .. } if !over_timer(timer)));
    tasks.chain(timers).cloned().collect()
}
