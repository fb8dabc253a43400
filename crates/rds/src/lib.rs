//! The narrow door to Amazon RDS: the only crate that sees the AWS SDK's types.
//!
//! - [`Rds`] is the door: [`Rds::connect`] opens it for users, [`Rds::new`] for simulations. It
//!   counts calls ([`Calls`]), keeps to the process's [`Limits`] and repeats only what is safe.
//! - Names are parsed once: [`DbIdentifier`], [`ResourceId`], [`SnapshotId`], [`SnapshotRef`],
//!   [`Arn`].
//! - Looks: [`Rds::instance`], [`Rds::poll_instance`] (which shares pages between executions),
//!   [`Rds::snapshot`], [`Rds::events`] and what they return, [`Instance`] and [`Snapshot`].
//! - Acts take [`Identified`], a name with the identity that must answer to it:
//!   [`Rds::rename_instance`], [`Rds::delete_instance`], [`Rds::modify_instance`] and the others.
//! - [`attributes()`] is the table of everything configurable about an instance; its values
//!   travel as [`Settings`].
//! - Whatever fails is an [`Error`] with a [`Class`].

mod act;
mod attributes;
mod calls;
mod classify;
mod connect;
mod convert;
mod error;
mod id;
mod instance;
mod limits;
mod look;
mod poll;
mod rds;
mod snapshot;
mod status;
mod surroundings;

pub use act::{AutomatedBackups, FinalSnapshot, Identified, RestoreInstance};
pub use attributes::{
    Attribute, AttributeClass, AttributeName, Engines, Family, Omit, Restart, Settings,
    UnknownAttribute, attribute, attributes,
};
pub use calls::Calls;
pub use classify::class_of_code;
pub use connect::{ConnectError, ConnectOptions, Identity};
pub use error::{Class, Error};
pub use id::{
    Arn, DB_IDENTIFIER_LENGTH_MAX, DbIdentifier, IdError, Reason, ResourceId,
    SNAPSHOT_ID_LENGTH_MAX, SnapshotId, SnapshotRef,
};
pub use instance::{Endpoint, Instance, MasterUserSecret, Membership, Role, Tags};
pub use limits::Limits;
pub use look::Event;
pub use rds::Rds;
pub use snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
pub use status::{InstanceStatus, StatusClass};
pub use surroundings::Quota;
