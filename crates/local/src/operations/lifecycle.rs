//! From creation to deletion: the operations that make, stop, start, copy and remove a server.

use super::backups;
use super::instance::tell;
use super::member::leave;
use super::origin::Origin;
use super::replicas::set_free;
use super::run::{Run, Stopped};
use crate::engines::StopMode;
use crate::parameters;
use crate::state::State;
use crate::state::event::Event;
use crate::state::instance::{AfterBackup, Instance, InstanceStatus, Operation, Outcome, Work};
use crate::state::snapshot::SnapshotStatus;

impl Run<'_, Instance> {
    /// Makes a server, empty or from a snapshot. What an earlier attempt left behind is removed first.
    pub(super) async fn create(&self, origin: Origin<'_>) -> Result<(), Stopped> {
        if let Outcome::EndsIn(status) = &self.operation.outcome {
            self.wait(self.takes()?).await?;
            return self.end_badly(status).await;
        }
        self.note(|state, instance| *instance = parameters::armed(state, instance))
            .await?;
        let engine = self.engine()?;
        if self.record()?.member_of.is_some() {
            self.join(engine.as_deref()).await?;
        } else if let Some(engine) = engine {
            let spec = self.spec()?;
            engine.stop(&spec, StopMode::Immediate).await?;
            engine.remove(&spec.directory).await?;
            self.fill(&origin, &*engine, &spec).await?;
            engine.start(&spec).await?;
        }
        self.wait(self.takes()?).await?;
        let now = self.control_plane.now();
        let message = self.origin_told(&origin, "DB instance")?;
        let category = match origin {
            Origin::Nothing => "creation",
            Origin::Snapshot(_) | Origin::PointInTime { .. } => "restoration",
        };
        self.finish(
            InstanceStatus::Available,
            category,
            &message,
            |_, instance| {
                instance.created_at = Some(now);
            },
        )
        .await
    }

    /// Restarts the server with all parameters of its group.
    pub(super) async fn reboot(&self) -> Result<(), Stopped> {
        self.restart(RestartKind::Reboot).await?;
        self.finish(
            InstanceStatus::Available,
            "availability",
            "DB instance restarted",
            |_, instance| parameters::applied(instance),
        )
        .await
    }

    /// Starts a stopped server.
    pub(super) async fn start(&self) -> Result<(), Stopped> {
        self.restart(RestartKind::Start).await?;
        self.finish(
            InstanceStatus::Available,
            "notification",
            "DB instance started",
            |_, instance| parameters::applied(instance),
        )
        .await
    }

    /// Stops the server.
    pub(super) async fn stop(&self) -> Result<(), Stopped> {
        self.note(|_, instance| instance.status = InstanceStatus::Stopping)
            .await?;
        if let Some(engine) = self.engine()? {
            engine.stop(&self.spec()?, StopMode::Fast).await?;
        }
        self.wait(self.takes()?).await?;
        self.finish(
            InstanceStatus::Stopped,
            "notification",
            "DB instance stopped",
            |_, _| (),
        )
        .await
    }

    /// Copies the data as it is now, and goes on with what comes after.
    pub(super) async fn back_up(&self, snapshot: &str, then: AfterBackup) -> Result<(), Stopped> {
        let directory = self
            .control_plane
            .read(|state| Some(state.snapshots.get(snapshot)?.directory.clone()));
        let mut size_bytes = 0;
        let is_wanted = self.operation.outcome == Outcome::Success;
        if let (Some(engine), Some(directory), true) = (self.engine()?, directory, is_wanted) {
            engine.remove(&directory).await?;
            let progress = |percent| self.control_plane.progress.set(snapshot, percent);
            size_bytes = engine
                .snapshot(&self.spec()?, &directory, &progress)
                .await?
                .size_bytes;
        }
        self.wait(self.takes()?).await?;
        let now = self.control_plane.now();
        self.finish(
            InstanceStatus::Available,
            "backup",
            "",
            |state, instance| {
                match &self.operation.outcome {
                    Outcome::EndsIn(status) => {
                        // What should have followed would lose the data that was to be kept.
                        fail_snapshot(state, snapshot, status);
                        return;
                    }
                    Outcome::Success | Outcome::ModifyFails => {
                        complete_snapshot(state, snapshot, size_bytes, now)
                    }
                }
                let next = match then {
                    AfterBackup::Nothing => return,
                    AfterBackup::Stop => (Work::Stop, InstanceStatus::Stopping),
                    AfterBackup::Delete => (Work::Delete, InstanceStatus::Deleting),
                };
                instance.operation = Some(Operation {
                    work: next.0,
                    begun_at: now,
                    outcome: Outcome::Success,
                });
                instance.status = next.1;
            },
        )
        .await?;
        self.control_plane.progress.forget(snapshot);
        Ok(())
    }

    /// Removes the server and its data, and then forgets the instance.
    pub(super) async fn delete(&self) -> Result<(), Stopped> {
        self.note(|_, instance| instance.status = InstanceStatus::Deleting)
            .await?;
        self.give_up_writing().await?;
        self.wait(self.takes()?).await?;
        self.give_up_writing().await?;
        let engine = self.engine()?;
        let last = backups::close(self.control_plane, self.key, engine.as_deref()).await;
        if let Some(engine) = engine {
            self.release_replicas(&*engine).await?;
            self.end_server(&*engine).await?;
        }
        let now = self.control_plane.now();
        self.control_plane.transact(|state| {
            let instance = self.mine(state)?.clone();
            set_free(state, &instance, now);
            tell(state, &instance, now, "deletion", "DB instance deleted");
            leave(state, &instance);
            backups::retire(state, self.key, last);
            state.instances.remove(self.key);
            state.attachments.remove(self.key);
            Ok::<_, Stopped>(())
        })?;
        backups::collect_garbage(self.control_plane);
        Ok(())
    }

    async fn restart(&self, kind: RestartKind) -> Result<(), Stopped> {
        self.note(|state, instance| {
            instance.status = match kind {
                RestartKind::Reboot => InstanceStatus::Rebooting,
                RestartKind::Start => InstanceStatus::Starting,
            };
            *instance = parameters::armed(state, instance);
        })
        .await?;
        if let Outcome::EndsIn(status) = &self.operation.outcome {
            self.wait(self.takes()?).await?;
            return self.end_badly(status).await.and(Err(Stopped::Replaced));
        }
        if let Some(engine) = self.engine()? {
            let spec = self.spec()?;
            engine.stop(&spec, StopMode::Fast).await?;
            engine.start(&spec).await?;
            let instance = self.record()?;
            if instance.replica_of.is_none() && instance.member_of.is_none() {
                // It may be a replica whose source was deleted while it couldn't be promoted.
                engine.promote(&spec).await?;
            }
        }
        self.wait(self.takes()?).await
    }

    /// Ends the operation in the failure that was asked for.
    pub(super) async fn end_badly(&self, status: &str) -> Result<(), Stopped> {
        let message = format!("The DB instance is in the state {status}");
        self.finish(
            InstanceStatus::Failed(status.to_owned()),
            "failure",
            &message,
            |_, _| (),
        )
        .await
    }
}

#[derive(Clone, Copy, Debug)]
enum RestartKind {
    Reboot,
    Start,
}

/// Notes that a snapshot is complete.
pub(super) fn complete_snapshot(
    state: &mut State,
    key: &str,
    size_bytes: u64,
    now: jiff::Timestamp,
) {
    let Some(snapshot) = state.snapshots.get_mut(key) else {
        return;
    };
    snapshot.status = SnapshotStatus::Available;
    snapshot.size_bytes = size_bytes;
    let event = Event {
        scope: snapshot.scope.clone(),
        at: now,
        source_type: snapshot.kind.source_type(),
        source_identifier: snapshot.identifier.clone(),
        source_arn: snapshot.arn(),
        message: "Manual snapshot created".to_owned(),
        category: "creation".to_owned(),
    };
    state.tell(event);
}

/// Notes that a snapshot could not be made.
pub(super) fn fail_snapshot(state: &mut State, key: &str, status: &str) {
    if let Some(snapshot) = state.snapshots.get_mut(key) {
        snapshot.status = SnapshotStatus::Failed(status.to_owned());
    }
}
