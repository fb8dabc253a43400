//! The real binary, as a user starts it.

use std::env;
use std::path::Path;
use std::process::Command;

use super::account::without_account;

/// `trapheus`, with its state in `home`, no settings but the test's, and results as JSON.
pub(crate) fn trapheus(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trapheus"));
    without_account(&mut command);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TRAPHEUS_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(home)
        .env("TRAPHEUS_HOME", home)
        .env("TRAPHEUS_OUTPUT", "json");
    command
}
