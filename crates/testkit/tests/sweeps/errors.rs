//! Every state fails in every way, once: each call that it makes, the first time and the last, is
//! answered with each class of error, or not answered; what it begins ends badly; and its task fails
//! with each name that tasks fail with. What passes by itself also comes more often than anything
//! tries within one attempt. Whatever comes of it is told as it is.
//!
//! All of it is `SWEEPS=full`; a usual run tries every n-th case, the same ones each time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use trapheus_rds::{Class, class_of_code};
use trapheus_restore::ErrorName;
use trapheus_testkit::InState;

use crate::combinations::Combinations;
use crate::stage::{Kind, Path, STRATEGIES, Scene, Strategy, is_full, lines, of_every_kind};

/// `operation: codes`, as the service model lists them.
static CODES: &str = include_str!("../../../rds/facts/error-codes.txt");

/// What every action may answer.
const COMMON: [(&str, u16); 6] = [
    ("AccessDenied", 403),
    ("InternalFailure", 500),
    ("InvalidParameterValue", 400),
    ("NotImplemented", 501),
    ("SomethingNew", 400),
    ("Throttling", 400),
];

/// More often than anything tries within one attempt.
const OFTEN: u64 = 5;

/// Everything has given up by then.
const ENDS_WITHIN: Duration = Duration::from_secs(60 * 24 * 3600);

/// One way to fail, in a state.
#[derive(Debug, Clone)]
struct Case {
    state: String,
    /// The class of error.
    fault: String,
    trouble: InState,
}

impl Case {
    fn name(&self) -> String {
        format!("in {}: {:?}", self.state, self.trouble)
    }
}

/// A path is undone by a second execution, or fails by itself: these are where its states are.
const PATHS: [Path; 3] = [Path::Good, Path::Fails, Path::SwapBack];

async fn sweep(kind: Kind) {
    let mut visited = BTreeMap::new();
    let mut combinations = Combinations::default();
    let mut failed = Vec::new();
    for strategy in STRATEGIES {
        for path in PATHS {
            let cases = cases(&Scene::set(kind, strategy, path).await, path).await;
            for Case { state, fault, .. } in &cases {
                combinations.add_one(strategy, state, fault);
            }
            let total = cases.len();
            let mut tried = 0;
            let mut outcomes: BTreeMap<u8, u32> = BTreeMap::new();
            for case in cases
                .into_iter()
                .skip(strategy as usize)
                .step_by(step(kind))
            {
                tried += 1;
                combinations.visit(strategy, &case.state, &case.fault);
                let told = format!("{kind:?} {strategy:?} {path:?} {}", case.name());
                // A task of its own, so that all that fail are told.
                match tokio::spawn(fail(kind, strategy, path, case)).await {
                    Ok(exit_code) => *outcomes.entry(exit_code).or_default() += 1,
                    Err(_) => failed.push(told),
                }
            }
            let codes = outcomes
                .iter()
                .map(|(code, times)| format!("exit code {code}: {times}"));
            let codes = codes.collect::<Vec<_>>().join(", ");
            let name = format!("{kind:?} {strategy:?} {path:?}");
            visited.insert(name, format!("{tried} of {total} cases, {codes}"));
        }
    }
    assert!(
        failed.is_empty(),
        "{} fail:\n{}",
        failed.len(),
        failed.join("\n")
    );
    visited.extend([combinations.line()]);
    lines("errors", kind, &visited);
}

/// Tries one case, and says how it ended.
async fn fail(kind: Kind, strategy: Strategy, path: Path, case: Case) -> u8 {
    let scene = Scene::set(kind, strategy, path).await;
    let simulation = &scene.stage.simulation;
    simulation.trouble_in(&case.state, case.trouble.clone());
    let run = tokio::time::timeout(ENDS_WITHIN, simulation.run(scene.input.clone()));
    let run = run.await.expect("it ends");
    simulation.clear_faults();
    scene.assert_honest(simulation, &run, &case.name()).await;
    run.summary.exit_code()
}

