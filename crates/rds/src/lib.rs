//! The narrow door to Amazon RDS: the only crate that sees the AWS SDK's types.
//!
//! - [`Rds`] is the door: [`Rds::connect`] opens it for users, [`Rds::new`] for simulations. It
//!   counts calls ([`Calls`]), keeps to the process's [`Limits`] and repeats only what is safe.
//! - Names are parsed once: [`DbIdentifier`], [`ResourceId`], [`SnapshotId`], [`SnapshotRef`],
//!   [`Arn`].
//! - Looks: [`Rds::database`], [`Rds::poll_database`] (which shares pages between executions),
//!   [`Rds::snapshot`], [`Rds::events`] and what they return, [`Database`] and [`Snapshot`].
//! - Acts take [`Identified`], a name with the identity that must answer to it:
//!   [`Rds::rename`], [`Rds::delete`], [`Rds::modify`] and the others.
//! - [`Rds::in_account`] opens a door in another account or Region; [`Rds::share`] and
//!   [`Rds::copy_snapshot`] make a snapshot reachable from there.
//! - [`Restore`], [`CreateMember`] and [`CreateReplica`] make databases.
//! - What belongs to a database beside its settings has calls of its own, which take [`Identified`]
//!   too: roles, streams, replicated backups, custom endpoints, proxies.
//! - [`attributes()`] are the tables of everything configurable about instances, clusters and
//!   their members; their values travel as [`Settings`].
//! - Whatever fails is an [`Error`] with a [`Class`].

mod account;
mod act;
mod attachments;
mod attributes;
mod backups;
mod calls;
mod classify;
mod connect;
mod convert;
mod database;
mod endpoints;
mod error;
mod id;
mod limits;
mod look;
mod make;
mod names;
mod permit;
mod poll;
mod proxies;
mod rds;
mod sharing;
mod snapshot;
mod snapshots;
mod status;
mod surroundings;
mod topology;

pub use account::{Account, RoleArn};
pub use act::{AutomatedBackups, FinalSnapshot};
pub use attachments::{ActivityStream, AuditPolicy, BackupReplication};
pub use attributes::{
    Attribute, AttributeClass, AttributeName, Family, Omit, Restart, Settings, Subject,
    UnknownAttribute, Way, attribute, attributes,
};
pub use backups::AutomatedBackup;
pub use calls::Calls;
pub use classify::class_of_code;
pub use connect::{ConnectError, ConnectOptions, Identity};
pub use database::{
    Database, Endpoint, Identified, Kind, MasterUserSecret, Member, Membership, Role, Tags, Window,
};
pub use endpoints::{CustomEndpoint, CustomEndpointSpec};
pub use error::{Class, Error};
pub use id::{
    AccountId, Arn, CLUSTER_SNAPSHOT_ID_LENGTH_MAX, DB_IDENTIFIER_LENGTH_MAX, DbIdentifier,
    IdError, Reason, RegionId, ResourceId, SNAPSHOT_ID_LENGTH_MAX, SnapshotId, SnapshotRef,
};
pub use limits::Limits;
pub use look::Event;
pub use make::{CreateMember, CreateReplica, PointInTimeSource, Restore, RestoreFrom};
pub use names::PointingName;
pub use permit::Permit;
pub use proxies::ProxyTarget;
pub use rds::Rds;
pub use sharing::CopySnapshot;
pub use snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
pub use status::{Status, StatusClass};
pub use surroundings::{Quota, SubnetGroup};
