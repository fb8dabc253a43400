//! A blueprint as a document: everything that it takes to make a database again after it is gone.
//!
//! A snapshot holds the data and little of the configuration. So each snapshot that Trapheus makes
//! has its database's blueprint kept with it, and `trapheus plan --save` writes one when asked to.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use trapheus_rds::{Arn, Database, DbIdentifier, Kind, ResourceId};

use crate::blueprint::Blueprint;
use crate::plan::{CustomEndpointPlan, PartRole, Plan};
use crate::tasks::Target;

/// The form of the document. It changes when an older program would misread a newer document.
const VERSION: u32 = 1;

/// The blueprint of a database with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedBlueprint {
    /// The form of the document.
    #[serde(deserialize_with = "known")]
    pub version: u32,
    /// When it was captured.
    pub captured_at: Timestamp,
    /// What the database was called then.
    pub identifier: DbIdentifier,
    /// Its identity.
    pub resource_id: ResourceId,
    /// What it is.
    pub kind: Kind,
    /// Its version of the engine.
    pub engine_version: String,
    /// Its configuration: of an instance, or of the cluster itself.
    pub head: Blueprint,
    /// The cluster's members and the read replicas.
    pub parts: Vec<SavedPart>,
    /// The cluster's custom endpoints.
    pub custom_endpoints: Vec<CustomEndpointPlan>,
}

impl SavedBlueprint {
    /// What was captured of a living database.
    pub(crate) fn of(captured: Target, database: &Database, now: Timestamp) -> Self {
        let parts = captured.parts.into_iter().map(|part| SavedPart {
            role: part.role,
            identifier: part.names.target,
            blueprint: part.blueprint,
        });
        Self {
            version: VERSION,
            captured_at: now,
            identifier: database.identifier.clone(),
            resource_id: database.resource_id.clone(),
            kind: captured.kind,
            engine_version: captured.engine_version,
            head: captured.blueprint,
            parts: parts.collect(),
            custom_endpoints: captured.custom_endpoints,
        }
    }

    /// What a plan makes a database like, with these blueprints in place of its own.
    pub(crate) fn planned(
        plan: &Plan,
        of: ResourceId,
        head: Blueprint,
        parts: Vec<SavedPart>,
    ) -> Self {
        Self {
            version: VERSION,
            captured_at: plan.planned_at,
            identifier: plan.identifier.clone(),
            resource_id: of,
            kind: plan.kind,
            engine_version: plan.engine_version.clone(),
            head,
            parts,
            custom_endpoints: plan.custom_endpoints.clone(),
        }
    }
}

/// A database that belongs to another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPart {
    /// What it is to the other one.
    pub role: PartRole,
    /// What it was called.
    pub identifier: DbIdentifier,
    /// Its configuration.
    pub blueprint: Blueprint,
}

/// Why a blueprint can't be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BlueprintError(pub String);

/// Keeps the blueprints of snapshots.
#[async_trait]
pub trait Blueprints: Send + Sync + 'static {
    /// Keeps the blueprint of a snapshot, in place of one that it had.
    ///
    /// # Errors
    /// It can't be kept.
    async fn keep(&self, snapshot: &Arn, blueprint: &SavedBlueprint) -> Result<(), BlueprintError>;

    /// Finds the blueprint of a snapshot.
    ///
    /// # Errors
    /// There is one that can't be read.
    async fn of(&self, snapshot: &Arn) -> Result<Option<SavedBlueprint>, BlueprintError>;

    /// Forgets the blueprint of a snapshot that is gone.
    ///
    /// # Errors
    /// There is one that can't be deleted.
    async fn forget(&self, snapshot: &Arn) -> Result<(), BlueprintError>;
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(serde::de::Error::custom(format!(
            "it is of version {other}, and this program reads version {VERSION}"
        ))),
    }
}
