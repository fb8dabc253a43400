//! The restore itself: what is decided, what is done, how it is undone and what is reported.
//!
//! - [`Request::parse`] reads an input document.
//! - [`Tasks::plan`] turns it into a [`Plan`]: every choice made once, every check made.
//! - [`Tasks::run`] makes one state of [`DEFINITION`] so. Tasks are level-triggered: they look at
//!   the world and act only on what is missing, so any of them may run twice, anywhere.
//! - [`summary()`] tells from the history alone how an execution went.
//!
//! Who runs the definition is not this crate's concern, and it never sees an AWS type: it talks
//! to RDS through [`trapheus_rds`] only, and to a database server through [`Verifier`] and [`Sql`]
//! only.

mod alert;
mod blueprint;
mod checks;
mod consequences;
mod error;
mod executions;
mod fidelity;
mod forecast;
mod input;
mod limits;
mod marks;
mod names;
mod nearest;
mod plan;
mod record;
mod repair;
mod saved;
mod secrets;
mod sql;
mod summary;
mod targets;
mod tasks;
mod verifier;
mod whereabouts;

/// The definition of the pipeline, in Amazon States Language.
pub const DEFINITION: &str = include_str!("../../../workflow/restore.asl.json");

pub use alert::{
    Alert, AlertKind, Delivery, Notifier, Notify, Recipient, RecipientError, Whereabouts,
    deserialize_seconds,
};
pub use blueprint::Blueprint;
pub use checks::{Check, Verdict};
pub use error::{Calls, Cause, ErrorName, TaskError};
pub use executions::{Executions, ExecutionsError, NoExecutions};
pub use fidelity::{Fidelity, Loss};
pub use forecast::Forecast;
pub use input::{
    AutomatedBackups, CreateIfMissing, CrossRegionReplicas, FinalSnapshot, InputError,
    KeptOriginal, MasterPassword, Place, Preparation, Request, RestoreTime, RollbackOf,
    SnapshotChoice, Strategy, Targets, Task, Verifications,
};
pub use limits::Limits;
pub use names::Names;
pub use plan::{
    CustomEndpointPlan, KeptOriginalPlan, LoginSource, Original, Outage, Part, PartRole, Plan,
    PointInTimePlan, PreparePlan, Retirement, RollbackPlan, ScriptsPlan, SnapshotPlan, SqlPlan,
    Step, Verification,
};
pub use saved::{BlueprintError, Blueprints, SavedBlueprint, SavedPart};
pub use secrets::{Secret, SecretError, Secrets};
pub use sql::{Answer, Column, Dialect, Server, ServerSql, Sql, SqlError};
pub use summary::{
    ROLLED_BACK, Standing, Summary, SummaryError, SummaryStatus, plan_of, summary,
    summary_at_report,
};
pub use targets::{CopyPlan, SharingPlan, TargetPlan};
pub use tasks::{
    Clock, Configured, KeptDatabase, MovedAside, Options, Prepared, Promoted, Refusal, Report,
    Reported, Restored, Retired, RolledBack, Shared, Snapshotted, TargetResult, Tasks, Unshared,
    Verified,
};
pub use trapheus_rds::Kind;
pub use verifier::{Credentials, Probe, ProbeError, Proof, ServerVerifier, Verifier};
