//! The forwarder before real servers: a name that moves.

use std::net::{Ipv4Addr, SocketAddr};

use sqlx::{Connection, MySqlConnection};
use trapheus_local::engines::{Engine, ServerSpec};
use trapheus_local::forwarder::{Forwarder, Target};

use crate::support::{Place, engine, execute, login, pid};

fn target(spec: &ServerSpec) -> Target {
    Target {
        server: spec.resource_id.clone(),
        backend: engine().backend(spec),
    }
}

async fn through(forwarder: &Forwarder, spec: &ServerSpec) -> Result<MySqlConnection, sqlx::Error> {
    let address = forwarder.address();
    let options = login(spec)
        .host(&address.ip().to_string())
        .port(address.port());
    MySqlConnection::connect_with(&options).await
}

async fn name(connection: &mut MySqlConnection) -> String {
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
    execute(&old, "CREATE TABLE whoami SELECT 'old' AS name").await;
    execute(&new, "CREATE TABLE whoami SELECT 'new' AS name").await;
    let processes = (pid(&old), pid(&new));
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let forwarder = Forwarder::bind(any_port).await.unwrap();

    forwarder.send_to(vec![target(&old)]);
    let mut client = through(&forwarder, &old).await.unwrap();
    assert_eq!(name(&mut client).await, "old");

    forwarder.send_to(Vec::new());
    forwarder.cut_unless(|_| false);
    assert!(client.ping().await.is_err());
    assert!(through(&forwarder, &old).await.is_err());

    forwarder.send_to(vec![target(&new)]);
    let mut client = through(&forwarder, &new).await.unwrap();
    assert_eq!(name(&mut client).await, "new");
    assert_eq!((pid(&old), pid(&new)), processes);
}
