//! The engines `mariadb`, `mysql` and `aurora-mysql`, as the control plane sees them.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::installation::Installation;
use super::layout::Layout;
use super::{archive, bootstrap, parameters, point_in_time, replication, server, snapshot};
use crate::engines::account::Account;
use crate::engines::copies;
use crate::engines::directory::clear;
use crate::engines::{
    Backend, Engine, EngineError, PendingReboot, Progress, Replication, ServerSpec, SnapshotInfo,
    StopMode,
};

/// Programs that write below a directory and outlive a control plane that is killed.
const PROGRAMS: [&str; 4] = [
    "mariadb-install-db",
    "mariadbd",
    "mariadb-backup",
    "mariadb-binlog",
];

/// The user that the distributions' packages make for it.
const USER: &str = "mysql";

/// MariaDB server processes, never as root. Clients reach them by a Unix socket; each also listens on a loopback address
/// of its own, for its replicas.
///
/// It remembers nothing: what runs is found out by looking at the directories, so that another process of the control
/// plane goes on where this one was killed. Directories must be given by absolute path, and always by the same one.
#[derive(Clone, Copy, Debug)]
pub struct MariaDb {
    product: Product,
}

/// What RDS calls the engine that a MariaDB server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `mariadb`: what it is.
    MariaDb,
    /// `mysql`: MariaDB stands in for it. A client that asks the server is told MariaDB's version.
    MySql,
    /// `aurora-mysql`, likewise.
    AuroraMySql,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MariaDb, Self::MySql, Self::AuroraMySql];

    /// RDS's name of the engine.
    pub fn engine(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadb",
            Self::MySql => "mysql",
            Self::AuroraMySql => "aurora-mysql",
        }
    }
}

impl MariaDb {
    /// The engine of this machine. Whether it is installed is seen when it is needed.
    pub fn new(product: Product) -> Self {
        Self { product }
    }
}

#[async_trait]
impl Engine for MariaDb {
    async fn versions(&self) -> Result<Vec<String>, EngineError> {
        let own = match Installation::find().await {
            Ok(installation) => installation.version().to_owned(),
            Err(EngineError::NotInstalled { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        // MariaDB's SQL is nearest to that of MySQL 8.0.
        let versions: &[&str] = match self.product {
            Product::MariaDb => &[&own],
            Product::MySql => &["8.0.40", "8.0.41"],
            Product::AuroraMySql => &["8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.09.0"],
        };
        Ok(versions
            .iter()
            .map(|version| (*version).to_owned())
            .collect())
    }

    async fn create(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        bootstrap::create(spec, Account::find(USER)?).await
    }

    async fn start(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        server::start(spec, Account::find(USER)?).await
    }

    async fn stop(&self, spec: &ServerSpec, mode: StopMode) -> Result<(), EngineError> {
        server::stop(&spec.directory, mode).await
    }

    async fn reconfigure(&self, spec: &ServerSpec) -> Result<PendingReboot, EngineError> {
        parameters::reconfigure(spec, Account::find(USER)?).await
    }

    async fn set_master_password(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        server::set_master_password(spec).await
    }

    async fn snapshot(
        &self,
        spec: &ServerSpec,
        into: &Utf8Path,
        progress: Progress<'_>,
    ) -> Result<SnapshotInfo, EngineError> {
        snapshot::take(spec, into, Account::find(USER)?, progress).await
    }

    async fn restore(
        &self,
        from: &Utf8Path,
        spec: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        snapshot::restore(from, spec, Account::find(USER)?, progress).await
    }

    async fn copy_snapshot(
        &self,
        from: &Utf8Path,
        into: &Utf8Path,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        copies::copy_snapshot(from, into, progress).await
    }

    async fn follow(
        &self,
        spec: &ServerSpec,
        upstream: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        replication::follow(spec, upstream, Account::find(USER)?, progress).await
    }

    async fn promote(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        replication::promote(spec, Account::find(USER)?).await
    }

    async fn replication(&self, spec: &ServerSpec) -> Result<Replication, EngineError> {
        replication::state(spec).await
    }

    async fn archive(&self, spec: &ServerSpec, into: Option<&Utf8Path>) -> Result<(), EngineError> {
        archive::keep(spec, into, Account::find(USER)?).await
    }

    async fn flush_archive(&self, spec: &ServerSpec) -> Result<(), EngineError> {
        archive::flush(spec).await
    }

    async fn restore_to(
        &self,
        base: &Utf8Path,
        archives: &[Utf8PathBuf],
        until: Timestamp,
        spec: &ServerSpec,
        progress: Progress<'_>,
    ) -> Result<(), EngineError> {
        point_in_time::restore(base, archives, until, spec, Account::find(USER)?, progress).await
    }

    /// A server that still runs there is ended first, so that none is left without its directory.
    async fn remove(&self, directory: &Utf8Path) -> Result<(), EngineError> {
        server::stop(directory, StopMode::Immediate).await?;
        clear(directory, &PROGRAMS).await
    }

    fn backend(&self, spec: &ServerSpec) -> Backend {
        Backend::UnixSocket(Layout::new(&spec.directory).unix_socket())
    }
}
