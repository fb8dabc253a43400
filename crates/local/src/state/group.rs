//! Parameter groups, option groups and subnet groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::table::Record;
use super::values::{Scope, Tags};

/// A DB parameter group, or a DB cluster parameter group. The default groups aren't stored: they are always there and
/// can't be changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ParameterGroup {
    #[serde(default)]
    pub(crate) kind: GroupKind,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) description: String,
    /// What the user set.
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) tags: Tags,
}

/// Whose parameters a group holds: names are unique among the groups of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GroupKind {
    #[default]
    Instance,
    Cluster,
}

impl GroupKind {
    pub(crate) const ALL: [Self; 2] = [Self::Instance, Self::Cluster];

    /// RDS's word for it in an ARN.
    pub(crate) fn in_arn(self) -> &'static str {
        match self {
            Self::Instance => "pg",
            Self::Cluster => "cluster-pg",
        }
    }

    /// The key of a group of that name in its table.
    pub(crate) fn key(self, scope: &Scope, name: &str) -> String {
        match self {
            Self::Instance => scope.key(name),
            Self::Cluster => scope.key(&format!("cluster-pg:{name}")),
        }
    }
}

/// A value that the user set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) value: String,
    pub(crate) method: ApplyMethod,
}

/// `ApplyMethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ApplyMethod {
    Immediate,
    PendingReboot,
}

/// An option group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OptionGroup {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) engine: String,
    pub(crate) major_version: String,
    pub(crate) description: String,
    /// By name, as `OptionConfiguration`.
    pub(crate) options: BTreeMap<String, Value>,
    pub(crate) tags: Tags,
}

/// A DB subnet group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SubnetGroup {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) tags: Tags,
}

impl ParameterGroup {
    /// The key in its table.
    pub(crate) fn key(&self) -> String {
        self.kind.key(&self.scope, &self.name)
    }
}

impl Record for ParameterGroup {
    const TABLE: &'static str = "parameter_group";
}

impl Record for OptionGroup {
    const TABLE: &'static str = "option_group";
}

impl Record for SubnetGroup {
    const TABLE: &'static str = "subnet_group";
}
