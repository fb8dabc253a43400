//! A directory for one test, servers in it, and clients that log in as a user would.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use trapheus_local::engines::mariadb::{MariaDb, Product};
use trapheus_local::engines::{Backend, Engine, Secret, ServerSpec};

/// The engine of every server here.
pub(crate) fn engine() -> MariaDb {
    MariaDb::new(Product::MariaDb)
}

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
        let versions = engine().versions().await.unwrap();
        let directory = self.path(name);
        self.servers.push(directory.clone());
        ServerSpec {
            resource_id: format!("db-{}", name.to_uppercase()),
            directory,
            engine: "mariadb".to_owned(),
            engine_version: versions.last().expect("MariaDB is installed").clone(),
            master_username: "admin".to_owned(),
            master_password: Secret::new("first'pass\\word"),
            database: Some("orders".to_owned()),
            parameters: BTreeMap::new(),
            allocated_storage_gib: 20,
        }
    }

    /// A server that runs.
    pub(crate) async fn server(&mut self, name: &str) -> ServerSpec {
        let spec = self.spec(name).await;
        engine().create(&spec).await.unwrap();
        engine().start(&spec).await.unwrap();
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
                if let Err(error) = runtime.block_on(engine().remove(&server)) {
                    tracing::error!(%error, "a test's server is left over");
                }
            }
        });
        end.join().unwrap();
    }
}

/// Where the server listens.
pub(crate) fn socket(spec: &ServerSpec) -> Utf8PathBuf {
    let Backend::UnixSocket(socket) = engine().backend(spec) else {
        panic!("a server has a socket");
    };
    socket
}

/// How the master logs in by way of the server's socket.
pub(crate) fn options(spec: &ServerSpec) -> MySqlConnectOptions {
    login(spec).socket(socket(spec))
}

/// How the master logs in, without saying where.
pub(crate) fn login(spec: &ServerSpec) -> MySqlConnectOptions {
    MySqlConnectOptions::new()
        .ssl_mode(MySqlSslMode::Disabled)
        .username(&spec.master_username)
        .password(spec.master_password.reveal())
        .database("orders")
        .disable_statement_logging()
}

/// Logs in as the master.
pub(crate) async fn connect(spec: &ServerSpec) -> MySqlConnection {
    MySqlConnection::connect_with(&options(spec)).await.unwrap()
}

/// One value of a question, as text.
pub(crate) async fn ask(spec: &ServerSpec, question: &'static str) -> String {
    let mut connection = connect(spec).await;
    let row = sqlx::raw_sql(question)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    sqlx::Row::try_get_unchecked(&row, 0).unwrap()
}

/// One number.
pub(crate) async fn number(spec: &ServerSpec, question: &'static str) -> i64 {
    ask(spec, question).await.parse().unwrap()
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
    let file = socket(spec).with_file_name("mariadb.pid");
    std::fs::read_to_string(file)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

/// Ends the server as nobody wants it to.
pub(crate) fn kill_server(spec: &ServerSpec) {
    kill(Pid::from_raw(pid(spec)), Signal::SIGKILL).unwrap();
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
                sqlx::query("INSERT INTO numbers VALUES (?, repeat('x', 500))")
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
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
    }
}
