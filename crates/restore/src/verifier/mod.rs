//! Whether a database server answers as one of its engine should: the only thing of this crate
//! that talks to a server and not to RDS. A trait, because a simulated database has no socket.

mod handshake;
mod login;

use std::time::Duration;

use async_trait::async_trait;
use trapheus_rds::Endpoint;

use crate::secrets::Secret;

/// Nobody waits longer for one step of a connection.
const STEP_LIMIT: Duration = Duration::from_secs(10);

/// What to log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user; the master user when absent.
    pub user: Option<String>,
    /// The password.
    pub password: Secret,
    /// The database; the engine's usual one when absent.
    pub database: Option<String>,
}

/// A server to be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The engine, in RDS's words.
    pub engine: String,
    /// Where it should answer.
    pub endpoint: Endpoint,
    /// Its master user.
    pub master_username: Option<String>,
}

/// What a server has proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Something accepts connections.
    Connection,
    /// It speaks the engine's protocol.
    Handshake,
    /// It takes the login and answers a query.
    Login,
}

/// Why a server has not proven anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Nothing answers, which may pass.
    #[error("{0}")]
    Unreachable(String),
    /// Something else answers.
    #[error("{0}")]
    WrongProtocol(String),
    /// The login is refused.
    #[error("{0}")]
    LoginRefused(String),
}

/// Verifies servers.
#[async_trait]
pub trait Verifier: Send + Sync + 'static {
    /// Asks a server to prove what it can.
    async fn verify(&self, probe: &Probe) -> Result<Proof, ProbeError>;
}

/// Verifies servers over the network.
#[derive(Debug, Clone, Default)]
pub struct ServerVerifier {
    credentials: Option<Credentials>,
}

impl ServerVerifier {
    /// A verifier that logs in where it has credentials for it.
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials }
    }
}

#[async_trait]
impl Verifier for ServerVerifier {
    async fn verify(&self, probe: &Probe) -> Result<Proof, ProbeError> {
        let proof = handshake::shake_hands(probe).await?;
        match &self.credentials {
            Some(credentials) if handshake::is_postgres(&probe.engine) => {
                login::postgres(probe, credentials).await
            }
            Some(credentials) if handshake::is_mysql(&probe.engine) => {
                login::mysql(probe, credentials).await
            }
            Some(_) | None => Ok(proof),
        }
    }
}
