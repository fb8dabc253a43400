//! Where the data of a new server comes from.

use jiff::Timestamp;

use super::run::{Run, Stopped, Subject};
use crate::engines::{Engine, EngineError, ServerSpec};
use crate::serving;
use crate::state::snapshot::Snapshot;

/// Where the data of a new server comes from.
pub(super) enum Origin<'a> {
    /// There is none.
    Nothing,
    /// The snapshot of this key.
    Snapshot(&'a str),
    /// The automated backups of this instance or cluster.
    PointInTime { source: &'a str, until: Timestamp },
}

impl<S: Subject> Run<'_, S> {
    /// Makes the server's directory.
    pub(super) async fn fill(
        &self,
        origin: &Origin<'_>,
        engine: &dyn Engine,
        spec: &ServerSpec,
    ) -> Result<(), Stopped> {
        match origin {
            Origin::Nothing => Ok(engine.create(spec).await?),
            Origin::Snapshot(key) => {
                let snapshot = self.snapshot(key)?;
                Ok(engine.restore(&snapshot.directory, spec, &|_| ()).await?)
            }
            Origin::PointInTime { source, until } => {
                self.fill_to_point_in_time(source, *until, engine, spec)
                    .await
            }
        }
    }

    /// What the event says when it's done.
    pub(super) fn origin_told(&self, origin: &Origin<'_>, new: &str) -> Result<String, Stopped> {
        Ok(match origin {
            Origin::Nothing => format!("{new} created"),
            Origin::Snapshot(key) => {
                format!("Restored from snapshot {}", self.snapshot(key)?.identifier)
            }
            Origin::PointInTime { until, .. } => format!("Restored to {until}"),
        })
    }

    fn snapshot(&self, key: &str) -> Result<Snapshot, Stopped> {
        let found = self
            .control_plane
            .read(|state| state.snapshots.get(key).cloned());
        found.ok_or_else(|| gone("the snapshot"))
    }

    async fn fill_to_point_in_time(
        &self,
        source: &str,
        until: Timestamp,
        engine: &dyn Engine,
        spec: &ServerSpec,
    ) -> Result<(), Stopped> {
        self.wait_until(|state| state.primary_of(source).is_none_or(|one| !one.is_busy()))
            .await?;
        let primary = self
            .control_plane
            .read(|state| state.primary_of(source).cloned());
        // One that was stopped has archived everything.
        if let Some(primary) = primary.filter(serving::is_up) {
            engine.flush_archive(&serving::spec(&primary)).await?;
        }
        let found = self
            .control_plane
            .read(|state| state.automated_backups.get(source)?.reaching(until));
        let (base, archives) = found.ok_or_else(|| gone("the automated backup"))?;
        Ok(engine
            .restore_to(&base, &archives, until, spec, &|_| ())
            .await?)
    }
}

fn gone(what: &str) -> Stopped {
    Stopped::Engine(EngineError::Failed {
        action: "restoring".to_owned(),
        reason: format!("{what} is gone"),
    })
}
