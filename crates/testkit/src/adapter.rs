//! The restore's tasks as the engine calls them, a verifier for servers without sockets, and
//! secrets without Secrets Manager.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use trapheus_engine::{TaskCall, TaskError, Tasks};
use trapheus_local::ControlPlane;
use trapheus_rds::{Arn, Permit};
use trapheus_restore::{
    BlueprintError, Blueprints, Credentials, Probe, ProbeError, Proof, SavedBlueprint, Secret,
    SecretError, Secrets, Verifier,
};

use crate::in_state::StateWatch;
use crate::invariants::{Ledger, on_behalf_of};
use crate::recording::Recorder;

/// The restore's tasks, for the engine.
pub(crate) struct RestoreTasks {
    pub(crate) tasks: trapheus_restore::Tasks,
    pub(crate) failure: Failure,
    pub(crate) recorder: Recorder,
    pub(crate) ledger: Ledger,
    pub(crate) in_state: StateWatch,
    pub(crate) control_plane: Arc<ControlPlane>,
}

/// When a task that is to fail does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it has done anything.
    Before,
    /// After it has done all of it, which nobody gets to know.
    After,
}

/// The state in which an original is kept: nobody works there.
pub(crate) const KEEPS: &str = "KeepOriginal";

/// Whether it is waited for a while after this task.
pub(crate) fn keeps_original(call: &TaskCall) -> bool {
    let seconds = call.input.pointer("/state/plan/keepOriginalSeconds");
    call.state == "Report" && seconds.and_then(Value::as_u64).is_some_and(|kept| kept > 0)
}

/// The one task that fails without a reason of its own. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<(String, Moment)>>>);

impl Failure {
    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.armed().clone())))
    }

    /// Lets a task of this name fail, once.
    pub(crate) fn arm(&self, task: &str, moment: Moment) {
        *self.armed() = Some((task.to_owned(), moment));
    }

    /// Whether it has happened, or was never asked for.
    pub(crate) fn is_spent(&self) -> bool {
        self.armed().is_none()
    }

    fn strikes(&self, task: &str, at: Moment) -> bool {
        let mut armed = self.armed();
        let is_meant = |(name, moment): &mut (String, Moment)| name == task && *moment == at;
        armed.take_if(is_meant).is_some()
    }

    fn armed(&self) -> MutexGuard<'_, Option<(String, Moment)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Tasks for RestoreTasks {
    async fn run(&self, call: TaskCall) -> Result<Value, TaskError> {
        let struck = || TaskError {
            error: "Trapheus.Struck".to_owned(),
            cause: serde_json::json!({"message": "the task fails as was asked for"}).to_string(),
        };
        if self.failure.strikes(&call.resource, Moment::Before) {
            return Err(struck());
        }
        let hold = call.hold.clone();
        let permit = Permit::new(move || ready(hold.renew().map_err(|error| error.to_string())));
        let tasks = self.tasks.permitted_by(permit);
        let at_work = self.in_state.enter(&call.state, &self.control_plane)?;
        self.ledger
            .task_begins(&call.execution, &call.state, &call.resource);
        self.recorder.task_begins(&call.state);
        // Behind a pointer, or the compiler tires of the depth of what runs in there.
        let task = Box::pin(tasks.run(&call.resource, call.input.clone()));
        let made = on_behalf_of(call.execution.clone(), task).await;
        drop(at_work);
        self.ledger.task_ends(&call.execution, &call.resource);
        if let Ok(output) = &made {
            if keeps_original(&call) {
                self.recorder.task_begins(KEEPS);
            }
            self.ledger.task_succeeded(&call.execution, &call.state);
            self.recorder.task_succeeded(&call, output);
        }
        if made.is_ok() && self.failure.strikes(&call.resource, Moment::After) {
            return Err(struck());
        }
        made.map_err(|error| TaskError {
            error: error.name.to_string(),
            cause: error.cause.to_string(),
        })
    }
}

/// How simulated servers answer: as they should, until they shouldn't.
#[derive(Debug)]
pub(crate) struct SimulatedVerifier {
    passes: AtomicU32,
}

impl Default for SimulatedVerifier {
    fn default() -> Self {
        Self {
            passes: AtomicU32::new(u32::MAX),
        }
    }
}

impl SimulatedVerifier {
    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        Self {
            passes: AtomicU32::new(self.passes.load(Ordering::SeqCst)),
        }
    }

    /// Lets this many verifications pass, and none after.
    pub(crate) fn refuse_after(&self, passes: u32) {
        self.passes.store(passes, Ordering::SeqCst);
    }
}

#[async_trait]
impl Verifier for SimulatedVerifier {
    async fn verify(&self, _: &Probe) -> Result<Proof, ProbeError> {
        let pass = |left: u32| left.checked_sub(1);
        match self
            .passes
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, pass)
        {
            Ok(_) => Ok(Proof::Handshake),
            Err(_) => Err(ProbeError::WrongProtocol(
                "the simulated server refuses".to_owned(),
            )),
        }
    }
}

/// Secrets by their ARNs.
#[derive(Debug, Default)]
pub(crate) struct SimulatedSecrets(Mutex<BTreeMap<String, Secret>>);

impl SimulatedSecrets {
    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        let secrets = self.0.lock().expect("nobody panics with it");
        Self(Mutex::new(secrets.clone()))
    }

    /// Keeps a password.
    pub(crate) fn keep(&self, arn: &str, password: &str) {
        let mut secrets = self.0.lock().expect("nobody panics with it");
        secrets.insert(arn.to_owned(), Secret::new(password));
    }
}

#[async_trait]
impl Secrets for SimulatedSecrets {
    async fn login(&self, arn: &str) -> Result<Credentials, SecretError> {
        let secrets = self.0.lock().expect("nobody panics with it");
        let found = secrets.get(arn).map(|password| Credentials {
            user: None,
            password: password.clone(),
            database: None,
        });
        found.ok_or_else(|| SecretError("there is no such secret".to_owned()))
    }
}

/// The blueprints of snapshots, by the snapshots' ARNs.
#[derive(Debug, Default)]
pub(crate) struct SimulatedBlueprints(Mutex<BTreeMap<Arn, SavedBlueprint>>);

impl SimulatedBlueprints {
    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        let kept = self.0.lock().expect("nobody panics with it");
        Self(Mutex::new(kept.clone()))
    }
}

#[async_trait]
impl Blueprints for SimulatedBlueprints {
    async fn keep(&self, snapshot: &Arn, blueprint: &SavedBlueprint) -> Result<(), BlueprintError> {
        let mut kept = self.0.lock().expect("nobody panics with it");
        kept.insert(snapshot.clone(), blueprint.clone());
        Ok(())
    }

    async fn of(&self, snapshot: &Arn) -> Result<Option<SavedBlueprint>, BlueprintError> {
        let kept = self.0.lock().expect("nobody panics with it");
        Ok(kept.get(snapshot).cloned())
    }

    async fn forget(&self, snapshot: &Arn) -> Result<(), BlueprintError> {
        let mut kept = self.0.lock().expect("nobody panics with it");
        kept.remove(snapshot);
        Ok(())
    }
}
