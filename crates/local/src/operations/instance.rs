//! Runs the operation of an instance: the steps that all kinds of operations are made of.

use std::sync::Arc;
use std::time::Duration;

use super::backups;
use super::origin::Origin;
use super::run::{Run, Stopped};
use crate::control_plane::{ControlPlane, StoreError};
use crate::engines::{Engine, EngineError, ServerSpec};
use crate::parameters;
use crate::serving;
use crate::state::State;
use crate::state::event::{Event, SourceType};
use crate::state::group::GroupKind;
use crate::state::instance::{Instance, InstanceStatus, Operation, Outcome, ParameterStatus, Work};

/// Runs the operation that the instance has, if it has one.
pub(super) async fn run(
    control_plane: &Arc<ControlPlane>,
    resource_id: &str,
) -> Result<(), StoreError> {
    let Some(run) = Run::<Instance>::of(control_plane, resource_id) else {
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

impl Run<'_, Instance> {
    async fn perform(&self) -> Result<(), Stopped> {
        match &self.operation.work {
            Work::Create => self.create(Origin::Nothing).await,
            Work::Restore { snapshot } => self.create(Origin::Snapshot(snapshot)).await,
            Work::RestoreToPointInTime { source, until } => {
                let until = *until;
                self.create(Origin::PointInTime { source, until }).await
            }
            Work::Replicate => self.replicate().await,
            Work::Promote { changes } => self.promote(changes).await,
            Work::Modify { changes } => self.modify(changes).await,
            Work::Reconfigure => self.reconfigure().await,
            Work::Reboot => self.reboot().await,
            Work::Start => self.start().await,
            Work::Stop => self.stop().await,
            Work::Backup { snapshot, then } => self.back_up(snapshot, *then).await,
            Work::Delete => self.delete().await,
        }
    }

    /// What the instance's server is to be, with the parameters that it should start with.
    pub(super) fn spec(&self) -> Result<ServerSpec, Stopped> {
        Ok(serving::spec(&self.record()?))
    }

    /// Who runs the server; nobody does for an engine that is control plane only.
    pub(super) fn engine(&self) -> Result<Option<Arc<dyn Engine>>, Stopped> {
        Ok(self.control_plane.engine(self.record()?.engine()))
    }

    /// How long the operation takes from when it becomes visible.
    pub(super) fn takes(&self) -> Result<Duration, Stopped> {
        let gib = self
            .record()?
            .number("AllocatedStorage")
            .and_then(|gib| gib.try_into().ok())
            .unwrap_or(0);
        Ok(self.pace().work(&self.operation.work, gib))
    }

    /// Ends the operation in a status and tells an event. Parameters that were changed meanwhile are taken up.
    pub(super) async fn finish(
        &self,
        status: InstanceStatus,
        category: &str,
        message: &str,
        change: impl FnOnce(&mut State, &mut Instance),
    ) -> Result<(), Stopped> {
        let now = self.control_plane.now();
        self.note(|state, instance| {
            instance.status = status;
            instance.operation = None;
            change(state, instance);
            if instance.status == InstanceStatus::Available
                && instance.operation.is_none()
                && parameters::are_stale(state, instance)
            {
                let outcome = Outcome::Success;
                instance.operation = Some(Operation {
                    work: Work::Reconfigure,
                    begun_at: now,
                    outcome,
                });
            }
            if !message.is_empty() {
                tell(state, instance, now, category, message);
            }
        })
        .await?;
        backups::look_after(self.control_plane, self.key);
        Ok(())
    }

    /// Ends an operation that the server could not do.
    async fn fail(&self, error: &EngineError) -> Result<(), Stopped> {
        let identifier = self.record()?.identifier;
        tracing::error!(identifier, %error, work = ?self.operation.work, "an operation failed");
        let status = match (&self.operation.work, error) {
            (_, EngineError::Parameters { .. }) => "incompatible-parameters",
            (Work::Restore { .. } | Work::RestoreToPointInTime { .. }, _) => "incompatible-restore",
            (
                Work::Modify { .. }
                | Work::Promote { .. }
                | Work::Reconfigure
                | Work::Backup { .. },
                _,
            ) => "available",
            (
                Work::Create
                | Work::Replicate
                | Work::Reboot
                | Work::Start
                | Work::Stop
                | Work::Delete,
                _,
            ) => "failed",
        };
        let status = match status {
            "available" => InstanceStatus::Available,
            failed => InstanceStatus::Failed(failed.to_owned()),
        };
        let message = format!("The operation failed: {error}");
        self.finish(status, "failure", &message, |state, instance| {
            if let Work::Backup { snapshot, .. } = &self.operation.work {
                super::lifecycle::fail_snapshot(state, snapshot, "failed");
            }
            if let Work::Reconfigure = self.operation.work {
                // Trying again would fail again: the next reboot shows what is wrong.
                instance.parameter_group_in_force.clear();
                for kind in GroupKind::ALL {
                    parameters::set_status(instance, kind, ParameterStatus::PendingReboot);
                }
            }
        })
        .await
    }
}

/// Tells an event about an instance.
pub(crate) fn tell(
    state: &mut State,
    instance: &Instance,
    at: jiff::Timestamp,
    category: &str,
    message: &str,
) {
    state.tell(Event {
        scope: instance.scope.clone(),
        at,
        source_type: SourceType::Instance,
        source_identifier: instance.identifier.clone(),
        source_arn: instance.arn(),
        message: message.to_owned(),
        category: category.to_owned(),
    });
}
