//! Restores to a point in time: from the automated backups of a database that is there, or of one that is gone.

use jiff::Timestamp;

use super::clusters::{self as clusters_api};
use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::restore;
use super::restore_cluster;
use crate::clusters::attributes::ATTRIBUTES;
use crate::settings;
use crate::state::cluster::{ClusterStatus, ClusterWork};
use crate::state::instance::Work;
use crate::state::snapshot::{Snapshot, SnapshotKind};

pub(super) fn restore_instance(context: &mut Context<'_>, input: &Input) -> Answer {
    let source = instance_source(context, input)?;
    let until = until(context, input, "RestoreTime", &source)?;
    let settings = settings::of_request(input, |attribute| attribute.create);
    let work = Work::RestoreToPointInTime {
        source: source.source_resource_id.clone(),
        until,
    };
    let target = input.required("TargetDBInstanceIdentifier")?;
    restore::add(context, input, &source, settings, target, work)
}

pub(super) fn restore_cluster(context: &mut Context<'_>, input: &Input) -> Answer {
    let source = cluster_source(context, input)?;
    let until = until(context, input, "RestoreToTime", &source)?;
    if !matches!(
        input.text("RestoreType"),
        None | Some("full-copy" | "copy-on-write")
    ) {
        return Err(ApiError::value(
            "RestoreType must be full-copy or copy-on-write.",
        ));
    }
    let mut settings = settings::asked(ATTRIBUTES, input, |attribute| attribute.restore);
    for name in ["Engine", "EngineVersion"] {
        if let Some(value) = source.settings.get(name) {
            settings.insert(name.to_owned(), value.clone());
        }
    }
    let work = ClusterWork::RestoreToPointInTime {
        source: source.source_resource_id.clone(),
        until,
    };
    let new = restore_cluster::prepare(context, input, &source, settings)?;
    clusters_api::add(context, new, work, ClusterStatus::Creating)
}

/// The living instance that a name finds, or the instance, living or gone, whose id or backups are named.
fn instance_source(context: &Context<'_>, input: &Input) -> Result<Snapshot, ApiError> {
    let not_found = |what: &str| {
        let message = format!("There are no automated backups of {what}.");
        ApiError::new("DBInstanceAutomatedBackupNotFound", message)
    };
    let (name, id, arn) = (
        input.text("SourceDBInstanceIdentifier"),
        input.text("SourceDbiResourceId"),
        input.text("SourceDBInstanceAutomatedBackupsArn"),
    );
    match (name, id, arn) {
        (Some(name), None, None) => {
            let resource_id = context.instance(name)?.resource_id.clone();
            picture(context, &resource_id, SnapshotKind::Instance).ok_or_else(|| not_found(name))
        }
        (None, Some(id), None) => {
            picture(context, id, SnapshotKind::Instance).ok_or_else(|| not_found(id))
        }
        (None, None, Some(arn)) => {
            let backups = context.state.automated_backups.iter();
            let mut found =
                backups.filter_map(|(id, _)| picture(context, id, SnapshotKind::Instance));
            found
                .find(|source| source.automated_backups_arn() == arn)
                .ok_or_else(|| not_found(arn))
        }
        _ => Err(ApiError::combination(
            "Specify one of SourceDBInstanceIdentifier, SourceDbiResourceId and SourceDBInstanceAutomatedBackupsArn.",
        )),
    }
}

/// The living cluster that a name finds, or the cluster, living or gone, whose id is named.
fn cluster_source(context: &Context<'_>, input: &Input) -> Result<Snapshot, ApiError> {
    let (name, id) = (
        input.text("SourceDBClusterIdentifier"),
        input.text("SourceDbClusterResourceId"),
    );
    let id = match (name, id) {
        (Some(name), None) => context.cluster(name)?.resource_id.clone(),
        (None, Some(id)) => id.to_owned(),
        _ => {
            return Err(ApiError::combination(
                "Specify either SourceDBClusterIdentifier or SourceDbClusterResourceId.",
            ));
        }
    };
    picture(context, &id, SnapshotKind::Cluster).ok_or_else(|| {
        let message = format!("There are no automated backups of {id}.");
        ApiError::new("DBClusterAutomatedBackupNotFoundFault", message)
    })
}

fn picture(context: &Context<'_>, resource_id: &str, kind: SnapshotKind) -> Option<Snapshot> {
    let picture = context.state.picture(resource_id, context.now)?;
    (picture.kind == kind && picture.scope == *context.scope).then_some(picture)
}

/// The instant that a request asks for.
fn until(
    context: &Context<'_>,
    input: &Input,
    member: &str,
    source: &Snapshot,
) -> Result<Timestamp, ApiError> {
    let id = &source.source_resource_id;
    let is_retained = context
        .state
        .automated_backups
        .get(id)
        .is_some_and(|backups| backups.retained.is_some());
    if !is_retained && context.state.retention_days(id) == 0 {
        return Err(ApiError::new(
            "PointInTimeRestoreNotEnabled",
            format!("{} has no automated backups.", source.identifier),
        ));
    }
    let refused = |message: String| ApiError::new("InvalidRestoreFault", message);
    let window = context
        .state
        .restorable(id, context.now)
        .ok_or_else(|| refused(format!("{} has no restorable time yet.", source.identifier)))?;
    let asked = match (input.text(member), input.flag("UseLatestRestorableTime")) {
        (None, true) => return Ok(window.latest),
        (Some(asked), false) => asked,
        _ => {
            return Err(ApiError::combination(format!(
                "Specify either {member} or UseLatestRestorableTime."
            )));
        }
    };
    let until: Timestamp = asked
        .parse()
        .map_err(|_| ApiError::value(format!("{asked} is not a time.")))?;
    match (window.earliest..=window.latest).contains(&until) {
        true => Ok(until),
        false => Err(refused(format!(
            "{} can be restored to a time from {} to {}, not to {until}.",
            source.identifier, window.earliest, window.latest
        ))),
    }
}
