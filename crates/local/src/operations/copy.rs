//! Copies of snapshots, and the removal of directories that nobody needs.

use std::sync::Arc;

use crate::control_plane::{ControlPlane, StoreError};
use crate::state::event::Event;
use crate::state::snapshot::{Snapshot, SnapshotStatus};

/// Completes the copy of a snapshot.
pub(super) async fn run(control_plane: &Arc<ControlPlane>, key: &str) -> Result<(), StoreError> {
    let snapshot = control_plane.read(|state| state.snapshots.get(key).cloned());
    let Some(snapshot) = snapshot.filter(Snapshot::is_being_copied) else {
        return Ok(());
    };
    let takes = control_plane
        .pace(key, snapshot.begun_at)
        .copy(snapshot.storage_gib());
    let status = match copy(control_plane, &snapshot).await {
        Ok(()) => SnapshotStatus::Available,
        Err(reason) => {
            tracing::error!(
                snapshot = snapshot.identifier,
                reason,
                "a snapshot can't be copied"
            );
            SnapshotStatus::Failed("failed".to_owned())
        }
    };
    let elapsed = control_plane.now().duration_since(snapshot.begun_at);
    let elapsed = std::time::Duration::try_from(elapsed).unwrap_or_default();
    tokio::time::sleep(takes.saturating_sub(elapsed)).await;
    let now = control_plane.now();
    control_plane.transact(|state| {
        if let Some(copied) = state.snapshots.get_mut(key) {
            copied.status = status;
            state.tell(Event {
                scope: snapshot.scope.clone(),
                at: now,
                source_type: snapshot.kind.source_type(),
                source_identifier: snapshot.identifier.clone(),
                source_arn: snapshot.arn(),
                message: "Finished copy of snapshot".to_owned(),
                category: "notification".to_owned(),
            });
        }
        Ok::<_, StoreError>(())
    })?;
    control_plane.progress.forget(key);
    Ok(())
}

/// Removes a directory, and then forgets about it.
pub(super) async fn remove(
    control_plane: &Arc<ControlPlane>,
    path: &str,
) -> Result<(), StoreError> {
    let garbage = control_plane.read(|state| state.garbage.get(path).cloned());
    let engine = garbage.and_then(|garbage| control_plane.engine(&garbage.engine));
    if let Some(engine) = engine
        && let Err(error) = engine.remove(path.into()).await
    {
        tracing::error!(path, %error, "a directory can't be removed");
    }
    control_plane.transact(|state| {
        state.garbage.remove(path);
        Ok::<_, StoreError>(())
    })
}

async fn copy(control_plane: &Arc<ControlPlane>, snapshot: &Snapshot) -> Result<(), String> {
    let Some(engine) = control_plane.engine(snapshot.engine()) else {
        return Ok(());
    };
    let source = snapshot.copied_from.as_ref().and_then(|source| {
        control_plane.read(|state| Some(state.snapshots.get(&source.key)?.directory.clone()))
    });
    let source = source.ok_or("the source is gone")?;
    let key = snapshot.key();
    let progress = |percent| control_plane.progress.set(&key, percent);
    engine
        .remove(&snapshot.directory)
        .await
        .map_err(|error| error.to_string())?;
    engine
        .copy_snapshot(&source, &snapshot.directory, &progress)
        .await
        .map_err(|error| error.to_string())
}
