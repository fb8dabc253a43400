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

/// Ends the programs of these names that are at work below a directory, and returns when they are gone. A control plane
/// that is killed leaves them: whatever they still write would get in the way of whoever removes or makes the directory,
/// and `initdb` even empties it when it fails.
pub(super) async fn end_programs(programs: &[&str], directory: &Utf8Path) -> io::Result<()> {
    loop {
        let mut is_quiet = true;
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let pid = Pid::from_raw(number);
            if works_below(pid, programs, directory) {
                is_quiet = false;
                send(pid, Signal::SIGKILL)?;
            }
        }
        if is_quiet {
            return Ok(());
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// Whether the process has one of the names, as far as Linux keeps them, and an argument below the directory. A zombie
/// has no arguments any more, so it counts as gone.
fn works_below(pid: Pid, programs: &[&str], directory: &Utf8Path) -> bool {
    const NAME_LENGTH_MAX: usize = 15;
    let process = Utf8PathBuf::from(format!("/proc/{pid}"));
    let is_program = std::fs::read_to_string(process.join("comm")).is_ok_and(|name| {
        let mut programs = programs.iter();
        programs.any(|program| program.get(..NAME_LENGTH_MAX).unwrap_or(program) == name.trim())
    });
    let is_below = |argument: &str| {
        let mut places = argument.match_indices(directory.as_str());
        places.any(|(at, found)| {
            matches!(
                argument[at + found.len()..].chars().next(),
                None | Some('/')
            )
        })
    };
    is_program
        && std::fs::read_to_string(process.join("cmdline"))
            .is_ok_and(|line| line.split('\0').any(is_below))
}

/// A process that is gone already has what the signal is for.
pub(super) fn send(pid: Pid, signal: Signal) -> io::Result<()> {
    match kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_at_work_below_the_directory_ends() {
        let place = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(place.path()).unwrap().join("one");
        let started = ["one/log", "one-more/log"].map(|file| {
            let file = place.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "").unwrap();
            std::process::Command::new("tail")
                .arg("-f")
                .arg(file)
                .spawn()
                .unwrap()
        });
        let [mut below, mut beside] = started;
        // Its name is the test's own until it has become the program.
        while std::fs::read_to_string(format!("/proc/{}/comm", below.id()))
            .unwrap()
            .trim()
            != "tail"
        {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        end_programs(&["less"], &directory).await.unwrap();
        assert_eq!(below.try_wait().unwrap(), None);
        end_programs(&["less", "tail"], &directory).await.unwrap();
        assert!(!below.wait().unwrap().success());
        assert_eq!(beside.try_wait().unwrap(), None);
        beside.kill().unwrap();
        beside.wait().unwrap();
    }
}
