//! The endpoints that are open, brought into line with those that should be.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::sync::Mutex;

use crate::forwarder::Forwarder;
use crate::options::Engines;
use crate::serving::Desired;

/// The open endpoints. Simulated servers have none: their clients call the library.
#[derive(Debug)]
pub(crate) struct Endpoints {
    sockets: Sockets,
    open: Mutex<BTreeMap<SocketAddr, Open>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sockets {
    Used,
    Unused,
}

#[derive(Debug)]
struct Open {
    forwarder: Forwarder,
    /// What is behind it; nothing while no instance has the name, when the listener holds the address for it.
    desired: Option<Desired>,
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

    /// Opens and redirects endpoints until they are as desired. A connection survives only if the same
    /// instance's server stays behind it.
    ///
    /// What is desired is asked when it is this caller's turn: of two callers the later one would otherwise bring
    /// back what the earlier one has just overtaken.
    pub(crate) async fn become_as(&self, desired: impl FnOnce() -> BTreeMap<SocketAddr, Desired>) {
        if self.sockets == Sockets::Unused {
            return;
        }
        let mut open = self.open.lock().await;
        let desired = desired();
        for (address, endpoint) in open.iter_mut() {
            if !desired.contains_key(address) && endpoint.desired.take().is_some() {
                endpoint.forwarder.set_backend(None);
                endpoint.forwarder.drop_connections();
            }
        }
        for (address, desired) in desired {
            match open.get_mut(&address) {
                Some(endpoint) if endpoint.desired.as_ref() == Some(&desired) => {}
                Some(endpoint) => {
                    endpoint
                        .forwarder
                        .set_backend(Some(desired.backend.clone()));
                    endpoint.forwarder.drop_connections();
                    endpoint.desired = Some(desired);
                }
                None => match Forwarder::bind(address).await {
                    Ok(forwarder) => {
                        forwarder.set_backend(Some(desired.backend.clone()));
                        open.insert(
                            address,
                            Open {
                                forwarder,
                                desired: Some(desired),
                            },
                        );
                    }
                    Err(error) => tracing::error!(%address, %error, "an endpoint can't be opened"),
                },
            }
        }
    }

    /// Closes everything.
    pub(crate) async fn close(&self) {
        self.open.lock().await.clear();
    }
}
