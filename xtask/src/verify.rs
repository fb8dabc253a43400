//! `cargo xtask verify`: what can be said of the code without running it.

use std::path::Path;
use std::process::Command;

use crate::{mutants, process};

/// Checks that the deliberate bugs still apply, format, lints, documentation, and the dependencies'
/// licences and sources.
pub(crate) fn run() -> Result<(), String> {
    mutants::check()?;
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    process::run(
        process::cargo()
            .args([
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
            ])
            .args(["--deny", "warnings"]),
    )?;
    process::run(
        process::cargo()
            .args(["doc", "--locked", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )?;
    dependencies()
}

/// Licences, sources and duplicates always; advisories where their database can be reached.
fn dependencies() -> Result<(), String> {
    let tools = process::cache().join("tools");
    let deny = tools.join("bin/cargo-deny");
    if !process::succeeds(Command::new(&deny).arg("--version")) {
        process::say("building cargo-deny (once)");
        process::run(
            process::cargo()
                .args([
                    "install",
                    "--quiet",
                    "--locked",
                    "--debug",
                    "cargo-deny",
                    "--root",
                ])
                .arg(&tools),
        )?;
    }
    process::run(&mut check(&deny, &["licenses", "bans", "sources"]))?;
    if process::succeeds(&mut check(&deny, &["fetch"])) {
        process::run(&mut check(&deny, &["advisories"]))
    } else {
        process::say("the advisory database cannot be reached: advisories are not checked here");
        Ok(())
    }
}

fn check(deny: &Path, what: &[&str]) -> Command {
    let mut command = Command::new(deny);
    command.args(["--log-level", "error", "--locked", "--workspace"]);
    match what {
        ["fetch"] => command.args(["fetch", "db"]),
        checks => command
            .args(["check", "--hide-inclusion-graph"])
            .args(checks),
    };
    command
}
