//! RDS proxies.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settling::Settling;
use super::table::Record;
use super::values::{Scope, Tags, arn};

/// A proxy with its one target group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Proxy {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    /// The id in its ARN.
    pub(crate) id: String,
    pub(crate) engine_family: EngineFamily,
    /// Members of `DBProxy` that are shown as they were given.
    pub(crate) settings: serde_json::Map<String, Value>,
    pub(crate) created_at: Timestamp,
    pub(crate) status: Settling,
    pub(crate) targets: Vec<ProxyTarget>,
    pub(crate) tags: Tags,
}

/// A database behind a proxy. It is registered by name, and the proxy looks for it under that name only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProxyTarget {
    pub(crate) kind: TargetKind,
    /// The name when it was registered.
    pub(crate) identifier: String,
    pub(crate) resource_id: String,
    /// What it is as long as the database answers.
    pub(crate) health: Settling,
}

/// What a proxy's target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TargetKind {
    Instance,
    Cluster,
}

/// `EngineFamily`: the protocol that a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EngineFamily {
    MySql,
    PostgreSql,
    SqlServer,
}

impl EngineFamily {
    pub(crate) const ALL: [Self; 3] = [Self::MySql, Self::PostgreSql, Self::SqlServer];

    /// RDS's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "MYSQL",
            Self::PostgreSql => "POSTGRESQL",
            Self::SqlServer => "SQLSERVER",
        }
    }

    /// The port of a proxy, whatever that of its target is.
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::MySql => 3306,
            Self::PostgreSql => 5432,
            Self::SqlServer => 1433,
        }
    }
}

impl Proxy {
    /// The key in its table.
    pub(crate) fn key(&self) -> String {
        self.scope.key(&self.name)
    }

    /// The name under which it has an address. No database has such a name.
    pub(crate) fn host(name: &str) -> String {
        format!("proxy:{name}")
    }

    /// `DBProxyArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "db-proxy", &self.id)
    }
}

impl Record for Proxy {
    const TABLE: &'static str = "proxy";
}
