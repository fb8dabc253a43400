//! DB clusters: everything but their modification and their restore.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{instances, paging, snapshots};
use crate::clusters::attributes::ATTRIBUTES;
use crate::clusters::{self, members};
use crate::engines::Secret;
use crate::names;
use crate::random;
use crate::secrets;
use crate::serving;
use crate::settings;
use crate::state::cluster::{Cluster, ClusterStatus, ClusterWork, Succession};
use crate::state::instance::{AfterBackup, Instance, InstanceStatus, Naming, Role};
use crate::state::{Settings, Tags};

/// `DBClusterQuotaExceededFault` beyond: many enough for a rehearsal of any fleet.
pub(super) const CLUSTERS_MAX: usize = 1000;

/// A new cluster, before it has anything to do.
pub(super) struct NewCluster {
    pub(super) identifier: String,
    pub(super) settings: Settings,
    pub(super) tags: Tags,
    pub(super) password: Secret,
    pub(super) roles: Vec<Role>,
}

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let product = context.product(input.required("Engine")?)?;
    let mut settings = settings::asked(ATTRIBUTES, input, |attribute| attribute.create);
    let version = instances::version(context, product, input.text("EngineVersion"))?;
    settings.insert("EngineVersion".to_owned(), json!(version));
    input.required("MasterUsername")?;
    let password = instances::password(context, input)?;
    let asked = settings.clone();
    clusters::settings::fill_in(context, &mut settings, product);
    clusters::settings::check(context, &settings, &asked)?;
    let new = NewCluster {
        identifier: input.required("DBClusterIdentifier")?.to_owned(),
        settings,
        tags: Tags::from_request(input.list("Tags")),
        password,
        roles: roles(input),
    };
    add(context, new, ClusterWork::Create, ClusterStatus::Creating)
}

