//! Copies of the automated backups in other Regions.

use serde_json::Value;
use trapheus_rds::{Arn, Settings};

use super::Pass;
use crate::error::TaskError;

/// The attribute: the ARN of each copy, which begins anew with a restored database.
pub(crate) const REPLICATIONS: &str = "DBInstanceAutomatedBackupsReplications";

/// Makes it so that backups are copied into the Regions that are asked for, as the original's
/// are. A copy that is gone with its database can't be looked at any more, and is missed by the
/// comparison.
pub(super) async fn make_so(pass: &Pass<'_>) -> Result<(), TaskError> {
    let found = copies(&pass.restored.settings);
    let is_there = |asked: &Arn| found.iter().any(|found| found.region() == asked.region());
    for asked in copies(&pass.asked.settings) {
        if is_there(&asked) {
            continue;
        }
        let rds = &pass.context.rds;
        let Some(copy) = rds.backup_replication(&asked).await? else {
            continue;
        };
        let of = pass.restored.identified();
        let what = format!("copying the backups of {} to {}", of.name, copy.region);
        if pass.context.begins(&what) {
            rds.start_backup_replication(&of, &copy).await?;
        }
        return Err(TaskError::in_progress(what));
    }
    Ok(())
}

fn copies(settings: &Settings) -> Vec<Arn> {
    let copies = settings.get(REPLICATIONS).and_then(Value::as_array);
    let texts = copies.into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(|text| text.parse().ok()).collect()
}

/// What two databases can have the same of it: the Regions.
pub(crate) fn regions(value: &Value) -> Value {
    let texts = value.as_array().into_iter().flatten();
    let regions = texts.filter_map(|text| text.as_str()?.parse::<Arn>().ok());
    let mut regions: Vec<String> = regions.map(|arn| arn.region().to_owned()).collect();
    regions.sort();
    Value::from(regions)
}
