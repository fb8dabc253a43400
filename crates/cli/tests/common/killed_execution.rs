//! `kill -9` of `trapheus`, and runs to the end.

use super::execution::{Ended, Home, Running};

impl Home {
    /// Runs `trapheus` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }
}

impl Running<'_> {
    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        assert!(!self.has_ended(), "it had ended by itself");
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        let status = self.child.try_wait().expect("a child can be looked at");
        status.is_some()
    }
}
