//! The endpoints of clusters: the two that each has, and custom ones.

use serde_json::{Map, Value, json};

use super::clusters::must_be_available;
use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::clusters::members::{custom_endpoint, reader_endpoint, writer_endpoint};
use crate::names;
use crate::random;
use crate::state::Tags;
use crate::state::cluster::Cluster;
use crate::state::custom_endpoint::{Clients, CustomEndpoint, DELETED, Members};
use crate::state::instance::Naming;

/// `DBClusterEndpointQuotaExceededFault` beyond.
const ENDPOINTS_MAX: usize = 5;

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = context
        .cluster(input.required("DBClusterIdentifier")?)?
        .clone();
    must_be_available(&cluster)?;
    if cluster.is_multi_az() {
        return Err(ApiError::combination(
            "Custom endpoints are for Aurora DB clusters only.",
        ));
    }
    let parameter = "DBClusterEndpointIdentifier";
    let identifier = names::parse(
        parameter,
        input.required(parameter)?,
        names::INSTANCE_LENGTH_MAX,
    )?;
    let key = context.scope.key(&identifier);
    let endpoints = &context.state.custom_endpoints;
    if endpoints
        .get(&key)
        .is_some_and(|one| one.exists(context.now))
    {
        let message = format!("DB cluster endpoint already exists: {identifier}");
        return Err(ApiError::new(
            "DBClusterEndpointAlreadyExistsFault",
            message,
        ));
    }
    let of_cluster = context
        .state
        .custom_endpoints_of(&cluster.resource_id, context.now);
    if of_cluster.count() >= ENDPOINTS_MAX {
        let message =
            format!("A DB cluster can't have more than {ENDPOINTS_MAX} custom endpoints.");
        return Err(ApiError::new(
            "DBClusterEndpointQuotaExceededFault",
            message,
        ));
    }
    let tags = Tags::from_request(input.list("Tags"));
    super::tags::check(&tags)?;
    let clients = clients(input.required("EndpointType")?)?;
    let members = members(context, &cluster, input)?.unwrap_or(Members::AllBut(Vec::new()));
    context.assign_address(&custom_endpoint(&identifier));
    let endpoint = CustomEndpoint {
        resource_id: random::resource_id(context.state, context.seed, "cluster-endpoint"),
        scope: context.scope.clone(),
        identifier,
        cluster: cluster.resource_id,
        clients,
        members,
        status: context.settling("creating", "available"),
        tags,
    };
    put(context, endpoint)
}

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut endpoint = find(context, input)?.clone();
    let cluster = context.state.clusters.get(&endpoint.cluster).cloned();
    let cluster = cluster.ok_or_else(|| not_found(&endpoint.identifier))?;
    if let Some(kind) = input.text("EndpointType") {
        endpoint.clients = clients(kind)?;
    }
    if let Some(members) = members(context, &cluster, input)? {
        endpoint.members = members;
    }
    endpoint.status = context.settling("modifying", "available");
    put(context, endpoint)
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut endpoint = find(context, input)?.clone();
    endpoint.status = context.settling("deleting", DELETED);
    let mut shown = describe_custom(context, &endpoint).unwrap_or_default();
    shown.insert("Status".to_owned(), json!("deleting"));
    put(context, endpoint)?;
    Ok(shown)
}

const FILTERS: [&str; 4] = [
    "db-cluster-endpoint-type",
    "db-cluster-endpoint-custom-type",
    "db-cluster-endpoint-id",
    "db-cluster-endpoint-status",
];

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let cluster = match input.text("DBClusterIdentifier") {
        Some(name) => Some(context.cluster(name)?.resource_id.clone()),
        None => None,
    };
    let state = &context.state;
    let clusters = state.clusters.values().filter(|one| {
        let is_asked = cluster
            .as_ref()
            .is_none_or(|asked| one.resource_id == *asked);
        is_asked && one.scope == *context.scope && one.naming == Naming::Named
    });
    let mut records: Vec<(String, Value)> = Vec::new();
    for cluster in clusters {
        for (kind, name) in [
            ("WRITER", writer_endpoint(&cluster.identifier)),
            ("READER", reader_endpoint(&cluster.identifier)),
        ] {
            let address = state.addresses.get(&cluster.scope.key(&name));
            let shown = json!({
                "DBClusterIdentifier": cluster.identifier,
                "Endpoint": address.map(|address| address.0.to_string()),
                "Status": "available",
                "EndpointType": kind,
            });
            records.push((name, shown));
        }
        let custom = state.custom_endpoints_of(&cluster.resource_id, context.now);
        records.extend(custom.filter_map(|endpoint| {
            let shown = describe_custom(context, endpoint)?;
            Some((custom_endpoint(&endpoint.identifier), Value::from(shown)))
        }));
    }
    if let Some(name) = input.text("DBClusterEndpointIdentifier") {
        let key = custom_endpoint(&names::referred(name));
        records.retain(|(name, _)| *name == key);
    }
    let has = |(_, shown): &(String, Value), filter: &str, value: &str| {
        let (member, value) = match filter {
            "db-cluster-endpoint-type" => ("EndpointType", value.to_ascii_uppercase()),
            "db-cluster-endpoint-custom-type" => ("CustomEndpointType", value.to_ascii_uppercase()),
            "db-cluster-endpoint-id" => ("DBClusterEndpointIdentifier", value.to_owned()),
            _ => ("Status", value.to_owned()),
        };
        shown[member] == value
    };
    let mut found = paging::filtered(input, records, &FILTERS, has)?;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    paging::page(input, "DBClusterEndpoints", found)
}

