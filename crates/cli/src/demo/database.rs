//! The demo's database: created through the API as anybody would, an instance or a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::error::DisplayErrorContext;
use aws_sdk_rds::types::{ApplyMethod, Parameter, Tag};

use super::kind::Waits;
use super::session::{DATABASE, Endpoint, PASSWORD, USER};
use crate::arguments::DemoEngine;
use crate::error::Failure;

/// The name that everything is about.
pub(super) const IDENTIFIER: &str = "orders";
/// The members of the cluster: the writer first, then the readers, with their promotion tiers.
const MEMBERS: [(&str, i32); 3] = [("orders-1", 0), ("orders-2", 1), ("orders-3", 15)];
/// The endpoint of one reader, for long queries.
const CUSTOM_ENDPOINT: &str = "orders-reports";
const GROUP: &str = "orders-settings";
const CLASS: &str = "db.r6g.large";

/// The endpoints of a database by what they are called; the one that clients write to is
/// [`WRITER`].
pub(super) type Endpoints = BTreeMap<String, Endpoint>;

/// The endpoint that clients write to: the instance's, or the cluster's.
pub(super) const WRITER: &str = "endpoint";
/// The cluster's endpoint that spreads clients over the readers.
pub(super) const READER: &str = "reader endpoint";

/// Creates `orders` with settings of its own, and waits until it is available.
pub(super) async fn create(rds: &Client, engine: DemoEngine) -> Result<Endpoints, Failure> {
    let family = family(rds, engine).await?;
    if engine.is_cluster() {
        cluster_parameter_group(rds, engine, &family).await?;
        cluster(rds, engine).await?;
    } else {
        parameter_group(rds, engine, &family).await?;
        instance(rds, engine).await?;
    }
    endpoints(rds, engine).await
}

async fn instance(rds: &Client, engine: DemoEngine) -> Result<(), Failure> {
    let request = rds
        .create_db_instance()
        .db_instance_identifier(IDENTIFIER)
        .engine(engine.name())
        .db_instance_class(CLASS)
        .allocated_storage(100)
        .max_allocated_storage(500)
        .storage_type("gp3")
        .db_name(DATABASE)
        .master_username(USER)
        .master_user_password(PASSWORD)
        .db_parameter_group_name(GROUP)
        .backup_retention_period(14)
        .preferred_backup_window("02:00-02:30")
        .preferred_maintenance_window("sun:03:00-sun:03:30")
        .multi_az(true)
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .enable_iam_database_authentication(true)
        .enable_cloudwatch_logs_exports(engine.log())
        .tags(team());
    api("create the database", request.send()).await?;
    Ok(())
}

async fn cluster(rds: &Client, engine: DemoEngine) -> Result<(), Failure> {
    let request = rds
        .create_db_cluster()
        .db_cluster_identifier(IDENTIFIER)
        .engine(engine.name())
        .database_name(DATABASE)
        .master_username(USER)
        .master_user_password(PASSWORD)
        .db_cluster_parameter_group_name(GROUP)
        .backup_retention_period(14)
        .preferred_backup_window("02:00-02:30")
        .preferred_maintenance_window("sun:03:00-sun:03:30")
        .deletion_protection(true)
        .copy_tags_to_snapshot(true)
        .enable_iam_database_authentication(true)
        .enable_cloudwatch_logs_exports(engine.log())
        .tags(team());
    api("create the cluster", request.send()).await?;
    cluster_available(rds).await?;
    for (member, tier) in MEMBERS {
        let request = rds
            .create_db_instance()
            .db_instance_identifier(member)
            .db_cluster_identifier(IDENTIFIER)
            .engine(engine.name())
            .db_instance_class(CLASS)
            .promotion_tier(tier)
            .tags(team());
        api("create a member", request.send()).await?;
        instance_available(rds, member).await?;
    }
    let (last_reader, _) = MEMBERS[2];
    let request = rds
        .create_db_cluster_endpoint()
        .db_cluster_identifier(IDENTIFIER)
        .db_cluster_endpoint_identifier(CUSTOM_ENDPOINT)
        .endpoint_type("READER")
        .static_members(last_reader);
    api("create a custom endpoint", request.send()).await?;
    Ok(())
}

fn team() -> Tag {
    Tag::builder().key("team").value("shop").build()
}

/// The parameter group family of the engine's default version.
async fn family(rds: &Client, engine: DemoEngine) -> Result<String, Failure> {
    let request = rds
        .describe_db_engine_versions()
        .engine(engine.name())
        .default_only(true);
    let versions = api("ask for engine versions", request.send()).await?;
    let version = versions.db_engine_versions().first();
    version
        .and_then(|version| version.db_parameter_group_family())
        .map(str::to_owned)
        .ok_or_else(|| Failure::failed(format!("local RDS knows no version of {}", engine.name())))
}

