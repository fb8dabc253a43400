//! The RDS API: one request in, one response out.

mod activity_streams;
mod admin;
mod automated_backups;
mod backup_replication;
mod blue_green;
mod catalogue;
mod cluster_endpoints;
mod clusters;
pub(crate) mod context;
pub(crate) mod error;
mod events;
mod global_clusters;
mod http_endpoint;
pub(crate) mod input;
mod instances;
mod integrations;
mod members;
pub(crate) mod model;
mod modify;
mod modify_cluster;
pub(crate) mod option_groups;
mod paging;
mod parameter_groups;
mod point_in_time;
mod proxies;
mod query;
mod replicas;
mod restore;
mod restore_cluster;
mod roles;
mod route53;
mod shard_groups;
mod snapshots;
mod subnet_groups;
mod tags;
mod xml;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request as HttpRequest, Response, header};

use self::context::{Answer, Context};
use self::error::ApiError;
use self::input::Input;
use self::model::MODEL;
use self::parameter_groups::{CLUSTER, INSTANCE};
use self::query::Request;
use crate::control_plane::{ControlPlane, StoreError};
use crate::faults::{self, AnswerFate, Course, Fate, LostAnswer};
use crate::observe::{self, Asked};
use crate::operations::Job;
use crate::random;
use crate::request_log::RequestEntry;
use crate::state::instance::Outcome;
use crate::state::{Scope, State};

/// The account that owns everything.
const ACCOUNT: &str = "123456789012";

/// The region of a request that isn't signed.
const DEFAULT_REGION: &str = "us-east-1";

/// Answers one HTTP request.
pub(crate) async fn handle(
    control_plane: &Arc<ControlPlane>,
    request: HttpRequest<Bytes>,
) -> Response<Bytes> {
    if let Some(path) = request.uri().path().strip_prefix("/_trapheus/") {
        return admin::handle(control_plane, path, request.method(), request.body());
    }
    if request.uri().path() == route53::HOSTED_ZONES {
        return route53::no_zones();
    }
    let scope = scope(&request);
    let form = match request.body().is_empty() {
        true => request.uri().query().unwrap_or_default().as_bytes(),
        false => request.body(),
    };
    let response = match Request::parse(form) {
        Ok(read) => answer(control_plane, &scope, asked_by(&request), read),
        Err(error) => refused(&error, "unread"),
    };
    // The state is ahead of the endpoints for a moment. An instance that the answer shows as available must be
    // reachable when the client reads so.
    control_plane.refresh_endpoints().await;
    response
}

fn answer(
    control_plane: &Arc<ControlPlane>,
    scope: &Scope,
    by: &str,
    request: Request,
) -> Response<Bytes> {
    let now = control_plane.now();
    let asked = Asked {
        at: now,
        by,
        action: &request.action,
        parameters: &request.parameters,
        subjects: control_plane
            .read(|state| observe::subjects(state, scope, &request.action, &request.parameters)),
    };
    let fate = control_plane.faults.decide(&faults::Asked {
        action: &request.action,
        parameters: &request.parameters,
        agent: by,
        at: now,
        time_scale: control_plane.options.time_scale,
    });
    let request_id = request_id(control_plane);
    let stale = match fate {
        Fate::Stale(at) => Some(at),
        Fate::Refused(_) | Fate::Lost | Fate::Carried(_) => None,
    };
    let (result, answer) = match fate {
        Fate::Refused(error) => (Err(error), AnswerFate::Arrives),
        Fate::Lost => {
            let error = ApiError::new("RequestTimeout", "The request got lost.");
            (Err(error), AnswerFate::GetsLost)
        }
        Fate::Carried(course) => {
            let answer = course.answer;
            let result = carry_out(control_plane, scope, &request, &asked, course);
            (result, answer)
        }
        Fate::Stale(at) => (
            look_back(control_plane, scope, &request, at),
            AnswerFate::Arrives,
        ),
    };
    let told = match (&result, stale) {
        (Err(error), _) => observe::Answer::Refused(&error.code),
        (Ok(_), Some(at)) => observe::Answer::Stale(at),
        (Ok(_), None) => observe::Answer::Carried,
    };
    control_plane.read(|state| {
        let view = control_plane.view(state);
        let observers = &control_plane.observers;
        observers.tell(|observer| observer.answered(&asked, told, &view));
    });
    let mut response = match &result {
        Ok(result) => {
            let output = MODEL
                .operation(&request.action)
                .and_then(|operation| operation.output);
            let body = xml::answer(&request.action, output, result, &request_id);
            respond(200, body, &request_id)
        }
        Err(error) => refused(error, &request_id),
    };
    if answer == AnswerFate::GetsLost {
        response.extensions_mut().insert(LostAnswer);
    }
    let Request { action, parameters } = request;
    let status = response.status().as_u16();
    control_plane.request_log.note(RequestEntry {
        at: now,
        action,
        parameters,
        status,
    });
    response
}

