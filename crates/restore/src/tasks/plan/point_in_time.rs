//! Which backups supply the data of a moment: those of the living source, or those that stayed of
//! an earlier database of its name.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{AutomatedBackup, Class, Database, DbIdentifier, Kind, Rds, Window};

use crate::checks::Check;
use crate::error::TaskError;
use crate::input::RestoreTime;
use crate::names::Names;
use crate::plan::PointInTimePlan;

const NAME: &str = "point in time";

/// What RDS says of backups that stayed of a database that is gone.
const RETAINED: &str = "retained";

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) source: &'a DbIdentifier,
    pub(super) kind: Kind,
    pub(super) time: RestoreTime,
    pub(super) now: Timestamp,
}

/// Chooses the backups, or says what they hold instead.
pub(super) async fn choose(
    rds: &Rds,
    asked: &Asked<'_>,
    living: Option<&Database>,
) -> Result<Result<(PointInTimePlan, Check), Check>, TaskError> {
    let Asked {
        source,
        kind,
        time,
        now,
    } = *asked;
    let mut backups = backups_of(rds, kind, source).await?;
    // An original that was retired had left the name before: what stayed of it has its last one.
    let mut retired = backups_of(rds, kind, &Names::of(source, now).aside).await?;
    retired.retain(|backup| backup.status == RETAINED);
    backups.append(&mut retired);
    let candidates = candidates(living, backups);
    let Some(chosen) = pick(&candidates, time, living.is_some()) else {
        let why = outside(source, &candidates, time, living.is_some());
        return Ok(Err(Check::fail(NAME, why)));
    };
    let check = found(&chosen, time, now);
    Ok(Ok((chosen, check)))
}

async fn backups_of(
    rds: &Rds,
    kind: Kind,
    id: &DbIdentifier,
) -> Result<Vec<AutomatedBackup>, TaskError> {
    match rds.automated_backups_of(kind, id).await {
        // A server that does not list backups may be able to restore from them all the same.
        Err(error) if matches!(error.class, Class::NotImplemented | Class::Denied) => {
            Ok(Vec::new())
        }
        backups => Ok(backups?),
    }
}

/// What there is to choose from, the living source first. None of them names a moment yet.
fn candidates(living: Option<&Database>, backups: Vec<AutomatedBackup>) -> Vec<PointInTimePlan> {
    let window_of = |living: &Database| {
        let listed = backups
            .iter()
            .find(|backup| backup.resource_id == living.resource_id)
            .and_then(|backup| backup.window);
        match (living.restorable, listed) {
            (Some(shown), listed) => Some(Window {
                earliest: shown.earliest.or(listed.and_then(|listed| listed.earliest)),
                latest: shown.latest,
            }),
            (None, listed) => listed,
        }
    };
    let living_one = living.and_then(|living| {
        Some(PointInTimePlan {
            source: living.identifier.clone(),
            source_resource_id: living.resource_id.clone(),
            at: None,
            earliest: window_of(living)?.earliest,
            latest: window_of(living)?.latest,
            is_retained: false,
            engine: living.engine.clone(),
            engine_version: living.engine_version.clone(),
            allocated_storage_gib: living
                .settings
                .get("AllocatedStorage")
                .and_then(|gib| gib.as_u64()),
        })
    });
    let is_gone = |backup: &AutomatedBackup| {
        living.is_none_or(|living| living.resource_id != backup.resource_id)
    };
    let retained = backups.iter().filter(|backup| is_gone(backup));
    let retained = retained.filter_map(|backup| {
        Some(PointInTimePlan {
            source: backup.identifier.clone(),
            source_resource_id: backup.resource_id.clone(),
            at: None,
            earliest: backup.window?.earliest,
            latest: backup.window?.latest,
            is_retained: true,
            engine: backup.engine.clone(),
            engine_version: backup.engine_version.clone(),
            allocated_storage_gib: backup.allocated_storage_gib,
        })
    });
    living_one.into_iter().chain(retained).collect()
}

/// The living source where its backups hold the moment; else those that reach furthest. The latest
/// moment of a database that lives is its own: an earlier one of the name had other data.
fn pick(
    candidates: &[PointInTimePlan],
    time: RestoreTime,
    source_lives: bool,
) -> Option<PointInTimePlan> {
    let (living, retained): (Vec<_>, Vec<_>) = candidates
        .iter()
        .partition(|candidate| !candidate.is_retained);
    let latest = retained
        .iter()
        .copied()
        .max_by_key(|candidate| candidate.latest);
    let (chosen, at) = match time {
        RestoreTime::Latest if source_lives => (living.first().copied()?, None),
        RestoreTime::Latest => (latest?, None),
        RestoreTime::At(at) => {
            let holds = |candidate: &&&PointInTimePlan| {
                candidate.earliest.is_none_or(|earliest| earliest <= at) && at <= candidate.latest
            };
            let mut in_order = living.iter().chain(&retained);
            (*in_order.find(holds)?, Some(at))
        }
    };
    Some(PointInTimePlan {
        at,
        ..chosen.clone()
    })
}

