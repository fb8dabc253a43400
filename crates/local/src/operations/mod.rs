//! What goes on after a request was answered.
//!
//! What is to be done is part of the state before it is begun, so a job is only the name of the record that says it.
//! A job looks at the record, does what is missing, and notes the result; after a crash it is simply run again.

mod backups;
mod cluster;
mod copy;
mod instance;
mod lifecycle;
mod member;
mod modify;
mod origin;
mod recovery;
mod replicas;
mod run;

pub(crate) use self::cluster::status_during as cluster_status_during;
pub(crate) use self::modify::status_during;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use crate::control_plane::ControlPlane;

/// Something to do, by the key of the record that says what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// The operation of an instance.
    Instance(String),
    /// The operation of a cluster.
    Cluster(String),
    /// The copy of a snapshot.
    Snapshot(String),
    /// The automated backups of an instance or a cluster.
    Backups(String),
    /// A directory to remove.
    Garbage(String),
}

/// The jobs that are under way.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<BTreeMap<Job, JoinHandle<()>>>);

/// What servers say about how far they are, by the key of the snapshot.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<BTreeMap<String, u8>>);

impl Jobs {
    /// Begins a job; one that is under way notices by itself that there is more to do.
    pub(crate) fn begin(&self, control_plane: &Arc<ControlPlane>, job: Job) {
        if let Entry::Vacant(free) = self.running().entry(job.clone()) {
            free.insert(tokio::spawn(run(Arc::clone(control_plane), job)));
        }
    }

    /// Ends a job where it is.
    pub(crate) async fn end(&self, job: &Job) {
        let running = self.running().remove(job);
        if let Some(handle) = running {
            handle.abort();
            drop(handle.await);
        }
    }

    /// Ends all jobs where they are.
    pub(crate) async fn abort_all(&self) {
        let handles: Vec<_> = std::mem::take(&mut *self.running()).into_values().collect();
        for handle in handles {
            handle.abort();
            // An aborted task ends with an error, and that it has ended is all that matters.
            drop(handle.await);
        }
    }

    /// Takes a job off the list, unless there is more to do: nobody can add work between the look and the leave.
    fn leave(&self, job: &Job, is_done: impl FnOnce() -> bool) -> bool {
        let mut running = self.running();
        let is_done = is_done();
        if is_done {
            running.remove(job);
        }
        is_done
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Job, JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    pub(crate) fn set(&self, key: &str, percent: u8) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned(), percent);
    }

    pub(crate) fn get(&self, key: &str) -> u8 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .copied()
            .unwrap_or(0)
    }

    pub(crate) fn forget(&self, key: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

async fn run(control_plane: Arc<ControlPlane>, job: Job) {
    loop {
        let done = match &job {
            Job::Instance(resource_id) => instance::run(&control_plane, resource_id).await,
            Job::Cluster(resource_id) => cluster::run(&control_plane, resource_id).await,
            Job::Snapshot(key) => copy::run(&control_plane, key).await,
            Job::Backups(resource_id) => backups::run(&control_plane, resource_id).await,
            Job::Garbage(path) => copy::remove(&control_plane, path).await,
        };
        if let Err(error) = done {
            tracing::error!(?job, %error, "an operation stays half done until the next start");
            control_plane.jobs.leave(&job, || true);
            return;
        }
        if control_plane
            .jobs
            .leave(&job, || is_done(&control_plane, &job))
        {
            return;
        }
    }
}

fn is_done(control_plane: &ControlPlane, job: &Job) -> bool {
    control_plane.read(|state| match job {
        Job::Instance(resource_id) => state
            .instances
            .get(resource_id)
            .is_none_or(|instance| instance.operation.is_none()),
        Job::Cluster(resource_id) => state
            .clusters
            .get(resource_id)
            .is_none_or(|cluster| cluster.operation.is_none()),
        Job::Snapshot(key) => state
            .snapshots
            .get(key)
            .is_none_or(|snapshot| !snapshot.is_being_copied()),
        // There will be another occasion.
        Job::Backups(_) => true,
        Job::Garbage(path) => state.garbage.get(path).is_none(),
    })
}
