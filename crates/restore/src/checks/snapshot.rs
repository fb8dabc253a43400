//! Checks of a snapshot against the target that it is to become.

use jiff::{SignedDuration, Timestamp};
use trapheus_rds::{Database, DbIdentifier, Kind, ResourceId, Settings, Snapshot, SnapshotStatus};

use super::Check;
use crate::blueprint::{is_other_major, version};

const NAME: &str = "snapshot";

/// What data is restored for: a living target, or one that is to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiver<'a> {
    pub(crate) identifier: &'a DbIdentifier,
    /// Its identity, if it lives.
    pub(crate) resource_id: Option<&'a ResourceId>,
    pub(crate) kind: Kind,
    pub(crate) engine: &'a str,
    pub(crate) engine_version: &'a str,
    pub(crate) settings: &'a Settings,
}

impl<'a> Receiver<'a> {
    /// A living target.
    pub(crate) fn of(target: &'a Database) -> Self {
        Self {
            identifier: &target.identifier,
            resource_id: Some(&target.resource_id),
            kind: target.kind,
            engine: &target.engine,
            engine_version: &target.engine_version,
            settings: &target.settings,
        }
    }
}

/// Everything that must hold of a snapshot.
pub(crate) fn check(
    snapshot: &Snapshot,
    target: &Receiver<'_>,
    source: &DbIdentifier,
    now: Timestamp,
    allow_lost: &[String],
) -> Vec<Check> {
    let mut checks = vec![usable(snapshot, now), origin(snapshot, source, target)];
    let data = Data {
        what: snapshot.id.as_str(),
        engine: &snapshot.engine,
        version: &snapshot.engine_version,
    };
    checks.extend(engine(&data, target, allow_lost));
    checks.extend(storage(snapshot, target));
    checks.extend(encryption(snapshot, target));
    checks
}

fn usable(snapshot: &Snapshot, now: Timestamp) -> Check {
    match &snapshot.status {
        SnapshotStatus::Available => {
            let age = match snapshot.created_at {
                Some(at) => format!("{} old", age(now.duration_since(at))),
                None => "of unknown age".to_owned(),
            };
            Check::pass(NAME, format!("{} is {age}", snapshot.id))
        }
        SnapshotStatus::Creating => {
            Check::fail(NAME, format!("{} is still being made", snapshot.id))
        }
        SnapshotStatus::Unusable(status) => {
            Check::fail(NAME, format!("{} is {status}", snapshot.id))
        }
    }
}

/// A snapshot's data replaces the target's, so whose it is must be meant.
fn origin(snapshot: &Snapshot, source: &DbIdentifier, target: &Receiver<'_>) -> Check {
    const NAME: &str = "snapshot's source";
    if snapshot.source != *source {
        let detail = format!(
            "{} was taken from {}, not from {source}; if its data is meant, say so: \"sourceIdentifier\": \"{}\"",
            snapshot.id, snapshot.source, snapshot.source
        );
        return Check::fail(NAME, detail);
    }
    let is_earlier = snapshot.source == *target.identifier
        && snapshot
            .source_resource
            .as_ref()
            .is_some_and(|id| target.resource_id.is_some_and(|target| id != target));
    if is_earlier {
        let detail = format!(
            "{} was taken from an earlier database of the name {source}",
            snapshot.id
        );
        return Check::warn(NAME, detail);
    }
    Check::pass(NAME, source.to_string())
}

/// The engine that data was written by.
pub(crate) struct Data<'a> {
    /// What it is, for people.
    pub(crate) what: &'a str,
    pub(crate) engine: &'a str,
    pub(crate) version: &'a str,
}

/// Whether data of an engine can be the target's.
pub(crate) fn engine(data: &Data<'_>, target: &Receiver<'_>, allow_lost: &[String]) -> Vec<Check> {
    const NAME: &str = "engine";
    if data.engine != target.engine {
        let detail = format!(
            "{} is of {}, and {} is {}",
            data.what, data.engine, target.identifier, target.engine
        );
        return vec![Check::fail(NAME, detail)];
    }
    let same = Check::pass(NAME, data.engine);
    let version = engine_version(data, target, allow_lost);
    std::iter::once(same).chain(version).collect()
}

fn engine_version(data: &Data<'_>, target: &Receiver<'_>, allow_lost: &[String]) -> Option<Check> {
    const NAME: &str = "engine version";
    const ATTRIBUTE: &str = "EngineVersion";
    let (old, new) = (data.version, target.engine_version);
    if version(old) == version(new) {
        return None;
    }
    let is_allowed = allow_lost.iter().any(|name| name == ATTRIBUTE);
    let check = if is_other_major(target.engine, old, new) && !is_allowed {
        let detail = format!(
            "{} has {old} and {} has {new}: a major version isn't changed by a restore; to get {old}, \
             name it in the input: \"allowLost\": [\"{ATTRIBUTE}\"]",
            data.what, target.identifier
        );
        Check::fail(NAME, detail)
    } else if version(old) > version(new) || is_allowed {
        Check::warn(
            NAME,
            format!(
                "the restored database will have {old}, as {} has, not {new}",
                data.what
            ),
        )
    } else {
        Check::pass(
            NAME,
            format!("{old} in {}; it will be upgraded to {new}", data.what),
        )
    };
    Some(check)
}

fn storage(snapshot: &Snapshot, target: &Receiver<'_>) -> Option<Check> {
    let has = target.settings.get("AllocatedStorage")?.as_i64()?;
    let needs = i64::from(snapshot.allocated_storage_gib?);
    let detail = format!(
        "the snapshot needs {needs} GiB, so the restored database is larger than the {has} GiB now"
    );
    (needs > has).then(|| Check::warn("storage", detail))
}

fn encryption(snapshot: &Snapshot, target: &Receiver<'_>) -> Option<Check> {
    let key = target.settings.get("KmsKeyId").and_then(|key| key.as_str());
    let detail = format!(
        "the restored database is encrypted as the snapshot is ({}), not as {} is ({})",
        snapshot.kms_key_id.as_deref().unwrap_or("not at all"),
        target.identifier,
        key.unwrap_or("not at all")
    );
    (key != snapshot.kms_key_id.as_deref()).then(|| Check::warn("encryption", detail))
}

/// An age in its two largest units.
fn age(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    match minutes {
        0 => format!("{} s", duration.as_secs()),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_two_units() {
        assert_eq!(age(SignedDuration::from_secs(59)), "59 s");
        assert_eq!(age(SignedDuration::from_mins(61)), "1 h 1 min");
        assert_eq!(age(SignedDuration::from_hours(49)), "2 d 1 h");
    }
}
