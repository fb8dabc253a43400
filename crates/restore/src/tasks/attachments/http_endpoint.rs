//! The Data API: a cluster's HTTP endpoint.

use serde_json::Value;
use trapheus_rds::Settings;

use super::Pass;
use crate::error::TaskError;

/// The attribute.
pub(super) const ENABLED: &str = "HttpEndpointEnabled";

/// Makes it so that the cluster has an HTTP endpoint if one is asked for.
pub(super) async fn make_so(pass: &Pass<'_>) -> Result<(), TaskError> {
    let is_on = |settings: &Settings| settings.get(ENABLED) == Some(&Value::Bool(true));
    if !is_on(&pass.asked.settings) || is_on(&pass.restored.settings) {
        return Ok(());
    }
    let of = pass.restored.identified();
    let what = format!("enabling the HTTP endpoint of {}", of.name);
    if pass.context.begins(&what) {
        pass.context.rds.enable_http_endpoint(&of).await?;
    }
    Err(TaskError::in_progress(what))
}
