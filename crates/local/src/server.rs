//! Local RDS as a process of its own: one for a data directory, found by others through two files in it.
//!
//! ```text
//! local.lock       locked for as long as the process lives, however it ends; holds its process id
//! address.json     where it listens, there once it does
//! ```
//! The lock file is never removed. A process that opens a lock file just before another one removes it would lock a file
//! that nobody else can see any more, and two of them would then serve one directory.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{SIGTERM, kill};
use nix::unistd::{Pid, Uid};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::control_plane::{ControlPlane, OpenError};
use crate::engines::Engine;
use crate::engines::mariadb::{self, MariaDb};
use crate::engines::postgres::{self, Postgres};
use crate::options::{Durations, Engines, Home, Options};
use crate::serve::serve_until;

/// Pause between two looks at a process that is to end.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long [`down`] waits: servers write out everything that they hold in memory.
const DOWN_TIME_MAX: Duration = Duration::from_secs(120);

/// What `trapheus local up` is told.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where databases, snapshots and the state live; made if it's missing.
    pub data_directory: Utf8PathBuf,
    /// The address of the API, on loopback. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long operations take.
    pub durations: Durations,
    /// Divides every wait.
    pub time_scale: f64,
}

/// A local RDS that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// Where its API listens.
    pub address: SocketAddr,
    /// Its process.
    pub process_id: i32,
}

impl Running {
    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Why local RDS can't be run, found or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another process serves the directory.
    #[error("local RDS runs on {data_directory} already, as process {process_id}")]
    AlreadyRunning {
        /// The directory.
        data_directory: Utf8PathBuf,
        /// The other process; 0 if it hasn't said so yet.
        process_id: i32,
    },
    /// The address is reachable from elsewhere.
    #[error(
        "{0} is not on loopback: local RDS takes any credentials, so it listens on 127.0.0.1 or another loopback address only"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken.
    #[error("can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The directory can't be used.
    #[error("the data directory {path} can't be used")]
    DataDirectory {
        /// The directory or a file in it.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Servers don't run as root, and the user that they run as can't get to their data.
    #[error(
        "the database servers don't run as root but as a user who can't enter {path}; choose a data directory elsewhere, \
         or run: chmod o+x {path}"
    )]
    NotTraversable {
        /// The directory that is closed.
        path: Utf8PathBuf,
    },
    /// The control plane doesn't open.
    #[error("local RDS can't be opened")]
    Open(#[from] OpenError),
    /// The listener broke.
    #[error("local RDS can't go on listening")]
    Serve(#[source] io::Error),
    /// It was told to stop, but didn't in time.
    #[error("local RDS, process {process_id}, was told to stop but still runs")]
    StillRunning {
        /// The process.
        process_id: i32,
    },
}

/// What [`down`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// It ran and has been stopped.
    Stopped,
    /// It didn't run.
    NotRunning,
}

/// Local RDS with real servers, listening.
#[derive(Debug)]
pub struct Server {
    running: Running,
    control_plane: Arc<ControlPlane>,
    stop: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
    signals: Signals,
    /// Held until the servers are stopped.
    _lock: Flock<File>,
}

impl Server {
    /// Takes the directory, opens the control plane, and listens.
    ///
    /// # Errors
    /// The address isn't on loopback or is taken; another process has the directory; it can't be used.
    pub async fn start(options: ServerOptions) -> Result<Self, ServerError> {
        if !options.listen.ip().is_loopback() {
            return Err(ServerError::NotLoopback(options.listen));
        }
        let home = prepare(&options.data_directory)?;
        let lock = lock(&home).await?;
        let address = options.listen;
        let listen = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let control_plane = ControlPlane::open(real_options(&home, &options)).await?;
        let running = Running {
            address,
            process_id: std::process::id().cast_signed(),
        };
        // From the announcement on others may send them.
        let signals = Signals::listen().map_err(ServerError::Serve)?;
        announce(&home, &running)?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve_until(
            Arc::clone(&control_plane),
            listener,
            stop.clone(),
        ));
        Ok(Self {
            running,
            control_plane,
            stop,
            serving,
            signals,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// The control plane that is served.
    pub fn control_plane(&self) -> &Arc<ControlPlane> {
        &self.control_plane
    }

    /// Serves until the process is told to stop (Ctrl-C, `SIGTERM`, `SIGHUP`), and then ends in order.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn run(mut self) -> Result<(), ServerError> {
        self.signals.any().await;
        self.shut_down().await
    }

    /// Stops listening, closes the endpoints, and stops the servers. The data stays.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn shut_down(self) -> Result<(), ServerError> {
        self.stop.cancel();
        // Clients that keep a connection open must not keep the servers up.
        let ended = tokio::time::timeout(Duration::from_secs(1), self.serving).await;
        self.control_plane.shut_down().await;
        match ended {
            Ok(Ok(served)) => served.map_err(ServerError::Serve),
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

/// The signals that tell the process to stop.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// The local RDS that runs on a data directory, once it listens.
///
/// # Errors
/// The directory can't be read.
pub fn status(data_directory: &Utf8Path) -> Result<Option<Running>, ServerError> {
    let unusable = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| ServerError::DataDirectory { path, source }
    };
    let path = data_directory.join(LOCK);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&path)(error)),
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(None),
        Err(_) => {
            let path = data_directory.join(ADDRESS);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                // It has begun to start, and says where it listens when it does.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(unusable(&path)(error)),
            };
            let running =
                serde_json::from_str(&text).map_err(|error| unusable(&path)(error.into()))?;
            Ok(Some(running))
        }
    }
}

