//! `executions stop` at every event and in every change, and what people do then: resume it, twice
//! at once and once more afterwards; or roll it back, twice.

use std::collections::BTreeMap;

use trapheus_engine::{Error, ExecutionId};
use trapheus_restore::{RollbackOf, SummaryStatus};
use trapheus_testkit::{Calls, Still, When};

use crate::combinations::Combinations;
use crate::stage::{Kind, PATHS, Path, STRATEGIES, Scene, lines, of_every_kind, thinned};

const FAULTS: [&str; 3] = ["stopped in a call", "stopped in a change", "rolled back"];

async fn sweep(kind: Kind) {
    let mut visited = BTreeMap::new();
    let mut combinations = Combinations::default();
    for strategy in STRATEGIES {
        for path in PATHS {
            let scene = Scene::set(kind, strategy, path).await;
            let (run, recording) = scene.stage.simulation.record(scene.input.clone()).await;
            combinations.add(strategy, &recording.stills, &FAULTS);
            let (mut resumed, mut undone) = (0, 0);
            let stills = recording.stills.iter();
            let stills = stills.filter(|still| still.when == When::AfterEvent);
            for (number, still) in thinned(kind, 2, stills).into_iter().enumerate() {
                if still.world.thaw().await.has_ended(&run.id) {
                    continue;
                }
                let calls = [Calls::All, Calls::Changes][number % 2];
                if is_resumed(&scene, still, &run.id, calls).await {
                    combinations.visit(strategy, &still.state, FAULTS[number % 2]);
                    resumed += 1;
                }
                if path != Path::SwapBack && is_undone(&scene, still, &run.id).await {
                    combinations.visit(strategy, &still.state, FAULTS[2]);
                    undone += 1;
                }
            }
            visited.insert(
                scene.name(),
                format!("{resumed} stopped and resumed, {undone} rolled back"),
            );
        }
    }
    visited.extend([combinations.line()]);
    lines("stops", kind, &visited);
}

/// Stopped in the first call or change after that moment, and resumed as people do who are not
/// sure whether they have; `false` where there is no such call.
async fn is_resumed(scene: &Scene, still: &Still, id: &ExecutionId, calls: Calls) -> bool {
    let at = format!("stopped in one of {calls:?} after {}", still.at());
    let simulation = still.world.thaw().await;
    let Some(stopped) = simulation.stop_resumed_in_call(id, 1, calls).await else {
        return false;
    };
    assert_eq!(stopped.summary.status, SummaryStatus::Stopped, "{at}");
    let (one, other) = (simulation.process("one"), simulation.process("other"));
    let handle = one
        .resume(id)
        .unwrap_or_else(|error| panic!("{at}: {error}"));
    assert!(
        matches!(one.resume(id), Err(Error::RunsHere { .. })),
        "{at}"
    );
    assert!(matches!(other.resume(id), Err(Error::Owned { .. })), "{at}");
    let run = simulation.finish(&one, &handle).await;
    scene.assert_truth(&simulation, &run, &at).await;
    for process in [one, other] {
        let refused = process.resume(id).err();
        assert!(
            matches!(refused, Some(Error::HasEnded { .. })),
            "{at}: {refused:?}"
        );
    }
    true
}

/// Rolled back at that moment, and once more; `false` where there is no plan to be rolled back.
async fn is_undone(scene: &Scene, still: &Still, id: &ExecutionId) -> bool {
    let at = format!("{}, rolled back at {}", scene.name(), still.at());
    let simulation = still.world.thaw().await;
    let stopped = simulation.look_at(id);
    if RollbackOf::from_history(id.as_str(), &stopped.history).is_none() {
        return false;
    }
    simulation.abort(id);
    let input = simulation.rollback_input(&stopped, "orders");
    let undone = simulation.run(input.clone()).await;
    let there = scene.there(&simulation, &at);
    if there.has_original().await {
        let status = undone.summary.status;
        assert_eq!(
            status,
            SummaryStatus::Succeeded,
            "{at}: {:#?}",
            undone.summary
        );
        there.assert_original_serves(&undone).await;
    } else {
        // It has been retired: the restored one stays.
        assert_eq!(undone.summary.exit_code(), 2, "{at}: {:#?}", undone.summary);
        there.assert_answers("damaged");
    }
    let world = simulation.world().await;
    let again = simulation.run(input).await;
    assert_eq!(again.summary.status, undone.summary.status, "{at}, twice");
    assert_eq!(simulation.world().await, world, "{at}, twice");
    true
}

of_every_kind!(sweep);
