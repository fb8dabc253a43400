//! A directory for one test, servers in it, and clients that log in as a user would.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::engines::{Backend, Engine, Secret, ServerSpec};

/// The master user of every server here.
pub(crate) const MASTER: &str = "admin";

/// A place for servers and snapshots that ends every server in it.
pub(crate) struct Place {
    directory: TempDir,
    servers: Vec<Utf8PathBuf>,
}

impl Place {
    pub(crate) fn new() -> Self {
        // Under /tmp itself, which every user may enter: the servers don't run as root.
        let directory = tempfile::Builder::new()
            .prefix("trapheus-test-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        Self {
            directory,
            servers: Vec::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        let root = Utf8Path::from_path(self.directory.path()).unwrap();
        root.join(name)
    }

    /// What a server is described by; nothing is made.
    pub(crate) async fn spec(&mut self, name: &str) -> ServerSpec {
        let versions = Postgres::new().versions().await.unwrap();
        let directory = self.path(name);
        self.servers.push(directory.clone());
        ServerSpec {
            resource_id: format!("db-{}", name.to_uppercase()),
            directory,
            engine: "postgres".to_owned(),
            engine_version: versions.last().expect("PostgreSQL is installed").clone(),
            master_username: MASTER.to_owned(),
            master_password: Secret::new("first'pass\\word"),
            database: Some("orders".to_owned()),
            parameters: BTreeMap::new(),
            allocated_storage_gib: 20,
        }
    }

    /// A server that runs.
    pub(crate) async fn server(&mut self, name: &str) -> ServerSpec {
        let spec = self.spec(name).await;
        Postgres::new().create(&spec).await.unwrap();
        Postgres::new().start(&spec).await.unwrap();
        spec
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let servers = std::mem::take(&mut self.servers);
        // The test's own runtime can't be waited for here.
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            for server in servers {
                if let Err(error) = runtime.block_on(Postgres::new().remove(&server)) {
                    tracing::error!(%error, "a test's server is left over");
                }
            }
        });
        end.join().unwrap();
    }
}

/// How the master logs in by way of the server's socket.
pub(crate) fn options(spec: &ServerSpec, database: &str) -> PgConnectOptions {
    let Backend::UnixSocket(socket) = Postgres::new().backend(spec) else {
        panic!("a server has a socket");
    };
    login(spec, database).socket(socket.parent().unwrap())
}

/// How the master logs in, without saying where.
pub(crate) fn login(spec: &ServerSpec, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .port(5432)
        .ssl_mode(PgSslMode::Disable)
        .username(&spec.master_username)
        .password(spec.master_password.reveal())
        .database(database)
        .disable_statement_logging()
}

/// Logs in as the master.
pub(crate) async fn connect(spec: &ServerSpec) -> PgConnection {
    PgConnection::connect_with(&options(spec, "orders"))
        .await
        .unwrap()
}

/// One value of a question.
pub(crate) async fn ask(spec: &ServerSpec, question: &'static str) -> String {
    let mut connection = connect(spec).await;
    let answer = sqlx::query_scalar(question)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    answer
}

/// Runs statements as the master.
pub(crate) async fn execute(spec: &ServerSpec, statements: &'static str) {
    let mut connection = connect(spec).await;
    sqlx::raw_sql(statements)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// The process id that the server's own file names.
pub(crate) fn pid(spec: &ServerSpec) -> i32 {
    let file = std::fs::read_to_string(spec.directory.join("data/postmaster.pid")).unwrap();
    file.lines().next().unwrap().parse().unwrap()
}

/// Commits one increasing number after the other until it is told to stop.
pub(crate) struct Writer {
    /// The highest number that is known to be committed.
    committed: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Writer {
    pub(crate) async fn start(spec: &ServerSpec) -> Self {
        execute(
            spec,
            "CREATE TABLE numbers (id bigint PRIMARY KEY, filler text)",
        )
        .await;
        let committed = Arc::new(AtomicI64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let mut connection = connect(spec).await;
        let (last, stopped) = (Arc::clone(&committed), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            for id in 1_i64.. {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                sqlx::query("INSERT INTO numbers VALUES ($1, repeat('x', 500))")
                    .bind(id)
                    .execute(&mut connection)
                    .await
                    .unwrap();
                last.store(id, Ordering::SeqCst);
            }
        });
        Self {
            committed,
            stop,
            task,
        }
    }

    pub(crate) fn committed(&self) -> i64 {
        self.committed.load(Ordering::SeqCst)
    }

    pub(crate) async fn reaches(&self, id: i64) {
        while self.committed() < id {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
    }
}

/// One number.
pub(crate) async fn number(spec: &ServerSpec, question: &'static str) -> i64 {
    ask(spec, question).await.parse().unwrap()
}
