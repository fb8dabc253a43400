//! Parameter groups, option groups and subnet groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::table::Record;
use super::values::{Scope, Tags};

/// A DB parameter group. The default groups aren't stored: they are always there and can't be changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ParameterGroup {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) description: String,
    /// What the user set.
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) tags: Tags,
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

impl Record for ParameterGroup {
    const TABLE: &'static str = "parameter_group";
}

impl Record for OptionGroup {
    const TABLE: &'static str = "option_group";
}

impl Record for SubnetGroup {
    const TABLE: &'static str = "subnet_group";
}