/// Carries a request out in one transaction, and begins the jobs that it leaves.
fn carry_out(
    control_plane: &Arc<ControlPlane>,
    scope: &Scope,
    request: &Request,
    asked: &Asked<'_>,
    course: Course,
) -> Answer {
    let input = input(request)?;
    let (result, jobs) = control_plane.transact_for(Some(asked), |state| {
        let mut context = context(control_plane, scope, state, course);
        let result = dispatch(&mut context, &request.action, &input)?;
        Ok::<_, ApiError>((result, context.jobs))
    })?;
    for job in jobs {
        control_plane.jobs.begin(control_plane, job);
    }
    Ok(result)
}

/// Answers a question from the state as it was.
fn look_back(
    control_plane: &ControlPlane,
    scope: &Scope,
    request: &Request,
    at: jiff::Timestamp,
) -> Answer {
    let input = input(request)?;
    let mut past = control_plane.read(State::clone);
    control_plane.faults.look_back(&mut past, at);
    let course = Course {
        outcome: Outcome::Success,
        begins_at: at,
        answer: AnswerFate::Arrives,
    };
    let mut context = context(control_plane, scope, &mut past, course);
    dispatch(&mut context, &request.action, &input)
}

fn context<'a>(
    control_plane: &'a ControlPlane,
    scope: &'a Scope,
    state: &'a mut State,
    course: Course,
) -> Context<'a> {
    Context {
        state,
        scope,
        now: control_plane.now(),
        catalogue: &control_plane.catalogue,
        pace: control_plane.pace(&scope.region, control_plane.now()),
        seed: control_plane.options.seed,
        paths: &control_plane.paths,
        progress: &control_plane.progress,
        outcome: course.outcome,
        begins_at: course.begins_at,
        jobs: Vec::<Job>::new(),
    }
}

fn input(request: &Request) -> Result<Input, ApiError> {
    match MODEL.operation(&request.action) {
        Some(operation) => Ok(Input(request.input(operation.input)?)),
        None if MODEL.is_unserved(&request.action) => Err(not_implemented(&request.action)),
        None => {
            let message = format!(
                "Could not find operation {} for version 2014-10-31.",
                request.action
            );
            Err(ApiError::new("InvalidAction", message))
        }
    }
}

