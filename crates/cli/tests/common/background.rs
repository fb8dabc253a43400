//! A program that runs beside a test and ends with it, however the test ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running program. It is killed when dropped; after a failed test its messages are shown.
pub(crate) struct Background {
    child: Child,
    log: PathBuf,
}

impl Background {
    /// Starts it, and waits for the line of JSON that it prints when it is ready. Its standard
    /// input stays open as long as the test lives; its messages go to the file `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> (Self, Value) {
        let messages = File::create(log).expect("the log can be created");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(messages)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("standard output can be read");
        let background = Self {
            child,
            log: log.to_owned(),
        };
        let ready = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{command:?} is not ready, it says {line:?}: {error}"));
        (background, ready)
    }

    /// Waits for it to end by itself; its standard input is closed now.
    pub(crate) fn wait(mut self) {
        let status = self.child.wait().expect("a child can be waited for");
        assert!(
            status.success(),
            "the program in the background ended with {status}"
        );
    }
}

impl Drop for Background {
    #[expect(
        clippy::print_stderr,
        reason = "a failed test shows what its programs said"
    )]
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            let messages = fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("--- {}\n{messages}---", self.log.display());
        }
    }
}
