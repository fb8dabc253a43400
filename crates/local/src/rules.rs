//! Which attributes an engine takes, in which request and with which values.

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::catalogue::{Offer, Product, System};
use crate::state::Settings;

/// The request that asks for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Create,
    Restore,
    Modify,
}

/// Refuses what the engine doesn't take. `settings` is what the instance would have, `asked` what the request
/// mentions.
pub(crate) fn check(
    product: &Product,
    request: Request,
    settings: &Settings,
    asked: &Settings,
) -> Result<(), ApiError> {
    let engine = product.engine;
    let is_refused = |(name, value): &(&String, &Value)| {
        let is_taken = takes(product, name) && takes_in(product, request, name);
        !is_taken && !is_nothing(value)
    };
    if let Some((name, _)) = asked.iter().find(is_refused) {
        return Err(ApiError::combination(format!(
            "The parameter {name} can't be specified here for the engine {engine}."
        )));
    }
    check_license(product, asked)?;
    check_log_types(product, asked)?;
    check_domain(settings, asked)?;
    check_engine(product, asked)?;
    match product.offer {
        Offer::Custom => check_custom(product, settings, asked)?,
        Offer::Rds | Offer::Aurora => {}
    }
    check_storage(product, request, settings, asked)?;
    let is_mirrored =
        product.system == System::SqlServer && settings.get("MultiAZ") == Some(&json!(true));
    if is_mirrored && settings.get("BackupRetentionPeriod") == Some(&json!(0)) {
        return Err(ApiError::combination(
            "Mirroring cannot be applied to instances with backup retention set to zero.",
        ));
    }
    Ok(())
}

/// What follows from the engine and the storage type: what isn't provisioned has no values of its own.
pub(crate) fn tidy_storage(product: &Product, settings: &mut Settings) {
    let number = |name: &str| settings.get(name).and_then(Value::as_i64);
    let size_gib = number("AllocatedStorage").unwrap_or(0);
    let is_fixed = match settings.get("StorageType").and_then(Value::as_str) {
        Some("gp2" | "standard") => true,
        Some("gp3") => size_gib < product.gp3_provisionable_gib(),
        Some(_) | None => false,
    };
    if is_fixed || number("Iops") == Some(0) {
        settings.remove("Iops");
    }
    if is_fixed || settings.get("StorageType") != Some(&json!("gp3")) {
        settings.remove("StorageThroughput");
    }
}

/// Values that ask for nothing: what every engine has without asking.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Bool(true) | Value::Object(_) => false,
    }
}

/// Whether the engine has the attribute at all.
fn takes(product: &Product, name: &str) -> bool {
    let is_custom = product.offer == Offer::Custom;
    match (name, product.system) {
        ("ProcessorFeatures", System::Oracle | System::SqlServer) => !is_custom,
        ("AdditionalStorageVolumes", System::Oracle | System::SqlServer) => !is_custom,
        ("CharacterSetName", System::Oracle | System::SqlServer) => !is_custom,
        (
            "NcharCharacterSetName" | "TdeCredentialArn" | "TdeCredentialPassword",
            System::Oracle,
        ) => !is_custom,
        (
            "ProcessorFeatures"
            | "AdditionalStorageVolumes"
            | "CharacterSetName"
            | "NcharCharacterSetName"
            | "TdeCredentialArn"
            | "TdeCredentialPassword",
            _,
        ) => false,
        ("MultiTenant", system) => system == System::Oracle && product.engine.ends_with("-cdb"),
        ("DBSystemId", system) => system == System::Oracle && is_custom,
        ("CustomIamInstanceProfile" | "AutomationMode" | "ResumeFullAutomationModeTime", _) => {
            is_custom
        }
        ("Timezone", system) => matches!(system, System::SqlServer | System::Db2),
        ("DedicatedLogVolume", system) => {
            matches!(system, System::Postgres | System::MySql | System::MariaDb)
        }
        ("IAMDatabaseAuthenticationEnabled", system) => {
            !matches!(system, System::Oracle | System::SqlServer)
        }
        ("EngineLifecycleSupport", _) => product.has_lifecycle_support,
        ("Domain" | "DomainIAMRoleName", system) => system != System::MariaDb && !is_custom,
        ("DomainFqdn" | "DomainOu" | "DomainAuthSecretArn" | "DomainDnsIps", system) => {
            system == System::SqlServer && !is_custom
        }
        (
            "PerformanceInsightsEnabled"
            | "PerformanceInsightsKMSKeyId"
            | "PerformanceInsightsRetentionPeriod",
            system,
        ) => system != System::Db2 && !is_custom,
        (
            "LicenseModel"
            | "StorageThroughput"
            | "MaxAllocatedStorage"
            | "MultiAZ"
            | "AutoMinorVersionUpgrade"
            | "DBParameterGroupName"
            | "OptionGroupName"
            | "EnabledCloudwatchLogsExports"
            | "MonitoringInterval"
            | "MonitoringRoleArn"
            | "CACertificateIdentifier"
            | "ManageMasterUserPassword"
            | "MasterUserSecretKmsKeyId"
            | "CustomerOwnedIpEnabled",
            _,
        ) => !is_custom,
        _ => true,
    }
}