/// The roles that a request gives a new cluster.
pub(super) fn roles(input: &Input) -> Vec<Role> {
    let text = |role: &Value, member: &str| {
        let text = role.get(member).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let roles = input.list("AssociatedRoles").iter();
    roles
        .map(|role| Role {
            arn: text(role, "RoleArn"),
            feature: text(role, "FeatureName"),
        })
        .collect()
}

/// Adds a new cluster, with its members if it makes them itself, and gives it its first work.
pub(super) fn add(
    context: &mut Context<'_>,
    new: NewCluster,
    work: ClusterWork,
    status: ClusterStatus,
) -> Answer {
    let identifier = names::parse(
        "DBClusterIdentifier",
        &new.identifier,
        names::INSTANCE_LENGTH_MAX,
    )?;
    super::tags::check(&new.tags)?;
    context.must_be_free_for_cluster(&identifier)?;
    if context.state.clusters.len() >= CLUSTERS_MAX {
        let message = format!("You have reached the quota of {CLUSTERS_MAX} DB clusters.");
        return Err(ApiError::new("DBClusterQuotaExceededFault", message));
    }
    let resource_id = random::resource_id(context.state, context.seed, "cluster");
    context.assign_address(&members::writer_endpoint(&identifier));
    context.assign_address(&members::reader_endpoint(&identifier));
    let cluster = Cluster {
        volume: context.paths.server(&resource_id),
        resource_id: resource_id.clone(),
        scope: context.scope.clone(),
        identifier,
        naming: Naming::Named,
        status,
        settings: new.settings,
        pending: Settings::new(),
        tags: new.tags,
        created_at: None,
        password: new.password,
        writer: None,
        succession: None,
        roles: new.roles,
        operation: None,
    };
    if cluster.is_multi_az() {
        for number in 1..=members::MULTI_AZ_MEMBERS {
            let identifier = members::multi_az_member(&cluster.identifier, number);
            super::members::add_of_multi_az(context, &cluster, &identifier)?;
        }
    }
    let database = (context.scope, resource_id.as_str());
    let (seed, ready_at) = (context.seed, context.attached_at());
    secrets::follow(context.state, database, &cluster.settings, seed, ready_at);
    context.state.clusters.insert(resource_id.clone(), cluster);
    context.begin_at_cluster(&resource_id, work);
    shown(context, &resource_id)
}

const FILTERS: [&str; 5] = [
    "clone-group-id",
    "db-cluster-id",
    "db-cluster-resource-id",
    "domain",
    "engine",
];

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut clusters: Vec<&Cluster> = context
        .state
        .clusters
        .values()
        .filter(|cluster| cluster.scope == *context.scope)
        .collect();
    if let Some(name) = input.text("DBClusterIdentifier") {
        let found = context.cluster(name)?;
        clusters.retain(|cluster| cluster.resource_id == found.resource_id);
    }
    let has = |cluster: &&Cluster, filter: &str, value: &str| match filter {
        "db-cluster-id" => {
            cluster.naming == Naming::Named
                && (cluster.identifier == value || cluster.arn() == value)
        }
        "db-cluster-resource-id" => cluster.resource_id == value,
        "engine" => cluster.engine() == value,
        "domain" => cluster.text("Domain") == value,
        _ => false,
    };
    let mut found = paging::filtered(input, clusters, &FILTERS, has)?;
    found.sort_by(|one, other| one.identifier.cmp(&other.identifier));
    let records = found.into_iter().map(|cluster| {
        (
            cluster.identifier.clone(),
            clusters::describe::cluster(context.state, cluster, context.now),
        )
    });
    paging::page(input, "DBClusters", records.collect())
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    if let Some(reason) = context.state.what_holds(&cluster.resource_id) {
        return Err(ApiError::cluster_state(reason));
    }
    let final_snapshot = instances::final_snapshot(input)?;
    if cluster.is_on("DeletionProtection") {
        return Err(ApiError::combination(
            "Cannot delete protected Cluster, please disable deletion protection and try again.",
        ));
    }
    check_deletable(context, &cluster, final_snapshot)?;
    let work = match final_snapshot {
        None => ClusterWork::Delete,
        Some(name) => {
            let parameter = "FinalDBSnapshotIdentifier";
            let tags = Tags::default();
            let snapshot = snapshots::add_of_cluster(context, &cluster, parameter, name, tags)?;
            ClusterWork::Backup {
                snapshot,
                then: AfterBackup::Delete,
            }
        }
    };
    super::automated_backups::keep(context, &cluster.resource_id, input);
    begin_as(context, &cluster, ClusterStatus::Deleting, work)
}

/// A cluster goes without a snapshot while it is being made. Members that go already don't hold it.
fn check_deletable(
    context: &Context<'_>,
    cluster: &Cluster,
    final_snapshot: Option<&str>,
) -> Result<(), ApiError> {
    let members = context.state.members_of(&cluster.resource_id);
    let stays = |member: &&Instance| member.status != InstanceStatus::Deleting;
    if !cluster.is_multi_az() && members.iter().any(stays) {
        return Err(ApiError::cluster_state(
            "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
        ));
    }
    match (&cluster.status, final_snapshot) {
        (ClusterStatus::Available | ClusterStatus::Stopped, _) if cluster.operation.is_none() => {
            Ok(())
        }
        (ClusterStatus::Creating | ClusterStatus::Migrating | ClusterStatus::Failed(_), None) => {
            Ok(())
        }
        (ClusterStatus::Deleting, _) => Err(ApiError::cluster_state(format!(
            "Cluster {} is already being deleted.",
            cluster.identifier
        ))),
        _ => Err(not_available(cluster)),
    }
}

