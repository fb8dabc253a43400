//! The stable address of one endpoint: accepts clients and passes them on to whatever serves behind it now.
//!
//! ```text
//! client ── TCP 127.a.b.c:port ──▶ Forwarder ── Unix socket ──▶ server, or one of several in turn
//!                                      ▲
//!                         send_to, cut_unless (rename, reboot, fail-over, delete)
//! ```
//! The listener stays open while nothing answers behind the name: were it closed, another program could take the
//! address meanwhile. A client that comes then is disconnected at once.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::Utf8Path;
use rand::{Rng, RngExt};
use tokio::io::{AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::engines::Backend;

/// Bytes under way in one direction of one connection: thousands of connections must fit into memory.
const BUFFER_BYTES: usize = 16 * 1024;

/// Pause after an accept that failed for want of file descriptors, which others give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server's queue of new connections may be full for a moment when thousands come at once.
const CONNECT_TRIES_MAX: u32 = 200;
const CONNECT_PAUSE: Duration = Duration::from_millis(10);

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// The reason.
    #[source]
    pub source: io::Error,
}

/// Listens on one loopback address and port for as long as it lives; its connections end with it.
#[derive(Debug)]
pub struct Forwarder {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: CancellationToken,
}

/// A server behind an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// What its clients know it as: once that changes, their connections are cut.
    pub server: String,
    /// Where it listens.
    pub backend: Backend,
}

/// Where new connections go, and what ends those that were made.
///
/// The two are read together by every connection: one that was accepted before a switch but hasn't reached its server
/// yet is still ended by the cut that follows the switch.
#[derive(Debug, Default)]
struct State {
    targets: Vec<Target>,
    /// How many connections were sent on: they go to the targets in turn.
    sent: usize,
    cuts: BTreeMap<Target, CancellationToken>,
}

impl State {
    /// Where the next connection goes, and what ends it.
    fn next(&mut self) -> Option<(Backend, CancellationToken)> {
        let position = self.sent.checked_rem(self.targets.len())?;
        self.sent += 1;
        let target = self.targets.get(position)?;
        let cut = self.cuts.entry(target.clone()).or_default().clone();
        Some((target.backend.clone(), cut))
    }
}

impl Forwarder {
    /// Takes the address. Until there is a target, clients are disconnected at once.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let failed = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let state = Arc::new(Mutex::new(State::default()));
        let accepting = CancellationToken::new();
        let accept = accept(listener, Arc::clone(&state));
        tokio::spawn(accepting.clone().run_until_cancelled_owned(accept));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// The address that clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends new clients there, in turn; to nobody means that nothing answers. Connections that are open stay.
    pub fn send_to(&self, targets: Vec<Target>) {
        lock(&self.state).targets = targets;
    }

    /// Cuts the open connections to all targets but those that are to keep theirs.
    pub fn cut_unless(&self, keeps: impl Fn(&Target) -> bool) {
        lock(&self.state).cuts.retain(|target, cut| {
            let keeps = keeps(target);
            if !keeps {
                cut.cancel();
            }
            keeps
        });
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.cut_unless(|_| false);
    }
}

/// An address out of 127/8 that others are unlikely to use: not near either end, where people count from.
pub fn random_loopback(random: &mut impl Rng) -> Ipv4Addr {
    Ipv4Addr::new(
        127,
        random.random_range(16..240),
        random.random_range(0..=255),
        random.random_range(2..=253),
    )
}

/// Whether the address can be listened on now. It is let go at once, so somebody else may still come first.
pub async fn can_bind(address: SocketAddr) -> bool {
    TcpListener::bind(address).await.is_ok()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // The fields are changed one by one, so a panic elsewhere can't have left them half changed.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let next = lock(&state).next();
        if let Some((backend, cut)) = next {
            tokio::spawn(cut.run_until_cancelled_owned(serve(client, backend)));
        }
    }
}

/// Serves one client to its end. Errors end the connection, which is all that a client can be told.
async fn serve(client: TcpStream, backend: Backend) {
    let result = match backend {
        Backend::UnixSocket(path) => forward(client, &path).await,
        Backend::Notice(text) => tell(client, &text).await,
        // Has no sockets: clients in the same process talk to it directly.
        Backend::Simulated => Ok(()),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Passes bytes in both directions; the end of one direction is passed on while the other goes on.
async fn forward(mut client: TcpStream, path: &Utf8Path) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = connect(path).await?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER_BYTES, BUFFER_BYTES).await?;
    Ok(())
}

async fn tell(mut client: TcpStream, text: &[u8]) -> io::Result<()> {
    client.write_all(text).await?;
    client.shutdown().await
}

async fn connect(path: &Utf8Path) -> io::Result<UnixStream> {
    let mut tries = 0;
    loop {
        match UnixStream::connect(path).await {
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock && tries < CONNECT_TRIES_MAX =>
            {
                tries += 1;
                tokio::time::sleep(CONNECT_PAUSE).await;
            }
            other => return other,
        }
    }
}
