//! `kill -9` of local RDS, and its next start.

use super::local::{LocalRds, start};

impl LocalRds {
    /// `kill -9` of the control plane alone. Its servers run on.
    pub(crate) fn kill(&mut self) {
        drop(self.server.take().expect("it is up"));
    }

    /// Starts it again after a [`kill`](Self::kill), on the same directory and address.
    pub(crate) fn up_again(&mut self, arguments: &[&str]) {
        assert!(self.server.is_none(), "it is up");
        let address = self.endpoint_url.trim_start_matches("http://");
        let (server, _) = start(&self.directory, address, arguments);
        self.server = Some(server);
    }
}
