//! The tests' Python environment: clients and servers that other people wrote.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::without_account;

/// Where the Python sources of the tests are.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python");

/// The interpreter of the environment that `cargo xtask test` makes, told nothing of the AWS
/// account of whoever runs the tests.
pub(crate) fn python() -> Command {
    let interpreter = env::var_os("TRAPHEUS_PYTHON").map(PathBuf::from).unwrap_or_else(|| {
        panic!(
            "TRAPHEUS_PYTHON names no Python with the packages of tests/python/requirements.txt: \
             run the tests by `cargo xtask test`"
        )
    });
    let mut command = Command::new(interpreter);
    command.arg("-B").current_dir(Path::new(SOURCES));
    without_account(&mut command);
    command
}

/// Runs the Python tests of one file; a failure shows what Python said.
pub(crate) fn unittest(module: &str, environment: &[(&str, &str)]) {
    let mut command = python();
    command
        .args(["-m", "unittest", "--verbose", module])
        .envs(environment.iter().copied());
    let done = command.output().expect("Python starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{module} ended with {}\n{said}",
        done.status
    );
    assert!(!said.contains("Ran 0 tests"), "{module} holds no test");
}
