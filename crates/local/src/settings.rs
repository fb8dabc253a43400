//! The settings of an instance: as a request gives them, as RDS fills them in, and what RDS refuses.

use serde_json::{Value, json};

use crate::api::context::Context;
use crate::api::error::ApiError;
use crate::api::input::Input;
use crate::attributes::{ATTRIBUTES, Attribute, WhenRestored};
use crate::catalogue::{self, Offer, Product, System};
use crate::random;
use crate::rules::{self, Request};
use crate::state::group::GroupKind;
use crate::state::{Scope, Settings};
use crate::subnets;

/// What a request about an instance sets; `member` is the attribute's member in that request.
pub(crate) fn of_request(
    input: &Input,
    member: impl Fn(&Attribute) -> Option<&'static str>,
) -> Settings {
    asked(ATTRIBUTES, input, member)
}

/// What a request sets of these attributes.
pub(crate) fn asked(
    attributes: &[Attribute],
    input: &Input,
    member: impl Fn(&Attribute) -> Option<&'static str>,
) -> Settings {
    let given = attributes.iter().filter_map(|attribute| {
        let value = input.get(member(attribute)?)?;
        Some((attribute.name.to_owned(), value.clone()))
    });
    given.collect()
}

/// What a restored database takes over from the snapshot where the request doesn't say otherwise.
pub(crate) fn inherit(attributes: &[Attribute], settings: &mut Settings, snapshot: &Settings) {
    let inherited = attributes
        .iter()
        .filter(|attribute| attribute.when_restored == WhenRestored::Inherited);
    for attribute in inherited {
        if let (false, Some(value)) = (
            settings.contains_key(attribute.name),
            snapshot.get(attribute.name),
        ) {
            settings.insert(attribute.name.to_owned(), value.clone());
        }
    }
}

/// Fills in what neither the request nor the snapshot says, as RDS does for a new instance.
pub(crate) fn fill_in(context: &mut Context<'_>, settings: &mut Settings, product: &Product) {
    let version = settings
        .get("EngineVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let zone = subnets::ZONES[(random::draw(context.state, context.seed) % 3) as usize];
    let defaults = [
        ("AllocatedStorage", json!(20)),
        ("StorageType", json!(default_storage_type(settings))),
        ("StorageEncrypted", json!(false)),
        ("DedicatedLogVolume", json!(false)),
        ("Port", json!(product.port)),
        ("LicenseModel", json!(product.licenses[0])),
        (
            "PubliclyAccessible",
            json!(!settings.contains_key("DBSubnetGroupName")),
        ),
        ("DBSubnetGroupName", json!("default")),
        (
            "VpcSecurityGroupIds",
            json!([subnets::DEFAULT_SECURITY_GROUP]),
        ),
        ("DBSecurityGroups", json!([])),
        ("NetworkType", json!("IPV4")),
        ("CustomerOwnedIpEnabled", json!(false)),
        (
            "AvailabilityZone",
            json!(format!("{}{zone}", context.scope.region)),
        ),
        ("MultiAZ", json!(false)),
        ("BackupTarget", json!("region")),
        ("BackupRetentionPeriod", json!(1)),
        (
            "PreferredBackupWindow",
            json!(random::backup_window(context.state, context.seed)),
        ),
        (
            "PreferredMaintenanceWindow",
            json!(random::maintenance_window(context.state, context.seed)),
        ),
        (
            "AutoMinorVersionUpgrade",
            json!(product.offer != Offer::Custom),
        ),
        ("CopyTagsToSnapshot", json!(false)),
        ("DeletionProtection", json!(false)),
        (
            "DBParameterGroupName",
            json!(product.default_parameter_group(&version)),
        ),
        (
            "OptionGroupName",
            json!(product.default_option_group(&version)),
        ),
        ("IAMDatabaseAuthenticationEnabled", json!(false)),
        ("MonitoringInterval", json!(0)),
        ("DatabaseInsightsMode", json!("standard")),
        ("PerformanceInsightsEnabled", json!(false)),
        ("CACertificateIdentifier", json!("rds-ca-rsa2048-g1")),
    ];
    for (name, value) in defaults {
        settings.entry(name).or_insert(value);
    }
    let texts: &[(&str, &str)] = match product.system {
        System::Oracle => &[
            ("DBName", "ORCL"),
            ("CharacterSetName", "AL32UTF8"),
            ("NcharCharacterSetName", "AL16UTF16"),
        ],
        System::SqlServer => &[("CharacterSetName", "SQL_Latin1_General_CP1_CI_AS")],
        System::Postgres | System::MySql | System::MariaDb | System::Db2 => &[],
    };
    for (name, value) in texts {
        settings.entry(*name).or_insert(json!(value));
    }
    if product.has_lifecycle_support {
        settings
            .entry("EngineLifecycleSupport")
            .or_insert(json!("open-source-rds-extended-support"));
    }
    if settings.get("StorageEncrypted") == Some(&json!(true)) {
        let key = default_key(context.scope);
        settings.entry("KmsKeyId").or_insert(json!(key));
    }
    tidy(settings);
}

/// The storage type that a request gets that doesn't mention any.
pub(crate) fn default_storage_type(asked: &Settings) -> &'static str {
    match asked.contains_key("Iops") {
        true => "io1",
        false => "gp3",
    }
}

