//! A `trapheus` that is stopped and woken up again, and others beside it.

use std::process::Command;

use super::execution::{Home, Running};
use super::patience::until;
use super::trapheus::trapheus;

impl Home {
    /// Runs another `trapheus` in this home, whoever runs there: its exit code and all it says.
    pub(crate) fn ask(&self, endpoint_url: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = trapheus(self.directory.path());
        command
            .env("AWS_ENDPOINT_URL", endpoint_url)
            .args(arguments);
        let output = command.output().expect("trapheus starts");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.code(), said)
    }
}

impl Running<'_> {
    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.expect("kill starts").success(), "it is there");
    }

    /// Waits until it ends by itself; its exit code.
    pub(crate) fn code(mut self) -> Option<i32> {
        let ended = until("trapheus ends", || {
            self.child.try_wait().expect("a child can be looked at")
        });
        ended.code()
    }
}
