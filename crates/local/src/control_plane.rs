//! The control plane: one door for requests, the state behind it, and the operations that are under way.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{OpenOptions, Permissions};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::api;
use crate::catalogue::{self, Catalogue};
use crate::chaos::{Chaos, ChaosKind, FaultListener};
use crate::durations::{self, Pace};
use crate::endpoints::Endpoints;
use crate::engines::simulated::{SimulatedClient, SimulatedServers};
use crate::engines::{Engine, EngineError, StopMode};
use crate::faults::{Fault, Faults};
use crate::home::Paths;
use crate::observe::{Asked, Change, Observer, Observers, View};
use crate::operations::{Jobs, Progress};
use crate::options::{Engines, Home, Options};
use crate::request_log::{RequestEntry, RequestLog};
use crate::serving;
use crate::state::State;
use crate::state::cluster::Cluster;
use crate::state::instance::{Instance, Naming};
use crate::store::Store;

/// Local RDS.
pub struct ControlPlane {
    this: Weak<Self>,
    pub(crate) options: Options,
    pub(crate) paths: Paths,
    pub(crate) catalogue: Catalogue,
    pub(crate) progress: Progress,
    pub(crate) jobs: Jobs,
    pub(crate) endpoints: Endpoints,
    pub(crate) faults: Faults,
    pub(crate) request_log: RequestLog,
    pub(crate) observers: Observers,
    kept: Mutex<Kept>,
    /// Counts transactions, so that operations notice what was changed under them.
    changed: watch::Sender<u64>,
}

/// The state, and where it's stored: nobody sees one without the other being in step.
struct Kept {
    state: State,
    store: Store,
}

