//! The activity stream: what happens in the database, written to a Kinesis stream of its own.

use serde_json::Value;
use trapheus_rds::{ActivityStream, AuditPolicy, Settings};

use super::Pass;
use crate::error::TaskError;

/// The attribute that says whether there is one.
pub(super) const STATUS: &str = "ActivityStreamStatus";

/// Makes it so that the database has a stream if one is asked for.
pub(super) async fn make_so(pass: &Pass<'_>) -> Result<(), TaskError> {
    let asked = &pass.asked.settings;
    if !is_on(asked.get(STATUS)) {
        return Ok(());
    }
    let restored = pass.restored;
    let waiting = || {
        let what = format!("starting the activity stream of {}", restored.identifier);
        TaskError::in_progress(what)
    };
    match restored.settings.get(STATUS).and_then(Value::as_str) {
        Some("started") => set_policy(pass).await,
        Some("starting" | "stopping") => Err(waiting()),
        _ => {
            let text = |name: &str| asked.get(name)?.as_str().map(str::to_owned);
            let stream = ActivityStream {
                mode: text("ActivityStreamMode").unwrap_or_else(|| "async".to_owned()),
                kms_key_id: text("ActivityStreamKmsKeyId").unwrap_or_default(),
                native_audit_fields: asked
                    .get("ActivityStreamEngineNativeAuditFieldsIncluded")
                    .and_then(Value::as_bool),
            };
            let of = restored.identified();
            if pass
                .context
                .begins(&format!("activity stream of {}", of.name))
            {
                pass.context.rds.start_activity_stream(&of, &stream).await?;
            }
            Err(waiting())
        }
    }
}

/// Whether the audit policy can be edited, of the engines that have one.
async fn set_policy(pass: &Pass<'_>) -> Result<(), TaskError> {
    const POLICY: &str = "ActivityStreamPolicyStatus";
    let word = |settings: &Settings| settings.get(POLICY)?.as_str().map(str::to_owned);
    let asked = word(&pass.asked.settings);
    let policy = match asked.as_deref() {
        Some("locked") => AuditPolicy::Locked,
        Some("unlocked") => AuditPolicy::Unlocked,
        Some(_) | None => return Ok(()),
    };
    if word(&pass.restored.settings) == asked {
        return Ok(());
    }
    let of = pass.restored.identified();
    let what = format!("setting the audit policy of {}", of.name);
    if pass.context.begins(&what) {
        pass.context.rds.set_audit_policy(&of, policy).await?;
    }
    Err(TaskError::in_progress(what))
}

/// Whether there is one, or will be in a moment.
pub(super) fn is_on(status: Option<&Value>) -> bool {
    matches!(status.and_then(Value::as_str), Some("started" | "starting"))
}
