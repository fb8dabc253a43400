//! Changes that come into force, and the rename among them.
//!
//! As on AWS a modification goes unnoticed for a moment. In a rename the old name then goes before the new one comes;
//! all the while the instance can be found by its resource id.

use serde_json::Value;

use super::run::{Run, Stopped};
use crate::engines::Secret;
use crate::parameters;
use crate::secrets;
use crate::settings;
use crate::state::Settings;
use crate::state::instance::{Instance, InstanceStatus, Naming, Outcome, ParameterStatus};

/// What a modification does beyond changing settings.
const IDENTIFIER: &str = "DBInstanceIdentifier";
const PASSWORD: &str = "MasterUserPassword";

impl Run<'_, Instance> {
    /// Brings the changes into force.
    pub(super) async fn modify(&self, changes: &Settings) -> Result<(), Stopped> {
        let pace = self.pace();
        let new_name = changes.get(IDENTIFIER).and_then(Value::as_str);
        self.wait(pace.unnoticed()).await?;
        if pace.is_gradual() {
            self.note(|_, instance| {
                instance.status = status_during(changes);
                if new_name.is_some() && self.operation.outcome == Outcome::Success {
                    instance.naming = Naming::Nameless;
                }
            })
            .await?;
        }
        if let (Some(name), Outcome::Success, true) =
            (new_name, &self.operation.outcome, pace.is_gradual())
        {
            self.wait(pace.unnoticed() + pace.nameless()).await?;
            self.note(|_, instance| {
                name.clone_into(&mut instance.identifier);
                instance.naming = Naming::Named;
            })
            .await?;
        }
        let password = changes
            .get(PASSWORD)
            .and_then(Value::as_str)
            .map(Secret::new);
        if let (Some(engine), Some(password)) = (self.engine()?, &password) {
            let mut spec = self.spec()?;
            spec.master_password = password.clone();
            engine.set_master_password(&spec).await?;
        }
        self.wait(pace.unnoticed() + self.takes()?).await?;
        match &self.operation.outcome {
            Outcome::Success => self.complete(changes, password).await,
            Outcome::ModifyFails => self.give_up(changes).await,
            Outcome::EndsIn(status) => self.end_badly(status).await,
        }
    }

    /// Gives the server those values of its parameter groups that may change while it runs.
    pub(super) async fn reconfigure(&self) -> Result<(), Stopped> {
        let parameters = self.control_plane.read(|state| {
            let instance = self.mine(state)?;
            Ok::<_, Stopped>(parameters::immediate_of(state, instance))
        })?;
        let mut waiting = false;
        if let Some(engine) = self.engine()? {
            let mut spec = self.spec()?;
            spec.parameters = parameters.clone();
            waiting = !engine.reconfigure(&spec).await?.parameters.is_empty();
        }
        self.wait(self.takes()?).await?;
        self.finish(InstanceStatus::Available, "", "", |state, instance| {
            instance.parameters = parameters;
            parameters::applied_while_running(state, instance, waiting);
        })
        .await
    }

    async fn complete(&self, changes: &Settings, password: Option<Secret>) -> Result<(), Stopped> {
        let message = message(changes);
        let pace = self.pace();
        let now = self.control_plane.now();
        let ready_at = now.saturating_add(pace.attachment()).unwrap_or(now);
        let seed = self.control_plane.options.seed;
        self.finish(
            InstanceStatus::Available,
            "configuration change",
            &message,
            |state, instance| {
                for (name, value) in changes {
                    match name.as_str() {
                        IDENTIFIER => {
                            value
                                .as_str()
                                .unwrap_or_default()
                                .clone_into(&mut instance.identifier);
                            instance.naming = Naming::Named;
                        }
                        PASSWORD => {}
                        name => {
                            instance.settings.insert(name.to_owned(), value.clone());
                        }
                    }
                }
                settings::tidy(&mut instance.settings);
                let database = (&instance.scope, instance.resource_id.as_str());
                secrets::follow(state, database, &instance.settings, seed, ready_at);
                if let Some(password) = password {
                    instance.password = password;
                }
                if instance.text("DBParameterGroupName") != instance.parameter_group_in_force {
                    instance.parameter_status = ParameterStatus::PendingReboot;
                }
            },
        )
        .await
    }

    /// What AWS does when it turns out that a modification isn't possible: nothing but an event.
    async fn give_up(&self, changes: &Settings) -> Result<(), Stopped> {
        let what = changes
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!("Unable to modify database instance: {what} could not be changed");
        self.finish(
            InstanceStatus::Available,
            "failure",
            &message,
            |_, instance| instance.naming = Naming::Named,
        )
        .await
    }
}

/// What an instance is while these changes come into force.
pub(crate) fn status_during(changes: &Settings) -> InstanceStatus {
    if changes.contains_key(IDENTIFIER) {
        InstanceStatus::Renaming
    } else if changes.contains_key("EngineVersion") {
        InstanceStatus::Upgrading
    } else if changes.contains_key(PASSWORD) && changes.len() == 1 {
        InstanceStatus::ResettingMasterCredentials
    } else {
        InstanceStatus::Modifying
    }
}

/// RDS tells no event about a rename.
fn message(changes: &Settings) -> String {
    let told = |name: &&String| !matches!(name.as_str(), IDENTIFIER | PASSWORD);
    let names: Vec<_> = changes.keys().filter(told).map(String::as_str).collect();
    match (names.is_empty(), changes.contains_key(PASSWORD)) {
        (true, true) => "Reset master credentials".to_owned(),
        (true, false) => String::new(),
        (false, _) => format!("Finished applying modification to {}", names.join(", ")),
    }
}