fn dispatch(context: &mut Context<'_>, action: &str, input: &Input) -> Answer {
    use crate::state::snapshot::SnapshotKind::{Cluster, Instance};
    match action {
        "CreateDBInstance" => instances::create(context, input),
        "DescribeDBInstances" => instances::describe(context, input),
        "ModifyDBInstance" => modify::modify(context, input),
        "DeleteDBInstance" => instances::delete(context, input),
        "RebootDBInstance" => instances::reboot(context, input),
        "StartDBInstance" => instances::start(context, input),
        "StopDBInstance" => instances::stop(context, input),
        "CreateDBInstanceReadReplica" => replicas::create(context, input),
        "PromoteReadReplica" => replicas::promote(context, input),
        "AddRoleToDBInstance" => roles::add(context, input),
        "RemoveRoleFromDBInstance" => roles::remove(context, input),
        "AddRoleToDBCluster" => roles::add_to_cluster(context, input),
        "RemoveRoleFromDBCluster" => roles::remove_from_cluster(context, input),
        "EnableHttpEndpoint" => http_endpoint::set(context, input, true),
        "DisableHttpEndpoint" => http_endpoint::set(context, input, false),
        "CreateGlobalCluster" => global_clusters::create(context, input),
        "DescribeGlobalClusters" => global_clusters::describe(context, input),
        "RemoveFromGlobalCluster" => global_clusters::remove(context, input),
        "DeleteGlobalCluster" => global_clusters::delete(context, input),
        "CreateIntegration" => integrations::create(context, input),
        "DescribeIntegrations" => integrations::describe(context, input),
        "DeleteIntegration" => integrations::delete(context, input),
        "CreateBlueGreenDeployment" => blue_green::create(context, input),
        "DescribeBlueGreenDeployments" => blue_green::describe(context, input),
        "DeleteBlueGreenDeployment" => blue_green::delete(context, input),
        "CreateDBShardGroup" => shard_groups::create(context, input),
        "DescribeDBShardGroups" => shard_groups::describe(context, input),
        "DeleteDBShardGroup" => shard_groups::delete(context, input),
        "CreateDBProxy" => proxies::create(context, input),
        "DescribeDBProxies" => proxies::describe(context, input),
        "DeleteDBProxy" => proxies::delete(context, input),
        "DescribeDBProxyTargetGroups" => proxies::describe_target_groups(context, input),
        "DescribeDBProxyTargets" => proxies::describe_targets(context, input),
        "RegisterDBProxyTargets" => proxies::register(context, input),
        "DeregisterDBProxyTargets" => proxies::deregister(context, input),
        "StartActivityStream" => activity_streams::start(context, input),
        "StopActivityStream" => activity_streams::stop(context, input),
        "ModifyActivityStream" => activity_streams::modify(context, input),
        "StartDBInstanceAutomatedBackupsReplication" => backup_replication::start(context, input),
        "StopDBInstanceAutomatedBackupsReplication" => backup_replication::stop(context, input),
        "RestoreDBInstanceToPointInTime" => point_in_time::restore_instance(context, input),
        "RestoreDBClusterToPointInTime" => point_in_time::restore_cluster(context, input),
        "DescribeDBInstanceAutomatedBackups" => {
            automated_backups::describe_of_instances(context, input)
        }
        "DescribeDBClusterAutomatedBackups" => {
            automated_backups::describe_of_clusters(context, input)
        }
        "RestoreDBInstanceFromDBSnapshot" => restore::restore(context, input),
        "CreateDBSnapshot" => snapshots::create(context, input),
        "DescribeDBSnapshots" => snapshots::describe(context, input, Instance),
        "CopyDBSnapshot" => snapshots::copy(context, input, Instance),
        "DeleteDBSnapshot" => snapshots::delete(context, input, Instance),
        "DescribeDBSnapshotAttributes" => snapshots::describe_attributes(context, input, Instance),
        "ModifyDBSnapshotAttribute" => snapshots::modify_attribute(context, input, Instance),
        "AddTagsToResource" => tags::add(context, input),
        "RemoveTagsFromResource" => tags::remove(context, input),
        "ListTagsForResource" => tags::list(context, input),
        "DescribeEvents" => events::describe(context, input),
        "CreateDBSubnetGroup" => subnet_groups::create(context, input),
        "DescribeDBSubnetGroups" => subnet_groups::describe(context, input),
        "ModifyDBSubnetGroup" => subnet_groups::modify(context, input),
        "DeleteDBSubnetGroup" => subnet_groups::delete(context, input),
        "CreateDBParameterGroup" => parameter_groups::create(context, INSTANCE, input),
        "DescribeDBParameterGroups" => parameter_groups::describe(context, INSTANCE, input),
        "DescribeDBParameters" => parameter_groups::describe_parameters(context, INSTANCE, input),
        "DescribeEngineDefaultParameters" => {
            parameter_groups::describe_defaults(context, INSTANCE, input)
        }
        "ModifyDBParameterGroup" => parameter_groups::modify(context, INSTANCE, input),
        "ResetDBParameterGroup" => parameter_groups::reset(context, INSTANCE, input),
        "DeleteDBParameterGroup" => parameter_groups::delete(context, INSTANCE, input),
        "CreateDBClusterParameterGroup" => parameter_groups::create(context, CLUSTER, input),
        "DescribeDBClusterParameterGroups" => parameter_groups::describe(context, CLUSTER, input),
        "DescribeDBClusterParameters" => {
            parameter_groups::describe_parameters(context, CLUSTER, input)
        }
        "DescribeEngineDefaultClusterParameters" => {
            parameter_groups::describe_defaults(context, CLUSTER, input)
        }
        "ModifyDBClusterParameterGroup" => parameter_groups::modify(context, CLUSTER, input),
        "ResetDBClusterParameterGroup" => parameter_groups::reset(context, CLUSTER, input),
        "DeleteDBClusterParameterGroup" => parameter_groups::delete(context, CLUSTER, input),
        "CreateOptionGroup" => option_groups::create(context, input),
        "DescribeOptionGroups" => option_groups::describe(context, input),
        "ModifyOptionGroup" => option_groups::modify(context, input),
        "DeleteOptionGroup" => option_groups::delete(context, input),
        "DescribeAccountAttributes" => catalogue::account_attributes(context),
        "DescribeDBEngineVersions" => catalogue::engine_versions(context, input),
        "DescribeOrderableDBInstanceOptions" => catalogue::orderable(context, input),
        "DescribeCertificates" => catalogue::certificates(context, input),
        "DescribePendingMaintenanceActions" => catalogue::pending_maintenance(context, input),
        "CreateDBCluster" => clusters::create(context, input),
        "DescribeDBClusters" => clusters::describe(context, input),
        "ModifyDBCluster" => modify_cluster::modify(context, input),
        "DeleteDBCluster" => clusters::delete(context, input),
        "FailoverDBCluster" => clusters::fail_over(context, input),
        "RebootDBCluster" => clusters::reboot(context, input),
        "StartDBCluster" => clusters::start(context, input),
        "StopDBCluster" => clusters::stop(context, input),
        "RestoreDBClusterFromSnapshot" => restore_cluster::restore(context, input),
        "CreateDBClusterEndpoint" => cluster_endpoints::create(context, input),
        "DescribeDBClusterEndpoints" => cluster_endpoints::describe(context, input),
        "ModifyDBClusterEndpoint" => cluster_endpoints::modify(context, input),
        "DeleteDBClusterEndpoint" => cluster_endpoints::delete(context, input),
        "CreateDBClusterSnapshot" => snapshots::create_of_cluster(context, input),
        "DescribeDBClusterSnapshots" => snapshots::describe(context, input, Cluster),
        "CopyDBClusterSnapshot" => snapshots::copy(context, input, Cluster),
        "DeleteDBClusterSnapshot" => snapshots::delete(context, input, Cluster),
        "DescribeDBClusterSnapshotAttributes" => {
            snapshots::describe_attributes(context, input, Cluster)
        }
        "ModifyDBClusterSnapshotAttribute" => snapshots::modify_attribute(context, input, Cluster),
        action => Err(not_implemented(action)),
    }
}

