//! The custom endpoints of a cluster. Their ids are unique in the Region, so they leave the
//! original before they are made for the restored cluster; their addresses hold the id and not
//! the cluster's name, so clients find them where they were.

use trapheus_rds::{Class, CustomEndpoint, CustomEndpointSpec, Database, DbIdentifier};

use super::context::{Context, Waits};
use crate::error::TaskError;
use crate::marks::{Role, marks};

const AVAILABLE: &str = "available";
const DELETING: &str = "deleting";

/// Makes it so that a cluster has none of the planned endpoints, or only such as RDS is deleting.
pub(super) async fn take_away(context: &Context, cluster: &Database) -> Result<(), TaskError> {
    let mut waits = Waits::default();
    for endpoint in planned(context, cluster).await? {
        if endpoint.status == DELETING {
            continue;
        }
        let what = format!("deleting the endpoint {}", endpoint.identifier);
        if context.begins(&what) {
            match context.rds.delete_custom_endpoint(&endpoint).await {
                // Deleted by an earlier attempt, or the cluster has just got another name.
                Err(error) if error.class == Class::NotFound => {}
                answer => answer?,
            }
        }
        waits.on(what);
    }
    waits.end()
}

/// Makes it so that a cluster has all the planned endpoints.
pub(super) async fn make(context: &Context, cluster: &Database) -> Result<(), TaskError> {
    let plan = context.plan();
    let found = planned(context, cluster).await?;
    // RDS refuses the names of members that a cluster does not have, as of those made by auto
    // scaling.
    let is_member = |name: &DbIdentifier| {
        let mut parts = plan.parts.iter();
        let mut members = cluster.members.iter();
        parts.any(|part| part.names.target == *name)
            || members.any(|member| member.identifier == *name)
    };
    let members = |names: &[DbIdentifier]| -> Vec<DbIdentifier> {
        let names = names.iter().filter(|name| is_member(name));
        names.cloned().collect()
    };
    let mut waits = Waits::default();
    for asked in &plan.custom_endpoints {
        let here = found
            .iter()
            .find(|found| found.identifier == asked.identifier);
        let what = format!("making the endpoint {}", asked.identifier);
        match here {
            Some(endpoint) if endpoint.status == AVAILABLE => continue,
            Some(_) => {}
            None if context.begins(&what) => {
                let mut tags = asked.tags.clone();
                tags.extend(marks(plan.owner(), &plan.identifier, Role::Restored));
                let spec = CustomEndpointSpec {
                    identifier: asked.identifier.clone(),
                    kind: asked.kind.clone(),
                    static_members: members(&asked.static_members),
                    excluded_members: members(&asked.excluded_members),
                    tags,
                };
                let of = cluster.identified();
                match context.rds.create_custom_endpoint(&of, &spec).await {
                    // It is still on its way out elsewhere, or an earlier attempt's.
                    Err(error) if error.class != Class::AlreadyExists => return Err(error.into()),
                    Ok(_) | Err(_) => {}
                }
            }
            None => {}
        }
        waits.on(what);
    }
    waits.end()
}

/// The planned endpoints that a cluster lacks.
pub(super) async fn missing(
    context: &Context,
    cluster: &Database,
) -> Result<Vec<DbIdentifier>, TaskError> {
    let found = planned(context, cluster).await?;
    let is_there = |asked: &&DbIdentifier| {
        let mut found = found.iter();
        found.any(|found| found.identifier == **asked && found.status == AVAILABLE)
    };
    let asked = context.plan().custom_endpoints.iter();
    let asked = asked.map(|asked| &asked.identifier);
    Ok(asked.filter(|asked| !is_there(asked)).cloned().collect())
}

/// The planned endpoints that a cluster has now.
async fn planned(context: &Context, cluster: &Database) -> Result<Vec<CustomEndpoint>, TaskError> {
    let planned = &context.plan().custom_endpoints;
    if planned.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = context.rds.custom_endpoints(&cluster.identifier).await?;
    found.retain(|found| {
        planned
            .iter()
            .any(|asked| asked.identifier == found.identifier)
    });
    Ok(found)
}
