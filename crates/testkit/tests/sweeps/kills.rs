//! The process dies, before and after every call and every event: another one goes on, and the end
//! is as if nobody had died. For roll-backs and swaps back, that is a roll-back of a roll-back.

use std::collections::BTreeMap;

use trapheus_testkit::When;

use crate::combinations::Combinations;
use crate::stage::{KILLS, Kind, PATHS, STRATEGIES, Scene, lines, of_every_kind, thinned};

async fn sweep(kind: Kind) {
    let mut visited = BTreeMap::new();
    let mut combinations = Combinations::default();
    for strategy in STRATEGIES {
        for path in PATHS {
            let scene = Scene::set(kind, strategy, path).await;
            let simulation = &scene.stage.simulation;
            let (run, recording) = simulation.record(scene.input.clone()).await;
            scene.assert_truth(simulation, &run, "undisturbed").await;
            combinations.add(strategy, &recording.stills, &["killed"]);
            let mut killed = 0;
            for still in thinned(kind, KILLS, recording.stills.iter()) {
                let simulation = still.world.thaw().await;
                if simulation.has_ended(&run.id) {
                    continue;
                }
                let run = simulation.resume(&run.id).await;
                scene.assert_truth(&simulation, &run, &still.at()).await;
                combinations.visit(strategy, &still.state, "killed");
                killed += 1;
            }
            let count = |when: When| recording.moments.get(&when).copied().unwrap_or_default();
            let told = format!(
                "{} changes, {} looks, {} events, {killed} kills",
                count(When::BeforeChange),
                count(When::BeforeLook),
                count(When::BeforeEvent),
            );
            visited.insert(scene.name(), told);
        }
    }
    visited.extend([combinations.line()]);
    lines("kills", kind, &visited);
}

of_every_kind!(sweep);
