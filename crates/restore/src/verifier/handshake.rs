//! The first words of an engine's protocol: enough to know that the right kind of server
//! answers, without credentials.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Probe, ProbeError, Proof, STEP_LIMIT};

/// PostgreSQL's SSLRequest: its length, then the code that no protocol version has.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The version of the protocol that MySQL and MariaDB greet with.
const MYSQL_PROTOCOL: u8 = 10;

/// The first byte of a MySQL packet that refuses the client, for instance because of its host.
const MYSQL_ERROR: u8 = 0xff;

/// Whether the engine speaks PostgreSQL's protocol.
pub(super) fn is_postgres(engine: &str) -> bool {
    engine.contains("postgres")
}

/// Whether the engine speaks MySQL's protocol.
pub(super) fn is_mysql(engine: &str) -> bool {
    engine.contains("mysql") || engine.contains("mariadb")
}

/// Connects and listens for the engine's first words.
pub(super) async fn shake_hands(probe: &Probe) -> Result<Proof, ProbeError> {
    let address = (probe.endpoint.address.as_str(), probe.endpoint.port);
    let unreachable = |why: String| {
        let Probe { endpoint, .. } = probe;
        ProbeError::Unreachable(format!("{}:{} {why}", endpoint.address, endpoint.port))
    };
    let mut stream = timeout(STEP_LIMIT, TcpStream::connect(address))
        .await
        .map_err(|_| unreachable("does not answer".to_owned()))?
        .map_err(|error| unreachable(format!("can't be reached: {error}")))?;
    let words = async {
        if is_postgres(&probe.engine) {
            postgres(&mut stream).await
        } else if is_mysql(&probe.engine) {
            mysql(&mut stream).await
        } else {
            Ok(Some(Proof::Connection))
        }
    };
    let proof = timeout(STEP_LIMIT, words)
        .await
        .map_err(|_| unreachable("accepts connections and says nothing".to_owned()))?
        .map_err(|error| unreachable(format!("closes the connection: {error}")))?;
    proof.ok_or_else(|| {
        let Probe {
            endpoint, engine, ..
        } = probe;
        let message = format!(
            "{}:{} does not speak {engine}'s protocol",
            endpoint.address, endpoint.port
        );
        ProbeError::WrongProtocol(message)
    })
}

/// A PostgreSQL server answers `S` or `N` to an SSLRequest, whatever it thinks of the client.
async fn postgres(stream: &mut TcpStream) -> io::Result<Option<Proof>> {
    stream.write_all(&SSL_REQUEST).await?;
    let answer = stream.read_u8().await?;
    Ok(matches!(answer, b'S' | b'N').then_some(Proof::Handshake))
}

/// A MySQL server greets first: three bytes of length, a number, then the protocol's version.
async fn mysql(stream: &mut TcpStream) -> io::Result<Option<Proof>> {
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).await?;
    Ok(matches!(greeting[4], MYSQL_PROTOCOL | MYSQL_ERROR).then_some(Proof::Handshake))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use trapheus_rds::Endpoint;

    /// A server that says these words to whoever connects.
    async fn server(words: &'static [u8]) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(words).await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok();
        });
        Endpoint {
            address: "127.0.0.1".to_owned(),
            port,
        }
    }

    async fn shake(engine: &str, words: &'static [u8]) -> Result<Proof, ProbeError> {
        let endpoint = server(words).await;
        let probe = Probe {
            engine: engine.to_owned(),
            endpoint,
            master_username: None,
        };
        shake_hands(&probe).await
    }

    #[tokio::test]
    async fn each_engine_is_known_by_its_first_words() {
        assert_eq!(shake("postgres", b"N").await, Ok(Proof::Handshake));
        assert_eq!(shake("aurora-postgresql", b"S").await, Ok(Proof::Handshake));
        assert_eq!(
            shake("mysql", b"\x4a\0\0\0\x0a8.0.36\0").await,
            Ok(Proof::Handshake)
        );
        assert_eq!(shake("oracle-ee", b"").await, Ok(Proof::Connection));
    }

    #[tokio::test]
    async fn another_servers_words_prove_nothing() {
        for (engine, words) in [
            ("postgres", &b"HTTP/1.1 400"[..]),
            ("mysql", b"HTTP/1.1 400"),
        ] {
            let error = shake(engine, words).await.unwrap_err();
            assert!(matches!(error, ProbeError::WrongProtocol(_)), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_may_pass() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let endpoint = Endpoint {
            address: "127.0.0.1".to_owned(),
            port,
        };
        let probe = Probe {
            engine: "postgres".to_owned(),
            endpoint,
            master_username: None,
        };
        let error = shake_hands(&probe).await.unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable(_)), "{error:?}");
    }
}
