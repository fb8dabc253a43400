//! Which snapshot supplies the data: one that is made, one that is named, or the newest.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{Database, DbIdentifier, Kind, Rds, Snapshot, SnapshotId, SnapshotStatus};

use crate::checks::{self, Check};
use crate::error::TaskError;
use crate::input::{Request, SnapshotChoice, Task};
use crate::marks::{Marks, Role};
use crate::names;
use crate::plan::SnapshotPlan;

const NAME: &str = "snapshot";

/// The snapshot of an execution.
pub(super) enum Chosen {
    /// One that is to be made of this database.
    New {
        plan: Box<SnapshotPlan>,
        checks: Vec<Check>,
    },
    /// One that exists.
    Existing {
        plan: Box<SnapshotPlan>,
        checks: Vec<Check>,
    },
    /// None can be used.
    None(Check),
}

impl Chosen {
    pub(super) fn plan(&self) -> Option<SnapshotPlan> {
        match self {
            Chosen::New { plan, .. } | Chosen::Existing { plan, .. } => Some(plan.as_ref().clone()),
            Chosen::None(_) => None,
        }
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        match self {
            Chosen::New { checks, .. } | Chosen::Existing { checks, .. } => checks.clone(),
            Chosen::None(check) => vec![check.clone()],
        }
    }

    /// The storage that it needs, in GiB.
    pub(super) fn size(&self) -> Option<u64> {
        self.plan()?.allocated_storage_gib
    }
}

/// Chooses the snapshot.
pub(super) async fn choose(
    rds: &Rds,
    request: &Request,
    target: &Database,
    now: Timestamp,
) -> Result<Chosen, TaskError> {
    match request.task {
        Task::CreateSnapshot | Task::CreateSnapshotOnly => make(rds, request, target, now).await,
        Task::DbRestore | Task::Rollback => {
            let found = find(rds, request).await?;
            Ok(found.map_or_else(Chosen::None, |snapshot| {
                existing(&snapshot, request, target, now)
            }))
        }
    }
}

async fn make(
    rds: &Rds,
    request: &Request,
    target: &Database,
    now: Timestamp,
) -> Result<Chosen, TaskError> {
    let source = if request.source == target.identifier {
        target.clone()
    } else {
        match rds.instance(&request.source).await? {
            Some(source) => source,
            None => {
                let detail = format!(
                    "there is no database {} to take a snapshot of",
                    request.source
                );
                return Ok(Chosen::None(Check::fail(NAME, detail)));
            }
        }
    };
    let id = free_name(rds, &source.identifier, now).await?;
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
    Ok(Chosen::New {
        plan: Box::new(plan),
        checks,
    })
}

/// The fixed name where it is free, else one of the time; of two in one second, the later one
/// gets the next second's.
async fn free_name(
    rds: &Rds,
    source: &DbIdentifier,
    now: Timestamp,
) -> Result<SnapshotId, TaskError> {
    let (mut id, mut at) = (names::fixed_snapshot(source), now);
    while rds
        .snapshot(Kind::Instance, &id.clone().into())
        .await?
        .is_some()
    {
        id = names::timed_snapshot(source, at);
        at += SignedDuration::from_secs(1);
    }
    Ok(id)
}

fn new_checks(source: &Database, target: &Database, id: &str) -> Vec<Check> {
    let mut checks = vec![Check::pass(
        NAME,
        format!("{id} will be made of {}", source.identifier),
    )];
    if source.resource_id != target.resource_id {
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

async fn find(rds: &Rds, request: &Request) -> Result<Result<Snapshot, Check>, TaskError> {
    if let SnapshotChoice::Named(id) = &request.snapshot {
        let missing = || Check::fail(NAME, format!("there is no snapshot {id}"));
        return Ok(rds.snapshot(Kind::Instance, id).await?.ok_or_else(missing));
    }
    let snapshots = rds.snapshots_of(Kind::Instance, &request.source).await?;
    let newest = snapshots
        .into_iter()
        .filter(|snapshot| {
            snapshot.source == request.source && snapshot.status == SnapshotStatus::Available
        })
        .filter(|snapshot| {
            request.snapshot == SnapshotChoice::Latest || is_ours(snapshot, &request.source)
        })
        .max_by_key(|snapshot| snapshot.created_at);
    match newest {
        Some(snapshot) => Ok(Ok(snapshot)),
        None => Ok(Err(missing(rds, request).await?)),
    }
}

/// Whether it has the fixed name, or Trapheus made it.
fn is_ours(snapshot: &Snapshot, source: &DbIdentifier) -> bool {
    snapshot.id == names::fixed_snapshot(source).into() || Marks(&snapshot.tags).is(Role::Snapshot)
}

/// Says what is missing; a snapshot of the fixed name that is another database's is said too.
async fn missing(rds: &Rds, request: &Request) -> Result<Check, TaskError> {
    let source = &request.source;
    let fixed = names::fixed_snapshot(source);
    let other = match rds.snapshot(Kind::Instance, &fixed.clone().into()).await? {
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

fn existing(snapshot: &Snapshot, request: &Request, target: &Database, now: Timestamp) -> Chosen {
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
    Chosen::Existing {
        plan: Box::new(plan),
        checks,
    }
}
