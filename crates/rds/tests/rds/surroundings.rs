//! Goal: what stands around a database is found, and touched only where it is the one meant.
//! Method: a scripted server.

use trapheus_rds::{
    AutomatedBackup, Class, CustomEndpoint, CustomEndpointSpec, Identified, Kind, Limits, Rds,
    Tags, Window,
};

use crate::server::{
    ORDERS, ORDERS_CLUSTER, Reply, Server, cluster, instance, orders, orders_cluster,
};

const CLUSTER_ARN: &str = "arn:aws:rds:eu-west-1:123456789012:cluster:orders";

/// Describes an endpoint of the cluster called `orders`.
fn endpoint(id: &str, resource: &str, kind: &str, members: &str) -> String {
    format!(
        "<DBClusterEndpointList><DBClusterEndpointIdentifier>{id}</DBClusterEndpointIdentifier>\
         <DBClusterIdentifier>orders</DBClusterIdentifier>\
         <DBClusterEndpointResourceIdentifier>{resource}</DBClusterEndpointResourceIdentifier>\
         <DBClusterEndpointArn>arn:aws:rds:eu-west-1:123456789012:cluster-endpoint:{id}\
         </DBClusterEndpointArn><Endpoint>{id}.cluster-custom-x</Endpoint>\
         <Status>available</Status><EndpointType>{kind}</EndpointType>\
         <CustomEndpointType>READER</CustomEndpointType>{members}</DBClusterEndpointList>"
    )
}

/// A cluster whose endpoint `reports` has this identity.
fn with_endpoint(resource: &'static str) -> Server {
    Server::new(move |request| match request.action.as_str() {
        action @ "DescribeDBClusterEndpoints" => {
            let members = "<StaticMembers><member>orders-2</member></StaticMembers>";
            let list = [
                endpoint("", "", "WRITER", ""),
                endpoint("reports", resource, "CUSTOM", members),
            ];
            let list = list.concat();
            Reply::result(
                action,
                format!("<DBClusterEndpoints>{list}</DBClusterEndpoints>"),
            )
        }
        "DescribeDBClusters" => Reply::clusters(&[cluster("orders", ORDERS_CLUSTER, "available")]),
        action => Reply::result(action, ""),
    })
}

