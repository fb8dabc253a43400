//! What is different when an instance is a member of a cluster: it comes by joining, and leaves without the data.

use super::cluster::hand_over;
use super::run::{Run, Stopped};
use crate::clusters::members;
use crate::engines::{Engine, StopMode};
use crate::parameters;
use crate::serving;
use crate::state::State;
use crate::state::cluster::{Cluster, Succession};
use crate::state::instance::{Instance, Work};

/// What a member that joins finds.
enum Place {
    /// It serves the volume.
    Writer,
    /// It follows this one.
    Reader(Box<Instance>),
    /// Who is to be followed doesn't run yet, or not any more.
    Unsettled,
}

impl Run<'_, Instance> {
    /// Starts the server of a new member: on the volume if nobody serves it, else as a follower of the writer.
    pub(super) async fn join(&self, engine: Option<&dyn Engine>) -> Result<(), Stopped> {
        loop {
            self.wait_until(|state| match state.instances.get(self.key) {
                Some(member) => !matches!(place(state, member), Place::Unsettled),
                None => true,
            })
            .await?;
            let place = self.take_place().await?;
            let Some(engine) = engine else {
                return Ok(());
            };
            let spec = self.spec()?;
            let joined = match &place {
                Place::Unsettled => continue,
                Place::Writer => {
                    engine.start(&spec).await?;
                    // It may have been changed while nobody served.
                    return Ok(engine.set_master_password(&spec).await?);
                }
                Place::Reader(writer) => {
                    engine.follow(&spec, &serving::spec(writer), &|_| ()).await
                }
            };
            // A writer that goes meanwhile takes its followers' beginnings with it.
            if self.follows(&place)? {
                return Ok(joined?);
            }
        }
    }

    /// Whether the member serves the volume, or the writer that it was sent to still is the one to follow.
    fn follows(&self, found: &Place) -> Result<bool, Stopped> {
        let now = self
            .control_plane
            .read(|state| Ok::<_, Stopped>(place(state, self.mine(state)?)))?;
        Ok(match (found, now) {
            (Place::Writer, Place::Writer) => true,
            (Place::Reader(before), Place::Reader(now)) => before.resource_id == now.resource_id,
            (Place::Writer | Place::Reader(_) | Place::Unsettled, _) => false,
        })
    }

    async fn take_place(&self) -> Result<Place, Stopped> {
        self.note(|state, member| {
            *member = parameters::armed(state, member);
            let place = place(state, member);
            let cluster = member.member_of.as_ref().map(|one| one.cluster.clone());
            let cluster = cluster.and_then(|cluster| state.clusters.get_mut(&cluster));
            if let (Place::Writer, Some(cluster)) = (&place, cluster) {
                cluster.writer = Some(member.resource_id.clone());
                member.directory = cluster.volume.clone();
            }
            place
        })
        .await
    }

    /// Lets another member become the writer if this one is it, and there is one.
    pub(super) async fn give_up_writing(&self) -> Result<(), Stopped> {
        self.wait_until(|state| {
            let cluster = state
                .instances
                .get(self.key)
                .and_then(|me| state.cluster_of(me));
            let members = cluster.map(|cluster| state.members_of(&cluster.resource_id));
            let restarts = |member: &&Instance| {
                let work = member.operation.as_ref().map(|operation| &operation.work);
                work == Some(&Work::Reboot)
            };
            !members.iter().flatten().any(restarts)
        })
        .await?;
        let begun = self
            .note(|state, member| {
                let cluster = state.cluster_of(member)?.clone();
                let from = member.resource_id.clone();
                match &cluster.succession {
                    Some(succession) if succession.from == from => {}
                    None if cluster.writer.as_ref() == Some(&from) => {
                        let to = members::heir(state, &cluster)?.resource_id.clone();
                        let noted = state.clusters.get_mut(&cluster.resource_id)?;
                        noted.succession = Some(Succession { from, to });
                    }
                    Some(_) | None => return None,
                }
                Some(cluster.resource_id)
            })
            .await?;
        match begun {
            Some(cluster) => hand_over(self.control_plane, &cluster).await,
            None => Ok(()),
        }
    }

    /// Ends the server of a member. The volume stays; what a follower had goes.
    pub(super) async fn end_server(&self, engine: &dyn Engine) -> Result<(), Stopped> {
        let spec = self.spec()?;
        let member = self.record()?;
        let cluster = self
            .control_plane
            .read(|state| state.cluster_of(&member).cloned());
        if cluster.is_some_and(|cluster| cluster.volume == spec.directory) {
            engine.stop(&spec, StopMode::Fast).await?;
        } else {
            engine.stop(&spec, StopMode::Immediate).await?;
            engine.remove(&spec.directory).await?;
        }
        Ok(())
    }
}

/// Takes a member off its cluster's books.
pub(super) fn leave(state: &mut State, member: &Instance) {
    let cluster = state
        .cluster_of(member)
        .map(|cluster| cluster.resource_id.clone());
    let cluster = cluster.and_then(|cluster| state.clusters.get_mut(&cluster));
    if let Some(cluster) = cluster.filter(|one| one.writer.as_ref() == Some(&member.resource_id)) {
        cluster.writer = None;
    }
}

fn place(state: &State, member: &Instance) -> Place {
    let Some(cluster) = state.cluster_of(member) else {
        return Place::Unsettled;
    };
    let Cluster {
        writer, succession, ..
    } = cluster;
    match writer
        .as_ref()
        .and_then(|writer| state.instances.get(writer))
    {
        None => Place::Writer,
        Some(writer) if writer.resource_id == member.resource_id => Place::Writer,
        Some(writer) if succession.is_none() && serving::is_up(writer) => {
            Place::Reader(Box::new(writer.clone()))
        }
        Some(_) => Place::Unsettled,
    }
}