fn not_implemented(action: &str) -> ApiError {
    let message = format!("Local RDS does not implement the action {action}.");
    ApiError::new("NotImplemented", message)
}

/// Who asks.
fn asked_by<T>(request: &HttpRequest<T>) -> &str {
    let agent = request.headers().get(header::USER_AGENT);
    agent.and_then(|agent| agent.to_str().ok()).unwrap_or("")
}

/// The account and region of a request. Any signature will do: local RDS protects nothing.
fn scope<T>(request: &HttpRequest<T>) -> Scope {
    let authorization = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let credential = authorization.and_then(|value| value.split("Credential=").nth(1));
    let region = credential
        .and_then(|value| value.split('/').nth(2))
        .unwrap_or(DEFAULT_REGION);
    Scope {
        account: ACCOUNT.to_owned(),
        region: region.to_owned(),
    }
}

fn request_id(control_plane: &ControlPlane) -> String {
    let number = control_plane.request_log.count();
    random::uuid(control_plane.options.seed, number)
}

fn refused(error: &ApiError, request_id: &str) -> Response<Bytes> {
    respond(error.status(), xml::refusal(error, request_id), request_id)
}

fn respond(status: u16, body: String, request_id: &str) -> Response<Bytes> {
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/xml")
        .header("x-amzn-requestid", request_id)
        .body(Bytes::from(body));
    response.unwrap_or_else(|_| Response::new(Bytes::new()))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not be carried out");
        Self::new("InternalFailure", error.to_string())
    }
}
