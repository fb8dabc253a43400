//! Custom endpoints of clusters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::State;
use super::cluster::Cluster;
use super::instance::Instance;
use super::settling::Settling;
use super::table::Record;
use super::values::{Scope, Tags, arn};

/// What a custom endpoint is once it was deleted. RDS has no word for it.
pub(crate) const DELETED: &str = "deleted";

/// A custom endpoint. It is the cluster's through every rename, and its members are these instances through theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CustomEndpoint {
    /// `DBClusterEndpointResourceIdentifier`.
    pub(crate) resource_id: String,
    pub(crate) scope: Scope,
    pub(crate) identifier: String,
    /// The cluster's resource id.
    pub(crate) cluster: String,
    pub(crate) clients: Clients,
    pub(crate) members: Members,
    pub(crate) status: Settling,
    pub(crate) tags: Tags,
}

/// `CustomEndpointType`: what the endpoint's clients want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Clients {
    /// They only read.
    Reader,
    Any,
}

/// The members that an endpoint leads to, by resource id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Members {
    /// `StaticMembers`: these.
    Static(Vec<String>),
    /// `ExcludedMembers`: all but these.
    AllBut(Vec<String>),
}

impl CustomEndpoint {
    /// `DBClusterEndpointArn`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.scope, "cluster-endpoint", &self.identifier)
    }

    /// Whether it can be found.
    pub(crate) fn exists(&self, now: Timestamp) -> bool {
        self.status.status(now) != DELETED
    }

    /// Whether it leads to the member.
    pub(crate) fn leads_to(&self, cluster: &Cluster, member: &Instance) -> bool {
        let is_chosen = match &self.members {
            Members::Static(members) => members.contains(&member.resource_id),
            Members::AllBut(members) => !members.contains(&member.resource_id),
        };
        let is_writer = cluster.writer.as_ref() == Some(&member.resource_id);
        is_chosen && (self.clients == Clients::Any || !is_writer)
    }
}

impl State {
    /// The custom endpoints of a cluster that can be found.
    pub(crate) fn custom_endpoints_of(
        &self,
        cluster: &str,
        now: Timestamp,
    ) -> impl Iterator<Item = &CustomEndpoint> {
        let endpoints = self.custom_endpoints.values();
        endpoints.filter(move |endpoint| endpoint.cluster == cluster && endpoint.exists(now))
    }
}

impl Record for CustomEndpoint {
    const TABLE: &'static str = "custom_endpoint";
}