/// The cases of a path, by the calls that its states make when nothing goes wrong.
async fn cases(scene: &Scene, path: Path) -> Vec<Case> {
    let simulation = &scene.stage.simulation;
    simulation.count_calls_of_states();
    simulation.run(scene.input.clone()).await;
    let mut cases = Vec::new();
    for (state, calls) in simulation.calls_of_states() {
        // The good path's states are not failed again on the way to where another one differs.
        if path != Path::Good && !matches!(state.as_str(), "RollBack" | "SwapBack") {
            continue;
        }
        for name in ErrorName::ALL {
            let times = if name.is_passing() {
                vec![1, OFTEN]
            } else {
                vec![1]
            };
            cases.extend(times.into_iter().map(|times| Case {
                state: state.clone(),
                fault: name.to_string(),
                trouble: InState::Raises {
                    error: name.to_string(),
                    times,
                },
            }));
        }
        for (action, count) in calls {
            for skip in BTreeSet::from([0, count - 1]) {
                for (fault, effect) in effects(&action) {
                    let times = if passes(&fault) {
                        vec![1, OFTEN]
                    } else {
                        vec![1]
                    };
                    for times in times {
                        let armed = json!({
                            "action": action, "skip": skip, "times": times, "effect": effect,
                        });
                        let armed = serde_json::from_value(armed).expect("it is a fault");
                        cases.push(Case {
                            state: state.clone(),
                            fault: fault.clone(),
                            trouble: InState::Calls(armed),
                        });
                    }
                }
            }
        }
    }
    cases
}

/// What can happen to an action: each class of error, by its first code, and what is worse.
fn effects(action: &str) -> BTreeMap<String, Value> {
    let listed = CODES.lines().find_map(|line| {
        let (name, codes) = line.split_once(": ")?;
        (name == action).then_some(codes)
    });
    let listed = listed.unwrap_or_default().split_whitespace();
    let listed = listed.map(|code| (code, if code.contains("NotFound") { 404 } else { 400 }));
    let mut effects = BTreeMap::new();
    for (code, status) in COMMON.into_iter().chain(listed) {
        let class = format!("{:?}", class_of_code(code));
        let effect = json!({"error": {"code": code, "status": status}});
        effects.entry(class).or_insert(effect);
    }
    let mut add = |name: &str, effect: Value| effects.insert(name.to_owned(), effect);
    add(LOST_ANSWER, json!("lost_answer"));
    add(LOST_REQUEST, json!("lost_request"));
    let makes = ["Create", "Restore", "Modify"];
    if makes.iter().any(|verb| action.starts_with(verb)) {
        add("ends badly", json!({"ends_in": "failed"}));
        add("late", json!({"late_seconds": 3600}));
    }
    if action.starts_with("ModifyDB") {
        add("modify fails later", json!("modify_fails"));
    }
    if action.starts_with("Describe") {
        add("stale answer", json!({"stale_seconds": 10}));
    }
    effects
}

const LOST_ANSWER: &str = "answer lost";
const LOST_REQUEST: &str = "request lost";

/// Whether something is tried again after it.
fn passes(fault: &str) -> bool {
    let classes = [Class::Throttled, Class::Unavailable, Class::NoCapacity];
    let is_class = classes.iter().any(|class| format!("{class:?}") == fault);
    is_class || [LOST_ANSWER, LOST_REQUEST].contains(&fault)
}

/// Every n-th case is tried.
fn step(kind: Kind) -> usize {
    match kind {
        _ if is_full() => 1,
        Kind::Instance => 31,
        Kind::Replicas | Kind::MultiAz => 101,
        Kind::Aurora => 151,
    }
}

of_every_kind!(sweep);

#[tokio::test(start_paused = true)]
async fn a_roll_back_that_says_nothing_is_told_with_the_commands_all_the_same() {
    let scene = Scene::set(Kind::Instance, Strategy::Swap, Path::Fails).await;
    let simulation = &scene.stage.simulation;
    let error = "Sandbox.Crashed".to_owned();
    simulation.trouble_in("RollBack", InState::Raises { error, times: 1 });
    let run = simulation.run(scene.input.clone()).await;
    assert_eq!(run.summary.exit_code(), 3, "{:#?}", run.summary);
    let remedy = run.summary.error.expect("it failed").remedy;
    let alerts = simulation.alerts();
    let told = alerts.last().map(|alert| &alert.report.what_to_do);
    assert_eq!(told, Some(&remedy));
    assert!(!remedy.is_empty());
}
