//! `cargo xtask simulate`: random stories in virtual time, and what has been seen in them.

use crate::process;

/// Tells stories; the arguments are those of the simulator.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    process::run(
        process::cargo()
            .args(["run", "--quiet", "--locked"])
            .args(["--package", "trapheus-testkit", "--bin", "simulate", "--"])
            .args(arguments),
    )
}
