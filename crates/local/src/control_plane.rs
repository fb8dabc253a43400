//! The control plane: one door for requests, and the state behind it.

use std::sync::Arc;

use bytes::Bytes;

use crate::engines::EngineError;
use crate::engines::simulated::SimulatedClient;
use crate::options::Options;

/// Local RDS.
#[derive(Debug)]
pub struct ControlPlane {
    options: Options,
}

/// Why a control plane can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state can't be read or written.
    #[error("the state of local RDS can't be opened")]
    Store(#[source] rusqlite::Error),
    /// The home can't be used.
    #[error("the directory of local RDS can't be used")]
    Home(#[source] EngineError),
}

impl ControlPlane {
    /// Opens the state, adopts what runs, and finishes or undoes what was half done.
    ///
    /// # Errors
    /// The home can't be used.
    pub async fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        Ok(Arc::new(Self { options }))
    }

    /// Answers one request of the Query protocol, or one of `/_trapheus/…`.
    pub async fn handle(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        tracing::debug!(options = ?self.options, path = request.uri().path(), "not served yet");
        http::Response::new(Bytes::new())
    }

    /// A client that reads and writes rows through an identifier's endpoint, where servers are simulated.
    pub fn simulated_client(self: &Arc<Self>, identifier: &str) -> SimulatedClient {
        SimulatedClient::new(identifier)
    }
}