async fn seen(rds: &Rds) -> CustomEndpoint {
    let mut found = rds.custom_endpoints(&orders_cluster().name).await.unwrap();
    assert_eq!(found.len(), 1, "RDS's own endpoints are no custom ones");
    found.remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_custom_endpoint_is_found_and_made_again() {
    let server = with_endpoint("cluster-endpoint-1");
    let rds = server.door(Limits::default());
    let found = seen(&rds).await;
    assert_eq!(found.address.as_deref(), Some("reports.cluster-custom-x"));
    let spec = CustomEndpointSpec {
        identifier: found.identifier,
        kind: found.kind,
        static_members: found.static_members,
        excluded_members: found.excluded_members,
        tags: Tags::from([("team".to_owned(), "billing".to_owned())]),
    };
    rds.create_custom_endpoint(&orders_cluster(), &spec)
        .await
        .unwrap();
    assert_eq!(server.last().action, "CreateDBClusterEndpoint");
    insta::assert_debug_snapshot!(server.last().parameters, @r#"
    {
        "DBClusterEndpointIdentifier": "reports",
        "DBClusterIdentifier": "orders",
        "EndpointType": "READER",
        "StaticMembers.member.1": "orders-2",
        "Tags.Tag.1.Key": "team",
        "Tags.Tag.1.Value": "billing",
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_custom_endpoint_that_was_made_anew_stays() {
    let before = with_endpoint("cluster-endpoint-1").door(Limits::default());
    let before = seen(&before).await;
    let server = with_endpoint("cluster-endpoint-2");
    let rds = server.door(Limits::default());
    let error = rds.delete_custom_endpoint(&before).await.unwrap_err();
    assert_eq!(error.class, Class::IdentityMismatch);
    assert_eq!(server.actions(), ["DescribeDBClusterEndpoints"]);
    // While its cluster is being renamed, only its own id leads to it.
    assert_eq!(server.last().get("DBClusterEndpointIdentifier"), "reports");
    assert_eq!(server.last().get("DBClusterIdentifier"), "");
    let now = seen(&rds).await;
    rds.delete_custom_endpoint(&now).await.unwrap();
    assert_eq!(server.last().action, "DeleteDBClusterEndpoint");
    assert_eq!(server.last().get("DBClusterEndpointIdentifier"), "reports");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_made_for_the_cluster_that_was_meant_only() {
    let server = with_endpoint("cluster-endpoint-1");
    let rds = server.door(Limits::default());
    let spec = CustomEndpointSpec {
        identifier: "reports".parse().unwrap(),
        kind: "ANY".to_owned(),
        static_members: Vec::new(),
        excluded_members: Vec::new(),
        tags: Tags::new(),
    };
    let other = Identified {
        resource: "cluster-OTHER".parse().unwrap(),
        ..orders_cluster()
    };
    let error = rds.create_custom_endpoint(&other, &spec).await.unwrap_err();
    assert_eq!(error.class, Class::IdentityMismatch);
    assert_eq!(server.actions(), ["DescribeDBClusters"]);
}

#[tokio::test(start_paused = true)]
async fn proxies_are_found_by_what_they_lead_to() {
    let server = Server::new(|request| match request.action.as_str() {
        action @ "DescribeDBProxies" => {
            let proxy = |name| format!("<member><DBProxyName>{name}</DBProxyName></member>");
            let list = ["shop", "stock"].map(proxy).concat();
            Reply::result(action, format!("<DBProxies>{list}</DBProxies>"))
        }
        action @ "DescribeDBProxyTargets" if request.get("DBProxyName") == "shop" => {
            let list = "<member><RdsResourceId>orders</RdsResourceId><Type>TRACKED_CLUSTER</Type>\
                        </member><member><RdsResourceId>orders-1</RdsResourceId>\
                        <Type>RDS_INSTANCE</Type><TrackedClusterId>orders</TrackedClusterId>\
                        <TargetHealth><State>AVAILABLE</State></TargetHealth></member>";
            Reply::result(action, format!("<Targets>{list}</Targets>"))
        }
        "DescribeDBClusters" => Reply::clusters(&[cluster("orders", ORDERS_CLUSTER, "available")]),
        action => Reply::result(action, ""),
    });
    let rds = server.door(Limits::default());
    let name = orders().name;
    assert_eq!(
        rds.proxies_to(Kind::Cluster, &name).await.unwrap(),
        ["shop"]
    );
    // An instance of the same name is another database.
    assert!(
        rds.proxies_to(Kind::Instance, &name)
            .await
            .unwrap()
            .is_empty()
    );
    let targets = rds.proxy_targets("shop").await.unwrap();
    assert_eq!(targets[1].cluster, Some(name));
    assert_eq!(targets[1].state.as_deref(), Some("AVAILABLE"));
    rds.deregister_proxy_target(&targets[0]).await.unwrap();
    let deregister = server.last();
    rds.register_proxy_target("shop", &orders_cluster())
        .await
        .unwrap();
    for request in [deregister, server.last()] {
        assert_eq!(request.get("DBProxyName"), "shop");
        let clusters = request.list("DBClusterIdentifiers");
        assert_eq!(clusters, ["orders"], "{}", request.action);
    }
}

#[tokio::test(start_paused = true)]
async fn what_forbids_a_rename_is_found_by_whom_it_is_about() {
    let server = Server::new(|request| {
        let list = match request.action.as_str() {
            "DescribeGlobalClusters" => format!(
                "<GlobalClusters><GlobalClusterMember><GlobalClusterIdentifier>world\
                 </GlobalClusterIdentifier><GlobalClusterMembers><GlobalClusterMember>\
                 <DBClusterArn>{CLUSTER_ARN}</DBClusterArn></GlobalClusterMember>\
                 </GlobalClusterMembers></GlobalClusterMember></GlobalClusters>"
            ),
            "DescribeIntegrations" => format!(
                "<Integrations><Integration><SourceArn>{CLUSTER_ARN}</SourceArn>\
                 <IntegrationName>warehouse</IntegrationName></Integration></Integrations>"
            ),
            "DescribeDBShardGroups" => {
                "<DBShardGroups><DBShardGroup><DBShardGroupIdentifier>shards\
                 </DBShardGroupIdentifier><DBClusterIdentifier>orders</DBClusterIdentifier>\
                 </DBShardGroup></DBShardGroups>"
                    .to_owned()
            }
            _ => "<BlueGreenDeployments><member><BlueGreenDeploymentName>upgrade\
                 </BlueGreenDeploymentName></member></BlueGreenDeployments>"
                .to_owned(),
        };
        Reply::result(&request.action, list)
    });
    let rds = server.door(Limits::default());
    let arn = CLUSTER_ARN.parse().unwrap();
    let other = "arn:aws:rds:eu-west-1:123456789012:cluster:stock"
        .parse()
        .unwrap();
    assert_eq!(
        rds.global_cluster_of(&arn).await.unwrap().as_deref(),
        Some("world")
    );
    assert_eq!(rds.global_cluster_of(&other).await.unwrap(), None);
    assert_eq!(rds.integrations_of(&arn).await.unwrap(), ["warehouse"]);
    assert!(rds.integrations_of(&other).await.unwrap().is_empty());
    let name = orders().name;
    assert_eq!(rds.shard_groups_of(&name).await.unwrap(), ["shards"]);
    let stock = "stock".parse().unwrap();
    assert!(rds.shard_groups_of(&stock).await.unwrap().is_empty());
    let deployments = rds.blue_green_deployments_of(&arn).await.unwrap();
    assert_eq!(deployments, ["upgrade"]);
    assert_eq!(server.last().list("Filters.Filter.1.Values"), [CLUSTER_ARN]);
}

#[tokio::test(start_paused = true)]
async fn backups_are_found_by_the_last_name_of_their_database() {
    let server = Server::new(|request| {
        let backup = |name, resource, status| {
            format!(
                "<DBInstanceAutomatedBackup><DBInstanceIdentifier>{name}</DBInstanceIdentifier>\
                 <DbiResourceId>{resource}</DbiResourceId><Status>{status}</Status>\
                 <RestoreWindow><EarliestTime>2026-03-01T00:00:00Z</EarliestTime>\
                 <LatestTime>2026-03-07T12:00:00Z</LatestTime></RestoreWindow>\
                 <AllocatedStorage>100</AllocatedStorage><TagList><Tag><Key>team</Key>\
                 <Value>billing</Value></Tag></TagList></DBInstanceAutomatedBackup>"
            )
        };
        let list = [
            backup("orders", ORDERS, "active"),
            backup("orders", "db-BEFORE", "retained"),
            backup("stock", "db-STOCK", "active"),
        ];
        let name = "DBInstanceAutomatedBackups";
        Reply::result(
            &request.action,
            format!("<{name}>{}</{name}>", list.concat()),
        )
    });
    let rds = server.door(Limits::default());
    let name = orders().name;
    let found = rds.automated_backups_of(Kind::Instance, &name);
    let found: Vec<AutomatedBackup> = found.await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].status, "retained");
    assert_eq!(
        found[0].window,
        Some(Window {
            earliest: Some("2026-03-01T00:00:00Z".parse().unwrap()),
            latest: "2026-03-07T12:00:00Z".parse().unwrap(),
        })
    );
    assert_eq!(found[0].allocated_storage_gib, Some(100));
    assert_eq!(found[0].tags["team"], "billing");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_an_operation_says_so() {
    let server = Server::new(|_| Reply::error(400, "InvalidAction"));
    let rds = server.door(Limits::default());
    let arn = CLUSTER_ARN.parse().unwrap();
    let name = orders().name;
    let errors = [
        rds.global_cluster_of(&arn).await.map(drop),
        rds.integrations_of(&arn).await.map(drop),
        rds.shard_groups_of(&name).await.map(drop),
        rds.proxies_to(Kind::Instance, &name).await.map(drop),
        rds.automated_backups_of(Kind::Cluster, &name)
            .await
            .map(drop),
        rds.cluster_parameter_group_exists("tuned").await.map(drop),
        rds.custom_endpoints(&name).await.map(drop),
        rds.cluster(&name).await.map(drop),
        rds.names_pointing_at(&[]).await.map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().class, Class::NotImplemented);
    }
}

#[tokio::test(start_paused = true)]
async fn several_instances_are_looked_up_by_name_at_once() {
    let server = Server::new(|_| {
        Reply::instances(&[
            instance("orders", ORDERS, "available"),
            instance("stock", "db-STOCK", "available"),
        ])
    });
    let rds = server.door(Limits::default());
    let names = [orders().name, "gone".parse().unwrap()];
    let found = rds.instances_named(&names).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        server.last().list("Filters.Filter.1.Values"),
        ["orders", "gone"]
    );
    assert_eq!(server.requests().len(), 1);
}
