//! Automated backups: what instances and clusters can be restored from to an instant.
//!
//! They consist of periods. A period begins with an archive, in which the log is kept from then on, and a base: a copy
//! of the data that is taken under it. Its end is when the next one is complete.

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::State;
use super::instance::Instance;
use super::snapshot::{Snapshot, SnapshotKind, SnapshotStatus};
use super::table::Record;
use super::values::arn;
use crate::serving;

/// After so long a new period begins, so that the log that a restore replays stays short.
const PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// The automated backups of an instance or a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AutomatedBackups {
    pub(crate) kind: SnapshotKind,
    pub(crate) engine: String,
    /// Oldest first. Only the last one may be incomplete.
    pub(crate) periods: Vec<Period>,
    /// They stay when the database goes.
    pub(crate) is_kept: bool,
    /// What the database was when it went; its time is the last that can be restored.
    pub(crate) retained: Option<Snapshot>,
}

/// A base and the log that was written since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) base: Utf8PathBuf,
    pub(crate) archive: Utf8PathBuf,
    /// The first instant that can be restored, once the base is complete.
    pub(crate) complete_at: Option<Timestamp>,
}

/// The instants that can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

impl AutomatedBackups {
    /// None yet.
    pub(crate) fn new(kind: SnapshotKind, engine: &str) -> Self {
        Self {
            kind,
            engine: engine.to_owned(),
            periods: Vec::new(),
            is_kept: false,
            retained: None,
        }
    }

    /// Whether it is time for another base.
    pub(crate) fn are_stale(&self, now: Timestamp) -> bool {
        let last = self.periods.last().and_then(|period| period.complete_at);
        last.is_none_or(|last| now.duration_since(last) >= PERIOD)
    }

    /// The last base that was complete by then, and the archives from it on.
    pub(crate) fn reaching(&self, until: Timestamp) -> Option<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
        let is_complete = |period: &Period| period.complete_at.is_some_and(|at| at <= until);
        let first = self.periods.iter().rposition(is_complete)?;
        let archives = self.periods[first..].iter();
        Some((
            self.periods[first].base.clone(),
            archives.map(|period| period.archive.clone()).collect(),
        ))
    }

    /// Takes off the periods that ended before an instant, if there are any.
    pub(crate) fn split_before(&mut self, start: Timestamp) -> Option<Self> {
        let is_over = |next: &Period| next.complete_at.is_some_and(|at| at <= start);
        let ended = self
            .periods
            .iter()
            .rposition(is_over)
            .filter(|ended| *ended > 0)?;
        let left = self.periods.split_off(ended);
        let periods = std::mem::replace(&mut self.periods, left);
        Some(Self {
            periods,
            ..self.clone()
        })
    }
}

impl State {
    /// For how many days a database's log is kept; 0 where it isn't. A replica has its source's, a member its cluster's.
    pub(crate) fn retention_days(&self, resource_id: &str) -> i64 {
        let of_cluster = || {
            self.clusters
                .get(resource_id)?
                .number("BackupRetentionPeriod")
        };
        let of_instance = || {
            let instance = self.instances.get(resource_id)?;
            let is_primary = instance.replica_of.is_none() && instance.member_of.is_none();
            is_primary.then(|| instance.number("BackupRetentionPeriod"))?
        };
        of_instance().or_else(of_cluster).unwrap_or(0)
    }

    /// The instance that takes the writes of an instance or a cluster.
    pub(crate) fn primary_of(&self, resource_id: &str) -> Option<&Instance> {
        let writer = || {
            self.instances
                .get(self.clusters.get(resource_id)?.writer.as_ref()?)
        };
        self.instances.get(resource_id).or_else(writer)
    }

    /// Whether there is something to do for the automated backups of a database.
    pub(crate) fn are_backups_due(&self, resource_id: &str, now: Timestamp) -> bool {
        let found = self.automated_backups.get(resource_id);
        if self.retention_days(resource_id) == 0 {
            return found.is_some_and(|backups| backups.retained.is_none());
        }
        let primary = self.primary_of(resource_id);
        primary.is_some_and(|primary| serving::is_up(primary) && !primary.is_busy())
            // New members of a cluster must be told.
            && found.is_none_or(|one| one.kind == SnapshotKind::Cluster || one.are_stale(now))
    }

    /// The instants to which a database, living or gone, can be restored.
    pub(crate) fn restorable(&self, resource_id: &str, now: Timestamp) -> Option<Window> {
        let backups = self.automated_backups.get(resource_id)?;
        let first = backups.periods.first()?.complete_at?;
        let (latest, days) = match &backups.retained {
            Some(retained) => {
                let days = retained.settings.get("BackupRetentionPeriod")?.as_i64()?;
                (retained.begun_at, days)
            }
            None => (now, self.retention_days(resource_id)),
        };
        let earliest = first.max(now - SignedDuration::from_hours(24 * days));
        (days > 0 && earliest <= latest).then_some(Window { earliest, latest })
    }

    /// What a snapshot of a database would say about it now. Of one that is gone: what it was.
    pub(crate) fn picture(&self, resource_id: &str, now: Timestamp) -> Option<Snapshot> {
        let instance = self.instances.get(resource_id).cloned().map(|one| {
            let (names, data) = ((one.identifier, one.tags), (one.settings, one.password));
            (
                SnapshotKind::Instance,
                one.scope,
                one.created_at,
                names,
                data,
            )
        });
        let cluster = self.clusters.get(resource_id).cloned().map(|one| {
            let (names, data) = ((one.identifier, one.tags), (one.settings, one.password));
            (
                SnapshotKind::Cluster,
                one.scope,
                one.created_at,
                names,
                data,
            )
        });
        let Some((kind, scope, created_at, names, data)) = instance.or(cluster) else {
            return self.automated_backups.get(resource_id)?.retained.clone();
        };
        let ((identifier, tags), (settings, password)) = (names, data);
        Some(Snapshot {
            kind,
            scope,
            source_identifier: identifier.clone(),
            identifier,
            source_resource_id: resource_id.to_owned(),
            source_created_at: created_at,
            status: SnapshotStatus::Available,
            begun_at: now,
            original_begun_at: now,
            settings,
            password,
            tags,
            directory: Utf8PathBuf::new(),
            size_bytes: 0,
            copied_from: None,
            shared_with: std::collections::BTreeSet::new(),
        })
    }
}

impl Snapshot {
    /// `DBInstanceAutomatedBackupsArn`, `DBClusterAutomatedBackupsArn` of the backups of the database that it shows.
    pub(crate) fn automated_backups_arn(&self) -> String {
        let id = self.source_resource_id.to_ascii_lowercase();
        let id = id.rsplit('-').next().unwrap_or_default();
        match self.kind {
            SnapshotKind::Instance => arn(&self.scope, "auto-backup", &format!("ab-{id}")),
            SnapshotKind::Cluster => arn(&self.scope, "cluster-auto-backup", &format!("ab-{id}")),
        }
    }
}

impl Record for AutomatedBackups {
    const TABLE: &'static str = "automated_backups";
}
