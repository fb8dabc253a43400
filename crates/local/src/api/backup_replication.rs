//! Replication of automated backups to another Region. It is asked for there.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{automated_backups, paging};
use crate::catalogue::{Offer, System};
use crate::names;
use crate::random;
use crate::state::Tags;
use crate::state::attachments::BackupReplication;
use crate::state::instance::{Instance, InstanceStatus, Naming};

/// How long backups are kept where the request doesn't say.
const RETENTION_DAYS: i64 = 7;

/// `Status` of backups that come from another Region.
const REPLICATING: &str = "replicating";

pub(super) fn start(context: &mut Context<'_>, input: &Input) -> Answer {
    let source = source(context, input)?;
    if source.status != InstanceStatus::Available
        || source.number("BackupRetentionPeriod") == Some(0)
    {
        return Err(ApiError::instance_state(format!(
            "{} is not available, or has no automated backups.",
            source.identifier
        )));
    }
    let product = context.product(source.engine())?;
    if product.offer != Offer::Rds || product.system == System::Db2 {
        let message = format!("Backups of {} can't be replicated.", product.engine);
        return Err(ApiError::combination(message));
    }
    let kms_key_id = input.text("KmsKeyId").map(str::to_owned);
    if source.is_on("StorageEncrypted") && kms_key_id.is_none() {
        let message = "The parameter KmsKeyId must be provided for an encrypted source.";
        return Err(ApiError::combination(message));
    }
    let attachments = context.state.attachments_of(&source.resource_id);
    let mut replications = attachments.backup_replications.iter();
    if replications.any(|replication| replication.scope == *context.scope) {
        let message = format!("Backups of {} are replicated already.", source.identifier);
        return Err(ApiError::instance_state(message));
    }
    let number = random::draw(context.state, context.seed);
    let replication = BackupReplication {
        scope: context.scope.clone(),
        id: format!("ab-{number:016x}"),
        retention_days: input
            .number("BackupRetentionPeriod")
            .unwrap_or(RETENTION_DAYS),
        kms_key_id,
        tags: Tags::from_request(input.list("Tags")),
    };
    let answer = result(shown(&source, &replication, "pending"));
    context.state.attach(&source.resource_id, |attachments| {
        attachments.backup_replications.push(replication);
    });
    Ok(answer)
}

pub(super) fn stop(context: &mut Context<'_>, input: &Input) -> Answer {
    let source = source(context, input)?;
    let attachments = context.state.attachments_of(&source.resource_id);
    let mut replications = attachments.backup_replications.into_iter();
    let replication = replications
        .find(|replication| replication.scope == *context.scope)
        .ok_or_else(|| {
            let message = format!("Backups of {} are not replicated.", source.identifier);
            ApiError::instance_state(message)
        })?;
    context.state.attach(&source.resource_id, |attachments| {
        let replications = &mut attachments.backup_replications;
        replications.retain(|kept| kept.scope != replication.scope);
    });
    Ok(result(shown(&source, &replication, "retained")))
}

/// The backups that were replicated to where `DescribeDBInstanceAutomatedBackups` is asked, as records.
pub(super) fn replicated(
    context: &Context<'_>,
    input: &Input,
) -> Result<Vec<(String, Value)>, ApiError> {
    let attachments = context.state.attachments.iter();
    let replications = attachments.flat_map(|(source, attachments)| {
        let source = context.state.instances.get(source);
        let replications = attachments.backup_replications.iter();
        replications.filter_map(move |replication| Some((source?, replication)))
    });
    let is_asked = |(source, replication): &(&Instance, &BackupReplication)| {
        let is = |member: &str, value: &str| input.text(member).is_none_or(|asked| asked == value);
        replication.scope == *context.scope
            && is("DBInstanceAutomatedBackupsArn", &replication.arn())
            && is("DbiResourceId", &source.resource_id)
            && is("DBInstanceIdentifier", &source.identifier)
    };
    let here = replications.filter(is_asked).collect();
    let has =
        |(source, _): &(&Instance, &BackupReplication), filter: &str, value: &str| match filter {
            "status" => value == REPLICATING,
            "db-instance-id" => source.identifier == names::referred(value),
            _ => source.resource_id == value,
        };
    let found = paging::filtered(input, here, &automated_backups::FILTERS, has)?;
    let records = found.into_iter().map(|(source, replication)| {
        let shown = shown(source, replication, REPLICATING);
        (replication.id.clone(), shown)
    });
    Ok(records.collect())
}

/// The instance of another Region that a request means.
fn source(context: &Context<'_>, input: &Input) -> Result<Instance, ApiError> {
    let arn = input.required("SourceDBInstanceArn")?;
    let Some(scope) = names::scope_in_arn(arn) else {
        return Err(ApiError::value(format!("Invalid DB instance ARN: {arn}")));
    };
    if scope == *context.scope {
        let message = "Backups are replicated to another Region: ask for it there.";
        return Err(ApiError::value(message));
    }
    let name = names::referred(arn);
    let instance = context.state.instance_named(&scope, &name);
    instance
        .filter(|instance| instance.naming == Naming::Named)
        .cloned()
        .ok_or_else(|| ApiError::instance_not_found(&name))
}

fn result(shown: Value) -> Map<String, Value> {
    Map::from_iter([("DBInstanceAutomatedBackup".to_owned(), shown)])
}

fn shown(source: &Instance, replication: &BackupReplication, status: &str) -> Value {
    json!({
        "DBInstanceArn": source.arn(),
        "DbiResourceId": source.resource_id,
        "DBInstanceIdentifier": source.identifier,
        "Region": source.scope.region,
        "Status": status,
        "Engine": source.engine(),
        "EngineVersion": source.text("EngineVersion"),
        "AllocatedStorage": source.number("AllocatedStorage"),
        "BackupRetentionPeriod": replication.retention_days,
        "Encrypted": source.is_on("StorageEncrypted"),
        "KmsKeyId": replication.kms_key_id,
        "DBInstanceAutomatedBackupsArn": replication.arn(),
        "TagList": replication.tags.describe(),
    })
}
