//! The requests of a restore, engine by engine: which, in which order, with which members.

use std::collections::BTreeMap;

use serde_json::json;
use trapheus_testkit::{Simulation, World, request_log};

use crate::cluster_originals::{self, FLAVOURS};
use crate::facts;
use crate::originals::{self, VARIANTS};

#[tokio::test(start_paused = true)]
async fn a_restore_asks_for_this_and_nothing_else() {
    for (engine, excluded, strategy) in [
        ("postgres", VARIANTS[0], "swap"),
        ("postgres", VARIANTS[1], "in_place"),
        ("mysql", VARIANTS[1], "swap"),
        ("mariadb", VARIANTS[0], "swap"),
        ("oracle-ee-cdb", VARIANTS[1], "swap"),
        ("sqlserver-ee", VARIANTS[1], "swap"),
        ("db2-ae", VARIANTS[0], "swap"),
    ] {
        let simulation = Simulation::new(1).await;
        let facts = facts::of("db_instance", "CreateDBInstance");
        originals::make(&simulation, engine, &facts, excluded).await;
        simulation.create_snapshot("plain", "plain-snapshot").await;
        assert_asked(&simulation, engine, strategy).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_clusters_restore_asks_for_this_and_nothing_else() {
    for flavour in FLAVOURS {
        let simulation = Simulation::new(1).await;
        cluster_originals::make(&simulation, flavour).await;
        cluster_originals::create_snapshot(&simulation, "plain").await;
        let strategy = if flavour.is_aurora {
            "swap"
        } else {
            "in_place"
        };
        assert_asked(&simulation, flavour.name, strategy).await;
    }
}

/// Restores the original from the plain one's snapshot, and compares what was asked for.
async fn assert_asked(simulation: &Simulation, of: &str, strategy: &str) {
    let mut words = identities(&simulation.world().await, "ORIGINAL");
    let before = simulation.requests().len();
    let input = json!({
        "task": "db_restore", "identifier": "orders", "sourceIdentifier": "plain",
        "strategy": strategy,
    });
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 0, "{of}: {:#?}", run.summary.error);
    let requests = simulation.request_entries().split_off(before);
    for (identity, word) in identities(&simulation.world().await, "RESTORED") {
        words.entry(identity).or_insert(word);
    }
    words.insert(run.id.to_string(), "EXECUTION".to_owned());
    insta::assert_snapshot!(
        format!("requests_{}_{strategy}", of.replace(' ', "_")),
        request_log::print(&requests, &words)
    );
}

/// The identities of all databases, and what stands for them.
fn identities(world: &World, word: &str) -> BTreeMap<String, String> {
    let instances = world.databases.iter();
    let instances = instances.map(|(name, seen)| (&seen.resource_id, name));
    let clusters = world.clusters.iter();
    let clusters = clusters.map(|(name, seen)| (&seen.resource_id, name));
    instances
        .chain(clusters)
        .map(|(identity, name)| (identity.clone(), format!("{word}:{name}")))
        .collect()
}
