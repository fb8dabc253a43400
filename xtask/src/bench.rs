//! `cargo xtask bench`: the measurements that the performance section quotes.

use crate::{prerequisites, process};

/// Runs the named benchmark; each prints a table that compares two things in one run.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (name, rest) = arguments
        .split_first()
        .ok_or("which one? outage | snapshot | overhead | all")?;
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
                .args([
                    "bench",
                    "--quiet",
                    "--locked",
                    "--workspace",
                    "--bench",
                    name,
                    "--",
                ])
                .args(rest),
        )
    })
}
