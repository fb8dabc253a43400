//! Automated backups: bases are taken and the log is kept in the background, with no effect that anybody sees.
//!
//! There is no clock that begins them. Whenever an operation has ended, or the control plane was opened, it is looked
//! whether there is something to do.

use std::sync::Arc;
use std::time::Duration;

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

use super::Job;
use crate::control_plane::{ControlPlane, StoreError};
use crate::engines::{Engine, EngineError, ServerSpec};
use crate::serving;
use crate::state::backups::{AutomatedBackups, Period};
use crate::state::snapshot::SnapshotKind;
use crate::state::{Garbage, State};

/// A base isn't taken of what was made a moment ago: much of it is gone a moment later, or has more to do.
const QUIET: Duration = Duration::from_secs(2);

/// Tries before the next occasion is waited for.
const TRIES: usize = 3;

/// What is to be done.
enum Step {
    /// Nothing, now.
    None,
    /// The log of these servers isn't kept any more.
    End { servers: Vec<ServerSpec> },
    /// The log of these servers, the first of which takes the writes, is kept in the period's archive.
    Keep {
        servers: Vec<ServerSpec>,
        period: Period,
    },
}

/// Begins what is to be done for the automated backups of an instance, or of the cluster that it is a member of.
pub(super) fn look_after(control_plane: &Arc<ControlPlane>, resource_id: &str) {
    let now = control_plane.now();
    let due = control_plane.read(|state| {
        let instance = state.instances.get(resource_id);
        let cluster = instance.and_then(|instance| instance.member_of.as_ref());
        let owner = cluster.map_or(resource_id, |membership| &membership.cluster);
        state.are_backups_due(owner, now).then(|| owner.to_owned())
    });
    if let Some(owner) = due {
        control_plane.jobs.begin(control_plane, Job::Backups(owner));
    }
}

/// Does what is to be done for the automated backups of an instance or a cluster.
pub(super) async fn run(
    control_plane: &Arc<ControlPlane>,
    resource_id: &str,
) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        tokio::time::sleep(QUIET).await;
        let now = control_plane.now();
        let (step, engine) = control_plane.transact(|state| {
            expire(state, now);
            let step = next(control_plane, state, resource_id, now);
            let backups = state.automated_backups.get(resource_id);
            let engine = backups.map(|backups| backups.engine.clone());
            Ok::<_, StoreError>((step, engine))
        })?;
        let engine = engine.and_then(|engine| control_plane.engine(&engine));
        let done = perform(control_plane, resource_id, engine.as_deref(), step).await;
        collect_garbage(control_plane);
        match done {
            Ok(()) => return Ok(()),
            Err(Failure::Store(error)) => return Err(error),
            // It may have been stopped or deleted meanwhile.
            Err(Failure::Engine(error)) => {
                tracing::warn!(resource_id, %error, "an automated backup failed");
            }
        }
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the automated backups can't be noted")]
    Store(#[from] StoreError),
    #[error("the server failed")]
    Engine(#[from] EngineError),
}

async fn perform(
    control_plane: &Arc<ControlPlane>,
    resource_id: &str,
    engine: Option<&dyn Engine>,
    step: Step,
) -> Result<(), Failure> {
    match step {
        Step::None => Ok(()),
        Step::End { servers } => {
            if let Some(engine) = engine {
                for server in &servers {
                    engine.archive(server, None).await?;
                }
            }
            Ok(control_plane.transact(|state| {
                if let Some(ended) = state.automated_backups.remove(resource_id) {
                    discard(state, ended);
                }
                Ok::<_, StoreError>(())
            })?)
        }
        Step::Keep { servers, period } => {
            if let Some(engine) = engine {
                for server in &servers {
                    engine.archive(server, Some(&period.archive)).await?;
                }
            }
            if period.complete_at.is_some() {
                return Ok(());
            }
            if let (Some(engine), Some(primary)) = (engine, servers.first()) {
                engine.remove(&period.base).await?;
                engine.snapshot(primary, &period.base, &|_| ()).await?;
            }
            let now = control_plane.now();
            Ok(control_plane.transact(|state| {
                let backups = state.automated_backups.get_mut(resource_id);
                let mut periods = backups.into_iter().flat_map(|one| &mut one.periods);
                if let Some(kept) = periods.find(|kept| kept.base == period.base) {
                    kept.complete_at = Some(now);
                }
                Ok::<_, StoreError>(())
            })?)
        }
    }
}

/// Decides what is to be done; a new period is noted before it is begun.
fn next(
    control_plane: &ControlPlane,
    state: &mut State,
    resource_id: &str,
    now: Timestamp,
) -> Step {
    if !state.are_backups_due(resource_id, now) {
        return Step::None;
    }
    let servers = servers(state, resource_id);
    if state.retention_days(resource_id) == 0 {
        return Step::End { servers };
    }
    let found = state.automated_backups.get(resource_id).cloned();
    let begun = || {
        let primary = state.primary_of(resource_id)?;
        let kind = match primary.resource_id == resource_id {
            true => SnapshotKind::Instance,
            false => SnapshotKind::Cluster,
        };
        Some(AutomatedBackups::new(kind, primary.engine()))
    };
    let Some(mut backups) = found.or_else(begun) else {
        return Step::None;
    };
    let last = backups.periods.last();
    let is_begun = last.is_some_and(|period| period.complete_at.is_none());
    if backups.are_stale(now) && !is_begun {
        let (base, archive) = control_plane.paths.backup(state);
        backups.periods.push(Period {
            base,
            archive,
            complete_at: None,
        });
    }
    let Some(period) = backups.periods.last().cloned() else {
        return Step::None;
    };
    state.automated_backups.insert(resource_id, backups);
    Step::Keep { servers, period }
}

/// The servers of an instance, or of a cluster, the one that takes the writes first.
fn servers(state: &State, resource_id: &str) -> Vec<ServerSpec> {
    let primary = state.primary_of(resource_id);
    let others = state.members_of(resource_id).into_iter().filter(|member| {
        member.has_running_server()
            && primary.is_none_or(|one| one.resource_id != member.resource_id)
    });
    primary
        .into_iter()
        .chain(others)
        .map(serving::spec)
        .collect()
}

/// What is done with the automated backups of an instance before its server goes: those that stay get the end of its
/// log. Tells the last instant that is in them.
pub(super) async fn close(
    control_plane: &Arc<ControlPlane>,
    resource_id: &str,
    engine: Option<&dyn Engine>,
) -> Timestamp {
    control_plane
        .jobs
        .end(&Job::Backups(resource_id.to_owned()))
        .await;
    let now = control_plane.now();
    let server = control_plane.read(|state| {
        let is_kept = state.automated_backups.get(resource_id)?.is_kept;
        let primary = state.primary_of(resource_id).filter(|_| is_kept)?;
        Some(serving::spec(primary))
    });
    if let (Some(server), Some(engine)) = (server, engine)
        && let Err(error) = engine.flush_archive(&server).await
    {
        tracing::warn!(resource_id, %error, "the end of a log is not in its archive");
    }
    // Nothing is written any more, and an engine may count in seconds.
    let up = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Ceil);
    now.round(up).unwrap_or(now)
}

