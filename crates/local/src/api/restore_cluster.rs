//! `RestoreDBClusterFromSnapshot`: what the request says, else the little that the snapshot holds, else RDS's defaults.
//! The cluster has no members, unless it is a Multi-AZ DB cluster.

use serde_json::{Value, json};

use super::clusters::{self as clusters_api, NewCluster};
use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{instances, snapshots};
use crate::clusters;
use crate::clusters::attributes::ATTRIBUTES;
use crate::settings;
use crate::state::cluster::{ClusterStatus, ClusterWork};
use crate::state::snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
use crate::state::{Settings, Tags};

pub(super) fn restore(context: &mut Context<'_>, input: &Input) -> Answer {
    let snapshot = source(context, input.required("SnapshotIdentifier")?)?;
    if snapshot.status != SnapshotStatus::Available {
        return Err(snapshots::not_available(&snapshot));
    }
    let product = context.product(input.required("Engine")?)?;
    let mut settings = settings::asked(ATTRIBUTES, input, |attribute| attribute.restore);
    let version = instances::version(context, product, input.text("EngineVersion"))?;
    check_engine(context, &snapshot, product.engine, &version)?;
    settings.insert("EngineVersion".to_owned(), json!(version));
    let new = prepare(context, input, &snapshot, settings)?;
    let work = ClusterWork::Restore {
        snapshot: snapshot.key(),
    };
    clusters_api::add(context, new, work, ClusterStatus::Migrating)
}

/// A cluster with the settings that the request gives; the others are inherited or RDS's defaults.
pub(super) fn prepare(
    context: &mut Context<'_>,
    input: &Input,
    snapshot: &Snapshot,
    mut settings: Settings,
) -> Result<NewCluster, ApiError> {
    let engine = settings.get("Engine").and_then(Value::as_str);
    let product = context.product(engine.unwrap_or_default())?;
    let asked = settings.clone();
    settings::inherit(ATTRIBUTES, &mut settings, &snapshot.settings);
    if settings.contains_key("KmsKeyId") {
        settings.insert("StorageEncrypted".to_owned(), json!(true));
    }
    clusters::settings::fill_in(context, &mut settings, product);
    clusters::settings::check(context, &settings, &asked)?;
    let given = input
        .get("Tags")
        .map(|_| Tags::from_request(input.list("Tags")));
    Ok(NewCluster {
        identifier: input.required("DBClusterIdentifier")?.to_owned(),
        settings,
        tags: given.unwrap_or_else(|| snapshot.tags.clone()),
        password: snapshot.password.clone(),
        roles: clusters_api::roles(input),
    })
}

/// A cluster snapshot by name or ARN, or the snapshot of an instance by ARN.
fn source(context: &Context<'_>, name: &str) -> Result<Snapshot, ApiError> {
    let kind = match name.contains(":snapshot:") {
        true => SnapshotKind::Instance,
        false => SnapshotKind::Cluster,
    };
    snapshots::find(context, kind, name).cloned()
}

/// The data stays with its database system; and a local server can't go over to another major version by itself.
fn check_engine(
    context: &Context<'_>,
    snapshot: &Snapshot,
    engine: &str,
    version: &str,
) -> Result<(), ApiError> {
    let (from, to) = (
        context.product(snapshot.engine())?,
        context.product(engine)?,
    );
    let before = snapshot
        .settings
        .get("EngineVersion")
        .and_then(Value::as_str);
    let before = before.unwrap_or_default();
    let is_same_major = from.major_version(before) == to.major_version(version);
    match from.system == to.system && is_same_major {
        true => Ok(()),
        false => Err(ApiError::new(
            "InvalidRestoreFault",
            format!(
                "A snapshot of {} {before} can't be restored to {engine} {version}.",
                snapshot.engine()
            ),
        )),
    }
}
