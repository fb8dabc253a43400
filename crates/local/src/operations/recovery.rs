//! What happens when a control plane is opened: servers that run are adopted, and what was half done is taken up.

use std::sync::Arc;

use super::Job;
use super::backups;
use super::instance::tell;
use crate::control_plane::{ControlPlane, StoreError};
use crate::serving;
use crate::state::instance::{Instance, InstanceStatus};
use crate::state::snapshot::Snapshot;

impl ControlPlane {
    /// Brings servers and endpoints into line with the state, and begins all jobs that the state names.
    pub(crate) async fn recover(self: &Arc<Self>) {
        let (serving, jobs) = self.read(|state| {
            let mut jobs = Vec::new();
            let busy = state
                .instances
                .iter()
                .filter(|(_, instance)| instance.operation.is_some());
            jobs.extend(busy.map(|(resource_id, _)| Job::Instance(resource_id.to_owned())));
            let busy = state
                .clusters
                .values()
                .filter(|one| one.operation.is_some());
            jobs.extend(busy.map(|cluster| Job::Cluster(cluster.resource_id.clone())));
            let copies = state
                .snapshots
                .iter()
                .filter(|(_, snapshot)| Snapshot::is_being_copied(snapshot));
            jobs.extend(copies.map(|(key, _)| Job::Snapshot(key.to_owned())));
            jobs.extend(
                state
                    .garbage
                    .iter()
                    .map(|(path, _)| Job::Garbage(path.to_owned())),
            );
            let serving = state
                .instances
                .values()
                .filter(|instance| instance.has_running_server());
            let mut serving: Vec<_> = serving.cloned().collect();
            // A replica wants the one that it follows to be there.
            serving.sort_by_key(|instance| serving::follows(state, instance));
            (serving, jobs)
        });
        for instance in &serving {
            self.adopt(instance).await;
        }
        self.refresh_endpoints().await;
        let databases = self.read(|state| {
            let instances = state.instances.iter().map(|(id, _)| id.to_owned());
            instances
                .chain(state.clusters.iter().map(|(id, _)| id.to_owned()))
                .collect::<Vec<_>>()
        });
        for database in databases {
            backups::look_after(self, &database);
        }
        for job in jobs {
            self.jobs.begin(self, job);
        }
    }

    async fn adopt(&self, instance: &Instance) {
        let Some(engine) = self.engine(instance.engine()) else {
            return;
        };
        let Err(error) = engine.start(&serving::spec(instance)).await else {
            return;
        };
        tracing::error!(instance = instance.identifier, %error, "a server doesn't start");
        let now = self.now();
        let noted = self.transact(|state| {
            let message = format!("The server doesn't start: {error}");
            tell(state, instance, now, "failure", &message);
            if let Some(instance) = state.instances.get_mut(&instance.resource_id) {
                instance.status = InstanceStatus::Failed("failed".to_owned());
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = noted {
            tracing::error!(%error, "that a server doesn't start can't be noted");
        }
    }
}
