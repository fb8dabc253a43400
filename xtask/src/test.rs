//! `cargo xtask test`: everything that CI runs.

use crate::{prerequisites, process, verify};

/// Verifies, then runs all tests; arguments go to `cargo test`.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    prerequisites::postgres()?;
    let python = prerequisites::python()?;
    if arguments.is_empty() {
        verify::run()?;
    }
    process::run(
        process::cargo()
            .args(["test", "--locked", "--workspace"])
            .args(arguments)
            .env("TRAPHEUS_PYTHON", python),
    )
}
