//! Every task that has succeeded is run again with what it was given, by another process that knows
//! nothing, and once more by that one: it says the same and changes nothing. So it may be run twice
//! by two engines, or after a crash before its success was written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use trapheus_restore::{ErrorName, TaskError};
use trapheus_testkit::{Simulation, Success};

use crate::stage::{Kind, PATHS, STRATEGIES, Scene, is_change, lines, of_every_kind};

async fn sweep(kind: Kind) {
    let mut visited = BTreeMap::new();
    for strategy in STRATEGIES {
        for path in PATHS {
            let scene = Scene::set(kind, strategy, path).await;
            let (_, recording) = scene.stage.simulation.record(scene.input.clone()).await;
            for success in &recording.successes {
                let at = format!("{}, {}", scene.name(), success.state);
                assert_changes_nothing(success, &at).await;
            }
            let states = recording.successes.iter().map(|one| one.state.as_str());
            visited.insert(scene.name(), states.collect::<Vec<_>>().join(" "));
        }
    }
    lines("repeats", kind, &visited);
}

async fn assert_changes_nothing(success: &Success, at: &str) {
    let simulation = success.world.thaw().await;
    let before = simulation.world().await;
    for time in ["again", "and again"] {
        let made = make_it_so(&simulation, success).await;
        let made = made.unwrap_or_else(|error| panic!("{at}, {time}: {error}"));
        let forgotten = match success.resource.as_str() {
            "${RollBack}" => [&OF_THE_MOMENT[..], &OF_A_WATCH[..]].concat(),
            _ => OF_THE_MOMENT.to_vec(),
        };
        let said = without(&forgotten, success.output.clone());
        assert_eq!(without(&forgotten, made), said, "{at}, {time}");
    }
    let mut requests = simulation.requests();
    requests.retain(|action| is_change(action));
    assert_eq!(requests, [""; 0], "{at}");
    assert_eq!(simulation.world().await, before, "{at}");
}

/// Runs a task until it is so, as its state does.
async fn make_it_so(simulation: &Simulation, success: &Success) -> Result<Value, TaskError> {
    loop {
        let tasks = simulation.tasks();
        match tasks.run(&success.resource, success.input.clone()).await {
            Err(error) if error.name == ErrorName::InProgress => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            made => return made,
        }
    }
}

/// What it cost, and what it has removed, which can be removed only once.
const OF_THE_MOMENT: [&str; 2] = ["calls", "replaced"];
/// Between when and when the name was silent: a roll-back sees that, and takes its mark off.
const OF_A_WATCH: [&str; 2] = ["downSince", "servingSince"];

/// What a task said, but for some of it.
fn without(forgotten: &[&str], mut said: Value) -> Value {
    if let Value::Object(members) = &mut said {
        members.retain(|name, _| !forgotten.contains(&name.as_str()));
    }
    said
}

of_every_kind!(sweep);
