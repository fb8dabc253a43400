//! RDS proxies and their targets.
//!
//! A target is registered by the name of a database, and stays with that database: after a rename the proxy no longer
//! reaches it, and whoever has the name now isn't its target. RDS doesn't say what happens; this is the cautious reading.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{paging, tags};
use crate::catalogue::{Product, System};
use crate::names;
use crate::random;
use crate::serving;
use crate::state::proxy::{EngineFamily, Proxy, ProxyTarget, TargetKind};
use crate::state::{Tags, arn};
use crate::subnets;

/// The name of the one target group.
const TARGET_GROUP: &str = "default";

/// Members of `CreateDBProxy` that are shown as they were given, and what they are otherwise.
fn settings(input: &Input) -> Map<String, Value> {
    let or = |member: &str, default: Value| {
        let value = input.get(member).cloned().unwrap_or(default);
        (member.to_owned(), value)
    };
    Map::from_iter([
        or("RoleArn", Value::Null),
        or("VpcSubnetIds", json!([])),
        or(
            "VpcSecurityGroupIds",
            json!([subnets::DEFAULT_SECURITY_GROUP]),
        ),
        or("Auth", json!([])),
        or("DefaultAuthScheme", json!("NONE")),
        or("RequireTLS", json!(false)),
        or("IdleClientTimeout", json!(1800)),
        or("DebugLogging", json!(false)),
        or("EndpointNetworkType", json!("IPV4")),
        or("TargetConnectionNetworkType", json!("IPV4")),
    ])
}

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = input.required("DBProxyName")?;
    let name = names::parse("DBProxyName", name, names::INSTANCE_LENGTH_MAX)?;
    let family = input.required("EngineFamily")?;
    let engine_family = EngineFamily::ALL
        .into_iter()
        .find(|known| known.as_str() == family)
        .ok_or_else(|| ApiError::value(format!("Invalid engine family: {family}")))?;
    let new_tags = Tags::from_request(input.list("Tags"));
    tags::check(&new_tags)?;
    let number = random::draw(context.state, context.seed);
    let proxy = Proxy {
        scope: context.scope.clone(),
        name,
        id: format!("prx-{number:016x}"),
        engine_family,
        settings: settings(input),
        created_at: context.now,
        status: context.settling("creating", "available"),
        targets: Vec::new(),
        tags: new_tags,
    };
    if context.state.proxies.get(&proxy.key()).is_some() {
        let message = format!("DB proxy already exists: {}", proxy.name);
        return Err(ApiError::new("DBProxyAlreadyExistsFault", message));
    }
    context.assign_address(&Proxy::host(&proxy.name));
    let answer = result(context, &proxy);
    context.state.proxies.insert(proxy.key(), proxy);
    Ok(answer)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let proxies: Vec<Proxy> = match input.text("DBProxyName") {
        Some(name) => vec![find(context, name)?],
        None => {
            let proxies = context.state.proxies.values();
            let here = proxies.filter(|proxy| proxy.scope == *context.scope);
            here.cloned().collect()
        }
    };
    let records = proxies
        .iter()
        .map(|proxy| (proxy.name.clone(), shown(context, proxy)));
    paging::page(input, "DBProxies", records.collect())
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let proxy = find(context, input.required("DBProxyName")?)?;
    context.state.proxies.remove(&proxy.key());
    Ok(result(context, &proxy))
}

pub(super) fn describe_target_groups(context: &mut Context<'_>, input: &Input) -> Answer {
    let proxy = find_with_group(context, input)?;
    let group = json!({
        "DBProxyName": proxy.name,
        "TargetGroupName": TARGET_GROUP,
        "TargetGroupArn": arn(&proxy.scope, "target-group", &proxy.id.replace("prx-", "prx-tg-")),
        "IsDefault": true,
        "Status": proxy.status.status(context.now),
        "ConnectionPoolConfig": {
            "MaxConnectionsPercent": 100,
            "MaxIdleConnectionsPercent": 50,
            "ConnectionBorrowTimeout": 120,
        },
        "CreatedDate": proxy.created_at.to_string(),
        "UpdatedDate": proxy.created_at.to_string(),
    });
    paging::page(
        input,
        "TargetGroups",
        vec![(TARGET_GROUP.to_owned(), group)],
    )
}

