//! What no request can keep: the restored database is another database, with an identity of its
//! own, and some things hang on the identity and not on the name.

use serde_json::Value;
use trapheus_rds::Database;

use crate::input::AutomatedBackups;
use crate::marks::STACK_NAME;

/// What breaks or stays behind, each with what to do about it.
pub(crate) fn of(original: &Database, backups: AutomatedBackups) -> Vec<String> {
    let shows = |name: &str| original.settings.get(name);
    let is_on = |name: &str| shows(name) == Some(&Value::Bool(true));
    let id = &original.resource_id;
    let mut found = Vec::new();
    found.push(if is_on("IAMDatabaseAuthenticationEnabled") {
        format!(
            "resource id: a new one; IAM policies that let users log in by {} must name the new one, \
             or the logins are refused",
            users_arn(original)
        )
    } else {
        format!(
            "resource id: a new one; whatever names {id} (policies, Performance Insights, DMS) must name \
             the new one"
        )
    });
    if is_on("PerformanceInsightsEnabled") {
        found.push(format!(
            "Performance Insights: begins anew; its history stays with {id}"
        ));
    }
    if shows("BackupRetentionPeriod").and_then(Value::as_u64) > Some(0) {
        let fate = match backups {
            AutomatedBackups::Keep => "stay with the original's, until their retention is over",
            AutomatedBackups::Delete => "go with the original",
        };
        found.push(format!(
            "point in time: begins with the restored database; the backups of before {fate}"
        ));
    }
    if shows("DBInstanceAutomatedBackupsReplications").is_some() {
        found.push(
            "backups in other Regions: replicated anew; those of before stay until their retention is over"
                .to_owned(),
        );
    }
    if let Some(stream) = shows("ActivityStreamKinesisStreamName").and_then(Value::as_str) {
        found.push(format!(
            "activity stream: a new Kinesis stream; whoever reads {stream} must read the new one"
        ));
    }
    if shows("AwsBackupRecoveryPointArn").is_some() {
        found.push(
            "AWS Backup: the restored database is a new resource to it; recovery points of before stay, and \
             a plan that selects by tag goes on"
                .to_owned(),
        );
    }
    if let Some(stack) = original.tags.get(STACK_NAME) {
        found.push(format!(
            "CloudFormation: the stack {stack} does not adopt the restored database by its name, and its \
             tags can't be set: import it, or its next change may make or delete a database"
        ));
    }
    found
}

/// What IAM policies call the users of a database.
fn users_arn(database: &Database) -> String {
    let mut parts = database.arn.as_str().split(':').skip(1);
    let mut next = || parts.next().unwrap_or("*");
    let (partition, _service, region, account) = (next(), next(), next(), next());
    let id = &database.resource_id;
    format!("arn:{partition}:rds-db:{region}:{account}:dbuser:{id}/…")
}
