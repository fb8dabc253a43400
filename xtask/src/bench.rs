//! `cargo xtask bench`: the measurements that the performance section quotes.

use std::process::Command;

use crate::{bootstrap, prerequisites, process};

/// Runs the named benchmark; each prints a table that compares two things in one run.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (name, rest) = arguments
        .split_first()
        .ok_or("which one? outage | snapshot | overhead | lambda | all")?;
    if name == "lambda" {
        return lambda(rest);
    }
    let chosen: &[&str] = match name.as_str() {
        "outage" => &["outage"],
        "snapshot" => &["snapshot"],
        "overhead" => &["overhead"],
        "all" => &["overhead", "snapshot", "outage"],
        unknown => return Err(format!("there is no benchmark {unknown:?}")),
    };
    prerequisites::postgres()?;
    chosen.iter().try_for_each(|name| {
        process::run(
            process::cargo()
                // What is measured is the work of disks and of PostgreSQL, or virtual time. The
                // profile that everything else is built with measures the same, and the SDK for
                // AWS is not built once more for that.
                .args(["bench", "--profile", "dev", "--quiet", "--locked"])
                .args(["--workspace", "--bench", name, "--"])
                .args(rest),
        )
    })
}

/// The function's program as it is deployed, against one in Python that makes the same calls.
fn lambda(arguments: &[String]) -> Result<(), String> {
    bootstrap::run_for(&[])?;
    process::run(
        Command::new(prerequisites::python()?)
            .args(["-B", "tests/python/bench_lambda.py", bootstrap::PROGRAM])
            .args(arguments),
    )
}
