//! What the tests share: a control plane in memory, and the few steps that all of them take.

use std::fmt::Debug;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::{BehaviorVersion, Region};
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::types::{DbCluster, DbInstance};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};
use trapheus_local::{ControlPlane, Durations, Engines, Options, SimulatedServers, connector};

/// Virtual, so that it costs nothing; an instance of AWS's pace takes hundreds of them.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// A control plane in memory that doesn't wait, and a client of it.
pub(crate) async fn local() -> (Arc<ControlPlane>, Client) {
    open(options()).await
}

/// A control plane in memory that takes as long as AWS, in tokio's time.
pub(crate) async fn local_with_aws_durations() -> (Arc<ControlPlane>, Client) {
    open(Options {
        durations: Durations::Aws,
        ..options()
    })
    .await
}

/// Options for a control plane in memory whose clock is tokio's.
pub(crate) fn options() -> Options {
    let (start, begun) = (
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        Instant::now(),
    );
    let clock = Arc::new(move || start + SignedDuration::try_from(begun.elapsed()).unwrap());
    Options {
        clock,
        ..Options::simulated(1)
    }
}

/// Opens a control plane, and a client of it.
pub(crate) async fn open(options: Options) -> (Arc<ControlPlane>, Client) {
    let plane = ControlPlane::open(options).await.unwrap();
    let client = in_region(&plane, "eu-west-1");
    (plane, client)
}

/// A client of a control plane in a Region.
pub(crate) fn in_region(plane: &Arc<ControlPlane>, region: &'static str) -> Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(connector(Arc::clone(plane)));
    Client::from_conf(config.build())
}

/// Makes a small PostgreSQL instance and waits for it.
pub(crate) async fn create(rds: &Client, identifier: &str) {
    let create = rds
        .create_db_instance()
        .db_instance_identifier(identifier)
        .engine("postgres");
    let create = create
        .db_instance_class("db.t3.micro")
        .allocated_storage(20);
    create
        .master_username("app")
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    available(rds, identifier).await;
}

/// Takes a snapshot and waits for it.
pub(crate) async fn snapshot(rds: &Client, of: &str, identifier: &str) {
    let create = rds
        .create_db_snapshot()
        .db_instance_identifier(of)
        .db_snapshot_identifier(identifier);
    create.send().await.unwrap();
    available(rds, of).await;
}

/// Makes an Aurora PostgreSQL cluster without members and waits for it.
pub(crate) async fn create_cluster(rds: &Client, identifier: &str) {
    let create = rds
        .create_db_cluster()
        .db_cluster_identifier(identifier)
        .engine("aurora-postgresql")
        .master_username("app")
        .master_user_password("secret-1234");
    create.send().await.unwrap();
    cluster_available(rds, identifier).await;
}

/// Makes a member of an Aurora cluster and waits for it.
pub(crate) async fn create_member(rds: &Client, cluster: &str, identifier: &str) {
    let create = rds
        .create_db_instance()
        .db_instance_identifier(identifier)
        .db_cluster_identifier(cluster)
        .db_instance_class("db.r6g.large")
        .engine("aurora-postgresql");
    create.send().await.unwrap();
    available(rds, identifier).await;
}

/// Waits until the cluster is available.
pub(crate) async fn cluster_available(rds: &Client, identifier: &str) -> DbCluster {
    for _ in 0..10_000 {
        let found = rds
            .describe_db_clusters()
            .db_cluster_identifier(identifier)
            .send()
            .await;
        match found
            .ok()
            .and_then(|found| found.db_clusters().first().cloned())
        {
            Some(cluster) if cluster.status() == Some("available") => return cluster,
            _ => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
    panic!("{identifier} never becomes available");
}

/// Waits until the instance is available.
pub(crate) async fn available(rds: &Client, identifier: &str) -> DbInstance {
    for _ in 0..10_000 {
        let found = rds
            .describe_db_instances()
            .db_instance_identifier(identifier)
            .send()
            .await;
        match found
            .ok()
            .and_then(|found| found.db_instances().first().cloned())
        {
            Some(instance) if instance.db_instance_status() == Some("available") => {
                return instance;
            }
            _ => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
    panic!("{identifier} never becomes available");
}

/// The code of the error that is expected.
pub(crate) fn code<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, SdkError<E, R>>,
) -> String {
    result.unwrap_err().code().unwrap_or("no code").to_owned()
}

/// One process after another on the same state and servers.
pub(crate) struct Processes {
    options: Options,
    pub(crate) servers: SimulatedServers,
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) rds: Client,
    crash_after: Duration,
}

impl Processes {
    pub(crate) async fn start(crash_after: Duration) -> Self {
        let options = Options {
            durations: Durations::Aws,
            ..options()
        };
        let servers = match &options.engines {
            Engines::Simulated(servers) => servers.clone(),
            Engines::Real(_) => unreachable!("these options are simulated"),
        };
        let (plane, rds) = open(options.clone()).await;
        Self {
            options,
            servers,
            plane,
            rds,
            crash_after,
        }
    }

    /// Lets what was begun go on for a while, and then kills the process and starts another one.
    pub(crate) async fn crash(&mut self) {
        tokio::time::sleep(self.crash_after).await;
        self.plane.halt().await;
        (self.plane, self.rds) = open(self.options.clone()).await;
    }
}
