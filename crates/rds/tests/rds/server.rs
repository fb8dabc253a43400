//! A scripted RDS behind the SDK's HTTP connector: it notes every request with the time it came
//! and answers what the test's closure says, also late, broken or never. No sockets, so it works
//! on tokio's paused clock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_rds::config::http::{HttpRequest, HttpResponse};
use aws_sdk_rds::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_rds::error::ConnectorError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::body::SdkBody;
use tokio::time::Instant;
use trapheus_rds::{Identified, Kind, Limits, Rds};

/// One request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Since the server was made.
    pub(crate) at: Duration,
    /// The Region that it was signed for.
    pub(crate) region: String,
    pub(crate) action: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Request {
    /// Returns a parameter, empty when absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Returns the members of a list, given what stands before their numbers.
    pub(crate) fn list(&self, prefix: &str) -> Vec<&str> {
        let members = self
            .parameters
            .iter()
            .filter(|(name, _)| name.starts_with(prefix));
        members.map(|(_, value)| value.as_str()).collect()
    }
}

/// What the server does about a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Xml(u16, String),
    Html(u16),
    After(Duration, Box<Reply>),
    Never,
    Disconnect,
}

impl Reply {
    /// Answers with the result of an operation.
    pub(crate) fn result(action: &str, result: impl fmt::Display) -> Self {
        let body = format!(
            "<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
        );
        Self::Xml(200, body)
    }

    /// Answers with an error as RDS does.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let error = format!("<Code>{code}</Code><Message>because of {code}</Message>");
        Self::Xml(
            status,
            format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"),
        )
    }

    /// Answers DescribeDBInstances.
    pub(crate) fn instances(instances: &[String]) -> Self {
        let list = format!("<DBInstances>{}</DBInstances>", instances.concat());
        Self::result("DescribeDBInstances", list)
    }

    /// Answers DescribeDBClusters.
    pub(crate) fn clusters(clusters: &[String]) -> Self {
        let list = format!("<DBClusters>{}</DBClusters>", clusters.concat());
        Self::result("DescribeDBClusters", list)
    }

    /// Answers after a while.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server.
#[derive(Clone)]
pub(crate) struct Server {
    script: Arc<Script>,
    log: Arc<Mutex<Vec<Request>>>,
    started: Instant,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    pub(crate) fn new(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            log: Arc::default(),
            started: Instant::now(),
        }
    }

    /// Opens a door to the server.
    pub(crate) fn door(&self, limits: Limits) -> Rds {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url("http://rds.test")
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Rds::new(aws_sdk_rds::Client::from_conf(config), limits)
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// Returns the requests so far, by name.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.action)
            .collect()
    }

    /// Returns the last request.
    pub(crate) fn last(&self) -> Request {
        self.requests().pop().expect("there was a request")
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request
            .body()
            .bytes()
            .expect("the SDK sends forms from memory");
        // Credential=<key>/<date>/<Region>/rds/aws4_request
        let signature = request.headers().get("authorization").unwrap_or_default();
        let region = signature.split('/').nth(2).unwrap_or_default().to_owned();
        let mut parameters: BTreeMap<String, String> =
            form_urlencoded::parse(body).into_owned().collect();
        let action = parameters
            .remove("Action")
            .expect("every form names its action");
        parameters.remove("Version");
        let request = Request {
            at: self.started.elapsed(),
            region,
            action,
            parameters,
        };
        self.log.lock().unwrap().push(request.clone());
        let reply = (self.script)(&request);
        HttpConnectorFuture::new(give(reply))
    }
}

async fn give(mut reply: Reply) -> Result<HttpResponse, ConnectorError> {
    loop {
        let (status, kind, body) = match reply {
            Reply::After(delay, then) => {
                tokio::time::sleep(delay).await;
                reply = *then;
                continue;
            }
            Reply::Never => std::future::pending().await,
            Reply::Disconnect => return Err(ConnectorError::io("connection reset".into())),
            Reply::Xml(status, body) => (status, "text/xml", body),
            Reply::Html(status) => (status, "text/html; charset=utf-8", "<h1>Oh</h1>".to_owned()),
        };
        let response = http::Response::builder()
            .status(status)
            .header("content-type", kind);
        let response = response
            .body(SdkBody::from(body))
            .expect("a valid response");
        return Ok(HttpResponse::try_from(response).expect("a valid response"));
    }
}

