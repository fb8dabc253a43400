//! Runs the operation of a cluster.

mod hand_over;
mod lifecycle;
mod modify;

pub(super) use self::hand_over::hand_over;
pub(crate) use self::modify::status_during;

use std::sync::Arc;
use std::time::Duration;

use super::backups;
use super::origin::Origin;
use super::run::{Run, Stopped, Subject};
use crate::clusters::members;
use crate::control_plane::{ControlPlane, StoreError};
use crate::engines::{Engine, EngineError, ServerSpec};
use crate::serving;
use crate::state::State;
use crate::state::cluster::{Cluster, ClusterStatus, ClusterWork};
use crate::state::event::{Event, SourceType};
use crate::state::instance::{Instance, InstanceStatus, Operation};
use crate::state::table::Table;

/// Runs the operation that the cluster has, if it has one.
pub(super) async fn run(control_plane: &Arc<ControlPlane>, key: &str) -> Result<(), StoreError> {
    let Some(run) = Run::<Cluster>::of(control_plane, key) else {
        return Ok(());
    };
    let ended = match run.perform().await {
        Err(Stopped::Engine(error)) => run.fail(&error).await,
        ended => ended,
    };
    match ended {
        Ok(()) | Err(Stopped::Replaced) => Ok(()),
        Err(Stopped::Store(error)) => Err(error),
        Err(Stopped::Engine(_)) => unreachable!("noting a failure asks nothing of the server"),
    }
}

impl Run<'_, Cluster> {
    async fn perform(&self) -> Result<(), Stopped> {
        match &self.operation.work {
            ClusterWork::Create => self.create(Origin::Nothing).await,
            ClusterWork::Restore { snapshot } => self.create(Origin::Snapshot(snapshot)).await,
            ClusterWork::RestoreToPointInTime { source, until } => {
                let until = *until;
                self.create(Origin::PointInTime { source, until }).await
            }
            ClusterWork::Modify { changes } => self.modify(changes).await,
            ClusterWork::FailOver => self.fail_over().await,
            ClusterWork::Reboot => self.reboot().await,
            ClusterWork::Start => self.start().await,
            ClusterWork::Stop => self.stop().await,
            ClusterWork::Backup { snapshot, then } => self.back_up(snapshot, *then).await,
            ClusterWork::Delete => self.delete().await,
        }
    }

    /// Who runs the servers; nobody does for an engine that is control plane only.
    fn engine(&self) -> Result<Option<Arc<dyn Engine>>, Stopped> {
        Ok(self.control_plane.engine(self.record()?.engine()))
    }

    /// The members, the writer first.
    fn members(&self) -> Vec<Instance> {
        self.control_plane.read(|state| {
            let writer = state
                .clusters
                .get(self.key)
                .and_then(|cluster| cluster.writer.clone());
            let members = state.members_of(self.key).into_iter().cloned();
            let mut members: Vec<Instance> = members.collect();
            members.sort_by_key(|member| Some(&member.resource_id) != writer.as_ref());
            members
        })
    }

    /// Who serves the volume: the writer, or nobody, when it's the volume alone.
    fn volume(&self) -> Result<ServerSpec, Stopped> {
        let cluster = self.record()?;
        let is_writer = |member: &Instance| Some(&member.resource_id) == cluster.writer.as_ref();
        let writer = self.members().into_iter().find(is_writer);
        Ok(writer.map_or_else(
            || serving::volume(&cluster),
            |writer| serving::spec(&writer),
        ))
    }

    /// How long the operation takes from when it becomes visible.
    fn takes(&self) -> Result<Duration, Stopped> {
        let gib = self
            .record()?
            .number("AllocatedStorage")
            .and_then(|gib| gib.try_into().ok())
            .unwrap_or(0);
        let pace = self.pace();
        Ok(pace.cluster_work(&self.operation.work, gib))
    }

    /// Changes the cluster and all its members.
    async fn note_all(
        &self,
        cluster_status: ClusterStatus,
        member_status: InstanceStatus,
    ) -> Result<(), Stopped> {
        self.note(|state, cluster| {
            cluster.status = cluster_status;
            members::change_all(state, cluster, |member| {
                member.status = member_status.clone();
            });
        })
        .await
    }

    /// Ends the operation in a status and tells an event.
    async fn finish(
        &self,
        status: ClusterStatus,
        category: &str,
        message: &str,
        change: impl FnOnce(&mut State, &mut Cluster),
    ) -> Result<(), Stopped> {
        let now = self.control_plane.now();
        self.note(|state, cluster| {
            cluster.status = status;
            cluster.operation = None;
            change(state, cluster);
            if !message.is_empty() {
                tell(state, cluster, now, category, message);
            }
        })
        .await?;
        backups::look_after(self.control_plane, self.key);
        Ok(())
    }

    /// Ends the operation in the failure that was asked for.
    async fn end_badly(&self, status: &str) -> Result<(), Stopped> {
        let message = format!("The DB cluster is in the state {status}");
        let status = ClusterStatus::Failed(status.to_owned());
        self.finish(status, "failure", &message, |_, _| ()).await
    }

    /// Ends an operation that a server could not do.
    async fn fail(&self, error: &EngineError) -> Result<(), Stopped> {
        let identifier = self.record()?.identifier;
        tracing::error!(identifier, %error, work = ?self.operation.work, "an operation failed");
        let status = match &self.operation.work {
            ClusterWork::Restore { .. } | ClusterWork::RestoreToPointInTime { .. } => {
                ClusterStatus::Failed("migration-failed".to_owned())
            }
            ClusterWork::Modify { .. } | ClusterWork::Backup { .. } | ClusterWork::FailOver => {
                ClusterStatus::Available
            }
            ClusterWork::Create
            | ClusterWork::Reboot
            | ClusterWork::Start
            | ClusterWork::Stop
            | ClusterWork::Delete => ClusterStatus::Failed("failed".to_owned()),
        };
        let message = format!("The operation failed: {error}");
        self.finish(status, "failure", &message, |state, _| {
            if let ClusterWork::Backup { snapshot, .. } = &self.operation.work {
                super::lifecycle::fail_snapshot(state, snapshot, "failed");
            }
        })
        .await
    }
}

impl Subject for Cluster {
    type Work = ClusterWork;

    fn table(state: &State) -> &Table<Self> {
        &state.clusters
    }

    fn table_mut(state: &mut State) -> &mut Table<Self> {
        &mut state.clusters
    }

    fn operation(&self) -> Option<&Operation<ClusterWork>> {
        self.operation.as_ref()
    }
}

/// Tells an event about a cluster.
pub(crate) fn tell(
    state: &mut State,
    cluster: &Cluster,
    at: jiff::Timestamp,
    category: &str,
    message: &str,
) {
    state.tell(Event {
        scope: cluster.scope.clone(),
        at,
        source_type: SourceType::Cluster,
        source_identifier: cluster.identifier.clone(),
        source_arn: cluster.arn(),
        message: message.to_owned(),
        category: category.to_owned(),
    });
}
