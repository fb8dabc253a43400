//! Which snapshot supplies the data: one that is made, one that is named, or the newest; or which
//! backups, for a point in time.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{
    Database, DbIdentifier, Kind, Rds, Settings, Snapshot, SnapshotId, SnapshotStatus,
};

use crate::checks::snapshot::Receiver;
use crate::checks::{self, Check};
use crate::error::TaskError;
use crate::input::{Request, RestoreTime, SnapshotChoice, Task};
use crate::marks::{Marks, Role};
use crate::names;
use crate::plan::{PointInTimePlan, SnapshotPlan};

use super::point_in_time;

const NAME: &str = "snapshot";

/// Where the data of an execution comes from, and what was found about it.
pub(super) struct Chosen {
    pub(super) snapshot: Option<SnapshotPlan>,
    pub(super) point_in_time: Option<PointInTimePlan>,
    pub(super) checks: Vec<Check>,
    /// What of the configuration comes with the data.
    pub(super) stored: Settings,
}

impl Chosen {
    /// A snapshot that is to be made, or exists.
    fn snapshot(plan: SnapshotPlan, checks: Vec<Check>) -> Self {
        Self {
            snapshot: Some(plan),
            point_in_time: None,
            checks,
            stored: Settings::new(),
        }
    }

    /// Nothing can be used.
    fn nothing(why: Check) -> Self {
        Self {
            snapshot: None,
            point_in_time: None,
            checks: vec![why],
            stored: Settings::new(),
        }
    }

    /// The storage that it needs, in GiB.
    pub(super) fn size(&self) -> Option<u64> {
        let snapshot = self.snapshot.as_ref();
        let moment = self.point_in_time.as_ref();
        snapshot
            .and_then(|snapshot| snapshot.allocated_storage_gib)
            .or(moment.and_then(|moment| moment.allocated_storage_gib))
    }

    /// The version of the engine in it.
    pub(super) fn engine_version(&self) -> Option<&str> {
        let snapshot = self.snapshot.as_ref();
        let moment = self.point_in_time.as_ref();
        snapshot
            .and_then(|snapshot| snapshot.engine_version.as_deref())
            .or(moment.map(|moment| moment.engine_version.as_str()))
    }
}

/// Chooses the snapshot, or the backups.
pub(super) async fn choose(
    rds: &Rds,
    request: &Request,
    target: &Receiver<'_>,
    now: Timestamp,
) -> Result<Chosen, TaskError> {
    if matches!(
        request.task,
        Task::CreateSnapshot | Task::CreateSnapshotOnly
    ) {
        return make(rds, request, target, now).await;
    }
    if let Some(time) = request.restore_time {
        return moment(rds, request, target, time, now).await;
    }
    let found = find(rds, target.kind, request).await?;
    Ok(found.map_or_else(Chosen::nothing, |snapshot| {
        existing(&snapshot, request, target, now)
    }))
}

/// The backups of the source that hold the moment.
async fn moment(
    rds: &Rds,
    request: &Request,
    target: &Receiver<'_>,
    time: RestoreTime,
    now: Timestamp,
) -> Result<Chosen, TaskError> {
    let living = rds.database(target.kind, &request.source).await?;
    let asked = point_in_time::Asked {
        source: &request.source,
        kind: target.kind,
        time,
        now,
    };
    let (plan, check) = match point_in_time::choose(rds, &asked, living.as_ref()).await? {
        Ok(found) => found,
        Err(outside) => return Ok(Chosen::nothing(outside)),
    };
    let data = checks::snapshot::Data {
        what: request.source.as_str(),
        engine: &plan.engine,
        version: &plan.engine_version,
    };
    let mut checks = vec![check];
    checks.extend(checks::snapshot::engine(&data, target, &request.allow_lost));
    Ok(Chosen {
        snapshot: None,
        point_in_time: Some(plan),
        checks,
        stored: Settings::new(),
    })
}

async fn make(
    rds: &Rds,
    request: &Request,
    target: &Receiver<'_>,
    now: Timestamp,
) -> Result<Chosen, TaskError> {
    let Some(source) = rds.database(target.kind, &request.source).await? else {
        let source = &request.source;
        let detail = format!("there is no database {source} to take a snapshot of");
        return Ok(Chosen::nothing(Check::fail(NAME, detail)));
    };
    let id = free_name(rds, &source, now).await?;
    let checks = new_checks(&source, target, id.as_str());
    let plan = SnapshotPlan {
        id: id.into(),
        arn: None,
        create: true,
        source: source.identifier,
        source_resource_id: Some(source.resource_id),
        created_at: None,
        age_seconds: None,
        allocated_storage_gib: source
            .settings
            .get("AllocatedStorage")
            .and_then(|gib| gib.as_u64()),
        engine_version: Some(source.engine_version),
        keep: request.keep_snapshots,
    };
    Ok(Chosen::snapshot(plan, checks))
}

