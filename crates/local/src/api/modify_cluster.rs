//! `ModifyDBCluster`: which changes are made at once, and which wait.

use serde_json::{Value, json};

use super::clusters::{must_be_available, shown};
use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::modify::{log_exports, password, upgraded};
use crate::clusters;
use crate::clusters::attributes::{ATTRIBUTES, attribute};
use crate::clusters::members;
use crate::names;
use crate::operations::cluster_status_during;
use crate::settings;
use crate::state::Settings;
use crate::state::attachments::is_password_managed;
use crate::state::cluster::{Cluster, ClusterStatus, ClusterWork};

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    if !matches!(cluster.status, ClusterStatus::Failed(_)) {
        must_be_available(&cluster)?;
    }
    let asked = asked(context, input, &cluster)?;
    let mut settings = cluster.settings.clone();
    settings.extend(asked.clone());
    settings::tidy(&mut settings);
    clusters::settings::check(context, &settings, &asked)?;

    let (mut now, mut later) = (Settings::new(), cluster.pending.clone());
    for (name, value) in asked {
        if !input.flag("ApplyImmediately") && waits_for_window(&name) {
            later.insert(name, value);
        } else {
            later.remove(&name);
            now.insert(name, value);
        }
    }
    if input.flag("ApplyImmediately") {
        // Whatever waited is flushed with it.
        later.append(&mut now);
        now = std::mem::take(&mut later);
    }
    if let Some(cluster) = context.state.clusters.get_mut(&cluster.resource_id) {
        cluster.pending = later;
        if !now.is_empty() && !context.pace.is_gradual() {
            // Where nothing waits nothing goes unnoticed either.
            cluster.status = cluster_status_during(&now);
        }
    }
    if !now.is_empty() {
        context.begin_at_cluster(&cluster.resource_id, ClusterWork::Modify { changes: now });
    }
    shown(context, &cluster.resource_id)
}

/// The changes that the request asks for, as settings. What is so already is no change.
fn asked(
    context: &mut Context<'_>,
    input: &Input,
    cluster: &Cluster,
) -> Result<Settings, ApiError> {
    let mut asked = settings::asked(ATTRIBUTES, input, |attribute| attribute.modify);
    if let Some(configuration) = input.get("CloudwatchLogsExportConfiguration") {
        asked.insert(
            "EnabledCloudwatchLogsExports".to_owned(),
            log_exports(&cluster.settings, configuration),
        );
    }
    if let Some(version) = input.text("EngineVersion") {
        let current = cluster.text("EngineVersion");
        let version = upgraded(context, input, cluster.engine(), current, version)?;
        asked.insert("EngineVersion".to_owned(), json!(version));
    }
    asked.retain(|name, value| cluster.settings.get(name).unwrap_or(&Value::Null) != value);
    if let Some(name) = input.text("NewDBClusterIdentifier") {
        let name = new_name(context, cluster, name)?;
        asked.insert("DBClusterIdentifier".to_owned(), json!(name));
    }
    let was_managed = is_password_managed(&cluster.settings);
    if let Some(password) = password(context, input, was_managed, &asked)? {
        asked.insert("MasterUserPassword".to_owned(), json!(password));
    }
    Ok(asked)
}

/// The name that a cluster gets, with everything that is named after it.
fn new_name(context: &mut Context<'_>, cluster: &Cluster, name: &str) -> Result<String, ApiError> {
    if let Some(reason) = context.state.what_holds(&cluster.resource_id) {
        return Err(ApiError::cluster_state(reason));
    }
    let name = names::parse("NewDBClusterIdentifier", name, names::INSTANCE_LENGTH_MAX)?;
    if name != cluster.identifier {
        context.must_be_free_for_cluster(&name)?;
    }
    context.assign_address(&members::writer_endpoint(&name));
    context.assign_address(&members::reader_endpoint(&name));
    if cluster.is_multi_az() {
        for number in 1..=members::MULTI_AZ_MEMBERS {
            let member = members::multi_az_member(&name, number);
            if name != cluster.identifier {
                context.must_be_free(&member)?;
            }
            context.assign_address(&member);
        }
    }
    Ok(name)
}

/// Changes that RDS keeps for the maintenance window unless told otherwise.
fn waits_for_window(name: &str) -> bool {
    match name {
        "DBClusterIdentifier" => true,
        "MasterUserPassword" | "BackupRetentionPeriod" => false,
        name => attribute(name).is_some_and(|attribute| attribute.pending.is_some()),
    }
}
