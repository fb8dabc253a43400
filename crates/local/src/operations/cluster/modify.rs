//! Changes to a cluster that come into force, and the rename among them.
//!
//! A rename goes as that of an instance does, but the members of an Aurora cluster notice nothing of it: they keep their
//! names, their endpoints and their clients. Those of a Multi-AZ DB cluster are renamed with it.

use serde_json::Value;

use crate::clusters::members;
use crate::engines::Secret;
use crate::operations::run::{Run, Stopped};
use crate::secrets;
use crate::settings;
use crate::state::cluster::{Cluster, ClusterStatus};
use crate::state::instance::{InstanceStatus, Naming, Outcome, ParameterStatus};
use crate::state::{Settings, State};

/// What a modification does beyond changing settings.
const IDENTIFIER: &str = "DBClusterIdentifier";
const PASSWORD: &str = "MasterUserPassword";

impl Run<'_, Cluster> {
    /// Brings the changes into force.
    pub(super) async fn modify(&self, changes: &Settings) -> Result<(), Stopped> {
        let pace = self.pace();
        let new_name = changes.get(IDENTIFIER).and_then(Value::as_str);
        let is_rename = new_name.is_some() && self.operation.outcome == Outcome::Success;
        self.wait(pace.unnoticed()).await?;
        if pace.is_gradual() {
            self.note(|state, cluster| {
                cluster.status = status_during(changes);
                if is_rename {
                    name(state, cluster, None);
                }
            })
            .await?;
        }
        if let (Some(new_name), true, true) = (new_name, is_rename, pace.is_gradual()) {
            self.wait(pace.unnoticed() + pace.nameless()).await?;
            self.note(|state, cluster| name(state, cluster, Some(new_name)))
                .await?;
        }
        let password = changes
            .get(PASSWORD)
            .and_then(Value::as_str)
            .map(Secret::new);
        let has_server = self.record()?.writer.is_some();
        if let (Some(engine), Some(password), true) = (self.engine()?, &password, has_server) {
            let mut writer = self.volume()?;
            writer.master_password = password.clone();
            engine.set_master_password(&writer).await?;
        }
        self.wait(pace.unnoticed() + self.takes()?).await?;
        match &self.operation.outcome {
            Outcome::Success => self.complete(changes, password).await,
            Outcome::ModifyFails => self.give_up(changes).await,
            Outcome::EndsIn(status) => self.end_badly(status).await,
        }
    }

    async fn complete(&self, changes: &Settings, password: Option<Secret>) -> Result<(), Stopped> {
        let before = self.record()?;
        let now = self.control_plane.now();
        let pace = self.pace();
        let ready_at = now.saturating_add(pace.attachment()).unwrap_or(now);
        let seed = self.control_plane.options.seed;
        let message = message(changes, &before);
        let status = ClusterStatus::Available;
        self.finish(
            status,
            "configuration change",
            &message,
            |state, cluster| {
                for (attribute, value) in changes {
                    match attribute.as_str() {
                        IDENTIFIER => name(state, cluster, value.as_str()),
                        PASSWORD => {}
                        attribute => {
                            cluster.settings.insert(attribute.to_owned(), value.clone());
                        }
                    }
                }
                settings::tidy(&mut cluster.settings);
                let database = (&cluster.scope, cluster.resource_id.as_str());
                secrets::follow(state, database, &cluster.settings, seed, ready_at);
                if let Some(password) = password {
                    cluster.password = password;
                }
                members::pass_on_to_all(state, cluster);
                members::change_all(state, cluster, |member| {
                    let membership = member.member_of.as_mut();
                    if let (Some(membership), true) =
                        (membership, changes.contains_key("DBClusterParameterGroup"))
                    {
                        membership.parameter_status = ParameterStatus::PendingReboot;
                    }
                    if member.status == InstanceStatus::Renaming && member.operation.is_none() {
                        member.status = InstanceStatus::Available;
                    }
                });
            },
        )
        .await
    }

    /// What AWS does when it turns out that a modification isn't possible: nothing but an event.
    async fn give_up(&self, changes: &Settings) -> Result<(), Stopped> {
        let names: Vec<_> = changes.keys().map(String::as_str).collect();
        let message = format!(
            "Unable to modify database cluster: {} could not be changed",
            names.join(", ")
        );
        let status = ClusterStatus::Available;
        self.finish(status, "failure", &message, |_, _| ()).await
    }
}

/// What a cluster is while these changes come into force.
pub(crate) fn status_during(changes: &Settings) -> ClusterStatus {
    if changes.contains_key(IDENTIFIER) {
        ClusterStatus::Renaming
    } else if changes.contains_key("EngineVersion") {
        ClusterStatus::Upgrading
    } else if changes.contains_key(PASSWORD) && changes.len() == 1 {
        ClusterStatus::ResettingMasterCredentials
    } else {
        ClusterStatus::Modifying
    }
}

/// Gives a cluster a name, or takes it away, and does so with the members that are named after it.
fn name(state: &mut State, cluster: &mut Cluster, new: Option<&str>) {
    let naming = match new {
        Some(_) => Naming::Named,
        None => Naming::Nameless,
    };
    if cluster.is_multi_az() {
        let old = format!("{}-", cluster.identifier);
        members::change_all(state, cluster, |member| {
            member.naming = naming;
            member.status = InstanceStatus::Renaming;
            let number = member.identifier.strip_prefix(&old);
            if let (Some(new), Some(number)) = (new, number) {
                member.identifier = format!("{new}-{number}");
            }
        });
    }
    cluster.naming = naming;
    if let Some(new) = new {
        new.clone_into(&mut cluster.identifier);
    }
}

fn message(changes: &Settings, before: &Cluster) -> String {
    let told = |name: &&String| !matches!(name.as_str(), IDENTIFIER | PASSWORD);
    let names: Vec<_> = changes.keys().filter(told).map(String::as_str).collect();
    let new_name = changes.get(IDENTIFIER).and_then(Value::as_str);
    match (new_name, names.is_empty()) {
        (Some(new), _) => format!("Renamed cluster from {} to {new}", before.identifier),
        (None, true) => "Reset master credentials".to_owned(),
        (None, false) => format!("Finished applying modification to {}", names.join(", ")),
    }
}
