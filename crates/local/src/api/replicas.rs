//! Read replicas: their creation and their promotion. Otherwise they are instances like any other.

use serde_json::json;

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances::{self, NewInstance};
use super::members;
use crate::attributes::ATTRIBUTES;
use crate::catalogue::System;
use crate::rules::Request;
use crate::settings;
use crate::state::instance::{Instance, InstanceStatus, Work};
use crate::state::{Settings, Tags};

/// What a replica takes over from its source besides what a restore takes over from its snapshot.
const INHERITED: [&str; 4] = [
    "AutoMinorVersionUpgrade",
    "DBParameterGroupName",
    "DBSubnetGroupName",
    "OptionGroupName",
];

/// The retention of backups that a promoted replica gets unless the request says otherwise.
const RETENTION_DAYS: i64 = 1;

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let Some(source) = input.text("SourceDBInstanceIdentifier") else {
        return Err(ApiError::combination(
            "Local RDS replicates DB instances only: specify SourceDBInstanceIdentifier.",
        ));
    };
    let source = context.instance(source)?.clone();
    let product = context.product(source.engine())?;
    check_source(&source, product.system)?;
    let mut settings = settings::of_request(input, |attribute| attribute.create);
    if let Some(mode) = input.text("ReplicaMode") {
        settings.insert("ReplicaMode".to_owned(), json!(mode));
    }
    if input.flag("UseDefaultProcessorFeatures") {
        settings.insert("ProcessorFeatures".to_owned(), serde_json::Value::Null);
    }
    let asked = settings.clone();
    settings
        .entry("StorageType")
        .or_insert(json!(settings::default_storage_type(&asked)));
    settings.insert("BackupRetentionPeriod".to_owned(), json!(0));
    settings::inherit(ATTRIBUTES, &mut settings, &source.settings);
    for name in INHERITED {
        if let Some(value) = source.settings.get(name) {
            settings.entry(name).or_insert(value.clone());
        }
    }
    settings::fill_in(context, &mut settings, product);
    settings::check(context, product, Request::Create, &settings, &asked)?;
    let new = NewInstance {
        identifier: input.required("DBInstanceIdentifier")?.to_owned(),
        settings,
        tags: Tags::from_request(input.list("Tags")),
        password: source.password,
        cluster: None,
        replica_of: Some(source.resource_id),
    };
    instances::add(context, new, Some(Work::Replicate))
}

fn check_source(source: &Instance, system: System) -> Result<(), ApiError> {
    members::check_stand_alone(source, "replicated")?;
    instances::must_be_available(source)?;
    if source.number("BackupRetentionPeriod").unwrap_or(0) == 0 {
        return Err(ApiError::instance_state(
            "Automated backups are not enabled for this database instance. To enable automated backups, use \
             ModifyDBInstance to set the backup retention period to a non-zero value.",
        ));
    }
    if source.is_on("ManageMasterUserPassword") && system != System::SqlServer {
        return Err(ApiError::instance_state(format!(
            "Instance {} manages its master user password in Secrets Manager, so it can't have read replicas.",
            source.identifier
        )));
    }
    Ok(())
}

pub(super) fn promote(context: &mut Context<'_>, input: &Input) -> Answer {
    let replica = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    instances::must_be_available(&replica)?;
    if replica.replica_of.is_none() {
        let message = format!("DB instance {} is not a read replica.", replica.identifier);
        return Err(ApiError::instance_state(message));
    }
    let mut changes = Settings::new();
    let retention = input.number("BackupRetentionPeriod");
    changes.insert(
        "BackupRetentionPeriod".to_owned(),
        json!(retention.unwrap_or(RETENTION_DAYS)),
    );
    if let Some(window) = input.text("PreferredBackupWindow") {
        changes.insert("PreferredBackupWindow".to_owned(), json!(window));
    }
    let product = context.product(replica.engine())?;
    settings::check(
        context,
        product,
        Request::Modify,
        &replica.settings,
        &changes,
    )?;
    let work = Work::Promote { changes };
    instances::begin_as(context, &replica, InstanceStatus::Modifying, work)
}