/// Whether the engine takes an attribute, which it has, in this kind of request.
fn takes_in(product: &Product, request: Request, name: &str) -> bool {
    let (system, is_custom) = (product.system, product.offer == Offer::Custom);
    match (request, name) {
        (Request::Create, "DBName") => system != System::SqlServer,
        (Request::Restore, "DBName") => {
            matches!(system, System::Oracle | System::SqlServer) && !is_custom
        }
        (Request::Restore, "ManageMasterUserPassword" | "MasterUserSecretKmsKeyId") => {
            system == System::Oracle
        }
        (Request::Restore, "AllocatedStorage" | "StorageType" | "Iops" | "StorageThroughput") => {
            system != System::SqlServer
        }
        (Request::Restore, "Engine") => !is_custom,
        (Request::Modify, "DBInstanceIdentifier" | "Port" | "DBSubnetGroupName") => !is_custom,
        _ => true,
    }
}

fn check_license(product: &Product, asked: &Settings) -> Result<(), ApiError> {
    match asked.get("LicenseModel").and_then(Value::as_str) {
        Some(license) if !product.licenses.contains(&license) => {
            Err(ApiError::combination(format!(
                "Invalid license model '{license}' for engine '{}'. Valid license models are: {}.",
                product.engine,
                product.licenses.join(", ")
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_log_types(product: &Product, asked: &Settings) -> Result<(), ApiError> {
    let logs = asked
        .get("EnabledCloudwatchLogsExports")
        .and_then(Value::as_array);
    let mut logs = logs.into_iter().flatten().filter_map(Value::as_str);
    match logs.find(|log| !product.log_types.contains(log)) {
        Some(log) => Err(ApiError::combination(format!(
            "You cannot use the log type '{log}' with engine {}. Its log types are {}.",
            product.engine,
            product.log_types.join(", ")
        ))),
        None => Ok(()),
    }
}

/// A directory is Amazon's or one's own, and each has members of its own.
fn check_domain(settings: &Settings, asked: &Settings) -> Result<(), ApiError> {
    if !asked.keys().any(|name| name.starts_with("Domain")) {
        return Ok(());
    }
    let has = |name: &str| settings.get(name).is_some_and(|value| !value.is_null());
    let (is_managed, is_own) = (has("Domain"), has("DomainFqdn"));
    let refusal = if is_managed && is_own {
        "Domain and DomainFqdn can't be specified together."
    } else if is_managed && !has("DomainIAMRoleName") {
        "An IAM role is required to join a domain: specify DomainIAMRoleName."
    } else if is_own && !(has("DomainAuthSecretArn") && has("DomainDnsIps")) {
        "To join a self-managed domain, specify DomainAuthSecretArn and DomainDnsIps."
    } else if has("DomainDnsIps") && settings["DomainDnsIps"].as_array().map(Vec::len) != Some(2) {
        "Specify exactly two addresses in DomainDnsIps."
    } else {
        return Ok(());
    };
    Err(ApiError::combination(refusal))
}

/// An Oracle database can become a container database; nothing else changes its engine.
fn check_engine(product: &Product, asked: &Settings) -> Result<(), ApiError> {
    let Some(engine) = asked.get("Engine").and_then(Value::as_str) else {
        return Ok(());
    };
    let becomes_container = product.system == System::Oracle
        && engine
            .strip_suffix("-cdb")
            .is_some_and(|plain| plain == product.engine);
    match engine == product.engine || becomes_container {
        true => Ok(()),
        false => Err(ApiError::combination(format!(
            "The engine {engine} is not compatible with the engine {}.",
            product.engine
        ))),
    }
}

fn check_custom(product: &Product, settings: &Settings, asked: &Settings) -> Result<(), ApiError> {
    if !settings.contains_key("CustomIamInstanceProfile") {
        return Err(ApiError::combination(format!(
            "The parameter CustomIamInstanceProfile must be provided for the engine {}.",
            product.engine
        )));
    }
    let retention = asked.get("BackupRetentionPeriod").and_then(Value::as_i64);
    match (product.system, retention) {
        (System::Oracle, Some(0)) => Err(ApiError::combination(
            "BackupRetentionPeriod can't be 0 for RDS Custom for Oracle.",
        )),
        _ => Ok(()),
    }
}

fn check_storage(
    product: &Product,
    request: Request,
    settings: &Settings,
    asked: &Settings,
) -> Result<(), ApiError> {
    let number = |name: &str| settings.get(name).and_then(Value::as_i64);
    let is_asked = |name: &str| asked.get(name).is_some_and(|value| !is_nothing(value));
    let size_gib = number("AllocatedStorage").unwrap_or(0);
    let storage = settings.get("StorageType").and_then(Value::as_str);
    let storage = storage.unwrap_or_default();
    if product.offer == Offer::Aurora {
        // The cluster's volume is checked with the cluster.
        return Ok(());
    }
    let unsupported = |message: String| ApiError::new("StorageTypeNotSupported", message);
    match storage {
        "gp2" | "gp3" | "io1" | "io2" => {}
        "standard" if request == Request::Modify || request == Request::Create => {}
        "standard" => {
            let message = "Magnetic storage can't be restored to: choose another storage type.";
            return Err(unsupported(message.to_owned()));
        }
        other => {
            return Err(unsupported(format!(
                "Storage type {other} is not supported."
            )));
        }
    }
    let threshold_gib = product.gp3_provisionable_gib();
    let is_provisioned = matches!(storage, "io1" | "io2");
    let refusal = if is_provisioned && number("Iops").unwrap_or(0) < 1000 {
        "You must specify IOPS of at least 1000 for storage type io1 or io2.".to_owned()
    } else if storage == "gp3"
        && size_gib < threshold_gib
        && (is_asked("Iops") || is_asked("StorageThroughput"))
    {
        format!(
            "You can't specify IOPS or storage throughput for engine {} and a storage size less than \
             {threshold_gib}.",
            product.engine
        )
    } else if storage != "gp3" && is_asked("StorageThroughput") {
        format!("You can't specify storage throughput for the storage type {storage}.")
    } else if !is_provisioned && storage != "gp3" && is_asked("Iops") {
        format!("You can't specify IOPS for the storage type {storage}.")
    } else if is_asked("DedicatedLogVolume") && !is_provisioned {
        format!("A dedicated log volume needs io1 or io2, not {storage}.")
    } else if number("MaxAllocatedStorage").is_some_and(|maximum| maximum < size_gib) {
        "Max storage size must be greater than storage size.".to_owned()
    } else {
        return Ok(());
    };
    Err(ApiError::combination(refusal))
}
