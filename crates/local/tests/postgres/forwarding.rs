//! The forwarder: real servers behind a name that moves, and the corners of TCP.

use std::net::{Ipv4Addr, SocketAddr};

use camino::Utf8PathBuf;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener};
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::engines::{Backend, Engine, ServerSpec};
use trapheus_local::forwarder::{Forwarder, Target, can_bind, random_loopback};

use crate::support::{Place, execute, login, pid};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn target(server: &str, backend: Backend) -> Target {
    Target {
        server: server.to_owned(),
        backend,
    }
}

async fn through(forwarder: &Forwarder, spec: &ServerSpec) -> Result<PgConnection, sqlx::Error> {
    let address = forwarder.address();
    let options = login(spec, "orders")
        .host(&address.ip().to_string())
        .port(address.port());
    PgConnection::connect_with(&options).await
}

async fn name(connection: &mut PgConnection) -> String {
    sqlx::query_scalar("SELECT name FROM whoami")
        .fetch_one(connection)
        .await
        .unwrap()
}

/// What two renames are for a client: the address stays, another server answers, and no server was restarted.
#[tokio::test]
async fn a_name_moves_from_one_server_to_another() {
    let mut place = Place::new();
    let (old, new) = (place.server("old").await, place.server("new").await);
    execute(&old, "CREATE TABLE whoami AS SELECT 'old'::text AS name").await;
    execute(&new, "CREATE TABLE whoami AS SELECT 'new'::text AS name").await;
    let processes = (pid(&old), pid(&new));
    let engine = Postgres::new();
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();

    forwarder.send_to(vec![target("old", engine.backend(&old))]);
    let mut client = through(&forwarder, &old).await.unwrap();
    assert_eq!(name(&mut client).await, "old");

    forwarder.send_to(Vec::new());
    forwarder.cut_unless(|_| false);
    assert!(client.ping().await.is_err());
    assert!(through(&forwarder, &old).await.is_err());

    forwarder.send_to(vec![target("new", engine.backend(&new))]);
    let mut client = through(&forwarder, &new).await.unwrap();
    assert_eq!(name(&mut client).await, "new");
    assert_eq!((pid(&old), pid(&new)), processes);
}

#[tokio::test]
async fn a_switch_leaves_open_connections_alone_until_they_are_dropped() {
    let (place, socket, echo) = echo_server();
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();
    forwarder.send_to(vec![target("echo", Backend::UnixSocket(socket))]);
    let mut client = TcpStream::connect(forwarder.address()).await.unwrap();
    assert_eq!(round_trip(&mut client, "one").await, "one");
    forwarder.send_to(Vec::new());
    assert_eq!(round_trip(&mut client, "two").await, "two");
    forwarder.cut_unless(|_| false);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
    echo.abort();
    drop(place);
}

/// A reader endpoint: clients are spread over the servers, and only those of the one that goes are cut.
#[tokio::test]
async fn clients_of_several_servers_keep_theirs() {
    let (place, socket, echo) = echo_server();
    let targets = ["one", "other"].map(|name| target(name, Backend::UnixSocket(socket.clone())));
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();
    forwarder.send_to(targets.to_vec());
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = TcpStream::connect(forwarder.address()).await.unwrap();
        assert_eq!(round_trip(&mut client, "hello").await, "hello");
        clients.push(client);
    }
    forwarder.send_to(targets[..1].to_vec());
    forwarder.cut_unless(|target| target.server == "one");
    let mut kept = Vec::new();
    for client in &mut clients {
        client.write_all(b"again").await.ok();
        kept.push(client.read(&mut [0; 8]).await.unwrap_or(0) > 0);
    }
    assert_eq!(kept, [true, false, true, false]);
    echo.abort();
    drop(place);
}

/// A client that has sent everything closes its half; the answer still has to arrive.
#[tokio::test]
async fn the_end_of_one_direction_does_not_end_the_other() {
    let (place, socket, echo) = echo_server();
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();
    forwarder.send_to(vec![target("echo", Backend::UnixSocket(socket))]);
    let client = TcpStream::connect(forwarder.address()).await.unwrap();
    let (mut reader, mut writer) = client.into_split();
    let sent = vec![7_u8; 3_000_000];
    let expected = sent.len();
    let sender = tokio::spawn(async move {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
        writer
    });
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), expected);
    sender.await.unwrap();
    echo.abort();
    drop(place);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_are_served_and_dropped_at_once() {
    const CONNECTIONS: usize = 300;
    let (place, socket, echo) = echo_server();
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();
    forwarder.send_to(vec![target("echo", Backend::UnixSocket(socket))]);
    let address = forwarder.address();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(tokio::spawn(async move {
            let mut client = TcpStream::connect(address).await.unwrap();
            assert_eq!(round_trip(&mut client, "hello").await, "hello");
            client
        }));
    }
    let mut open = Vec::new();
    for client in clients {
        open.push(client.await.unwrap());
    }
    forwarder.cut_unless(|_| false);
    for mut client in open {
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
    }
    echo.abort();
    drop(place);
}

#[tokio::test]
async fn a_notice_is_told_and_the_connection_ends() {
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();
    let notice = Backend::Notice(b"no such engine here".to_vec());
    forwarder.send_to(vec![target("none", notice)]);
    let mut client = TcpStream::connect(forwarder.address()).await.unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "no such engine here");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = Forwarder::bind(ANY_PORT).await.unwrap();
    let error = Forwarder::bind(first.address()).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()));
    assert!(!can_bind(first.address()).await);
}

#[tokio::test]
async fn a_dropped_forwarder_frees_its_address() {
    let forwarder = Forwarder::bind(ANY_PORT).await.unwrap();
    let address = forwarder.address();
    drop(forwarder);
    while !can_bind(address).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn random_addresses_are_loopback_repeatable_and_can_be_bound() {
    let draw = |seed| -> Vec<Ipv4Addr> {
        let mut random = StdRng::seed_from_u64(seed);
        (0..100).map(|_| random_loopback(&mut random)).collect()
    };
    let addresses = draw(7);
    assert_eq!(addresses, draw(7));
    assert_ne!(addresses, draw(8));
    assert!(addresses.iter().all(Ipv4Addr::is_loopback));
    assert!(can_bind(SocketAddr::from((addresses[0], 5432))).await);
}

/// Sends everything back, and keeps its half open until the client closes its own.
fn echo_server() -> (tempfile::TempDir, Utf8PathBuf, tokio::task::JoinHandle<()>) {
    let place = tempfile::tempdir().unwrap();
    let socket = Utf8PathBuf::from_path_buf(place.path().join("socket")).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = connection.into_split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    (place, socket, serving)
}

async fn round_trip(client: &mut TcpStream, text: &str) -> String {
    client.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; text.len()];
    client.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