/// Why a control plane can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state can't be read or written.
    #[error("the state of local RDS can't be opened")]
    Store(#[from] rusqlite::Error),
    /// The state was written by something else.
    #[error("the state of local RDS can't be understood")]
    Format(#[from] serde_json::Error),
    /// The home can't be used.
    #[error("the directory {path} can't be used")]
    Home {
        /// The directory.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An engine can't be used.
    #[error("a database engine can't be used")]
    Engine(#[from] EngineError),
}

/// The state could not be stored; nothing has changed.
#[derive(Debug, thiserror::Error)]
#[error("the state of local RDS can't be stored")]
pub(crate) struct StoreError(#[from] rusqlite::Error);

impl ControlPlane {
    /// Opens the state, adopts what runs, and takes up what was half done.
    ///
    /// # Errors
    /// The home or an engine can't be used.
    pub async fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let paths = match &options.home {
            Home::Directory(home) => Paths::new(home),
            Home::Memory(_) => Paths::new("simulated".into()),
        };
        let store = match &options.home {
            Home::Directory(_) => open_store(&paths)?,
            Home::Memory(memory) => Store::Memory(memory.clone()),
        };
        let state = State::load(&store.load()?)?;
        let catalogue = Catalogue::new(&installed_versions(&options.engines).await?);
        let control_plane = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            endpoints: Endpoints::new(&options.engines),
            options,
            paths,
            catalogue,
            progress: Progress::default(),
            jobs: Jobs::default(),
            faults: Faults::default(),
            request_log: RequestLog::default(),
            observers: Observers::default(),
            kept: Mutex::new(Kept { state, store }),
            changed: watch::Sender::new(0),
        });
        control_plane.recover().await;
        Ok(control_plane)
    }

    /// Answers one request of the Query protocol, or one of `/_trapheus/…`.
    ///
    /// A response that carries [`LostAnswer`](crate::faults::LostAnswer) among its extensions must not reach the client.
    pub async fn handle(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        match self.this.upgrade() {
            Some(this) => api::handle(&this, request).await,
            None => http::Response::new(Bytes::new()),
        }
    }

    /// A client that reads and writes rows through an instance's or a cluster's endpoint, where servers are simulated.
    pub fn simulated_client(self: &Arc<Self>, identifier: &str) -> SimulatedClient {
        SimulatedClient::new(Arc::clone(self), identifier)
    }

    /// A client that reads and writes rows through whatever endpoint has the address, where servers are simulated.
    pub fn simulated_client_at(self: &Arc<Self>, address: IpAddr) -> SimulatedClient {
        SimulatedClient::at(Arc::clone(self), address)
    }

    /// Drops everything as `kill -9` would: operations stay half done, servers run on. For tests of recovery.
    pub async fn halt(&self) {
        self.jobs.abort_all().await;
        self.endpoints.close().await;
    }

    /// Ends in order: operations are left to the next start, endpoints are closed, servers are stopped.
    pub async fn shut_down(&self) {
        self.halt().await;
        let instances = self.read(|state| {
            let mut instances: Vec<_> = state.instances.values().cloned().collect();
            // A server waits for those that follow it.
            instances.sort_by_key(|instance| !serving::follows(state, instance));
            instances
        });
        for instance in instances {
            let Some(engine) = self.engine(instance.engine()) else {
                continue;
            };
            if let Err(error) = engine.stop(&serving::spec(&instance), StopMode::Fast).await {
                tracing::error!(instance = instance.identifier, %error, "a server could not be stopped");
            }
        }
    }

    /// Arms a fault, as posting it to `/_trapheus/faults` does.
    pub fn arm(&self, fault: Fault) {
        self.faults.arm(fault);
    }

    /// Lets chaos reign, or ends it, as posting it to `/_trapheus/chaos` does.
    pub fn set_chaos(&self, chaos: Option<Chaos>) {
        self.faults.set_chaos(chaos);
    }

    /// The chaos that reigns, as far as it has come.
    pub fn chaos(&self) -> Option<Chaos> {
        self.faults.chaos()
    }

    /// How many faults chaos has brought about.
    pub fn chaos_counts(&self) -> BTreeMap<ChaosKind, u64> {
        self.faults.chaos_counts()
    }

    /// Hears of every fault that chaos brings about from now on.
    pub fn on_fault(&self, listener: FaultListener) {
        self.faults.on_fault(listener);
    }

    /// The faults that are armed, as far as they are not used up.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.list()
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// How many transactions have changed the state since it was opened.
    pub fn transactions(&self) -> u64 {
        *self.changed.borrow()
    }

    /// The requests that were answered, oldest first.
    pub fn requests(&self) -> Vec<RequestEntry> {
        self.request_log.entries()
    }

    /// Lets somebody watch from now on.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.observers.add(observer);
    }

    /// What an observer gets to see of the state.
    pub(crate) fn view<'a>(&'a self, state: &'a State) -> View<'a> {
        View::new(self.now(), state, self.simulated_servers())
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.kept().state)
    }

    /// Changes the state: durably and as a whole, or not at all.
    pub(crate) fn transact<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact_for(None, change)
    }

    /// The same, as a request asks for it.
    pub(crate) fn transact_for<T, E: From<StoreError>>(
        &self,
        by: Option<&Asked<'_>>,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut kept = self.kept();
        let Kept { state, store } = &mut *kept;
        let outcome = change(state);
        let changes = state.changes();
        let is_changed = outcome.is_ok() && !changes.is_empty();
        let stored = if is_changed {
            store.apply(changes).map_err(StoreError)
        } else {
            Ok(())
        };
        match (&outcome, &stored) {
            (Ok(_), Ok(())) => {
                if is_changed {
                    let view = self.view(state);
                    self.observers
                        .tell(|observer| observer.changed(&Change { by, view }));
                }
                let undo = state.keep();
                if is_changed {
                    self.faults.remember(self.now(), undo);
                }
            }
            (Err(_), _) | (_, Err(_)) => state.undo(),
        }
        if is_changed {
            drop(kept);
            self.changed.send_modify(|count| *count += 1);
        }
        stored?;
        outcome
    }

    /// Resolves at the next transaction.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.options.clock)()
    }

    /// How long an operation takes that was begun then on what has the key.
    pub(crate) fn pace(&self, key: &str, begun_at: Timestamp) -> Pace {
        Pace {
            durations: self.options.durations,
            time_scale: self.options.time_scale,
            operation: durations::operation(key, begun_at),
        }
    }

    /// Who serves an engine; nobody does for those that are control plane only.
    pub(crate) fn engine(&self, engine: &str) -> Option<Arc<dyn Engine>> {
        match &self.options.engines {
            Engines::Real(engines) => engines.get(catalogue::product(engine)?.server()).cloned(),
            Engines::Simulated(servers) => Some(Arc::new(servers.clone())),
        }
    }

    pub(crate) fn simulated_servers(&self) -> Option<&SimulatedServers> {
        match &self.options.engines {
            Engines::Real(_) => None,
            Engines::Simulated(servers) => Some(servers),
        }
    }

    /// The instances that answer at a name in any scope: an instance's, or a cluster's, which is that of its writer.
    pub(crate) fn served(&self, name: &str) -> Vec<Instance> {
        self.read(|state| {
            let mut instances = state.instances.values();
            let mut clusters = state.clusters.values();
            let answering =
                |one: &&Instance| one.identifier == name && serving::answers(state, one);
            let is_named = |one: &&Cluster| one.identifier == name && one.naming == Naming::Named;
            match instances.find(answering) {
                Some(instance) => vec![instance.clone()],
                None => clusters
                    .find(is_named)
                    .map(|cluster| serving::answering(state, cluster).0)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect(),
            }
        })
    }

    /// The instances that answer at an address, which is one of those that the API shows.
    pub(crate) fn served_at(&self, address: IpAddr) -> Vec<Instance> {
        let now = self.now();
        self.read(|state| {
            let endpoints = serving::endpoints(state, now).into_iter();
            let there = endpoints.filter(|endpoint| endpoint.address == address);
            there
                .flat_map(|endpoint| endpoint.instances)
                .cloned()
                .collect()
        })
    }

    /// Brings the endpoints into line with the state.
    pub(crate) async fn refresh_endpoints(&self) {
        let desired = || {
            self.read(|state| {
                serving::desired_endpoints(state, self.now(), |engine| self.engine(engine))
            })
        };
        self.endpoints.become_as(desired).await;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ControlPlane")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn open_store(paths: &Paths) -> Result<Store, OpenError> {
    for path in paths.parents() {
        std::fs::create_dir_all(&path).map_err(|source| OpenError::Home { path, source })?;
    }
    let path = paths.database();
    close_to_others(&path).map_err(|source| OpenError::Home {
        path: path.clone(),
        source,
    })?;
    Ok(Store::sqlite(&path)?)
}

/// The state holds the passwords of all databases, so its file is for its owner alone, whoever made
/// it; SQLite gives the files beside it the same mode.
fn close_to_others(path: &Utf8Path) -> std::io::Result<()> {
    const MODE: u32 = 0o600;
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(MODE))
}

async fn installed_versions(engines: &Engines) -> Result<BTreeMap<String, Vec<String>>, OpenError> {
    let mut installed = BTreeMap::new();
    if let Engines::Real(engines) = engines {
        for (name, engine) in engines {
            installed.insert(name.clone(), engine.versions().await?);
        }
    }
    Ok(installed)
}