/// The endpoint that a request means, when nothing is being done to it.
fn find<'c>(context: &'c Context<'_>, input: &Input) -> Result<&'c CustomEndpoint, ApiError> {
    let identifier = names::referred(input.required("DBClusterEndpointIdentifier")?);
    let endpoints = &context.state.custom_endpoints;
    let found = endpoints.get(&context.scope.key(&identifier));
    let endpoint = found
        .filter(|endpoint| endpoint.exists(context.now))
        .ok_or_else(|| not_found(&identifier))?;
    match endpoint.status.status(context.now) {
        "available" => Ok(endpoint),
        status => Err(ApiError::new(
            "InvalidDBClusterEndpointStateFault",
            format!("The DB cluster endpoint {identifier} is {status}."),
        )),
    }
}

fn not_found(identifier: &str) -> ApiError {
    ApiError::new(
        "DBClusterEndpointNotFoundFault",
        format!("DB cluster endpoint {identifier} not found."),
    )
}

fn clients(kind: &str) -> Result<Clients, ApiError> {
    match kind {
        "READER" => Ok(Clients::Reader),
        "ANY" => Ok(Clients::Any),
        other => Err(ApiError::value(format!(
            "Invalid value {other} for EndpointType: must be READER or ANY."
        ))),
    }
}

/// The members that a request names, if it names any.
fn members(
    context: &Context<'_>,
    cluster: &Cluster,
    input: &Input,
) -> Result<Option<Members>, ApiError> {
    let resource_ids = |member: &str| {
        let names = input.texts(member).into_iter();
        names
            .map(|name| {
                let found = context.instance(&name)?;
                let is_member = context.state.cluster_of(found).map(|one| &one.resource_id)
                    == Some(&cluster.resource_id);
                is_member.then(|| found.resource_id.clone()).ok_or_else(|| {
                    let message = format!("DBInstance {name} is no member of the DB cluster.");
                    ApiError::instance_state(message)
                })
            })
            .collect::<Result<Vec<_>, _>>()
    };
    let (included, excluded) = (
        resource_ids("StaticMembers")?,
        resource_ids("ExcludedMembers")?,
    );
    match (included.is_empty(), excluded.is_empty()) {
        (false, false) => Err(ApiError::combination(
            "You can't specify both StaticMembers and ExcludedMembers.",
        )),
        (false, true) => Ok(Some(Members::Static(included))),
        (true, false) => Ok(Some(Members::AllBut(excluded))),
        (true, true) => Ok(None),
    }
}

/// Stores an endpoint, and forgets those that have gone meanwhile.
fn put(context: &mut Context<'_>, endpoint: CustomEndpoint) -> Answer {
    let stored = context.state.custom_endpoints.iter();
    let gone = stored.filter(|(_, one)| !one.exists(context.now));
    let gone: Vec<String> = gone.map(|(key, _)| key.to_owned()).collect();
    for key in gone {
        context.state.custom_endpoints.remove(&key);
    }
    let shown = describe_custom(context, &endpoint).unwrap_or_default();
    let key = context.scope.key(&endpoint.identifier);
    context.state.custom_endpoints.insert(key, endpoint);
    Ok(shown)
}

/// A custom endpoint in the shape of `DBClusterEndpoint`, with the names that its members have now.
fn describe_custom(context: &Context<'_>, endpoint: &CustomEndpoint) -> Option<Map<String, Value>> {
    let state = &context.state;
    let cluster = state.clusters.get(&endpoint.cluster)?;
    let address = state
        .addresses
        .get(&endpoint.scope.key(&custom_endpoint(&endpoint.identifier)))?;
    let names = |members: &[String]| -> Value {
        let instances = members
            .iter()
            .filter_map(|member| state.instances.get(member));
        instances.map(|member| json!(member.identifier)).collect()
    };
    let (included, excluded) = match &endpoint.members {
        Members::Static(members) => (names(members), json!([])),
        Members::AllBut(members) => (json!([]), names(members)),
    };
    let clients = match endpoint.clients {
        Clients::Reader => "READER",
        Clients::Any => "ANY",
    };
    let Value::Object(shown) = json!({
        "DBClusterEndpointIdentifier": endpoint.identifier,
        "DBClusterIdentifier": cluster.identifier,
        "DBClusterEndpointResourceIdentifier": endpoint.resource_id,
        "Endpoint": address.0.to_string(),
        "Status": endpoint.status.status(context.now),
        "EndpointType": "CUSTOM",
        "CustomEndpointType": clients,
        "StaticMembers": included,
        "ExcludedMembers": excluded,
        "DBClusterEndpointArn": endpoint.arn(),
    }) else {
        return None;
    };
    Some(shown)
}