pub(super) fn describe_targets(context: &mut Context<'_>, input: &Input) -> Answer {
    let proxy = find_with_group(context, input)?;
    let targets = proxy.targets.iter();
    let shown = targets.flat_map(|target| shown_targets(context, target));
    paging::page(input, "Targets", shown.collect())
}

pub(super) fn register(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut proxy = find_with_group(context, input)?;
    let new = new_targets(context, &proxy, input)?;
    if new.is_empty() {
        return Err(ApiError::combination(
            "Specify the database to register in DBInstanceIdentifiers or DBClusterIdentifiers.",
        ));
    }
    if let Some(target) = proxy.targets.first() {
        return Err(ApiError::new(
            "DBProxyTargetAlreadyRegisteredFault",
            format!(
                "The proxy {} has the target {} already.",
                proxy.name, target.identifier
            ),
        ));
    }
    let shown = new.iter().flat_map(|target| shown_targets(context, target));
    let shown: Vec<Value> = shown.map(|(_, target)| target).collect();
    proxy.targets = new;
    context.state.proxies.insert(proxy.key(), proxy);
    Ok(Map::from_iter([(
        "DBProxyTargets".to_owned(),
        json!(shown),
    )]))
}

pub(super) fn deregister(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut proxy = find_with_group(context, input)?;
    for (kind, name) in asked_targets(input) {
        let count = proxy.targets.len();
        proxy
            .targets
            .retain(|target| (target.kind, &target.identifier) != (kind, &name));
        if proxy.targets.len() == count {
            let message = format!("{name} is no target of the proxy {}.", proxy.name);
            return Err(ApiError::new("DBProxyTargetNotFoundFault", message));
        }
    }
    context.state.proxies.insert(proxy.key(), proxy);
    Ok(Map::new())
}

fn find(context: &Context<'_>, name: &str) -> Result<Proxy, ApiError> {
    let name = name.to_ascii_lowercase();
    let proxy = context.state.proxies.get(&context.scope.key(&name));
    proxy.cloned().ok_or_else(|| {
        let message = format!("DB proxy {name} not found.");
        ApiError::new("DBProxyNotFoundFault", message)
    })
}

/// The proxy whose target group is asked for, without the targets that were deleted.
fn find_with_group(context: &Context<'_>, input: &Input) -> Result<Proxy, ApiError> {
    let mut proxy = find(context, input.required("DBProxyName")?)?;
    proxy
        .targets
        .retain(|target| database(context, target).is_some());
    match input.text("TargetGroupName") {
        None | Some(TARGET_GROUP) => Ok(proxy),
        Some(name) => Err(ApiError::new(
            "DBProxyTargetGroupNotFoundFault",
            format!("Target group {name} not found."),
        )),
    }
}

/// The databases that a request names.
fn asked_targets(input: &Input) -> Vec<(TargetKind, String)> {
    let of = |kind, member| {
        let names = input.texts(member).into_iter();
        names.map(move |name| (kind, names::referred(&name)))
    };
    of(TargetKind::Instance, "DBInstanceIdentifiers")
        .chain(of(TargetKind::Cluster, "DBClusterIdentifiers"))
        .collect()
}

fn new_targets(
    context: &Context<'_>,
    proxy: &Proxy,
    input: &Input,
) -> Result<Vec<ProxyTarget>, ApiError> {
    let mut new = Vec::new();
    for (kind, identifier) in asked_targets(input) {
        let (resource_id, engine) = match kind {
            TargetKind::Instance => {
                let instance = context.instance(&identifier)?;
                (instance.resource_id.clone(), instance.engine())
            }
            TargetKind::Cluster => {
                let cluster = context.cluster(&identifier)?;
                (cluster.resource_id.clone(), cluster.engine())
            }
        };
        let product = context.product(engine)?;
        if family_of(product) != Some(proxy.engine_family) {
            return Err(ApiError::combination(format!(
                "The proxy {} is for {}, not for {engine}.",
                proxy.name,
                proxy.engine_family.as_str()
            )));
        }
        new.push(ProxyTarget {
            kind,
            identifier,
            resource_id,
            health: context.settling("REGISTERING", "AVAILABLE"),
        });
    }
    Ok(new)
}

