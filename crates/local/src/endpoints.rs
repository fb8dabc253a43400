//! The endpoints that are open, brought into line with those that should be.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::sync::Mutex;

#[cfg(test)]
use crate::engines::Backend;
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
    desired: Desired,
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

    /// Opens, redirects and closes endpoints until they are as desired. A connection survives only if the same
    /// instance's server stays behind it.
    pub(crate) async fn become_as(&self, desired: BTreeMap<SocketAddr, Desired>) {
        if self.sockets == Sockets::Unused {
            return;
        }
        let mut open = self.open.lock().await;
        open.retain(|address, endpoint| {
            let stays = desired.contains_key(address);
            if !stays {
                endpoint.forwarder.set_backend(None);
                endpoint.forwarder.drop_connections();
            }
            stays
        });
        for (address, desired) in desired {
            match open.get_mut(&address) {
                Some(endpoint) if endpoint.desired == desired => {}
                Some(endpoint) => {
                    endpoint
                        .forwarder
                        .set_backend(Some(desired.backend.clone()));
                    endpoint.forwarder.drop_connections();
                    endpoint.desired = desired;
                }
                None => match Forwarder::bind(address).await {
                    Ok(forwarder) => {
                        forwarder.set_backend(Some(desired.backend.clone()));
                        open.insert(address, Open { forwarder, desired });
                    }
                    Err(error) => tracing::error!(%address, %error, "an endpoint can't be opened"),
                },
            }
        }
    }

    /// Closes everything.
    pub(crate) async fn close(&self) {
        self.become_as(BTreeMap::new()).await;
    }

    /// The backend behind an address, for tests.
    #[cfg(test)]
    pub(crate) async fn backend(&self, address: SocketAddr) -> Option<Backend> {
        self.open
            .lock()
            .await
            .get(&address)
            .map(|endpoint| endpoint.desired.backend.clone())
    }
}
