//! Running other programs, and speaking to the person who runs us.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Writes a message for a person. Standard output is left to what the commands print.
#[expect(
    clippy::print_stderr,
    reason = "this is the one place that speaks to a person"
)]
pub(crate) fn say(message: &str) {
    eprintln!("{}", message.trim_end());
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end; an error names the command and how it ended.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}").replace('"', "");
    let status = command
        .status()
        .map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{shown}` ended with {status}"))
    }
}

/// Whether a command exists and ends well; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Where things that outlive a checkout are kept: tools and Python packages.
pub(crate) fn cache() -> PathBuf {
    if let Some(given) = env::var_os("TRAPHEUS_CACHE") {
        return given.into();
    }
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.unwrap_or_else(env::temp_dir).join("trapheus")
}
