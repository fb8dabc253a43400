//! DB instances: everything but their modification and their restore.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{paging, snapshots};
use crate::catalogue::{Offer, Product};
use crate::describe;
use crate::engines::Secret;
use crate::names;
use crate::random;
use crate::rules::Request;
use crate::secrets;
use crate::settings;
use crate::state::cluster::Cluster;
use crate::state::instance::{
    AfterBackup, Instance, InstanceStatus, Naming, ParameterStatus, Work,
};
use crate::state::{Settings, Tags};

/// `InstanceQuotaExceeded` beyond: many enough for a rehearsal of any fleet.
pub(super) const INSTANCES_MAX: usize = 1000;

/// A new instance, before it has anything to do.
pub(super) struct NewInstance {
    pub(super) identifier: String,
    pub(super) settings: Settings,
    pub(super) tags: Tags,
    pub(super) password: Secret,
    /// The cluster that it is to be a member of.
    pub(super) cluster: Option<Cluster>,
    /// Of a read replica: its source, by resource id.
    pub(super) replica_of: Option<String>,
}

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    if let Some(cluster) = input.text("DBClusterIdentifier") {
        return super::members::create(context, input, cluster);
    }
    let engine = input.required("Engine")?;
    let product = context.product(engine)?;
    if product.offer == Offer::Aurora {
        return Err(ApiError::combination(format!(
            "A DB instance of {engine} is a member of a cluster: specify DBClusterIdentifier."
        )));
    }
    let mut settings = settings::of_request(input, |attribute| attribute.create);
    let version = version(context, product, input.text("EngineVersion"))?;
    settings.insert("EngineVersion".to_owned(), json!(version));
    input.required("MasterUsername")?;
    let password = password(context, input)?;
    let asked = settings.clone();
    settings::fill_in(context, &mut settings, product);
    settings::check(context, product, Request::Create, &settings, &asked)?;
    let identifier = input.required("DBInstanceIdentifier")?.to_owned();
    let tags = Tags::from_request(input.list("Tags"));
    add(
        context,
        NewInstance {
            identifier,
            settings,
            tags,
            password,
            cluster: None,
            replica_of: None,
        },
        Some(Work::Create),
    )
}

/// Adds a new instance and gives it its first work, if that isn't another's task.
pub(super) fn add(context: &mut Context<'_>, new: NewInstance, work: Option<Work>) -> Answer {
    let identifier = names::parse(
        "DBInstanceIdentifier",
        &new.identifier,
        names::INSTANCE_LENGTH_MAX,
    )?;
    super::tags::check(&new.tags)?;
    context.must_be_free(&identifier)?;
    if context.state.instances.len() >= INSTANCES_MAX {
        let message = format!("You have reached the quota of {INSTANCES_MAX} DB instances.");
        return Err(ApiError::new("InstanceQuotaExceeded", message));
    }
    let resource_id = random::resource_id(context.state, context.seed, "db");
    context.assign_address(&identifier);
    let mut instance = Instance {
        directory: context.paths.server(&resource_id),
        resource_id: resource_id.clone(),
        scope: context.scope.clone(),
        identifier,
        naming: Naming::Named,
        status: InstanceStatus::Creating,
        settings: new.settings,
        pending: Settings::new(),
        tags: new.tags,
        created_at: None,
        password: new.password,
        parameters: std::collections::BTreeMap::new(),
        parameter_group_in_force: String::new(),
        parameter_status: ParameterStatus::InSync,
        roles: Vec::new(),
        member_of: None,
        replica_of: new.replica_of,
        operation: None,
    };
    if let Some(cluster) = &new.cluster {
        super::members::enroll(&mut instance, cluster);
    }
    let database = (context.scope, resource_id.as_str());
    let ready_at = context.attached_at();
    secrets::follow(
        context.state,
        database,
        &instance.settings,
        context.seed,
        ready_at,
    );
    context
        .state
        .instances
        .insert(resource_id.clone(), instance);
    if let Some(work) = work {
        context.begin(&resource_id, work);
    }
    shown(context, &resource_id)
}

