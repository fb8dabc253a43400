//! What the kinds of databases of the demo have of their own.

use crate::arguments::DemoEngine;

/// The language of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's and MariaDB's.
    MySql,
}

/// A parameter, its value, and whether it waits for a reboot.
pub(super) type Parameter = (&'static str, &'static str, Waits);

/// When the new value of a parameter acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// At once.
    No,
    /// After a reboot.
    ForReboot,
}

impl DemoEngine {
    /// RDS's word for the engine.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
            Self::AuroraPostgresql => "aurora-postgresql",
            Self::AuroraMysql => "aurora-mysql",
        }
    }

    /// What the story calls the database.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mariadb => "MariaDB",
            Self::AuroraPostgresql => "an Aurora PostgreSQL cluster of a writer and two readers",
            Self::AuroraMysql => "an Aurora MySQL cluster of a writer and two readers",
        }
    }

    /// Whether it is a cluster.
    pub(super) fn is_cluster(self) -> bool {
        matches!(self, Self::AuroraPostgresql | Self::AuroraMysql)
    }

    /// The language of its server.
    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Postgres | Self::AuroraPostgresql => Dialect::Postgres,
            Self::Mariadb | Self::AuroraMysql => Dialect::MySql,
        }
    }

    /// A log that it exports.
    pub(super) fn log(self) -> &'static str {
        match self.dialect() {
            Dialect::Postgres => "postgresql",
            Dialect::MySql => "error",
        }
    }

    /// What the parameter group sets.
    pub(super) fn parameters(self) -> [Parameter; 2] {
        match self.dialect() {
            Dialect::Postgres => [
                ("work_mem", "16384", Waits::No),
                ("max_connections", "60", Waits::ForReboot),
            ],
            Dialect::MySql => [
                ("sort_buffer_size", "1048576", Waits::No),
                ("innodb_buffer_pool_size", "67108864", Waits::ForReboot),
            ],
        }
    }
}