async fn parameter_group(rds: &Client, engine: DemoEngine, family: &str) -> Result<(), Failure> {
    let request = rds
        .create_db_parameter_group()
        .db_parameter_group_name(GROUP)
        .db_parameter_group_family(family)
        .description("what the shop's database needs");
    api("create a parameter group", request.send()).await?;
    let request = rds
        .modify_db_parameter_group()
        .db_parameter_group_name(GROUP)
        .set_parameters(Some(parameters(engine)));
    api("set parameters", request.send()).await?;
    Ok(())
}

async fn cluster_parameter_group(
    rds: &Client,
    engine: DemoEngine,
    family: &str,
) -> Result<(), Failure> {
    let request = rds
        .create_db_cluster_parameter_group()
        .db_cluster_parameter_group_name(GROUP)
        .db_parameter_group_family(family)
        .description("what the shop's cluster needs");
    api("create a cluster parameter group", request.send()).await?;
    let request = rds
        .modify_db_cluster_parameter_group()
        .db_cluster_parameter_group_name(GROUP)
        .set_parameters(Some(parameters(engine)));
    api("set parameters", request.send()).await?;
    Ok(())
}

fn parameters(engine: DemoEngine) -> Vec<Parameter> {
    let parameter = |(name, value, waits)| {
        let method = match waits {
            Waits::No => ApplyMethod::Immediate,
            Waits::ForReboot => ApplyMethod::PendingReboot,
        };
        Parameter::builder()
            .parameter_name(name)
            .parameter_value(value)
            .apply_method(method)
            .build()
    };
    engine.parameters().into_iter().map(parameter).collect()
}

/// Where the database answers now.
pub(super) async fn endpoints(rds: &Client, engine: DemoEngine) -> Result<Endpoints, Failure> {
    let mut endpoints = Endpoints::new();
    if !engine.is_cluster() {
        endpoints.insert(
            WRITER.to_owned(),
            instance_available(rds, IDENTIFIER).await?,
        );
        return Ok(endpoints);
    }
    let cluster = cluster_available(rds).await?;
    let port = cluster.port();
    endpoints.insert(WRITER.to_owned(), endpoint(cluster.endpoint(), port)?);
    endpoints.insert(
        READER.to_owned(),
        endpoint(cluster.reader_endpoint(), port)?,
    );
    for (member, _) in MEMBERS {
        endpoints.insert(member.to_owned(), instance_available(rds, member).await?);
    }
    endpoints.insert(
        CUSTOM_ENDPOINT.to_owned(),
        custom_available(rds, port).await?,
    );
    Ok(endpoints)
}

/// Waits for `available`; how long is local RDS's business.
async fn instance_available(rds: &Client, identifier: &str) -> Result<Endpoint, Failure> {
    loop {
        let request = rds
            .describe_db_instances()
            .db_instance_identifier(identifier);
        let answer = api("look at the database", request.send()).await?;
        let instance = answer.db_instances().first();
        let status = instance.and_then(|instance| instance.db_instance_status());
        let found = instance.and_then(|instance| instance.endpoint());
        if let (true, Some(found)) = (is_available(identifier, status)?, found) {
            return endpoint(found.address(), found.port());
        }
        pause().await;
    }
}

async fn cluster_available(rds: &Client) -> Result<aws_sdk_rds::types::DbCluster, Failure> {
    loop {
        let request = rds.describe_db_clusters().db_cluster_identifier(IDENTIFIER);
        let answer = api("look at the cluster", request.send()).await?;
        let cluster = answer.db_clusters().first();
        let status = cluster.and_then(|cluster| cluster.status());
        if let (true, Some(cluster)) = (is_available(IDENTIFIER, status)?, cluster) {
            return Ok(cluster.clone());
        }
        pause().await;
    }
}

async fn custom_available(rds: &Client, port: Option<i32>) -> Result<Endpoint, Failure> {
    loop {
        let request = rds
            .describe_db_cluster_endpoints()
            .db_cluster_endpoint_identifier(CUSTOM_ENDPOINT);
        let answer = api("look at the custom endpoint", request.send()).await?;
        let found = answer.db_cluster_endpoints().first();
        if let Some(found) = found.filter(|found| found.status() == Some("available")) {
            return endpoint(found.endpoint(), port);
        }
        pause().await;
    }
}

fn is_available(name: &str, status: Option<&str>) -> Result<bool, Failure> {
    match status {
        Some("failed") => Err(Failure::failed(format!("{name} could not be created"))),
        status => Ok(status == Some("available")),
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn endpoint(address: Option<&str>, port: Option<i32>) -> Result<Endpoint, Failure> {
    let number = port.and_then(|port| u16::try_from(port).ok());
    match (address, number) {
        (Some(address), Some(port)) => Ok(Endpoint {
            address: address.to_owned(),
            port,
        }),
        (address, _) => Err(Failure::failed(format!(
            "the endpoint is incomplete: {address:?}, port {port:?}"
        ))),
    }
}

/// What a call answers, or what could not be done and why.
async fn api<T, E, F>(doing: &str, call: F) -> Result<T, Failure>
where
    E: std::error::Error,
    F: Future<Output = Result<T, E>>,
{
    call.await.map_err(|error| {
        Failure::failed(format!("cannot {doing}: {}", DisplayErrorContext(&error)))
    })
}
