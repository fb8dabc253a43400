//! The endpoints that are open, brought into line with those that should be.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use tokio::sync::Mutex;

use crate::forwarder::{Forwarder, Target};
use crate::options::Engines;

/// The open endpoints. Simulated servers have none: their clients call the library.
#[derive(Debug)]
pub(crate) struct Endpoints {
    sockets: Sockets,
    open: Mutex<BTreeMap<SocketAddr, Forwarder>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sockets {
    Used,
    Unused,
}

impl Endpoints {
    pub(crate) fn new(engines: &Engines) -> Self {
        let sockets = match engines {
            Engines::Real(_) => Sockets::Used,
            Engines::Simulated(_) => Sockets::Unused,
        };
        Self {
            sockets,
            open: Mutex::default(),
        }
    }

    /// Opens and redirects endpoints until they are as desired. An address keeps its listener when nobody answers there
    /// any more. A connection is one to a server: it survives whatever becomes of the endpoint that it was made
    /// through, as long as the server answers somewhere.
    ///
    /// What is desired is asked when it is this caller's turn: of two callers the later one would otherwise bring
    /// back what the earlier one has just overtaken.
    pub(crate) async fn become_as(
        &self,
        desired: impl FnOnce() -> BTreeMap<SocketAddr, Vec<Target>>,
    ) {
        if self.sockets == Sockets::Unused {
            return;
        }
        let mut open = self.open.lock().await;
        let mut desired = desired();
        let answering: BTreeSet<Target> = desired.values().flatten().cloned().collect();
        for (address, forwarder) in open.iter_mut() {
            forwarder.send_to(desired.remove(address).unwrap_or_default());
            forwarder.cut_unless(|target| answering.contains(target));
        }
        for (address, targets) in desired {
            match Forwarder::bind(address).await {
                Ok(forwarder) => {
                    forwarder.send_to(targets);
                    open.insert(address, forwarder);
                }
                Err(error) => tracing::error!(%address, %error, "an endpoint can't be opened"),
            }
        }
    }

    /// Closes everything.
    pub(crate) async fn close(&self) {
        self.open.lock().await.clear();
    }
}