const FILTERS: [&str; 5] = [
    "db-cluster-id",
    "db-instance-id",
    "dbi-resource-id",
    "domain",
    "engine",
];

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut instances: Vec<&Instance> = context
        .state
        .instances
        .values()
        .filter(|instance| instance.scope == *context.scope)
        .collect();
    if let Some(name) = input.text("DBInstanceIdentifier") {
        let found = context.instance(name)?;
        instances.retain(|instance| instance.resource_id == found.resource_id);
    }
    let has = |instance: &&Instance, filter: &str, value: &str| match filter {
        "db-instance-id" => {
            instance.naming == Naming::Named
                && (instance.identifier == value || instance.arn() == value)
        }
        "dbi-resource-id" => instance.resource_id == value,
        "engine" => instance.engine() == value,
        "domain" => instance.text("Domain") == value,
        "db-cluster-id" => context
            .state
            .cluster_of(instance)
            .is_some_and(|cluster| cluster.identifier == value || cluster.arn() == value),
        _ => false,
    };
    let mut found = paging::filtered(input, instances, &FILTERS, has)?;
    found.sort_by(|one, other| one.identifier.cmp(&other.identifier));
    let records = found.into_iter().map(|instance| {
        (
            instance.identifier.clone(),
            describe::instance(context.state, instance, context.now),
        )
    });
    paging::page(input, "DBInstances", records.collect())
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    super::members::check_deletable(context, &instance)?;
    if let Some(reason) = context.state.what_holds(&instance.resource_id) {
        return Err(ApiError::instance_state(reason));
    }
    // A member has no data of its own.
    let final_snapshot = match instance.member_of {
        Some(_) => None,
        None => final_snapshot(input)?,
    };
    if instance.is_on("DeletionProtection") {
        return Err(ApiError::combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        ));
    }
    if instance.replica_of.is_some() && final_snapshot.is_some() {
        return Err(ApiError::combination(
            "FinalDBSnapshotIdentifier cannot be specified when deleting a read replica.",
        ));
    }
    check_deletable(&instance, final_snapshot)?;
    let work = match final_snapshot {
        None => Work::Delete,
        Some(name) => {
            let tags = Tags::default();
            let snapshot =
                snapshots::add(context, &instance, "FinalDBSnapshotIdentifier", name, tags)?;
            Work::Backup {
                snapshot,
                then: AfterBackup::Delete,
            }
        }
    };
    super::automated_backups::keep(context, &instance.resource_id, input);
    begin_as(context, &instance, InstanceStatus::Deleting, work)
}

/// The final snapshot that a request asks for; it must say if it wants none.
pub(super) fn final_snapshot(input: &Input) -> Result<Option<&str>, ApiError> {
    let name = input
        .text("FinalDBSnapshotIdentifier")
        .filter(|name| !name.is_empty());
    match (input.flag("SkipFinalSnapshot"), name) {
        (false, Some(name)) => Ok(Some(name)),
        (true, None) => Ok(None),
        (true, Some(_)) => Err(ApiError::combination(
            "FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is enabled.",
        )),
        (false, None) => Err(ApiError::combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )),
    }
}

/// An instance that is being made can be deleted, but has nothing to make a snapshot of.
fn check_deletable(instance: &Instance, final_snapshot: Option<&str>) -> Result<(), ApiError> {
    let identifier = &instance.identifier;
    match (&instance.status, final_snapshot) {
        (InstanceStatus::Available | InstanceStatus::Stopped, _) if !instance.is_busy() => Ok(()),
        (InstanceStatus::Creating | InstanceStatus::Failed(_), None) => Ok(()),
        (InstanceStatus::Creating | InstanceStatus::Failed(_), Some(_)) => {
            Err(ApiError::instance_state(format!(
                "Cannot create a snapshot of {identifier}: it is not available."
            )))
        }
        (InstanceStatus::Deleting, _) => Err(ApiError::instance_state(format!(
            "Instance {identifier} is already being deleted."
        ))),
        (
            InstanceStatus::Available
            | InstanceStatus::BackingUp
            | InstanceStatus::Modifying
            | InstanceStatus::Rebooting
            | InstanceStatus::Renaming
            | InstanceStatus::ResettingMasterCredentials
            | InstanceStatus::Starting
            | InstanceStatus::Stopped
            | InstanceStatus::Stopping
            | InstanceStatus::Upgrading,
            _,
        ) => Err(not_available(instance)),
    }
}

pub(super) fn reboot(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    if input.flag("ForceFailover") && !instance.is_on("MultiAZ") {
        return Err(ApiError::combination(
            "Cannot failover a single-AZ instance.",
        ));
    }
    if let Some(cluster) = context.state.cluster_of(&instance) {
        super::members::check_free_of_handover(cluster)?;
    }
    let has_failed = matches!(instance.status, InstanceStatus::Failed(_));
    if !has_failed {
        must_be_available(&instance)?;
    }
    begin_as(context, &instance, InstanceStatus::Rebooting, Work::Reboot)
}

pub(super) fn start(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    super::members::check_stand_alone(&instance, "started")?;
    if instance.status != InstanceStatus::Stopped {
        let message = format!(
            "Instance {} is not stopped, so it cannot be started.",
            instance.identifier
        );
        return Err(ApiError::instance_state(message));
    }
    begin_as(context, &instance, InstanceStatus::Starting, Work::Start)
}

