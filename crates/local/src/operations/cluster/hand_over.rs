//! A reader becomes the writer: in a fail-over, and before the writer goes.
//!
//! The succession is noted in the cluster first, and ends with everybody following the new writer. So what was done can
//! be done again after a crash: the old writer is stopped, so that everything it committed has arrived, the new one
//! promoted, and then all others are sent to it.

use std::sync::Arc;

use super::tell;
use crate::control_plane::{ControlPlane, StoreError};
use crate::engines::{Engine, StopMode};
use crate::operations::instance;
use crate::operations::run::{Run, Stopped};
use crate::serving;
use crate::state::cluster::{Cluster, ClusterStatus, Succession};
use crate::state::instance::{Instance, InstanceStatus, Outcome};

impl Run<'_, Cluster> {
    /// Lets the succession take place.
    pub(super) async fn fail_over(&self) -> Result<(), Stopped> {
        hand_over(self.control_plane, self.key).await?;
        self.wait(self.takes()?).await?;
        match &self.operation.outcome {
            Outcome::EndsIn(status) => self.end_badly(status).await,
            Outcome::Success | Outcome::ModifyFails => {
                self.finish(ClusterStatus::Available, "", "", |_, _| ())
                    .await
            }
        }
    }
}

/// Lets the succession of a cluster take place, if there is one.
pub(in crate::operations) async fn hand_over(
    control_plane: &Arc<ControlPlane>,
    key: &str,
) -> Result<(), Stopped> {
    let cluster = control_plane.read(|state| state.clusters.get(key).cloned());
    let Some((cluster, succession)) =
        cluster.and_then(|cluster| Some((cluster.clone(), cluster.succession?)))
    else {
        return Ok(());
    };
    let engine = control_plane.engine(cluster.engine());
    let engine = engine.as_deref();
    let replaced = match cluster.writer.as_ref() == Some(&succession.to) {
        true => Ok(()),
        false => replace_writer(control_plane, engine, &cluster, &succession).await,
    };
    let members = control_plane.read(|state| {
        let members = state.members_of(key).into_iter().cloned();
        members.collect::<Vec<Instance>>()
    });
    let lost = send_to_writer(control_plane, engine, key, &members).await;
    control_plane.transact(|state| {
        if let Some(cluster) = state.clusters.get_mut(key) {
            cluster.succession = None;
        }
        for member in &members {
            let lost = lost.iter().find(|(lost, _)| *lost == member.resource_id);
            let Some(member) = state.instances.get_mut(&member.resource_id) else {
                continue;
            };
            if let Some((_, reason)) = lost {
                member.status = InstanceStatus::Failed("failed".to_owned());
                let (member, now) = (member.clone(), control_plane.now());
                instance::tell(state, &member, now, "failure", reason);
            } else if member.status == InstanceStatus::Rebooting && member.operation.is_none() {
                member.status = InstanceStatus::Available;
            }
        }
        Ok::<_, StoreError>(())
    })?;
    control_plane.refresh_endpoints().await;
    replaced
}

async fn replace_writer(
    control_plane: &Arc<ControlPlane>,
    engine: Option<&dyn Engine>,
    cluster: &Cluster,
    succession: &Succession,
) -> Result<(), Stopped> {
    let member =
        |resource_id: &str| control_plane.read(|state| state.instances.get(resource_id).cloned());
    let Some(new) = member(&succession.to) else {
        return Ok(());
    };
    if let Some(engine) = engine {
        if let Some(old) = member(&succession.from) {
            engine.stop(&serving::spec(&old), StopMode::Fast).await?;
        }
        engine.promote(&serving::spec(&new)).await?;
    }
    tokio::time::sleep(
        control_plane
            .pace(&succession.to, control_plane.now())
            .hand_over(),
    )
    .await;
    let now = control_plane.now();
    control_plane.transact(|state| {
        if let Some(old) = state.instances.get_mut(&succession.from)
            && old.operation.is_none()
        {
            old.status = InstanceStatus::Rebooting;
        }
        let Some(cluster) = state.clusters.get_mut(&cluster.resource_id) else {
            return Ok(());
        };
        cluster.writer = Some(new.resource_id.clone());
        cluster.volume = new.directory.clone();
        let (cluster, name) = (cluster.clone(), &new.identifier);
        let message = format!("Completed failover to DB instance: {name}");
        tell(state, &cluster, now, "failover", &message);
        Ok::<_, StoreError>(())
    })?;
    control_plane.refresh_endpoints().await;
    Ok(())
}

/// Makes sure that the writer runs, be it the new one or, where that could not be promoted, still the old one, and that
/// all others follow it. Those that can't are given with the reason.
async fn send_to_writer(
    control_plane: &ControlPlane,
    engine: Option<&dyn Engine>,
    key: &str,
    members: &[Instance],
) -> Vec<(String, String)> {
    let writer = control_plane.read(|state| state.clusters.get(key)?.writer.clone());
    let is_writer = |member: &&Instance| Some(&member.resource_id) == writer.as_ref();
    let (Some(engine), Some(writer)) = (engine, members.iter().find(is_writer)) else {
        return Vec::new();
    };
    let upstream = serving::spec(writer);
    let mut running: Vec<_> = members
        .iter()
        .filter(|member| member.has_running_server())
        .collect();
    running.sort_by_key(|member| !is_writer(member));
    let mut lost = Vec::new();
    for member in running {
        let sent = match is_writer(&member) {
            true => engine.start(&upstream).await,
            false => {
                let follower = serving::spec(member);
                engine.follow(&follower, &upstream, &|_| ()).await
            }
        };
        if let Err(error) = sent {
            let reason = format!("The server can't go on after the failover: {error}");
            tracing::error!(member = member.identifier, reason);
            lost.push((member.resource_id.clone(), reason));
        }
    }
    lost
}