/// The fixed name where it is free, else one of the time; of two in one second, the later one
/// gets the next second's.
async fn free_name(rds: &Rds, source: &Database, now: Timestamp) -> Result<SnapshotId, TaskError> {
    let (kind, of) = (source.kind, &source.identifier);
    let (mut id, mut at) = (names::fixed_snapshot(kind, of), now);
    while rds.snapshot(kind, &id.clone().into()).await?.is_some() {
        id = names::timed_snapshot(kind, of, at);
        at += SignedDuration::from_secs(1);
    }
    Ok(id)
}

fn new_checks(source: &Database, target: &Receiver<'_>, id: &str) -> Vec<Check> {
    let mut checks = vec![Check::pass(
        NAME,
        format!("{id} will be made of {}", source.identifier),
    )];
    if Some(&source.resource_id) != target.resource_id {
        checks.push(checks::target::status(source));
    }
    if source.engine != target.engine {
        let detail = format!(
            "{} is {}, and {} is {}",
            source.identifier, source.engine, target.identifier, target.engine
        );
        checks.push(Check::fail("engine", detail));
    }
    checks
}

pub(super) async fn find(
    rds: &Rds,
    kind: Kind,
    request: &Request,
) -> Result<Result<Snapshot, Check>, TaskError> {
    if let SnapshotChoice::Named(id) = &request.snapshot {
        let missing = || Check::fail(NAME, format!("there is no snapshot {id}"));
        return Ok(rds.snapshot(kind, id).await?.ok_or_else(missing));
    }
    let snapshots = rds.snapshots_of(kind, &request.source).await?;
    let newest = snapshots
        .into_iter()
        .filter(|snapshot| {
            snapshot.source == request.source && snapshot.status == SnapshotStatus::Available
        })
        .filter(|snapshot| {
            request.snapshot == SnapshotChoice::Latest || is_ours(snapshot, kind, &request.source)
        })
        .max_by_key(|snapshot| snapshot.created_at);
    match newest {
        Some(snapshot) => Ok(Ok(snapshot)),
        None => Ok(Err(missing(rds, kind, request).await?)),
    }
}

/// Whether it has the fixed name, or Trapheus made it.
fn is_ours(snapshot: &Snapshot, kind: Kind, source: &DbIdentifier) -> bool {
    let fixed = names::fixed_snapshot(kind, source);
    snapshot.id == fixed.into() || Marks(&snapshot.tags).is(Role::Snapshot)
}

/// Says what is missing; a snapshot of the fixed name that is another database's is said too.
async fn missing(rds: &Rds, kind: Kind, request: &Request) -> Result<Check, TaskError> {
    let source = &request.source;
    let fixed = names::fixed_snapshot(kind, source);
    let other = match rds.snapshot(kind, &fixed.clone().into()).await? {
        Some(snapshot) if snapshot.source != *source => {
            format!(
                "; {fixed} was taken from {}, and to use its data, say so: \"sourceIdentifier\": \"{}\", \"snapshotIdentifier\": \"{fixed}\"",
                snapshot.source, snapshot.source
            )
        }
        Some(snapshot) => format!("; {fixed} is {}", snapshot.status),
        None => String::new(),
    };
    let detail = match &request.snapshot {
        SnapshotChoice::Latest => format!("there is no usable snapshot of {source}{other}"),
        SnapshotChoice::Default | SnapshotChoice::Named(_) => {
            format!("there is no snapshot {fixed} or one that Trapheus made of {source}{other}")
        }
    };
    Ok(Check::fail(NAME, detail))
}

pub(super) fn existing(
    snapshot: &Snapshot,
    request: &Request,
    target: &Receiver<'_>,
    now: Timestamp,
) -> Chosen {
    let checks =
        checks::snapshot::check(snapshot, target, &request.source, now, &request.allow_lost);
    let plan = SnapshotPlan {
        id: snapshot.id.clone(),
        arn: Some(snapshot.arn.clone()),
        create: false,
        source: snapshot.source.clone(),
        source_resource_id: snapshot.source_resource.clone(),
        created_at: snapshot.created_at,
        age_seconds: snapshot
            .created_at
            .map(|at| now.duration_since(at).as_secs()),
        allocated_storage_gib: snapshot
            .allocated_storage_gib
            .and_then(|gib| gib.try_into().ok()),
        engine_version: Some(snapshot.engine_version.clone()),
        keep: request.keep_snapshots,
    };
    Chosen {
        stored: snapshot.settings.clone(),
        ..Chosen::snapshot(plan, checks)
    }
}
