//! A DB instance or a DB cluster as one answer of DescribeDBInstances or DescribeDBClusters
//! shows it.

mod cluster;
mod instance;

use std::collections::BTreeMap;

use aws_sdk_rds::types as sdk;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attributes::{Settings, Subject, is_aurora};
use crate::id::{Arn, DbIdentifier, ResourceId};
use crate::status::Status;

/// What RDS says of a parameter group whose values act only after a reboot.
const PENDING_REBOOT: &str = "pending-reboot";

/// Keys and values on a resource. RDS allows 50 of them, and none that begins with `aws:` or `rds:`.
pub type Tags = BTreeMap<String, String>;

/// What a database is to RDS, which has calls of their own for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A DB instance; a cluster's member is one, too.
    Instance,
    /// A DB cluster.
    Cluster,
}

/// A database by the name that it should have and the identity that it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// What it is.
    pub kind: Kind,
    /// The name to call it by.
    pub name: DbIdentifier,
    /// Who must answer to the name.
    pub resource: ResourceId,
}

/// A DB instance or a DB cluster, seen once.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// What it is.
    pub kind: Kind,
    /// The name, which a rename changes.
    pub identifier: DbIdentifier,
    /// The identity, which nothing changes.
    pub resource_id: ResourceId,
    /// The ARN; it contains the name.
    pub arn: Arn,
    /// The status at that instant.
    pub status: Status,
    /// The engine, for instance `postgres`.
    pub engine: String,
    /// The engine's version.
    pub engine_version: String,
    /// Where clients connect, of a cluster: who write; absent until the database has been created.
    pub endpoint: Option<Endpoint>,
    /// The name of the master user.
    pub master_username: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// The tags.
    pub tags: Tags,
    /// The parameter groups of its own kind and whether their values act; for a cluster, in all
    /// its members.
    pub parameter_groups: Vec<Membership>,
    /// The option groups and whether their options act.
    pub option_groups: Vec<Membership>,
    /// The VPC security groups.
    pub security_groups: Vec<Membership>,
    /// The Active Directory domains.
    pub domains: Vec<Membership>,
    /// Changes that RDS has accepted and not made yet, by RDS's member names.
    pub pending_changes: Vec<&'static str>,
    /// The cluster that the instance is a member of.
    pub cluster: Option<DbIdentifier>,
    /// The cluster's members; an instance has none.
    pub members: Vec<Member>,
    /// Where clients of a cluster connect who only read.
    pub reader_endpoint: Option<String>,
    /// The instance or cluster that it replicates: a name, or the ARN of one in another Region.
    pub replica_source: Option<String>,
    /// The instances and clusters that replicate this one: names, or ARNs in other Regions.
    pub replicas: Vec<String>,
    /// The secret with the master password, when RDS manages it.
    pub master_user_secret: Option<MasterUserSecret>,
    /// Roles that it may take, with the features they serve.
    pub roles: Vec<Role>,
    /// Whether its deletion is refused.
    pub deletion_protection: bool,
    /// The instants that its backups can restore.
    pub restorable: Option<Window>,
    /// How far the running operation is, in percent, where RDS says so.
    pub percent: Option<u8>,
    /// Everything configurable that the answer shows; see [`attributes`](crate::attributes()).
    pub settings: Settings,
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The host name.
    pub address: String,
    /// The TCP port.
    pub port: u16,
}

/// A DB instance as its cluster shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub identifier: DbIdentifier,
    /// Whether it takes writes.
    pub is_writer: bool,
    /// The order in which readers replace the writer; 0 is first.
    pub promotion_tier: Option<i32>,
    /// Whether the values of the cluster's parameter group act in it, in RDS's words, for
    /// instance `in-sync` or `pending-reboot`.
    pub parameter_group_status: String,
}

/// The instants that backups can restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first; absent where RDS does not say it.
    pub earliest: Option<Timestamp>,
    /// The last.
    pub latest: Timestamp,
}

/// A group or a domain that a database belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The name or id of the group.
    pub name: String,
    /// How far the membership is, in RDS's words, for instance `in-sync` or `pending-reboot`.
    pub status: String,
}

/// A secret in Secrets Manager that RDS keeps the master password in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterUserSecret {
    /// The secret's ARN.
    pub arn: String,
    /// `creating`, `active`, `rotating` or `impaired`.
    pub status: String,
    /// The key that encrypts it.
    pub kms_key_id: Option<String>,
}