/// Takes leave of a database that goes, in the transaction that forgets it: its automated backups stay, or go too.
pub(super) fn retire(state: &mut State, resource_id: &str, last: Timestamp) {
    let picture = state.picture(resource_id, last);
    let Some(mut backups) = state.automated_backups.remove(resource_id) else {
        return;
    };
    let is_usable = |period: &Period| period.complete_at.is_some();
    if backups.is_kept && backups.periods.iter().any(is_usable) {
        backups.retained = picture;
        state.automated_backups.insert(resource_id, backups);
    } else {
        discard(state, backups);
    }
}

/// Takes off what is older than its retention.
fn expire(state: &mut State, now: Timestamp) {
    let all: Vec<(String, AutomatedBackups)> = state
        .automated_backups
        .iter()
        .map(|(id, backups)| (id.to_owned(), backups.clone()))
        .collect();
    for (id, mut backups) in all {
        let days = state.retention_days(&id);
        if backups.retained.is_some() && state.restorable(&id, now).is_none() {
            state.automated_backups.remove(&id);
            discard(state, backups);
        } else if let Some(old) = backups
            .split_before(now - SignedDuration::from_hours(24 * days))
            .filter(|_| days > 0)
        {
            discard(state, old);
            state.automated_backups.insert(id, backups);
        }
    }
}

fn discard(state: &mut State, backups: AutomatedBackups) {
    for period in backups.periods {
        for directory in [period.base, period.archive] {
            let engine = backups.engine.clone();
            state
                .garbage
                .insert(directory.into_string(), Garbage { engine });
        }
    }
}

/// Begins the removal of what was discarded.
pub(super) fn collect_garbage(control_plane: &Arc<ControlPlane>) {
    let paths = control_plane.read(|state| {
        let garbage = state.garbage.iter();
        garbage.map(|(path, _)| path.to_owned()).collect::<Vec<_>>()
    });
    for path in paths {
        control_plane.jobs.begin(control_plane, Job::Garbage(path));
    }
}
