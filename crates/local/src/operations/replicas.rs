//! Read replicas: how they come to follow their source, and how they cease to.

use super::instance::tell;
use super::run::{Run, Stopped};
use crate::engines::{Engine, EngineError, StopMode};
use crate::parameters;
use crate::serving;
use crate::state::instance::{Instance, InstanceStatus, Outcome};
use crate::state::{Settings, State};

/// Tries to follow a source: it may have been restarted during the first.
const TRIES: usize = 2;

impl Run<'_, Instance> {
    /// Makes a server that follows its source. What an earlier attempt left behind is removed first.
    pub(super) async fn replicate(&self) -> Result<(), Stopped> {
        if let Outcome::EndsIn(status) = &self.operation.outcome {
            self.wait(self.takes()?).await?;
            return self.end_badly(status).await;
        }
        self.note(|state, instance| *instance = parameters::armed(state, instance))
            .await?;
        if let Some(engine) = self.engine()? {
            self.follow_source(engine.as_ref()).await?;
        }
        self.wait(self.takes()?).await?;
        if let (Some(engine), None) = (self.engine()?, self.record()?.replica_of) {
            // The source was deleted meanwhile.
            engine.promote(&self.spec()?).await?;
        }
        let now = self.control_plane.now();
        let message = "DB instance created";
        self.finish(
            InstanceStatus::Available,
            "creation",
            message,
            |_, instance| {
                instance.created_at = Some(now);
            },
        )
        .await
    }

    async fn follow_source(&self, engine: &dyn Engine) -> Result<(), Stopped> {
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            let Some(source) = self.idle_source().await? else {
                return Err(Stopped::Engine(EngineError::Failed {
                    action: "replicating".to_owned(),
                    reason: "the source was deleted".to_owned(),
                }));
            };
            outcome = engine
                .follow(&self.spec()?, &serving::spec(&source), &|_| ())
                .await;
            if outcome.is_ok() {
                break;
            }
        }
        Ok(outcome?)
    }

    /// The source of the replica, once nothing is being done to it.
    async fn idle_source(&self) -> Result<Option<Instance>, Stopped> {
        let source = |state: &State| {
            let source = state.instances.get(self.key)?.replica_of.as_deref()?;
            state.instances.get(source).cloned()
        };
        self.wait_until(|state| source(state).is_none_or(|source| !source.is_busy()))
            .await?;
        Ok(self.control_plane.read(source))
    }

    /// Makes a replica an instance of its own.
    pub(super) async fn promote(&self, changes: &Settings) -> Result<(), Stopped> {
        self.note(|_, instance| instance.status = InstanceStatus::Modifying)
            .await?;
        if let Outcome::EndsIn(status) = &self.operation.outcome {
            self.wait(self.takes()?).await?;
            return self.end_badly(status).await;
        }
        if let Some(engine) = self.engine()? {
            engine.promote(&self.spec()?).await?;
        }
        self.wait(self.takes()?).await?;
        let message = "Promoted read replica to a stand-alone DB instance";
        self.finish(
            InstanceStatus::Available,
            "read replica",
            message,
            |state, instance| {
                stand_alone(state, instance);
                instance.settings.extend(changes.clone());
            },
        )
        .await
    }

    /// Promotes the servers of the replicas of an instance that is about to be deleted. Its own is stopped in order
    /// first, so that they have everything.
    pub(super) async fn release_replicas(&self, engine: &dyn Engine) -> Result<(), Stopped> {
        let replicas = self
            .control_plane
            .read(|state| state.replicas_of(self.key).cloned().collect::<Vec<_>>());
        if !replicas.is_empty() {
            engine.stop(&self.spec()?, StopMode::Fast).await?;
        }
        for replica in replicas {
            if let Err(error) = engine.promote(&serving::spec(&replica)).await {
                // Its next start tries again.
                tracing::error!(replica = replica.identifier, %error, "a replica can't be promoted");
            }
        }
        Ok(())
    }
}

/// Takes the replicas of an instance that goes off the books as such.
pub(super) fn set_free(state: &mut State, source: &Instance, now: jiff::Timestamp) {
    let replicas: Vec<_> = state.replicas_of(&source.resource_id).cloned().collect();
    for mut replica in replicas {
        stand_alone(state, &mut replica);
        let message = "Promoted read replica to a stand-alone DB instance: its source was deleted";
        tell(state, &replica, now, "read replica", message);
        state.instances.insert(replica.resource_id.clone(), replica);
    }
}

/// A change of the master password has reached the replica with everything else.
fn stand_alone(state: &State, replica: &mut Instance) {
    let source = replica.replica_of.take();
    if let Some(source) = source.and_then(|source| state.instances.get(&source)) {
        replica.password = source.password.clone();
    }
}
