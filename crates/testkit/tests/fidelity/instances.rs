//! Every attribute of a DB instance, on every engine that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;
use trapheus_rds::{Subject, attributes};
use trapheus_testkit::{Run, Simulation};

use crate::facts;
use crate::fates::{Fate, fates};
use crate::kept;
use crate::originals::{self, ENGINES, VARIANTS, describe};

/// Why no original of ours has another value than by default. Whoever adds an attribute to the
/// table is told here until there is a value or a reason.
fn why_not_varied(attribute: &str, engine: &str) -> Option<&'static str> {
    Some(match attribute {
        "DBInstanceIdentifier" => "is the name itself",
        "Engine" => "a snapshot is of one engine",
        "EngineVersion" => "one minor version known",
        "LicenseModel" if !engine.starts_with("db2") && engine != "oracle-se2" => "one license",
        "DBName" if engine.starts_with("sqlserver") => "a new instance has none",
        "MultiTenant" => "of container databases only",
        "DatabaseInsightsMode" if engine.starts_with("db2") => "one mode",
        "AwsBackupRecoveryPointArn" | "ReplicaMode" => "bound to the original",
        _ if attribute.starts_with("ReadReplicaSource") => "a target that is a replica is refused",
        _ if attribute.starts_with("ReadReplica") => "re-made by name, see the replicas' tests",
        "ActivityStreamPolicyStatus" => "locked for SQL Server only, by its own call",
        "UpgradeRolloutOrder" => "an organization's policy",
        "DBInstanceAutomatedBackupsReplications" => "of another Region, not simulated",
        "ActivityStreamEngineNativeAuditFieldsIncluded" => "Oracle's fields",
        _ => return None,
    })
}

/// Runs a restore of an original that differs from a plain database wherever it may, and tells
/// what became of each attribute. The snapshot is the original's own or that of the plain one,
/// which has none of the values: then nothing survives by being inherited.
pub(crate) struct Trial {
    pub(crate) fates: BTreeMap<String, Fate>,
    run: Run,
}

pub(crate) async fn trial(
    engine: &'static str,
    excluded: &[&str],
    own_snapshot: bool,
    strategy: &str,
) -> Trial {
    let simulation = Simulation::new(1).await;
    let facts = facts::of("db_instance", "CreateDBInstance");
    let plain = originals::make(&simulation, engine, &facts, excluded).await;
    let source = if own_snapshot { "orders" } else { "plain" };
    let snapshot = format!("{source}-snapshot");
    simulation.create_snapshot(source, &snapshot).await;

    let before = describe(&simulation, "orders").await;
    let input = json!({
        "task": "db_restore", "identifier": "orders", "sourceIdentifier": source,
        "strategy": strategy,
    });
    let run = simulation.run(input).await;
    assert_eq!(
        run.summary.exit_code(),
        0,
        "{engine}: {:#?}",
        run.summary.error
    );
    let after = describe(&simulation, "orders").await;
    assert_ne!(
        before.values("DbiResourceId"),
        after.values("DbiResourceId")
    );

    Trial {
        fates: fates(&facts, &plain, &before, &after),
        run,
    }
}

/// Whatever nobody could have kept is said, and nothing else is said to be so.
pub(crate) fn assert_told(engine: &str, trial: &Trial) {
    let fidelity = trial
        .run
        .summary
        .fidelity
        .as_ref()
        .expect("it has compared");
    let told: BTreeSet<&str> = fidelity
        .not_restorable
        .iter()
        .filter_map(|line| line.split(':').next())
        .collect();
    let lost = trial.fates.iter().filter(|(_, fate)| **fate == Fate::Lost);
    let lost: BTreeSet<&str> = lost.map(|(name, _)| name.as_str()).collect();
    assert_eq!(told, lost, "of {engine}");
}

#[tokio::test(start_paused = true)]
async fn every_attribute_of_every_engine_survives() {
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut visited = 0;
    let mut unexplained = Vec::new();
    for engine in ENGINES {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for excluded in VARIANTS {
            for (trials, own_snapshot, strategy) in
                [(&mut own, true, "swap"), (&mut others, false, "in_place")]
            {
                let trial = trial(engine, excluded, own_snapshot, strategy).await;
                assert_told(engine, &trial);
                trials.push(trial);
            }
        }
        for row in attributes(Subject::Instance) {
            let name = row.name.as_str();
            let is = |trials: &[Trial], fate| {
                let mut trials = trials.iter();
                trials.any(|trial| trial.fates.get(name) == Some(&fate))
            };
            let cell = if !row.applies_to(engine) {
                "–"
            } else if !row.is_shown() {
                "not shown"
            } else if is(&others, Fate::Kept) {
                visited += 1;
                if is(&others, Fate::Lost) {
                    "kept, or told why not"
                } else {
                    "kept"
                }
            } else if is(&own, Fate::Kept) {
                visited += 1;
                "with the data"
            } else if let Some(why) = why_not_varied(name, engine) {
                why
            } else {
                unexplained.push(format!("{name} of {engine}"));
                "?"
            };
            table
                .entry(name.to_owned())
                .or_default()
                .push(cell.to_owned());
        }
    }
    assert_eq!(
        unexplained,
        Vec::<String>::new(),
        "neither varied nor explained"
    );
    insta::assert_snapshot!("instances", print(&table, visited));
    let outcome = |attribute: &str| {
        let cells = table[attribute].iter().map(String::as_str);
        kept::together(cells.filter(|cell| *cell != "–"))
    };
    let python = "2 of 46 | 18 of 36";
    let facts = facts::of("db_instance", "CreateDBInstance");
    kept::assert_documented("DB instance", &facts, outcome, python);
}

/// One line per attribute; what is the same of all engines is said once.
fn print(table: &BTreeMap<String, Vec<String>>, visited: usize) -> String {
    let mut text = format!("attribute × engine pairs visited: {visited}\n\n");
    for row in attributes(Subject::Instance) {
        let cells = &table[row.name.as_str()];
        let mut by_cell: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (engine, cell) in ENGINES.iter().zip(cells) {
            by_cell.entry(cell).or_default().push(engine);
        }
        by_cell.remove("–");
        let parts = by_cell.iter().map(|(cell, engines)| match engines.len() {
            length if length == ENGINES.len() => (*cell).to_owned(),
            _ => format!("{cell} ({})", engines.join(", ")),
        });
        let line = parts.collect::<Vec<_>>().join("; ");
        let line = if line.is_empty() {
            "no engine here has it"
        } else {
            &line
        };
        writeln!(text, "{}: {line}", row.name).expect("a text takes everything");
    }
    text
}
