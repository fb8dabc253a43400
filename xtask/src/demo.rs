//! `cargo xtask demo`: the whole story, from a bare machine.

use crate::{prerequisites, process};

/// Installs what is missing, builds the binary, runs `trapheus demo` with the arguments given.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    prerequisites::postgres()?;
    process::run(
        process::cargo()
            .args([
                "run",
                "--quiet",
                "--locked",
                "--package",
                "trapheus",
                "--",
                "demo",
            ])
            .args(arguments),
    )
}
