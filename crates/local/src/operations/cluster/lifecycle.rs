//! From creation to deletion of a cluster: its volume, and its members together.

use crate::clusters::members;
use crate::engines::StopMode;
use crate::operations::Job;
use crate::operations::backups;
use crate::operations::lifecycle::{complete_snapshot, fail_snapshot};
use crate::operations::origin::Origin;
use crate::operations::run::{Run, Stopped};
use crate::parameters;
use crate::serving;
use crate::state::cluster::{Cluster, ClusterStatus, ClusterWork};
use crate::state::instance::{AfterBackup, Instance, InstanceStatus, Operation, Outcome, Work};

impl Run<'_, Cluster> {
    /// Makes the volume, empty or from a snapshot, and the members that come with it.
    pub(super) async fn create(&self, origin: Origin<'_>) -> Result<(), Stopped> {
        if let Outcome::EndsIn(status) = &self.operation.outcome {
            self.wait(self.takes()?).await?;
            return self.end_badly(status).await;
        }
        let cluster = self.record()?;
        if let (Some(engine), None) = (self.engine()?, &cluster.writer) {
            let volume = serving::volume(&cluster);
            engine.remove(&volume.directory).await?;
            self.fill(&origin, &*engine, &volume).await?;
            // Its members start it, with what they are given.
            engine.stop(&volume, StopMode::Fast).await?;
        }
        self.make_members().await?;
        self.wait(self.takes()?).await?;
        let now = self.control_plane.now();
        let message = self.origin_told(&origin, "DB cluster")?;
        self.finish(
            ClusterStatus::Available,
            "creation",
            &message,
            |_, cluster| {
                cluster.created_at = Some(now);
            },
        )
        .await
    }

    /// Lets the members be made that a Multi-AZ DB cluster was given, and waits for them.
    async fn make_members(&self) -> Result<(), Stopped> {
        self.begin_at_members(Work::Create, |member| {
            member.status == InstanceStatus::Creating && member.operation.is_none()
        })
        .await?;
        let key = self.key;
        self.wait_until(|state| {
            let members = state.members_of(key);
            members
                .iter()
                .all(|member| member.status != InstanceStatus::Creating)
        })
        .await
    }

    /// Gives members something to do.
    async fn begin_at_members(
        &self,
        work: Work,
        which: impl Fn(&Instance) -> bool,
    ) -> Result<(), Stopped> {
        let now = self.control_plane.now();
        let begun = self
            .note(|state, cluster| {
                let mut begun = Vec::new();
                members::change_all(state, cluster, |member| {
                    if which(member) {
                        member.operation = Some(Operation {
                            work: work.clone(),
                            begun_at: now,
                            outcome: Outcome::Success,
                        });
                        begun.push(member.resource_id.clone());
                    }
                });
                begun
            })
            .await?;
        for member in begun {
            let job = Job::Instance(member);
            self.control_plane.jobs.begin(self.control_plane, job);
        }
        Ok(())
    }

    /// Restarts all servers with all parameters of their groups.
    pub(super) async fn reboot(&self) -> Result<(), Stopped> {
        self.note_all(ClusterStatus::Rebooting, InstanceStatus::Rebooting)
            .await?;
        self.stop_servers().await?;
        self.start_servers().await?;
        self.wait(self.takes()?).await?;
        self.all_available("DB cluster restarted").await
    }

    /// Starts the stopped servers.
    pub(super) async fn start(&self) -> Result<(), Stopped> {
        self.note_all(ClusterStatus::Starting, InstanceStatus::Starting)
            .await?;
        self.start_servers().await?;
        self.wait(self.takes()?).await?;
        self.all_available("DB cluster started").await
    }

    /// Stops the servers.
    pub(super) async fn stop(&self) -> Result<(), Stopped> {
        self.note_all(ClusterStatus::Stopping, InstanceStatus::Stopping)
            .await?;
        self.stop_servers().await?;
        self.wait(self.takes()?).await?;
        self.finish(
            ClusterStatus::Stopped,
            "notification",
            "DB cluster stopped",
            |state, cluster| {
                members::change_all(state, cluster, |member| {
                    member.status = InstanceStatus::Stopped;
                });
            },
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
                .snapshot(&self.volume()?, &directory, &progress)
                .await?
                .size_bytes;
        }
        self.wait(self.takes()?).await?;
        let now = self.control_plane.now();
        self.finish(ClusterStatus::Available, "", "", |state, cluster| {
            match &self.operation.outcome {
                // What was to be deleted after it stays.
                Outcome::EndsIn(status) => return fail_snapshot(state, snapshot, status),
                Outcome::Success | Outcome::ModifyFails => {
                    complete_snapshot(state, snapshot, size_bytes, now);
                }
            }
            if then == AfterBackup::Delete {
                cluster.status = ClusterStatus::Deleting;
                cluster.operation = Some(Operation {
                    work: ClusterWork::Delete,
                    begun_at: now,
                    outcome: Outcome::Success,
                });
            }
        })
        .await?;
        self.control_plane.progress.forget(snapshot);
        Ok(())
    }

    /// Removes the volume once the last member is gone, and then forgets the cluster.
    pub(super) async fn delete(&self) -> Result<(), Stopped> {
        if self.record()?.is_multi_az() {
            self.begin_at_members(Work::Delete, |member| {
                member.status != InstanceStatus::Deleting
            })
            .await?;
        }
        let key = self.key;
        self.wait_until(|state| state.members_of(key).is_empty())
            .await?;
        self.wait(self.takes()?).await?;
        let engine = self.engine()?;
        let last = backups::close(self.control_plane, self.key, engine.as_deref()).await;
        if let Some(engine) = engine {
            engine.remove(&self.record()?.volume).await?;
        }
        let now = self.control_plane.now();
        self.control_plane.transact(|state| {
            let cluster = self.mine(state)?.clone();
            super::tell(state, &cluster, now, "deletion", "DB cluster deleted");
            backups::retire(state, self.key, last);
            state.clusters.remove(self.key);
            state.attachments.remove(self.key);
            let endpoints = state.custom_endpoints.iter();
            let endpoints = endpoints.filter(|(_, endpoint)| endpoint.cluster == self.key);
            let endpoints: Vec<String> = endpoints.map(|(key, _)| key.to_owned()).collect();
            for key in endpoints {
                state.custom_endpoints.remove(&key);
            }
            Ok::<_, Stopped>(())
        })?;
        backups::collect_garbage(self.control_plane);
        Ok(())
    }

    async fn stop_servers(&self) -> Result<(), Stopped> {
        let Some(engine) = self.engine()? else {
            return Ok(());
        };
        // Readers go first, so that none loses its writer.
        for member in self.members().iter().rev() {
            engine.stop(&serving::spec(member), StopMode::Fast).await?;
        }
        Ok(())
    }

    async fn start_servers(&self) -> Result<(), Stopped> {
        self.note(|state, cluster| {
            let members = state.members_of(&cluster.resource_id);
            let armed: Vec<Instance> = members
                .into_iter()
                .map(|member| parameters::armed(state, member))
                .collect();
            for member in armed {
                state.instances.insert(member.resource_id.clone(), member);
            }
        })
        .await?;
        let Some(engine) = self.engine()? else {
            return Ok(());
        };
        for member in self.members() {
            engine.start(&serving::spec(&member)).await?;
        }
        Ok(())
    }

    async fn all_available(&self, message: &str) -> Result<(), Stopped> {
        self.finish(
            ClusterStatus::Available,
            "notification",
            message,
            |state, cluster| {
                members::change_all(state, cluster, |member| {
                    member.status = InstanceStatus::Available;
                    parameters::applied(member);
                });
            },
        )
        .await
    }
}
