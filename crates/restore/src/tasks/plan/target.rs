//! What the target is: an instance with its read replicas, or a cluster with its members and its
//! custom endpoints. A snapshot holds none of this beside the data, so it is captured from a
//! living database.

use std::cmp::Reverse;

use jiff::Timestamp;
use trapheus_rds::{Class, Database, DbIdentifier, Kind, Rds};

use super::Planner;
use crate::blueprint::Blueprint;
use crate::checks::Check;
use crate::checks::snapshot::Receiver;
use crate::error::{ErrorName, TaskError};
use crate::marks::{self, Marks, Role};
use crate::names::Names;
use crate::plan::{CustomEndpointPlan, Original, Part, PartRole};

/// What Application Auto Scaling calls the readers that it makes.
const AUTO_SCALED_PREFIX: &str = "application-autoscaling-";
/// What it tags them with.
const AUTO_SCALED_TAG: &str = "application-autoscaling:resourceId";

/// Everything about a database that the restored one is to have.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) engine: String,
    pub(crate) engine_version: String,
    pub(crate) blueprint: Blueprint,
    pub(crate) parts: Vec<Part>,
    pub(crate) custom_endpoints: Vec<CustomEndpointPlan>,
    /// What there is to say about the parts.
    pub(crate) checks: Vec<Check>,
}

impl Target {
    /// What data must fit that it is made from.
    pub(super) fn receiver<'a>(&'a self, identifier: &'a DbIdentifier) -> Receiver<'a> {
        Receiver {
            identifier,
            resource_id: None,
            kind: self.kind,
            engine: &self.engine,
            engine_version: &self.engine_version,
            settings: &self.blueprint.settings,
        }
    }
}

/// Captures a database with everything that belongs to it; `now` goes into the names that its
/// parts may need.
pub(crate) async fn capture(
    rds: &Rds,
    database: &Database,
    now: Timestamp,
) -> Result<Target, TaskError> {
    let mut checks = Vec::new();
    let mut found = match database.kind {
        Kind::Instance => replicas(rds, database).await?,
        // Its members come and go with it.
        Kind::Cluster if database.is_multi_az_cluster() => Vec::new(),
        Kind::Cluster => members(rds, database, &mut checks).await?,
    };
    found.sort_by_key(|(role, _)| *role);
    checks.extend(found.iter().map(|(_, part)| status(part)));
    let parts = found.into_iter().map(|(role, part)| Part {
        role,
        names: Names::of(&part.identifier, now),
        original: Some(original(&part)),
        blueprint: Blueprint::of(&part),
    });
    let parts: Vec<Part> = parts.collect();
    let custom_endpoints = custom_endpoints(rds, database, &mut checks).await?;
    checks.extend(
        custom_endpoints
            .iter()
            .filter_map(|endpoint| goes_without(endpoint, &parts)),
    );
    Ok(Target {
        kind: database.kind,
        engine: database.engine.clone(),
        engine_version: database.engine_version.clone(),
        blueprint: Blueprint::of(database),
        parts,
        custom_endpoints,
        checks,
    })
}

/// The identity of a database, and where clients find it.
pub(super) fn original(database: &Database) -> Original {
    Original {
        resource_id: database.resource_id.clone(),
        endpoint: database.endpoint.clone(),
        reader_address: database.reader_endpoint.clone(),
        allocated_storage_gib: size(database),
        marks: marks::own(&database.tags),
    }
}

/// The storage of a database, in GiB.
pub(super) fn size(database: &Database) -> Option<u64> {
    database.settings.get("AllocatedStorage")?.as_u64()
}

/// The members of a cluster, the readers in the order in which they would replace the writer.
async fn members(
    rds: &Rds,
    cluster: &Database,
    checks: &mut Vec<Check>,
) -> Result<Vec<(PartRole, Database)>, TaskError> {
    const NAME: &str = "members";
    let writer = cluster.writer().map(|writer| &writer.identifier);
    let tier = |member: &Database| {
        let mut known = cluster.members.iter();
        let known = known.find(|known| known.identifier == member.identifier);
        known.and_then(|known| known.promotion_tier)
    };
    let mut members = rds.members_of(&cluster.identifier).await?;
    members.sort_by_key(|member| (Reverse(Some(&member.identifier) == writer), tier(member)));
    let mut auto_scaled = Vec::new();
    let mut kept = Vec::new();
    for member in members {
        let is_writer = Some(&member.identifier) == writer;
        match is_writer {
            true => kept.push((PartRole::Writer, member)),
            false if is_auto_scaled(&member) => auto_scaled.push(member.identifier.to_string()),
            false => kept.push((PartRole::Reader, member)),
        }
    }
    if kept.is_empty() {
        let detail = "none; the restored cluster has none either";
        checks.push(Check::warn(NAME, detail));
    }
    if !auto_scaled.is_empty() {
        let detail = format!(
            "{} were made by auto scaling and go with the original; its policy, which knows the cluster by its name, makes others",
            auto_scaled.join(", ")
        );
        checks.push(Check::warn("auto scaling", detail));
    }
    Ok(kept)
}

/// Whether Application Auto Scaling has made a reader.
pub(in crate::tasks) fn is_auto_scaled(member: &Database) -> bool {
    member.identifier.as_str().starts_with(AUTO_SCALED_PREFIX)
        || member.tags.contains_key(AUTO_SCALED_TAG)
}

