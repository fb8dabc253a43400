//! Random combinations of attributes: what survives together must survive with anything else, too.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::facts;
use crate::fates::Fate;
use crate::instances::{assert_told, trial};
use crate::originals::{ENGINES, VARIANTS};

const CASES: u32 = 12;
/// Printed with a failure; another one gives other combinations.
const SEED: [u8; 32] = [3; 32];

/// What RDS refuses alone: each needs the others.
const NEEDS: [(&str, &[&str]); 10] = [
    (
        "DedicatedLogVolume",
        &["StorageType", "Iops", "AllocatedStorage"],
    ),
    ("Domain", &["DomainIAMRoleName"]),
    ("DomainFqdn", &["DomainAuthSecretArn", "DomainDnsIps"]),
    ("StorageType", &["Iops", "AllocatedStorage"]),
    ("Iops", &["AllocatedStorage"]),
    ("StorageThroughput", &["Iops", "AllocatedStorage"]),
    ("MonitoringInterval", &["MonitoringRoleArn"]),
    (
        "DatabaseInsightsMode",
        &[
            "PerformanceInsightsEnabled",
            "PerformanceInsightsRetentionPeriod",
        ],
    ),
    (
        "PerformanceInsightsRetentionPeriod",
        &["PerformanceInsightsEnabled"],
    ),
    ("MasterUserSecretKmsKeyId", &["ManageMasterUserPassword"]),
];

fn attributes() -> Vec<String> {
    let facts = facts::of("db_instance", "CreateDBInstance");
    facts.into_iter().map(|fact| fact.attribute).collect()
}

/// All attributes but those chosen and what they need.
fn excluded(chosen: &[String], variant: &[&str]) -> Vec<String> {
    let is_needed = |attribute: &str| {
        let needing = NEEDS.iter().filter(|(_, needs)| needs.contains(&attribute));
        needing
            .into_iter()
            .any(|(name, _)| chosen.iter().any(|chosen| chosen == name))
    };
    let mut excluded = attributes();
    excluded.retain(|name| {
        variant.contains(&name.as_str()) || !chosen.contains(name) && !is_needed(name)
    });
    excluded
}

#[test]
fn any_combination_survives() {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let all = attributes();
    let combinations = (
        select(&ENGINES[..]),
        subsequence(all.clone(), 0..all.len()),
        select(&VARIANTS[..]),
        any::<bool>(),
        select(&["swap", "in_place"][..]),
    );
    let ran = TestRunner::new_with_rng(config, rng).run(
        &combinations,
        |(engine, chosen, variant, own_snapshot, strategy)| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let excluded = excluded(&chosen, variant);
            let excluded: Vec<&str> = excluded.iter().map(String::as_str).collect();
            let trial = runtime.block_on(trial(engine, &excluded, own_snapshot, strategy));
            // What differs is said to be so, and of the original's own snapshot nothing does.
            assert_told(engine, &trial);
            let is_lost = |fate: &Fate| own_snapshot && *fate == Fate::Lost;
            prop_assert!(!trial.fates.values().any(is_lost), "{:?}", trial.fates);
            Ok(())
        },
    );
    ran.unwrap_or_else(|failure| panic!("with the seed {SEED:?}: {failure}"));
}
