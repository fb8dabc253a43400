//! The demo, as `cargo xtask demo` runs it, with fewer rows.

mod common {
    pub(crate) mod account;
    pub(crate) mod trapheus;
}

use std::fs;

use common::trapheus::trapheus;
use serde_json::{Value, json};
use tempfile::TempDir;

const ROWS: i64 = 20_000;

#[test]
fn the_demo_puts_back_what_was_damaged_and_leaves_nothing() {
    let place = TempDir::new().expect("there is room for a temporary directory");
    let done = trapheus(place.path())
        .args(["demo", "--rows", &ROWS.to_string(), "--output", "json"])
        .env("TMPDIR", traversable(&place))
        .output()
        .expect("trapheus starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "the demo ended with {}\n{said}",
        done.status
    );

    let figures: Value = serde_json::from_slice(&done.stdout).expect("it prints a document");
    assert_eq!(figures["rowsAtSnapshot"], ROWS);
    assert_eq!(figures["rowsDamaged"], ROWS - ROWS / 3);
    assert_eq!(figures["rowsAfter"], ROWS);
    assert_eq!(figures["checksumAfter"], figures["checksumAtSnapshot"]);
    assert_ne!(figures["checksumDamaged"], figures["checksumAtSnapshot"]);
    assert_eq!(figures["endpointAfter"], figures["endpointBefore"]);
    assert!(
        figures["clientWrites"]
            .as_u64()
            .is_some_and(|writes| writes > 0),
        "{figures:#}"
    );
    for figure in ["clientOutageSeconds", "restoreSeconds"] {
        assert!(
            figures[figure]
                .as_f64()
                .is_some_and(|seconds| seconds > 0.0),
            "{figures:#}"
        );
    }
    let fidelity = &figures["fidelity"];
    assert!(
        fidelity["compared"]
            .as_u64()
            .is_some_and(|compared| compared > 30),
        "{fidelity:#}"
    );
    assert_eq!(fidelity["lost"], Value::Array(Vec::new()));

    let left: Vec<_> = fs::read_dir(place.path().join("tmp"))
        .expect("it is there")
        .collect();
    assert!(left.is_empty(), "the demo left {left:?}");
    let show = trapheus(place.path())
        .args(["executions", "show", "last", "--output", "text"])
        .output()
        .expect("trapheus starts");
    let story = String::from_utf8_lossy(&show.stdout);
    for step in [
        "Restore",
        "Configure",
        "Verify",
        "MoveAside",
        "Promote",
        "Retire",
    ] {
        assert!(
            story.contains(&format!("✓ {step}")),
            "the story lacks {step}:\n{story}"
        );
    }

    let processes = servers_below(&place.path().display().to_string());
    assert!(processes.is_empty(), "the demo left running: {processes:?}");
}

#[test]
fn the_demo_tells_the_same_of_mariadb() {
    tells_the_same_of("mariadb", "swap", 1);
}

#[test]
fn the_demo_tells_the_same_of_a_cluster_of_postgresql_servers() {
    tells_the_same_of("aurora-postgresql", "swap", 6);
}

#[test]
fn the_demo_tells_the_same_of_a_cluster_of_mariadb_servers() {
    tells_the_same_of("aurora-mysql", "in_place", 6);
}

/// Every endpoint is where it was and serves what was in the snapshot; clients worked on.
fn tells_the_same_of(engine: &str, strategy: &str, endpoints: usize) {
    let place = TempDir::new().expect("there is room for a temporary directory");
    let done = trapheus(place.path())
        .args(["demo", "--engine", engine, "--strategy", strategy])
        .args(["--rows", "3000", "--output", "json"])
        .env("TMPDIR", traversable(&place))
        .output()
        .expect("trapheus starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}\n{said}", done.status);
    let figures: Value = serde_json::from_slice(&done.stdout).expect("it prints a document");
    assert_eq!(figures["rowsDamaged"], 2000);
    assert_eq!(figures["rowsAfter"], 3000);
    assert_eq!(figures["checksumAfter"], figures["checksumAtSnapshot"]);
    let before = figures["endpointsBefore"].as_object().expect("a list");
    assert_eq!(before.len(), endpoints, "{before:#?}");
    assert_eq!(figures["endpointsAfter"], figures["endpointsBefore"]);
    assert_eq!(figures["endpointsWithOtherRows"], json!([]));
    assert!(figures["clientWrites"].as_u64() > Some(0), "{figures:#}");
    let has_readers = endpoints > 1;
    assert_eq!(figures["readerReads"].as_u64() > Some(0), has_readers);
    let fidelity = &figures["fidelity"];
    assert_eq!(fidelity["lost"], json!([]));
    assert_eq!(figures["restore"]["leftOver"], json!([]));
}

/// A directory for temporary files that other users may pass through.
fn traversable(place: &TempDir) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let inner = place.path().join("tmp");
    fs::create_dir(&inner).expect("a new directory can be made");
    for directory in [place.path(), &inner] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    inner
}

/// Processes whose command line names something below the place.
fn servers_below(place: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("there is a /proc").flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(place))
        .collect()
}
