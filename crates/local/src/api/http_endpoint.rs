//! The HTTP endpoint of the Data API: clusters of Aurora have it or not. Nothing listens there.

use serde_json::{Map, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;

/// Turns the HTTP endpoint on or off.
pub(super) fn set(context: &mut Context<'_>, input: &Input, is_enabled: bool) -> Answer {
    let arn = input.required("ResourceArn")?.to_owned();
    let cluster = context.cluster(&arn).map_err(|_| {
        let message = format!("The resource {arn} was not found.");
        ApiError::new("ResourceNotFoundFault", message)
    })?;
    if !cluster.is_available() || cluster.is_multi_az() {
        let message = format!(
            "{} isn't an available cluster of Aurora.",
            cluster.identifier
        );
        return Err(ApiError::new("InvalidResourceStateFault", message));
    }
    let resource_id = cluster.resource_id.clone();
    if let Some(cluster) = context.state.clusters.get_mut(&resource_id) {
        cluster
            .settings
            .insert("HttpEndpointEnabled".to_owned(), json!(is_enabled));
    }
    Ok(Map::from_iter([
        ("ResourceArn".to_owned(), json!(arn)),
        ("HttpEndpointEnabled".to_owned(), json!(is_enabled)),
    ]))
}