/// The key that RDS encrypts with where none is asked for.
pub(crate) fn default_key(scope: &Scope) -> String {
    format!("arn:aws:kms:{}:{}:key/aws-rds", scope.region, scope.account)
}

/// What follows from other settings.
pub(crate) fn tidy(settings: &mut Settings) {
    settings.retain(|_, value| !value.is_null());
    let engine = settings.get("Engine").and_then(Value::as_str);
    if let Some(product) = engine.and_then(catalogue::product) {
        rules::tidy_storage(product, settings);
    }
    if settings.get("PerformanceInsightsEnabled") == Some(&json!(true)) {
        settings
            .entry("PerformanceInsightsRetentionPeriod")
            .or_insert(json!(7));
    } else {
        settings.remove("PerformanceInsightsRetentionPeriod");
        settings.remove("PerformanceInsightsKMSKeyId");
    }
    if settings.get("MonitoringInterval") == Some(&json!(0)) {
        settings.remove("MonitoringRoleArn");
    }
    if settings.get("MaxAllocatedStorage") == settings.get("AllocatedStorage") {
        settings.remove("MaxAllocatedStorage");
    }
}

/// Refuses settings that RDS refuses, given what the request mentions.
pub(crate) fn check(
    context: &Context<'_>,
    product: &Product,
    request: Request,
    settings: &Settings,
    asked: &Settings,
) -> Result<(), ApiError> {
    rules::check(product, request, settings, asked)?;
    check_references(context, product, settings, asked)?;
    check_ranges(asked)?;
    check_observation(settings)?;
    if settings.get("MultiAZ") == Some(&json!(true)) && asked.contains_key("AvailabilityZone") {
        return Err(ApiError::combination(
            "Requesting a specific availability zone is not valid for Multi-AZ instances.",
        ));
    }
    Ok(())
}

fn check_references(
    context: &Context<'_>,
    product: &Product,
    settings: &Settings,
    asked: &Settings,
) -> Result<(), ApiError> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    let version = settings.get("EngineVersion").and_then(Value::as_str);
    let version = version.unwrap_or_default();
    if let Some(name) = text("DBParameterGroupName") {
        let group = crate::parameters::find_group(context, GroupKind::Instance, name)?;
        let family = product.family(version);
        if group.family != family {
            return Err(ApiError::combination(format!(
                "The parameter group {name} with DBParameterGroupFamily {} can't be used for this instance. Use a \
                 parameter group with DBParameterGroupFamily {family}.",
                group.family
            )));
        }
    }
    if let Some(name) = text("OptionGroupName") {
        let group = crate::api::option_groups::find(context, name)?;
        let major_version = product.major_version(version);
        if group.engine != product.engine || group.major_version != major_version {
            return Err(ApiError::combination(format!(
                "The option group {name} is for {} {}, not for {} {major_version}.",
                group.engine, group.major_version, product.engine
            )));
        }
    }
    match text("DBSubnetGroupName") {
        Some(name) => check_subnet_group(context, name),
        None => Ok(()),
    }
}

/// Refuses a subnet group that isn't there.
pub(crate) fn check_subnet_group(context: &Context<'_>, name: &str) -> Result<(), ApiError> {
    match subnets::find(context.state, context.scope, name) {
        Some(_) => Ok(()),
        None => Err(ApiError::new(
            "DBSubnetGroupNotFoundFault",
            format!("DBSubnetGroup {name} not found."),
        )),
    }
}

/// Refuses numbers out of their ranges.
pub(crate) fn check_ranges(asked: &Settings) -> Result<(), ApiError> {
    let ranges = [
        ("BackupRetentionPeriod", 0, 35),
        ("AllocatedStorage", 5, 65_536),
        ("Port", 1150, 65_535),
        ("PromotionTier", 0, 15),
    ];
    for (name, least, most) in ranges {
        match asked.get(name).and_then(Value::as_i64) {
            Some(value) if !(least..=most).contains(&value) => {
                return Err(ApiError::value(format!(
                    "Invalid value {value} for {name}: must be from {least} to {most}."
                )));
            }
            Some(_) | None => {}
        }
    }
    match asked.get("MonitoringInterval").and_then(Value::as_i64) {
        Some(interval) if ![0, 1, 5, 10, 15, 30, 60].contains(&interval) => Err(ApiError::value(
            "MonitoringInterval must be 0, 1, 5, 10, 15, 30 or 60.",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Monitoring needs its role, and the advanced mode of Database Insights its long retention.
pub(crate) fn check_observation(settings: &Settings) -> Result<(), ApiError> {
    let number = |name: &str| settings.get(name).and_then(Value::as_i64);
    if number("MonitoringInterval").unwrap_or(0) != 0 && !settings.contains_key("MonitoringRoleArn")
    {
        return Err(ApiError::combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
        ));
    }
    let is_advanced = settings.get("DatabaseInsightsMode") == Some(&json!("advanced"));
    let retention = number("PerformanceInsightsRetentionPeriod");
    if is_advanced && retention.is_none_or(|days| days < 465) {
        return Err(ApiError::combination(
            "To enable the Advanced mode of Database Insights, enable Performance Insights and set its retention \
             period to at least 465 days.",
        ));
    }
    match retention {
        Some(days)
            if days != 7 && days != 731 && (days % 31 != 0 || !(31..=713).contains(&days)) =>
        {
            Err(ApiError::value(format!(
                "Invalid Performance Insights Retention period: {days}"
            )))
        }
        Some(_) | None => Ok(()),
    }
}