pub(super) fn stop(context: &mut Context<'_>, input: &Input) -> Answer {
    let instance = context
        .instance(input.required("DBInstanceIdentifier")?)?
        .clone();
    super::members::check_stand_alone(&instance, "stopped")?;
    must_be_available(&instance)?;
    let has_replicas = context
        .state
        .replicas_of(&instance.resource_id)
        .next()
        .is_some();
    if has_replicas || instance.replica_of.is_some() {
        return Err(ApiError::instance_state(
            "A DB instance that is a read replica, or has read replicas, cannot be stopped.",
        ));
    }
    let work = match input.text("DBSnapshotIdentifier") {
        None => Work::Stop,
        Some(name) => {
            let snapshot = snapshots::add(
                context,
                &instance,
                "DBSnapshotIdentifier",
                name,
                Tags::default(),
            )?;
            Work::Backup {
                snapshot,
                then: AfterBackup::Stop,
            }
        }
    };
    begin_as(context, &instance, InstanceStatus::Stopping, work)
}

/// Gives an instance work, and shows it in its new status.
pub(super) fn begin_as(
    context: &mut Context<'_>,
    instance: &Instance,
    status: InstanceStatus,
    work: Work,
) -> Answer {
    if let Some(instance) = context.state.instances.get_mut(&instance.resource_id) {
        instance.status = status;
    }
    context.begin(&instance.resource_id, work);
    shown(context, &instance.resource_id)
}

pub(super) fn must_be_available(instance: &Instance) -> Result<(), ApiError> {
    match instance.status == InstanceStatus::Available && !instance.is_busy() {
        true => Ok(()),
        false => Err(not_available(instance)),
    }
}

/// The result of most actions on instances.
pub(super) fn shown(context: &Context<'_>, resource_id: &str) -> Answer {
    let instance = context
        .state
        .instances
        .get(resource_id)
        .ok_or_else(|| ApiError::instance_not_found(resource_id))?;
    let mut result = Map::new();
    result.insert(
        "DBInstance".to_owned(),
        describe::instance(context.state, instance, context.now),
    );
    Ok(result)
}

fn not_available(instance: &Instance) -> ApiError {
    ApiError::instance_state(format!(
        "Instance {} is not in available state.",
        instance.identifier
    ))
}

/// The version that a request means, of those that there are.
pub(super) fn version(
    context: &Context<'_>,
    product: &Product,
    asked: Option<&str>,
) -> Result<String, ApiError> {
    let engine = product.engine;
    if let Some(version) = context.catalogue.resolve(product, asked) {
        return Ok(version.to_owned());
    }
    let versions = context.catalogue.versions(engine).join(", ");
    let message = if versions.is_empty() {
        format!(
            "{} has no server on this machine (on Debian: apt-get install {}); local RDS looks for it \
             when it starts.",
            product.description,
            product.packages()
        )
    } else {
        let asked = asked.unwrap_or_default();
        format!("Cannot find version {asked} for {engine}; there is {versions}")
    };
    Err(ApiError::combination(message))
}

/// The master password of a new instance; RDS makes one up where it is to manage it.
pub(super) fn password(context: &mut Context<'_>, input: &Input) -> Result<Secret, ApiError> {
    let is_managed = input.get("ManageMasterUserPassword") == Some(&Value::from(true));
    match (input.text("MasterUserPassword"), is_managed) {
        (Some(_), true) => Err(ApiError::combination(
            "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled.",
        )),
        (Some(password), false) => check_password(password),
        (None, true) => Ok(Secret::new(made_up_password(context))),
        (None, false) => Err(ApiError::value(
            "The parameter MasterUserPassword must be provided and must not be blank.",
        )),
    }
}

/// A password that RDS makes up where it manages it.
pub(super) fn made_up_password(context: &mut Context<'_>) -> String {
    format!("{:016x}", random::draw(context.state, context.seed))
}

/// Refuses a password that RDS refuses.
pub(super) fn check_password(password: &str) -> Result<Secret, ApiError> {
    let reason = if password.len() < 8 {
        "it is shorter than 8 characters"
    } else if password.len() > 128 {
        "it is longer than 128 characters"
    } else if password.contains(['/', '@', '"', ' ']) || !password.is_ascii() {
        "only printable ASCII characters besides '/', '@', '\"', ' ' may be used"
    } else {
        return Ok(Secret::new(password));
    };
    let message =
        format!("The parameter MasterUserPassword is not a valid password because {reason}.");
    Err(ApiError::value(message))
}
