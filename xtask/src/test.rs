//! `cargo xtask test`: everything that CI runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{prerequisites, process, verify};

/// Memory that the tests' databases may take, in KiB; they need about a tenth of it.
const SCRATCH_KIB_MIN: u64 = 6 * 1024 * 1024;

/// Verifies, then runs all tests; arguments go to `cargo test`.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    prerequisites::postgres()?;
    prerequisites::mariadb()?;
    let python = prerequisites::python()?;
    if arguments.is_empty() {
        verify::run()?;
    }
    let names_a_package = arguments
        .iter()
        .any(|word| word == "-p" || word == "--package");
    let mut command = process::cargo();
    command
        .args(["test", "--locked"])
        .args((!names_a_package).then_some("--workspace"))
        .args(arguments)
        .env("TRAPHEUS_PYTHON", python);
    let Some(scratch) = scratch() else {
        return process::run(&mut command);
    };
    let outcome = process::run(command.env("TMPDIR", &scratch));
    if let Err(error) = fs::remove_dir_all(&scratch) {
        process::say(&format!("cannot remove {}: {error}", scratch.display()));
    }
    outcome
}

/// A directory in memory for what the tests throw away, where there is room: on a disk, removing
/// the databases takes longer than testing them.
fn scratch() -> Option<PathBuf> {
    let memory = "/dev/shm";
    let free = Command::new("df")
        .args(["--output=avail", "-k", memory])
        .output()
        .ok()?;
    let free = String::from_utf8(free.stdout).ok()?;
    let free: u64 = free.lines().nth(1)?.trim().parse().ok()?;
    if free < SCRATCH_KIB_MIN {
        return None;
    }
    let directory = PathBuf::from(format!("{memory}/trapheus-tests-{}", std::process::id()));
    fs::create_dir_all(&directory).ok()?;
    Some(directory)
}
