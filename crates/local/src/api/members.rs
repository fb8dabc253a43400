//! Members of clusters: what a request about an instance means when it is one.

use serde_json::json;

use super::clusters::must_be_available;
use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::instances::{self, NewInstance};
use crate::clusters::attributes::OF_MEMBERS;
use crate::clusters::members;
use crate::rules::Request;
use crate::settings;
use crate::state::cluster::{Cluster, Membership};
use crate::state::instance::{Instance, ParameterStatus, Work};
use crate::state::{Settings, Tags};

/// `CreateDBInstance` with a `DBClusterIdentifier`.
pub(super) fn create(context: &mut Context<'_>, input: &Input, cluster: &str) -> Answer {
    let cluster = context.cluster(cluster)?.clone();
    must_be_available(&cluster)?;
    if cluster.is_multi_az() {
        return Err(ApiError::combination(
            "A Multi-AZ DB cluster makes its DB instances itself.",
        ));
    }
    check_free_of_handover(&cluster)?;
    let product = context.product(cluster.engine())?;
    let mut settings = settings::of_request(input, |attribute| attribute.create);
    check_own(&settings)?;
    if input.text("MasterUserPassword").is_some() {
        return Err(inherited("MasterUserPassword"));
    }
    let asked = settings.clone();
    let version = cluster.text("EngineVersion");
    settings.insert("EngineVersion".to_owned(), json!(version));
    settings.insert("StorageType".to_owned(), json!("aurora"));
    settings::fill_in(context, &mut settings, product);
    settings::check(context, product, Request::Create, &settings, &asked)?;
    let new = NewInstance {
        identifier: input.required("DBInstanceIdentifier")?.to_owned(),
        settings,
        tags: Tags::from_request(input.list("Tags")),
        password: cluster.password.clone(),
        cluster: Some(cluster),
        replica_of: None,
    };
    instances::add(context, new, Some(Work::Create))
}

/// A member that a Multi-AZ DB cluster makes for itself; the cluster begins it.
pub(super) fn add_of_multi_az(
    context: &mut Context<'_>,
    cluster: &Cluster,
    identifier: &str,
) -> Result<(), ApiError> {
    let product = context.product(cluster.engine())?;
    let version = cluster.text("EngineVersion");
    let mut settings = Settings::new();
    settings.insert("EngineVersion".to_owned(), json!(version));
    settings::fill_in(context, &mut settings, product);
    let new = NewInstance {
        identifier: identifier.to_owned(),
        settings,
        tags: Tags::default(),
        password: cluster.password.clone(),
        cluster: Some(cluster.clone()),
        replica_of: None,
    };
    instances::add(context, new, None).map(drop)
}

/// Makes a new instance a member.
pub(super) fn enroll(member: &mut Instance, cluster: &Cluster) {
    members::pass_on(cluster, member);
    member.member_of = Some(Membership {
        cluster: cluster.resource_id.clone(),
        parameter_status: ParameterStatus::InSync,
        parameter_group_in_force: String::new(),
    });
}

/// Refuses to change a member in what it has from its cluster, or while the cluster isn't ready for it.
pub(super) fn check_modifiable(
    context: &Context<'_>,
    member: &Instance,
    asked: &Settings,
) -> Result<(), ApiError> {
    let Some(cluster) = context.state.cluster_of(member) else {
        return Ok(());
    };
    check_alone(cluster, "modified")?;
    must_be_available(cluster)?;
    check_free_of_handover(cluster)?;
    check_own(asked)
}

/// Refuses to delete or to restart a member while the cluster isn't ready for it.
pub(super) fn check_deletable(context: &Context<'_>, member: &Instance) -> Result<(), ApiError> {
    let Some(cluster) = context.state.cluster_of(member) else {
        return Ok(());
    };
    check_alone(cluster, "deleted")?;
    check_free_of_handover(cluster)
}

/// Refuses what is done to the cluster as a whole.
pub(super) fn check_stand_alone(member: &Instance, action: &str) -> Result<(), ApiError> {
    match &member.member_of {
        None => Ok(()),
        Some(_) => Err(ApiError::cluster_state(format!(
            "{} is a member of a DB cluster: it can't be {action} by itself.",
            member.identifier
        ))),
    }
}

/// Refuses anything about members while one of them becomes the writer.
pub(super) fn check_free_of_handover(cluster: &Cluster) -> Result<(), ApiError> {
    match &cluster.succession {
        None => Ok(()),
        Some(_) => Err(ApiError::cluster_state(format!(
            "DBCluster {} is failing over.",
            cluster.identifier
        ))),
    }
}

fn check_alone(cluster: &Cluster, action: &str) -> Result<(), ApiError> {
    match cluster.is_multi_az() {
        false => Ok(()),
        true => Err(ApiError::cluster_state(format!(
            "The DB instances of the Multi-AZ DB cluster {} can't be {action} one by one.",
            cluster.identifier
        ))),
    }
}

fn check_own(asked: &Settings) -> Result<(), ApiError> {
    let is_own = |name: &str| OF_MEMBERS.contains(&name) || name == "DBInstanceIdentifier";
    match asked.keys().find(|name| !is_own(name)) {
        Some(name) => Err(inherited(name)),
        None => Ok(()),
    }
}

fn inherited(name: &str) -> ApiError {
    ApiError::combination(format!(
        "The requested DB Instance will be a member of a DB Cluster. Set {name} for the DB Cluster."
    ))
}