/// Describes an instance with the members that are always there.
pub(crate) fn instance(name: &str, resource: &str, status: &str) -> String {
    instance_with(name, resource, status, "")
}

/// Describes an instance with further members.
pub(crate) fn instance_with(name: &str, resource: &str, status: &str, members: &str) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier>\
         <DbiResourceId>{resource}</DbiResourceId>\
         <DBInstanceArn>arn:aws:rds:eu-west-1:123456789012:db:{name}</DBInstanceArn>\
         <DBInstanceStatus>{status}</DBInstanceStatus><Engine>postgres</Engine>\
         <EngineVersion>17.4</EngineVersion>{members}</DBInstance>"
    )
}

/// Describes a cluster with the members that are always there.
pub(crate) fn cluster(name: &str, resource: &str, status: &str) -> String {
    cluster_with(name, resource, status, "<Engine>aurora-mysql</Engine>")
}

/// Describes a cluster with its engine and further members.
pub(crate) fn cluster_with(name: &str, resource: &str, status: &str, members: &str) -> String {
    format!(
        "<DBCluster><DBClusterIdentifier>{name}</DBClusterIdentifier>\
         <DbClusterResourceId>{resource}</DbClusterResourceId>\
         <DBClusterArn>arn:aws:rds:eu-west-1:123456789012:cluster:{name}</DBClusterArn>\
         <Status>{status}</Status><EngineVersion>17.4</EngineVersion>{members}</DBCluster>"
    )
}

/// Describes a snapshot.
pub(crate) fn snapshot(id: &str, source: &str, resource: &str, created_at: &str) -> String {
    format!(
        "<DBSnapshot><DBSnapshotIdentifier>{id}</DBSnapshotIdentifier>\
         <DBSnapshotArn>arn:aws:rds:eu-west-1:123456789012:snapshot:{id}</DBSnapshotArn>\
         <DBInstanceIdentifier>{source}</DBInstanceIdentifier>\
         <DbiResourceId>{resource}</DbiResourceId><Status>available</Status>\
         <SnapshotCreateTime>{created_at}</SnapshotCreateTime><SnapshotType>manual</SnapshotType>\
         <Engine>postgres</Engine><EngineVersion>17.4</EngineVersion></DBSnapshot>"
    )
}

/// Describes a snapshot of the cluster called `orders`.
pub(crate) fn cluster_snapshot(id: &str, source: &str, created_at: &str) -> String {
    format!(
        "<DBClusterSnapshot><DBClusterSnapshotIdentifier>{id}</DBClusterSnapshotIdentifier>\
         <DBClusterSnapshotArn>arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:{id}\
         </DBClusterSnapshotArn><DBClusterIdentifier>{source}</DBClusterIdentifier>\
         <DbClusterResourceId>{ORDERS_CLUSTER}</DbClusterResourceId><Status>available</Status>\
         <SnapshotCreateTime>{created_at}</SnapshotCreateTime><SnapshotType>manual</SnapshotType>\
         <Engine>aurora-mysql</Engine><EngineVersion>8.0</EngineVersion><Port>3306</Port>\
         </DBClusterSnapshot>"
    )
}

/// The identity that tests give to the database called `orders`.
pub(crate) const ORDERS: &str = "db-ORDERS";

/// The identity that tests give to the cluster called `orders`.
pub(crate) const ORDERS_CLUSTER: &str = "cluster-ORDERS";

/// Names the cluster of most tests.
pub(crate) fn orders_cluster() -> Identified {
    Identified {
        kind: Kind::Cluster,
        name: "orders".parse().unwrap(),
        resource: ORDERS_CLUSTER.parse().unwrap(),
    }
}

/// Names the database of most tests.
pub(crate) fn orders() -> Identified {
    Identified {
        kind: Kind::Instance,
        name: "orders".parse().unwrap(),
        resource: ORDERS.parse().unwrap(),
    }
}