/// The read replicas of an instance in the same Region; those of others have an ARN for a name.
async fn replicas(rds: &Rds, source: &Database) -> Result<Vec<(PartRole, Database)>, TaskError> {
    let names = source.replicas.iter().filter_map(|name| name.parse().ok());
    let names: Vec<DbIdentifier> = names.collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut replicas = rds.instances_named(&names).await?;
    replicas.sort_by(|one, other| one.identifier.cmp(&other.identifier));
    let replicas = replicas.into_iter();
    Ok(replicas
        .map(|replica| (PartRole::Replica, replica))
        .collect())
}

/// Whether a part can be renamed and compared now, and can be made again.
fn status(part: &Database) -> Check {
    const NAME: &str = "part";
    let detail = format!("{} is {}", part.identifier, part.status);
    if !part.status.is_serving() {
        return Check::fail(NAME, format!("{detail}; it must be available"));
    }
    if !part.replicas.is_empty() {
        let detail = format!(
            "{} has replicas of its own, {}, which would stay with the original: delete or promote \
             them, and create them again after the restore",
            part.identifier,
            part.replicas.join(", ")
        );
        return Check::fail(NAME, detail);
    }
    Check::pass(NAME, detail)
}

/// Says which members of the original an endpoint can't name in the restored cluster.
fn goes_without(endpoint: &CustomEndpointPlan, parts: &[Part]) -> Option<Check> {
    let named = endpoint
        .static_members
        .iter()
        .chain(&endpoint.excluded_members);
    let unplanned = named.filter(|name| parts.iter().all(|part| part.names.target != **name));
    let unplanned: Vec<&str> = unplanned.map(DbIdentifier::as_str).collect();
    let detail = format!(
        "{} goes without {}, which the restored cluster does not have",
        endpoint.identifier,
        unplanned.join(", ")
    );
    (!unplanned.is_empty()).then(|| Check::warn("custom endpoints", detail))
}

async fn custom_endpoints(
    rds: &Rds,
    database: &Database,
    checks: &mut Vec<Check>,
) -> Result<Vec<CustomEndpointPlan>, TaskError> {
    if database.kind == Kind::Instance || database.is_multi_az_cluster() {
        return Ok(Vec::new());
    }
    let found = match rds.custom_endpoints(&database.identifier).await {
        Err(error) if error.class == Class::NotImplemented => {
            let detail = format!("could not be looked at: {error}");
            checks.push(Check::warn("custom endpoints", detail));
            return Ok(Vec::new());
        }
        found => found?,
    };
    let mut planned = Vec::new();
    for endpoint in found {
        let tags = rds.tags_of_endpoint(&endpoint).await?;
        planned.push(CustomEndpointPlan {
            identifier: endpoint.identifier,
            address: endpoint.address,
            kind: endpoint.kind,
            static_members: endpoint.static_members,
            excluded_members: endpoint.excluded_members,
            tags: marks::users(&tags),
        });
    }
    Ok(planned)
}

impl Planner<'_> {
    /// Finds the target; none where nothing answers at the name.
    pub(super) async fn target(&self) -> Result<Option<Database>, TaskError> {
        let id = &self.request.identifier;
        let refuse = |message: String| Err(TaskError::new(ErrorName::Refused, message));
        if self.request.is_cluster != Some(true)
            && let Some(instance) = self.rds.instance(id).await?
        {
            return match &instance.cluster {
                None => Ok(Some(instance)),
                Some(cluster) if cluster == id => refuse(format!(
                    "{id} is a cluster and one of its members; to restore the cluster: \"isCluster\": true"
                )),
                Some(cluster) => refuse(format!(
                    "{id} is a member of the cluster {cluster}, and members have no data of their own; \
                     to restore the cluster: \"identifier\": \"{cluster}\""
                )),
            };
        }
        match (self.cluster(id).await?, self.request.is_cluster) {
            (Some(_), Some(false)) => refuse(format!(
                "{id} is a cluster, and `isCluster` says that it is none"
            )),
            (Some(cluster), _) => Ok(Some(cluster)),
            (None, Some(true)) if self.rds.instance(id).await?.is_some() => refuse(format!(
                "{id} is no cluster, and `isCluster` says that it is one"
            )),
            (None, _) => Ok(None),
        }
    }

    /// Says that nothing answers at the name, and why where another execution has moved it aside.
    pub(super) async fn missing(&self, id: &DbIdentifier) -> Result<String, TaskError> {
        let aside = Names::of(id, self.now).aside;
        let holder = match self.rds.instance(&aside).await? {
            Some(holder) => Some(holder),
            None => self.cluster(&aside).await?,
        };
        let marks = holder.as_ref().map(|holder| Marks(&holder.tags));
        let mover =
            marks.filter(|marks| marks.is(Role::Original) && marks.target() == Some(id.as_str()));
        Ok(match mover.and_then(Marks::owner) {
            Some(owner) => format!(
                "{id} is being restored by another execution, {owner}, which has moved the original to {aside}; \
                 if nobody is at work on it any more: trapheus executions resume {owner}"
            ),
            None => {
                let way_out = match self.request.task.moves_the_name() {
                    true => "; to make one: \"createIfMissing\": true",
                    false => "",
                };
                format!("there is no database {id} in this account and Region{way_out}")
            }
        })
    }

    /// A server that knows no clusters has none.
    async fn cluster(&self, id: &DbIdentifier) -> Result<Option<Database>, TaskError> {
        match self.rds.cluster(id).await.map_err(TaskError::from) {
            Err(error) if error.name.is_passing() => Err(error),
            answer => Ok(answer.unwrap_or(None)),
        }
    }
}
