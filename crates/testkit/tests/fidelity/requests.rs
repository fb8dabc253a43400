//! The requests of a restore, engine by engine: which, in which order, with which members.

use std::collections::BTreeMap;

use serde_json::json;
use trapheus_testkit::{Simulation, request_log};

use crate::facts;
use crate::originals::{self, VARIANTS, describe};

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
        let identity =
            |database: trapheus_testkit::Element| database.text_of("DbiResourceId").to_owned();
        let original = identity(describe(&simulation, "orders").await);
        let source = identity(describe(&simulation, "plain").await);
        let before = simulation.requests().len();
        let input = json!({
            "task": "db_restore", "identifier": "orders", "sourceIdentifier": "plain",
            "strategy": strategy,
        });
        let run = simulation.run(input).await;
        assert_eq!(
            run.summary.exit_code(),
            0,
            "{engine}: {:#?}",
            run.summary.error
        );
        let restored = run.summary.restored_resource_id.as_ref();
        let restored = restored.expect("it has restored").to_string();
        let requests = simulation.request_entries().split_off(before);
        let words = BTreeMap::from([
            (original, "ORIGINAL"),
            (source, "SOURCE"),
            (restored, "RESTORED"),
            (run.id.to_string(), "EXECUTION"),
        ]);
        insta::assert_snapshot!(
            format!("requests_{engine}_{strategy}"),
            request_log::print(&requests, &words)
        );
    }
}