/// Stops the local RDS that runs on a data directory, and returns once it and its servers are gone.
///
/// # Errors
/// It doesn't end, or the directory can't be read.
pub async fn down(data_directory: &Utf8Path) -> Result<Down, ServerError> {
    let Some(Running { process_id, .. }) = status(data_directory)? else {
        return Ok(Down::NotRunning);
    };
    // The lock is held, so the process that wrote its id lives, and nobody else has that id.
    let sent = kill(Pid::from_raw(process_id), SIGTERM);
    sent.map_err(|error| ServerError::DataDirectory {
        path: data_directory.to_owned(),
        source: error.into(),
    })?;
    let mut waited = Duration::ZERO;
    while status(data_directory)?.is_some() {
        if waited >= DOWN_TIME_MAX {
            return Err(ServerError::StillRunning { process_id });
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
        waited += LOOK_INTERVAL;
    }
    Ok(Down::Stopped)
}

/// Tries to take the lock, a look interval apart.
const LOCK_TRIES: u32 = 5;

const LOCK: &str = "local.lock";
const ADDRESS: &str = "address.json";

fn real_options(home: &Utf8Path, options: &ServerOptions) -> Options {
    let postgres: Arc<dyn Engine> = Arc::new(Postgres::new());
    let mut engines = BTreeMap::from([("postgres".to_owned(), postgres)]);
    for product in mariadb::Product::ALL {
        let engine = Arc::new(MariaDb::new(product));
        engines.insert(product.engine().to_owned(), engine);
    }
    Options {
        home: Home::Directory(home.to_owned()),
        durations: options.durations,
        time_scale: options.time_scale,
        clock: Arc::new(now),
        seed: rand::random(),
        engines: Engines::Real(engines),
    }
}

/// What local RDS has no servers for on this machine, in words for a person, with what installs them. The databases of
/// these engines can't be made; the others can.
pub async fn missing_servers() -> Vec<String> {
    let mut missing = Vec::new();
    if postgres::installed_versions().await.is_empty() {
        missing.push(
            "PostgreSQL is not installed; install it with: sudo apt-get install postgresql"
                .to_owned(),
        );
    }
    if let Err(error) = mariadb::installed_version().await {
        let engines = mariadb::Product::ALL
            .map(mariadb::Product::engine)
            .join(", ");
        missing.push(format!("{error} (for {engines})"));
    }
    missing
}

#[expect(
    clippy::disallowed_methods,
    reason = "the process is the edge that time comes in through"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Makes the directory, and makes sure that the user who runs the servers gets to what will be in it.
fn prepare(data_directory: &Utf8Path) -> Result<Utf8PathBuf, ServerError> {
    let unusable = |source| ServerError::DataDirectory {
        path: data_directory.to_owned(),
        source,
    };
    std::fs::create_dir_all(data_directory).map_err(unusable)?;
    let home = data_directory.canonicalize_utf8().map_err(unusable)?;
    if Uid::effective().is_root() {
        for path in home.ancestors() {
            let mode = path.metadata().map_err(unusable)?.permissions().mode();
            if mode & 0o001 == 0 {
                return Err(ServerError::NotTraversable {
                    path: path.to_owned(),
                });
            }
        }
    }
    Ok(home)
}

/// Takes the lock. Somebody who asks for the status holds it for a moment, so one refusal says nothing.
async fn lock(home: &Utf8Path) -> Result<Flock<File>, ServerError> {
    let path = home.join(LOCK);
    let unusable = |source| ServerError::DataDirectory {
        path: path.clone(),
        source,
    };
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = options.open(&path).map_err(unusable)?;
    for _ in 0..LOCK_TRIES {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                lock.set_len(0).map_err(unusable)?;
                lock.rewind().map_err(unusable)?;
                write!(lock, "{}", std::process::id()).map_err(unusable)?;
                withdraw(home)?;
                return Ok(lock);
            }
            Err((refused, _)) => file = refused,
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unusable)?;
    Err(ServerError::AlreadyRunning {
        data_directory: home.to_owned(),
        process_id: text.trim().parse().unwrap_or(0),
    })
}

/// Removes the address of an earlier process, which isn't true any more.
fn withdraw(home: &Utf8Path) -> Result<(), ServerError> {
    let path = home.join(ADDRESS);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ServerError::DataDirectory { path, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes the address beside its place first: whoever reads it sees all of it, or that of an earlier process.
fn announce(home: &Utf8Path, running: &Running) -> Result<(), ServerError> {
    let (path, beside) = (home.join(ADDRESS), home.join("address.json.new"));
    let unusable = |source| ServerError::DataDirectory {
        path: path.clone(),
        source,
    };
    let json = serde_json::to_string(running).map_err(|error| unusable(error.into()))?;
    std::fs::write(&beside, json).map_err(unusable)?;
    std::fs::rename(&beside, &path).map_err(unusable)
}
