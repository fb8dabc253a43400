//! Goal: the names that point at a database are found in every zone, however they point.
//! Method: a Route 53 behind the SDK's HTTP connector.

use aws_sdk_route53::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use trapheus_rds::Limits;

use crate::server::{Reply, Server};

const ZONES: &str = "<ListHostedZonesResponse><HostedZones>\
    <HostedZone><Id>/hostedzone/Z1</Id><Name>shop.</Name><CallerReference>1</CallerReference>\
    </HostedZone><HostedZone><Id>/hostedzone/Z2</Id><Name>stock.</Name>\
    <CallerReference>2</CallerReference></HostedZone></HostedZones><Marker></Marker>\
    <IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>";

#[derive(Debug)]
struct Route53;

/// The records of a zone: the first zone has two pages.
fn records(uri: &str) -> String {
    let by_name = |name: &str, to: &str| {
        format!(
            "<ResourceRecordSet><Name>{name}</Name><Type>CNAME</Type><TTL>60</TTL>\
             <ResourceRecords><ResourceRecord><Value>{to}</Value></ResourceRecord>\
             </ResourceRecords></ResourceRecordSet>"
        )
    };
    let alias = |name: &str, to: &str| {
        format!(
            "<ResourceRecordSet><Name>{name}</Name><Type>A</Type><AliasTarget>\
             <HostedZoneId>Z9</HostedZoneId><DNSName>{to}</DNSName>\
             <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
        )
    };
    let (list, next) = match (uri.contains("/Z1/"), uri.contains("name=")) {
        (true, false) => (
            by_name("db.shop.", "Orders.x.rds.amazonaws.com"),
            "<IsTruncated>true</IsTruncated><NextRecordName>old.shop.</NextRecordName>\
             <NextRecordType>CNAME</NextRecordType>",
        ),
        (true, true) => (
            by_name("old.shop.", "elsewhere.example"),
            "<IsTruncated>false</IsTruncated>",
        ),
        (false, _) => (
            alias("stock.", "orders.x.rds.amazonaws.com."),
            "<IsTruncated>false</IsTruncated>",
        ),
    };
    format!(
        "<ListResourceRecordSetsResponse><ResourceRecordSets>{list}</ResourceRecordSets>{next}\
         <MaxItems>100</MaxItems></ListResourceRecordSetsResponse>"
    )
}

impl HttpConnector for Route53 {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri();
        let body = if uri.contains("/rrset") {
            records(uri)
        } else {
            ZONES.to_owned()
        };
        let response = http::Response::builder().status(200);
        let response = response.body(SdkBody::from(body)).expect("a response");
        let response = HttpResponse::try_from(response).expect("a response");
        HttpConnectorFuture::ready(Ok(response))
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_point_at_an_endpoint_are_found_in_every_zone() {
    let connector = SharedHttpConnector::new(Route53);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url("http://route53.test")
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    let server = Server::new(|request| Reply::result(&request.action, ""));
    let rds = server
        .door(Limits::default())
        .with_names(aws_sdk_route53::Client::from_conf(config));
    let addresses = ["orders.x.rds.amazonaws.com".to_owned()];
    let found = rds.names_pointing_at(&addresses).await.unwrap();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["db.shop (CNAME)", "stock (A)"]);
}
