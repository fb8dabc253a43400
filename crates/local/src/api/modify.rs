//! `ModifyDBInstance`: which changes are made at once, and which wait.

use serde_json::{Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances::{check_password, made_up_password, must_be_available, shown};
use crate::attributes::attribute;
use crate::names;
use crate::operations::status_during;
use crate::rules::Request;
use crate::settings;
use crate::state::Settings;
use crate::state::attachments::is_password_managed;
use crate::state::instance::{Instance, InstanceStatus, Work};

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    if !matches!(instance.status, InstanceStatus::Failed(_)) {
        must_be_available(&instance)?;
    }
    let asked = asked(context, input, &instance)?;
    super::members::check_modifiable(context, &instance, &asked)?;
    let mut settings = instance.settings.clone();
    settings.extend(asked.clone());
    settings::tidy(&mut settings);
    let product = context.product(instance.engine())?;
    settings::check(context, product, Request::Modify, &settings, &asked)?;

    let (mut now, mut later) = (Settings::new(), instance.pending.clone());
    for (name, value) in asked {
        let waits = !input.flag("ApplyImmediately") && waits_for_window(&name, &value, &instance);
        if waits {
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
    if let Some(instance) = context.state.instances.get_mut(&instance.resource_id) {
        instance.pending = later;
        if !now.is_empty() && !context.pace.is_gradual() {
            // Where nothing waits nothing goes unnoticed either.
            instance.status = status_during(&now);
        }
    }
    if !now.is_empty() {
        context.begin(&instance.resource_id, Work::Modify { changes: now });
    }
    shown(context, &instance.resource_id)
}

/// The changes that the request asks for, as settings. What is so already is no change, but for the name: renaming an
/// instance to the name that it has reboots it.
fn asked(
    context: &mut Context<'_>,
    input: &Input,
    instance: &Instance,
) -> Result<Settings, ApiError> {
    let mut asked = settings::of_request(input, |attribute| attribute.modify);
    translate(context, input, instance, &mut asked)?;
    asked.retain(|name, value| instance.settings.get(name).unwrap_or(&Value::Null) != value);
    if let Some(name) = input.text("NewDBInstanceIdentifier") {
        if let Some(reason) = context.state.what_holds(&instance.resource_id) {
            return Err(ApiError::instance_state(reason));
        }
        let name = names::parse("NewDBInstanceIdentifier", name, names::INSTANCE_LENGTH_MAX)?;
        if name != instance.identifier {
            context.must_be_free(&name)?;
        }
        context.assign_address(&name);
        asked.insert("DBInstanceIdentifier".to_owned(), json!(name));
    }
    let was_managed = is_password_managed(&instance.settings);
    if let Some(password) = password(context, input, was_managed, &asked)? {
        asked.insert("MasterUserPassword".to_owned(), json!(password));
    }
    Ok(asked)
}

/// The new master password: the one that the request has, or one that RDS makes up where it manages it.
pub(super) fn password(
    context: &mut Context<'_>,
    input: &Input,
    was_managed: bool,
    asked: &Settings,
) -> Result<Option<String>, ApiError> {
    let is_managed = asked
        .get("ManageMasterUserPassword")
        .and_then(Value::as_bool)
        .unwrap_or(was_managed);
    let is_turned_on = is_managed && !was_managed;
    if asked.contains_key("MasterUserSecretKmsKeyId") && !is_turned_on {
        return Err(ApiError::combination(
            "MasterUserSecretKmsKeyId can be specified only when ManageMasterUserPassword is turned on.",
        ));
    }
    match (input.text("MasterUserPassword"), is_managed) {
        (Some(_), true) => Err(ApiError::combination(
            "You can't specify MasterUserPassword for a database with ManageMasterUserPassword enabled.",
        )),
        (Some(password), false) => {
            check_password(password)?;
            Ok(Some(password.to_owned()))
        }
        (None, true) if is_turned_on || input.flag("RotateMasterUserPassword") => {
            Ok(Some(made_up_password(context)))
        }
        (None, false) if was_managed => Err(ApiError::combination(
            "MasterUserPassword is required when ManageMasterUserPassword is turned off.",
        )),
        (None, _) => Ok(None),
    }
}

/// Members that say a setting in another way than create and restore do.
fn translate(
    context: &Context<'_>,
    input: &Input,
    instance: &Instance,
    asked: &mut Settings,
) -> Result<(), ApiError> {
    let mut set = |name: &str, value: Value| {
        asked.insert(name.to_owned(), value);
    };
    if let Some(configuration) = input.get("CloudwatchLogsExportConfiguration") {
        set(
            "EnabledCloudwatchLogsExports",
            log_exports(&instance.settings, configuration),
        );
    }
    if input.flag("UseDefaultProcessorFeatures") {
        set("ProcessorFeatures", Value::Null);
    }
    if input.flag("DisableDomain") {
        let names = instance
            .settings
            .keys()
            .filter(|name| name.starts_with("Domain"));
        names.for_each(|name| set(name, Value::Null));
    }
    if let Some(minutes) = input.number("ResumeFullAutomationModeMinutes") {
        let resumes_at = context.now + jiff::SignedDuration::from_mins(minutes);
        set(
            "ResumeFullAutomationModeTime",
            json!(resumes_at.to_string()),
        );
    }
    if input.get("AdditionalStorageVolumes").is_some() {
        set(
            "AdditionalStorageVolumes",
            volumes(instance, input.list("AdditionalStorageVolumes")),
        );
    }
    if let Some(asked_gib) = input.number("AllocatedStorage") {
        set("AllocatedStorage", json!(grown(instance, asked_gib)?));
    }
    if let Some(version) = input.text("EngineVersion") {
        let current = instance.text("EngineVersion");
        set(
            "EngineVersion",
            json!(upgraded(
                context,
                input,
                instance.engine(),
                current,
                version
            )?),
        );
    }
    Ok(())
}

/// The logs that are exported once this was changed.
pub(super) fn log_exports(settings: &Settings, configuration: &Value) -> Value {
    let types = |member: &str| {
        configuration
            .get(member)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let disabled = types("DisableLogTypes");
    let enabled = settings
        .get("EnabledCloudwatchLogsExports")
        .and_then(Value::as_array);
    let mut all: Vec<Value> = enabled.cloned().unwrap_or_default();
    all.retain(|log| !disabled.contains(log));
    for log in types("EnableLogTypes") {
        if !all.contains(&log) {
            all.push(log);
        }
    }
    if all.is_empty() {
        Value::Null
    } else {
        Value::from(all)
    }
}

/// Volumes are changed by name.
fn volumes(instance: &Instance, changes: &[Value]) -> Value {
    let existing = instance
        .settings
        .get("AdditionalStorageVolumes")
        .and_then(Value::as_array);
    let mut volumes = existing.cloned().unwrap_or_default();
    for change in changes {
        let mut volume = match volumes
            .iter()
            .position(|volume| volume["VolumeName"] == change["VolumeName"])
        {
            Some(position) => volumes.remove(position),
            None => json!({}),
        };
        if change["SetForDelete"] == json!(true) {
            continue;
        }
        let members = change
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "SetForDelete");
        members.for_each(|(name, value)| volume[name] = value.clone());
        volumes.push(volume);
    }
    Value::from(volumes)
}

/// Storage only grows, by a tenth at least; RDS rounds up to that.
fn grown(instance: &Instance, asked_gib: i64) -> Result<i64, ApiError> {
    let gib = instance.number("AllocatedStorage").unwrap_or(0);
    match asked_gib.cmp(&gib) {
        std::cmp::Ordering::Less => Err(ApiError::combination(format!(
            "Invalid storage size for engine {}: the requested storage size cannot be less than the current {gib} GiB.",
            instance.engine()
        ))),
        std::cmp::Ordering::Equal => Ok(gib),
        std::cmp::Ordering::Greater => {
            Ok(asked_gib.max(gib + gib.div_euclid(10) + i64::from(gib % 10 != 0)))
        }
    }
}

/// The version that an upgrade leads to.
pub(super) fn upgraded(
    context: &Context<'_>,
    input: &Input,
    engine: &str,
    current: &str,
    asked: &str,
) -> Result<String, ApiError> {
    let product = context.product(engine)?;
    let refused =
        || ApiError::combination(format!("Cannot upgrade {engine} from {current} to {asked}"));
    if asked == current || asked == product.major_version(current) {
        return Ok(current.to_owned());
    }
    let version = context
        .catalogue
        .resolve(product, Some(asked))
        .ok_or_else(|| {
            ApiError::combination(format!("Cannot find version {asked} for {engine}"))
        })?;
    let versions = context.catalogue.versions(product.engine);
    let position = |version: &str| versions.iter().position(|known| known == version);
    if position(version) < position(current) {
        return Err(refused());
    }
    let is_major = product.major_version(version) != product.major_version(current);
    if is_major && !input.flag("AllowMajorVersionUpgrade") {
        return Err(ApiError::combination(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        ));
    }
    Ok(version.to_owned())
}

/// Changes that RDS keeps for the maintenance window unless told otherwise: those that have a pending value.
fn waits_for_window(name: &str, value: &Value, instance: &Instance) -> bool {
    match name {
        "DBInstanceIdentifier" => true,
        "MasterUserPassword" => false,
        // Between two retentions that aren't zero there is no outage.
        "BackupRetentionPeriod" => {
            *value == json!(0) || instance.number("BackupRetentionPeriod") == Some(0)
        }
        name => attribute(name).is_some_and(|attribute| attribute.pending.is_some()),
    }
}
