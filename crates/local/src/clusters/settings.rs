//! The settings of a cluster: as RDS fills them in, and what RDS refuses.

use serde_json::{Value, json};

use crate::api::context::Context;
use crate::api::error::ApiError;
use crate::catalogue::{self, Offer, Product};
use crate::parameters;
use crate::random;
use crate::settings as instance_settings;
use crate::state::Settings;
use crate::state::group::GroupKind;
use crate::subnets;

/// What is set for Aurora only.
const OF_AURORA: &[&str] = &[
    "BacktrackWindow",
    "ScalingConfigurationInfo",
    "ServerlessV2ScalingConfiguration",
    "Domain",
    "HttpEndpointEnabled",
    "GlobalWriteForwardingRequested",
    "EnableLocalWriteForwarding",
    "GlobalClusterIdentifier",
];

/// What is set for Multi-AZ DB clusters only; in Aurora it is a matter of the members, or of the volume.
const OF_MULTI_AZ: &[&str] = &[
    "DBClusterInstanceClass",
    "AllocatedStorage",
    "Iops",
    "PubliclyAccessible",
    "AutoMinorVersionUpgrade",
    "CACertificateIdentifier",
];

/// Fills in what neither the request nor the snapshot says, as RDS does for a new cluster.
pub(crate) fn fill_in(context: &mut Context<'_>, settings: &mut Settings, product: &Product) {
    let version = settings
        .get("EngineVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let region = &context.scope.region;
    let zones: Vec<String> = subnets::ZONES
        .iter()
        .map(|zone| format!("{region}{zone}"))
        .collect();
    let mut defaults = vec![
        ("Port", json!(product.port)),
        ("AvailabilityZones", json!(zones)),
        ("DBSubnetGroup", json!("default")),
        (
            "VpcSecurityGroupIds",
            json!([subnets::DEFAULT_SECURITY_GROUP]),
        ),
        ("NetworkType", json!("IPV4")),
        (
            "DBClusterParameterGroup",
            json!(product.default_parameter_group(&version)),
        ),
        (
            "OptionGroupName",
            json!(product.default_option_group(&version)),
        ),
        ("EngineMode", json!("provisioned")),
        (
            "EngineLifecycleSupport",
            json!("open-source-rds-extended-support"),
        ),
        ("StorageEncrypted", json!(false)),
        ("BackupRetentionPeriod", json!(1)),
        (
            "PreferredBackupWindow",
            json!(random::backup_window(context.state, context.seed)),
        ),
        (
            "PreferredMaintenanceWindow",
            json!(random::maintenance_window(context.state, context.seed)),
        ),
        ("CopyTagsToSnapshot", json!(false)),
        ("DeletionProtection", json!(false)),
        ("IAMDatabaseAuthenticationEnabled", json!(false)),
        ("HttpEndpointEnabled", json!(false)),
        ("DatabaseInsightsMode", json!("standard")),
    ];
    if is_aurora(product.engine) {
        defaults.extend([
            ("AllocatedStorage", json!(1)),
            ("StorageType", json!("aurora")),
        ]);
    } else {
        defaults.extend([
            ("AutoMinorVersionUpgrade", json!(true)),
            (
                "PubliclyAccessible",
                json!(!settings.contains_key("DBSubnetGroup")),
            ),
            ("StorageType", json!("io1")),
            ("MonitoringInterval", json!(0)),
            ("PerformanceInsightsEnabled", json!(false)),
            ("CACertificateIdentifier", json!("rds-ca-rsa2048-g1")),
        ]);
    }
    for (name, value) in defaults {
        settings.entry(name).or_insert(value);
    }
    if settings.get("StorageEncrypted") == Some(&json!(true)) {
        let key = instance_settings::default_key(context.scope);
        settings.entry("KmsKeyId").or_insert(json!(key));
    }
    instance_settings::tidy(settings);
}

/// Refuses settings that RDS refuses, given what the request mentions.
pub(crate) fn check(
    context: &Context<'_>,
    settings: &Settings,
    asked: &Settings,
) -> Result<(), ApiError> {
    let engine = settings
        .get("Engine")
        .and_then(Value::as_str)
        .unwrap_or_default();
    check_kind(engine, settings, asked)?;
    if let Some(name) = asked.get("DBSubnetGroup").and_then(Value::as_str) {
        instance_settings::check_subnet_group(context, name)?;
    }
    if let Some(name) = asked.get("DBClusterParameterGroup").and_then(Value::as_str) {
        check_parameter_group(context, settings, name)?;
    }
    instance_settings::check_ranges(asked)?;
    match asked.get("BackupRetentionPeriod").and_then(Value::as_i64) {
        Some(0) => Err(ApiError::value(
            "Invalid value 0 for BackupRetentionPeriod: must be from 1 to 35.",
        )),
        Some(_) | None => instance_settings::check_observation(settings),
    }
}

/// Whether an engine is one of Aurora's.
pub(crate) fn is_aurora(engine: &str) -> bool {
    catalogue::product(engine).is_some_and(|product| product.offer == Offer::Aurora)
}

fn check_parameter_group(
    context: &Context<'_>,
    settings: &Settings,
    name: &str,
) -> Result<(), ApiError> {
    let text = |name: &str| settings.get(name).and_then(Value::as_str);
    let product = context.product(text("Engine").unwrap_or_default())?;
    let family = product.family(text("EngineVersion").unwrap_or_default());
    let group = parameters::find_group(context, GroupKind::Cluster, name).map_err(|_| {
        let message = format!("DBClusterParameterGroup not found: {name}");
        ApiError::new("DBClusterParameterGroupNotFound", message)
    })?;
    match group.family == family {
        true => Ok(()),
        false => Err(ApiError::combination(format!(
            "The parameter group {name} with DBParameterGroupFamily {} can't be used for this cluster. Use a parameter \
             group with DBParameterGroupFamily {family}.",
            group.family
        ))),
    }
}

fn check_kind(engine: &str, settings: &Settings, asked: &Settings) -> Result<(), ApiError> {
    let refused = if is_aurora(engine) {
        OF_MULTI_AZ
    } else {
        OF_AURORA
    };
    let is_set = |name: &&&str| {
        let is_off = |value: &Value| value.is_null() || *value == json!(false);
        asked.get(**name).is_some_and(|value| !is_off(value))
    };
    if let Some(name) = refused.iter().find(is_set) {
        return Err(ApiError::combination(format!(
            "The parameter {name} can't be specified for a DB cluster with the engine {engine}."
        )));
    }
    let storage = settings.get("StorageType").and_then(Value::as_str);
    if is_aurora(engine) {
        return match storage {
            Some("aurora" | "aurora-iopt1") | None => Ok(()),
            Some(other) => Err(storage_type_not_supported(other)),
        };
    }
    if !settings.contains_key("DBClusterInstanceClass") {
        return Err(ApiError::combination(
            "DBClusterInstanceClass is required for Multi-AZ DB clusters.",
        ));
    }
    match storage.unwrap_or_default() {
        "io1" | "io2" if !settings.contains_key("Iops") => Err(ApiError::combination(
            "You must specify IOPS for a Multi-AZ DB cluster with the storage type io1 or io2.",
        )),
        "io1" | "io2" | "gp3" => Ok(()),
        other => Err(storage_type_not_supported(other)),
    }
}

fn storage_type_not_supported(storage: &str) -> ApiError {
    let message = format!("Storage type {storage} is not supported.");
    ApiError::new("StorageTypeNotSupported", message)
}
