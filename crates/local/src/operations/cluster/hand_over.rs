//! A reader becomes the writer: in a fail-over, and before the writer goes.
//!
//! Who it will be is noted in the cluster first. As long as it is, neither of the two answers, and what was done can be
//! done again after a crash: the old writer is stopped, so that everything it committed has arrived, the new one
//! promoted, and then all others are sent to it.

use std::sync::Arc;

use super::tell;
use crate::control_plane::{ControlPlane, StoreError};
use crate::engines::StopMode;
use crate::operations::run::{Run, Stopped};
use crate::serving;
use crate::state::cluster::{Cluster, ClusterStatus};
use crate::state::instance::{Instance, InstanceStatus};

impl Run<'_, Cluster> {
    /// Makes the successor the writer.
    pub(super) async fn fail_over(&self) -> Result<(), Stopped> {
        hand_over(self.control_plane, self.key).await?;
        self.wait(self.takes()?).await?;
        self.finish(ClusterStatus::Available, "", "", |_, _| ())
            .await
    }
}

/// Makes the successor that a cluster has the writer, and everybody else its follower.
pub(in crate::operations) async fn hand_over(
    control_plane: &Arc<ControlPlane>,
    key: &str,
) -> Result<(), Stopped> {
    let cluster = control_plane.read(|state| state.clusters.get(key).cloned());
    let Some((cluster, successor)) =
        cluster.and_then(|cluster| Some((cluster.clone(), cluster.successor?)))
    else {
        return Ok(());
    };
    if cluster.writer.as_ref() != Some(&successor) {
        replace_writer(control_plane, &cluster, &successor).await?;
    }
    let (writer, others) = control_plane.read(|state| {
        let members = state.members_of(key).into_iter().cloned();
        members.partition::<Vec<Instance>, _>(|member| member.resource_id == successor)
    });
    if let (Some(engine), Some(writer)) = (control_plane.engine(cluster.engine()), writer.first()) {
        for other in others.iter().filter(|other| other.has_running_server()) {
            let (other, writer) = (serving::spec(other), serving::spec(writer));
            engine.follow(&other, &writer, &|_| ()).await?;
        }
    }
    control_plane.transact(|state| {
        for other in others {
            let is_back = |member: &&mut Instance| {
                member.operation.is_none() && member.status == InstanceStatus::Rebooting
            };
            if let Some(member) = state.instances.get_mut(&other.resource_id).filter(is_back) {
                member.status = InstanceStatus::Available;
            }
        }
        if let Some(cluster) = state.clusters.get_mut(key) {
            cluster.successor = None;
        }
        Ok::<_, StoreError>(())
    })?;
    control_plane.refresh_endpoints().await;
    Ok(())
}

async fn replace_writer(
    control_plane: &Arc<ControlPlane>,
    cluster: &Cluster,
    successor: &str,
) -> Result<(), Stopped> {
    let member = |resource_id: Option<&str>| {
        control_plane.read(|state| state.instances.get(resource_id?).cloned())
    };
    let Some(new) = member(Some(successor)) else {
        return Ok(());
    };
    if let Some(engine) = control_plane.engine(cluster.engine()) {
        if let Some(old) = member(cluster.writer.as_deref()) {
            engine.stop(&serving::spec(&old), StopMode::Fast).await?;
        }
        engine.promote(&serving::spec(&new)).await?;
    }
    tokio::time::sleep(control_plane.pace().hand_over()).await;
    let now = control_plane.now();
    control_plane.transact(|state| {
        let old = cluster.writer.as_deref();
        if let Some(old) = old.and_then(|old| state.instances.get_mut(old))
            && old.operation.is_none()
        {
            old.status = InstanceStatus::Rebooting;
        }
        let mut changed = cluster.clone();
        if let Some(current) = state.clusters.get_mut(&cluster.resource_id) {
            current.writer = Some(successor.to_owned());
            current.volume = new.directory.clone();
            changed = current.clone();
        }
        let message = format!("Completed failover to DB instance: {}", new.identifier);
        tell(state, &changed, now, "failover", &message);
        Ok::<_, StoreError>(())
    })?;
    control_plane.refresh_endpoints().await;
    Ok(())
}
