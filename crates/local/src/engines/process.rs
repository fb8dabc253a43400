//! Recognises the process of a server.
//!
//! A number in a file proves nothing: after a crash the file stays, and its number may by now belong to another program,
//! or to the server of another directory. Signalling that number would kill a stranger. So a process is believed to be
//! a server only while it has the name of the engine's program *and* its working directory is this very data directory
//! (compared by device and inode, so that links and renames don't matter).
//!
//! This relies on `/proc`, so on Linux.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often a process is looked at that is about to start or end.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Every process of that program whose working directory this is.
pub(super) fn servers_of(program: &str, data: &Utf8Path) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let pid = Pid::from_raw(number);
        if is_server_of(pid, program, data) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// A zombie has no working directory any more, so it counts as gone.
pub(super) fn is_server_of(pid: Pid, program: &str, data: &Utf8Path) -> bool {
    let process = Utf8PathBuf::from(format!("/proc/{pid}"));
    let named =
        std::fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == program);
    if !named {
        return false;
    }
    let identity = |path: &Utf8Path| {
        std::fs::metadata(path)
            .ok()
            .map(|metadata| (metadata.dev(), metadata.ino()))
    };
    identity(&process.join("cwd")).is_some_and(|working| identity(data) == Some(working))
}

/// A process that is gone already has what the signal is for.
pub(super) fn send(pid: Pid, signal: Signal) -> io::Result<()> {
    match kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