fn found(chosen: &PointInTimePlan, time: RestoreTime, now: Timestamp) -> Check {
    let what = match time {
        RestoreTime::Latest => {
            let age = now.duration_since(chosen.latest).max(SignedDuration::ZERO);
            format!(
                "the latest that can be had of {} when the restore begins; now {}, {} s ago",
                chosen.source,
                chosen.latest,
                age.as_secs()
            )
        }
        RestoreTime::At(at) => format!("{at}; the backups hold {}", window(chosen)),
    };
    if chosen.is_retained {
        let id = &chosen.source_resource_id;
        return Check::warn(
            NAME,
            format!("{what}, of an earlier database of the name ({id})"),
        );
    }
    Check::pass(NAME, what)
}

fn outside(
    source: &DbIdentifier,
    candidates: &[PointInTimePlan],
    time: RestoreTime,
    source_lives: bool,
) -> String {
    let windows: Vec<String> = candidates
        .iter()
        .map(|candidate| format!("{} ({})", window(candidate), candidate.source_resource_id))
        .collect();
    let earlier = match windows.as_slice() {
        [] => String::new(),
        windows => format!(
            "; those of earlier databases of the name hold {}: name a moment of theirs if it is meant",
            windows.join("; ")
        ),
    };
    let has_none = candidates.iter().all(|candidate| candidate.is_retained);
    if source_lives && has_none {
        return format!(
            "{source} has no automated backups yet: RDS makes the first within minutes after a \
             database was made, unless its backup retention is 0{earlier}"
        );
    }
    if candidates.is_empty() {
        return format!("there are no automated backups of {source}");
    }
    let asked = match time {
        RestoreTime::Latest => "the latest".to_owned(),
        RestoreTime::At(at) => at.to_string(),
    };
    format!(
        "{asked} is outside of what the backups of {source} hold: {}",
        windows.join("; ")
    )
}

fn window(plan: &PointInTimePlan) -> String {
    match plan.earliest {
        Some(earliest) => format!("{earliest} to {}", plan.latest),
        None => format!("up to {}", plan.latest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backups(id: &str, from: &str, to: &str, is_retained: bool) -> PointInTimePlan {
        PointInTimePlan {
            source: "orders".parse().unwrap(),
            source_resource_id: id.parse().unwrap(),
            at: None,
            earliest: Some(from.parse().unwrap()),
            latest: to.parse().unwrap(),
            is_retained,
            engine: "postgres".to_owned(),
            engine_version: "16.3".to_owned(),
            allocated_storage_gib: Some(20),
        }
    }

    fn picked(candidates: &[PointInTimePlan], at: Option<&str>) -> Option<String> {
        let time = at.map_or(RestoreTime::Latest, |at| {
            RestoreTime::At(at.parse().unwrap())
        });
        let lives = candidates.iter().any(|candidate| !candidate.is_retained);
        let chosen = pick(candidates, time, lives)?;
        assert_eq!(chosen.at, at.map(|at| at.parse().unwrap()));
        Some(chosen.source_resource_id.to_string())
    }

    #[test]
    fn the_living_source_goes_before_those_that_are_gone() {
        let living = backups(
            "db-LIVING",
            "2026-01-10T00:00:00Z",
            "2026-01-20T00:00:00Z",
            false,
        );
        let gone = backups(
            "db-GONE",
            "2026-01-01T00:00:00Z",
            "2026-01-11T00:00:00Z",
            true,
        );
        let both = [living, gone.clone()];
        assert_eq!(picked(&both, None).as_deref(), Some("db-LIVING"));
        let at = |at| picked(&both, Some(at));
        assert_eq!(at("2026-01-10T12:00:00Z").as_deref(), Some("db-LIVING"));
        assert_eq!(at("2026-01-09T12:00:00Z").as_deref(), Some("db-GONE"));
        assert_eq!(at("2025-12-31T12:00:00Z"), None);
        assert_eq!(at("2026-01-20T00:00:01Z"), None);
        let gone = [gone];
        assert_eq!(picked(&gone, None).as_deref(), Some("db-GONE"));
        assert_eq!(pick(&gone, RestoreTime::Latest, true), None);
    }
}