pub(super) fn fail_over(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    must_be_available(&cluster)?;
    super::members::check_free_of_handover(&cluster)?;
    let state = &context.state;
    let refused = |message: String| ApiError::instance_state(message);
    let is_ready = |member: &Instance| serving::is_up(member) && !member.is_busy();
    let joins = |member: &Instance| member.status == InstanceStatus::Creating;
    let members = state.members_of(&cluster.resource_id);
    if let Some(busy) = members.iter().find(|one| !is_ready(one) && !joins(one)) {
        let message = format!("DBInstance {} is not in available state.", busy.identifier);
        return Err(refused(message));
    }
    let target = input
        .text("TargetDBInstanceIdentifier")
        .map(names::referred);
    let heir = match &target {
        None => members::heir(state, &cluster),
        Some(target) => members.into_iter().find(|member| {
            let is_writer = cluster.writer.as_ref() == Some(&member.resource_id);
            member.identifier == *target && is_ready(member) && !is_writer
        }),
    };
    let heir = heir.ok_or_else(|| match target {
        Some(target) => refused(format!(
            "{target} is no available reader of the DB cluster."
        )),
        None => refused("The DB cluster has no available reader to fail over to.".to_owned()),
    })?;
    let succession = cluster.writer.clone().map(|from| Succession {
        from,
        to: heir.resource_id.clone(),
    });
    if let Some(cluster) = context.state.clusters.get_mut(&cluster.resource_id) {
        cluster.succession = succession;
    }
    let work = ClusterWork::FailOver;
    begin_as(context, &cluster, ClusterStatus::FailingOver, work)
}

pub(super) fn reboot(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    must_be_available(&cluster)?;
    if !cluster.is_multi_az() {
        return Err(ApiError::combination(
            "Only Multi-AZ DB clusters are rebooted as a whole: reboot the DB instances.",
        ));
    }
    let work = ClusterWork::Reboot;
    begin_as(context, &cluster, ClusterStatus::Rebooting, work)
}

pub(super) fn start(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    if cluster.status != ClusterStatus::Stopped {
        let message = format!("DBCluster {} is not stopped.", cluster.identifier);
        return Err(ApiError::cluster_state(message));
    }
    let work = ClusterWork::Start;
    begin_as(context, &cluster, ClusterStatus::Starting, work)
}

pub(super) fn stop(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    must_be_available(&cluster)?;
    super::members::check_free_of_handover(&cluster)?;
    if cluster.is_multi_az() {
        return Err(ApiError::combination(
            "Multi-AZ DB clusters can't be stopped.",
        ));
    }
    let members = context.state.members_of(&cluster.resource_id);
    if let Some(busy) = members.into_iter().find(|member| member.is_busy()) {
        let message = format!("DBInstance {} is not in available state.", busy.identifier);
        return Err(ApiError::instance_state(message));
    }
    let work = ClusterWork::Stop;
    begin_as(context, &cluster, ClusterStatus::Stopping, work)
}

/// Gives a cluster work, and shows it in its new status.
pub(super) fn begin_as(
    context: &mut Context<'_>,
    cluster: &Cluster,
    status: ClusterStatus,
    work: ClusterWork,
) -> Answer {
    if let Some(cluster) = context.state.clusters.get_mut(&cluster.resource_id) {
        cluster.status = status;
    }
    context.begin_at_cluster(&cluster.resource_id, work);
    shown(context, &cluster.resource_id)
}

/// Refuses what needs a cluster that nothing is being done to.
pub(super) fn must_be_available(cluster: &Cluster) -> Result<(), ApiError> {
    match cluster.is_available() {
        true => Ok(()),
        false => Err(not_available(cluster)),
    }
}

fn not_available(cluster: &Cluster) -> ApiError {
    ApiError::cluster_state(format!(
        "DBCluster {} is not in available state.",
        cluster.identifier
    ))
}

/// The result of most actions on clusters.
pub(super) fn shown(context: &Context<'_>, resource_id: &str) -> Answer {
    let cluster = context
        .state
        .clusters
        .get(resource_id)
        .ok_or_else(|| ApiError::cluster_not_found(resource_id))?;
    let shown = clusters::describe::cluster(context.state, cluster, context.now);
    Ok(Map::from_iter([("DBCluster".to_owned(), shown)]))
}
