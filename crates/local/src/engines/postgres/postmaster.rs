//! Tells whether a server runs on a data directory, and which process it is.
//!
//! PostgreSQL keeps its process id in `postmaster.pid`. The number is believed only while it is that of a server of this
//! very directory ([`process`] says how that is known), into which a postmaster changes at its start.
//!
//! The file is never removed here. Consider A, which finds it stale and is about to remove it; B, which starts a server
//! meanwhile, and the server replaces the file with its own; then A removes what it believes to be the stale one. Now a
//! server C can be started on data that B's already writes to. PostgreSQL takes over a stale file by itself.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::engines::StopMode;
use crate::engines::process::{self, LOOK_INTERVAL, send};

/// The name of every process of a server.
const PROGRAM: &str = "postgres";

/// Looks that a child gets to leave by itself before it is killed: two seconds.
const PATIENCE_LOOKS: u32 = 400;

/// Line of `postmaster.pid`, counted from zero, that says what the server is doing.
const STATUS_LINE: usize = 7;

/// A server's first process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Postmaster {
    data: Utf8PathBuf,
    pid: Pid,
}

/// What a postmaster says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Starting,
    Ready,
    Stopping,
    Standby,
}

impl Postmaster {
    /// The server that runs on the directory.
    pub(super) fn find(data: &Utf8Path) -> Option<Self> {
        let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let number = file.lines().next()?.trim().parse().ok()?;
        let postmaster = Self {
            data: data.to_owned(),
            pid: Pid::from_raw(number),
        };
        postmaster.runs().then_some(postmaster)
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether the process is still there and still this one.
    pub(super) fn runs(&self) -> bool {
        process::is_server_of(self.pid, PROGRAM, &self.data)
    }

    /// What the server is doing; `None` while it hasn't said.
    pub(super) fn status(&self) -> Option<Status> {
        let file = std::fs::read_to_string(self.data.join("postmaster.pid")).ok()?;
        let mut lines = file.lines();
        if lines.next()?.trim() != self.pid.to_string() {
            return None;
        }
        match lines.nth(STATUS_LINE - 1)?.trim() {
            "starting" => Some(Status::Starting),
            "ready" => Some(Status::Ready),
            "stopping" => Some(Status::Stopping),
            "standby" => Some(Status::Standby),
            _ => None,
        }
    }

    /// Asks the server to stop.
    pub(super) fn stop(&self, mode: StopMode) -> io::Result<()> {
        let signal = match mode {
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        };
        send(self.pid, signal)
    }

    /// Waits until the process and all its children are gone.
    pub(super) async fn gone(&self) -> io::Result<()> {
        while self.runs() {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        end_orphans(&self.data).await
    }
}

/// Ends what a killed postmaster left behind: its children hold the shared memory, and a new server refuses to start
/// until they are gone. They notice the loss by themselves unless they are in the middle of something.
pub(super) async fn end_orphans(data: &Utf8Path) -> io::Result<()> {
    for look in 0_u32.. {
        let orphans = process::servers_of(PROGRAM, data)?;
        if orphans.is_empty() {
            return Ok(());
        }
        let signal = if look < PATIENCE_LOOKS {
            Signal::SIGQUIT
        } else {
            Signal::SIGKILL
        };
        for orphan in orphans {
            send(orphan, signal)?;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number in the file is that of a living process which isn't a server: this test's own.
    #[test]
    fn a_stranger_with_the_right_number_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let data = Utf8Path::from_path(directory.path()).unwrap();
        let own = std::process::id();
        std::fs::write(
            data.join("postmaster.pid"),
            format!("{own}\n{data}\n0\n5432\n\n\n\nready\n"),
        )
        .unwrap();
        assert_eq!(Postmaster::find(data), None);
    }

    #[test]
    fn a_file_that_is_being_written_is_no_server_yet() {
        let directory = tempfile::tempdir().unwrap();
        let data = Utf8Path::from_path(directory.path()).unwrap();
        std::fs::write(data.join("postmaster.pid"), "").unwrap();
        assert_eq!(Postmaster::find(data), None);
    }
}