fn family_of(product: &Product) -> Option<EngineFamily> {
    match product.system {
        System::Postgres => Some(EngineFamily::PostgreSql),
        System::MySql | System::MariaDb => Some(EngineFamily::MySql),
        System::SqlServer => Some(EngineFamily::SqlServer),
        System::Oracle | System::Db2 => None,
    }
}

/// The database of a target: its ARN and its port. It's gone when it was deleted.
fn database(context: &Context<'_>, target: &ProxyTarget) -> Option<(String, Option<i64>)> {
    let state = &context.state;
    match target.kind {
        TargetKind::Instance => {
            let instance = state.instances.get(&target.resource_id)?;
            Some((instance.arn(), instance.number("Port")))
        }
        TargetKind::Cluster => {
            let cluster = state.clusters.get(&target.resource_id)?;
            Some((cluster.arn(), cluster.number("Port")))
        }
    }
}

/// A target as `DescribeDBProxyTargets` shows it. With a cluster its members are shown, too.
fn shown_targets(context: &Context<'_>, target: &ProxyTarget) -> Vec<(String, Value)> {
    let Some((arn, port)) = database(context, target) else {
        return Vec::new();
    };
    let health = match serving::behind_proxy(context.state, target).is_none() {
        true => json!({
            "State": "UNAVAILABLE",
            "Reason": "UNREACHABLE",
            "Description": format!("{} doesn't answer.", target.identifier),
        }),
        false => json!({"State": target.health.status(context.now)}),
    };
    let mut shown = json!({
        "TargetArn": arn,
        "RdsResourceId": target.identifier,
        "Port": port,
        "Type": "RDS_INSTANCE",
        "Role": "READ_WRITE",
        "TargetHealth": health,
    });
    let mut all = Vec::new();
    if target.kind == TargetKind::Cluster {
        shown["Type"] = json!("TRACKED_CLUSTER");
        let cluster = context.state.clusters.get(&target.resource_id);
        for member in context.state.members_of(&target.resource_id) {
            let is_writer =
                cluster.and_then(|cluster| cluster.writer.as_ref()) == Some(&member.resource_id);
            let mut of_member = shown.clone();
            of_member["Type"] = json!("RDS_INSTANCE");
            of_member["TargetArn"] = json!(member.arn());
            of_member["RdsResourceId"] = json!(member.identifier);
            of_member["TrackedClusterId"] = json!(target.identifier);
            of_member["Role"] = json!(if is_writer { "READ_WRITE" } else { "READ_ONLY" });
            all.push((member.identifier.clone(), of_member));
        }
    }
    all.insert(0, (target.identifier.clone(), shown));
    all
}

fn result(context: &Context<'_>, proxy: &Proxy) -> Map<String, Value> {
    Map::from_iter([("DBProxy".to_owned(), shown(context, proxy))])
}

fn shown(context: &Context<'_>, proxy: &Proxy) -> Value {
    let host = proxy.scope.key(&Proxy::host(&proxy.name));
    let address = context.state.addresses.get(&host);
    let mut shown = proxy.settings.clone();
    let own = json!({
        "DBProxyName": proxy.name,
        "DBProxyArn": proxy.arn(),
        "Status": proxy.status.status(context.now),
        "EngineFamily": proxy.engine_family.as_str(),
        "VpcId": subnets::VPC_ID,
        "Endpoint": address.map(|address| address.0.to_string()),
        "CreatedDate": proxy.created_at.to_string(),
        "UpdatedDate": proxy.created_at.to_string(),
    });
    shown.extend(own.as_object().cloned().unwrap_or_default());
    Value::from(shown)
}