/// A role that a database may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's ARN.
    pub arn: String,
    /// The feature that it serves, for instance `s3Import`.
    pub feature: String,
    /// `ACTIVE`, `PENDING` or `INVALID`.
    pub status: String,
}

impl Member {
    /// Tells whether values of the cluster's parameter group act in it only after a reboot.
    pub fn needs_reboot(&self) -> bool {
        self.parameter_group_status == PENDING_REBOOT
    }
}

impl Database {
    /// Names it and its identity, for calls that change it.
    pub fn identified(&self) -> Identified {
        Identified {
            kind: self.kind,
            name: self.identifier.clone(),
            resource: self.resource_id.clone(),
        }
    }

    /// Says which table of attributes describes it.
    pub fn subject(&self) -> Subject {
        match (self.kind, &self.cluster) {
            (Kind::Cluster, _) => Subject::Cluster,
            (Kind::Instance, Some(_)) => Subject::Member,
            (Kind::Instance, None) => Subject::Instance,
        }
    }

    /// Tells whether it is a Multi-AZ DB cluster: its members are made, renamed and deleted with
    /// it. Aurora's are DB instances with lives of their own.
    pub fn is_multi_az_cluster(&self) -> bool {
        self.kind == Kind::Cluster && !is_aurora(&self.engine)
    }

    /// Finds the member that takes writes.
    pub fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.is_writer)
    }

    /// Says what RDS still has to do before the database is as asked; `None` when nothing.
    ///
    /// `available` alone does not say so: a modify that has just been accepted leaves the
    /// status as it is for a while, and groups, domains and secrets follow on their own.
    pub fn unsettled(&self) -> Option<String> {
        let name = &self.identifier;
        if !self.status.is_available() {
            return Some(format!("{name} is {}", self.status));
        }
        if !self.pending_changes.is_empty() {
            let changes = self.pending_changes.join(", ");
            return Some(format!("{name} has pending changes: {changes}"));
        }
        if let Some((kind, group)) = self.settling_membership() {
            return Some(format!(
                "{kind} {} of {name} is {}",
                group.name, group.status
            ));
        }
        let secret = self.master_user_secret.as_ref()?;
        (secret.status == "creating")
            .then(|| format!("the master secret of {name} is being created"))
    }

    /// Finds a group or a domain that RDS is still joining or leaving. A reboot that is pending
    /// and a failure are no reason to wait: waiting doesn't end them.
    fn settling_membership(&self) -> Option<(&'static str, &Membership)> {
        let parameters = ["in-sync", PENDING_REBOOT, "failed-to-apply"];
        let options = ["in-sync", "pending-maintenance-apply", "failed"];
        let domains = ["joined", "kerberos-enabled", "failed"];
        let kinds: [(&'static str, &[Membership], &[&str]); 4] = [
            ("parameter group", &self.parameter_groups, &parameters),
            ("option group", &self.option_groups, &options),
            ("security group", &self.security_groups, &["active"]),
            ("domain", &self.domains, &domains),
        ];
        kinds.into_iter().find_map(|(kind, memberships, settled)| {
            let is_settling = |group: &&Membership| !settled.contains(&group.status.as_str());
            Some((kind, memberships.iter().find(is_settling)?))
        })
    }

    /// Tells whether values of a parameter group act only after a reboot. In an Aurora cluster,
    /// that is a reboot of each member whose own status says so.
    pub fn needs_reboot(&self) -> bool {
        self.parameter_groups
            .iter()
            .any(|group| group.status == PENDING_REBOOT)
    }
}

fn membership(name: Option<&str>, status: Option<&str>) -> Membership {
    Membership {
        name: name.unwrap_or_default().to_owned(),
        status: status.unwrap_or_default().to_owned(),
    }
}

fn secret(secret: &sdk::MasterUserSecret) -> MasterUserSecret {
    MasterUserSecret {
        arn: secret.secret_arn().unwrap_or_default().to_owned(),
        status: secret.secret_status().unwrap_or_default().to_owned(),
        kms_key_id: secret.kms_key_id.clone(),
    }
}

fn security_groups(groups: &[sdk::VpcSecurityGroupMembership]) -> Vec<Membership> {
    let groups = groups.iter();
    groups
        .map(|group| membership(group.vpc_security_group_id(), group.status()))
        .collect()
}

fn domains(domains: &[sdk::DomainMembership]) -> Vec<Membership> {
    let domains = domains.iter();
    domains
        .map(|domain| membership(domain.domain(), domain.status()))
        .collect()
}
