//! Custom endpoints of clusters: where they lead, and what becomes of them in renames and fail-overs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::DbClusterEndpoint;
use trapheus_local::ControlPlane;

use crate::support::{available, cluster_available, code, create_cluster, create_member, local};

async fn find(rds: &Client, identifier: &str) -> Option<DbClusterEndpoint> {
    let describe = rds.describe_db_cluster_endpoints();
    let found = describe
        .db_cluster_endpoint_identifier(identifier)
        .send()
        .await
        .unwrap();
    found.db_cluster_endpoints().first().cloned()
}

/// The members that an endpoint leads to, by name.
async fn behind(plane: &Arc<ControlPlane>, rds: &Client, identifier: &str) -> BTreeSet<String> {
    let endpoint = find(rds, identifier).await.unwrap();
    let client = plane.simulated_client_at(endpoint.endpoint().unwrap().parse().unwrap());
    let mut answering = BTreeSet::new();
    for _ in 0..6 {
        let Ok(resource_id) = client.resource_id() else {
            break;
        };
        let instances = rds.describe_db_instances().send().await.unwrap();
        let mut instances = instances.db_instances().iter();
        let found = instances.find(|one| one.dbi_resource_id() == Some(&resource_id));
        answering.insert(found.unwrap().db_instance_identifier().unwrap().to_owned());
    }
    answering
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_follows_its_members_and_its_cluster() {
    let (plane, rds) = local().await;
    create_cluster(&rds, "orders").await;
    for member in ["one", "two", "three"] {
        create_member(&rds, "orders", member).await;
    }
    let create = |identifier: &str, kind: &str| {
        rds.create_db_cluster_endpoint()
            .db_cluster_identifier("orders")
            .db_cluster_endpoint_identifier(identifier)
            .endpoint_type(kind)
    };
    create("reports", "READER")
        .static_members("one")
        .static_members("two")
        .send()
        .await
        .unwrap();
    create("others", "ANY")
        .excluded_members("two")
        .send()
        .await
        .unwrap();
    create("all", "READER").send().await.unwrap();
    assert_eq!(behind(&plane, &rds, "reports").await, names(["two"]));
    assert_eq!(
        behind(&plane, &rds, "others").await,
        names(["one", "three"])
    );
    assert_eq!(behind(&plane, &rds, "all").await, names(["two", "three"]));
    let shown = find(&rds, "others").await.unwrap();
    assert_eq!(shown.endpoint_type(), Some("CUSTOM"));
    assert_eq!(shown.custom_endpoint_type(), Some("ANY"));
    assert_eq!(shown.excluded_members(), ["two"]);

    let fail_over = rds.failover_db_cluster().db_cluster_identifier("orders");
    fail_over
        .target_db_instance_identifier("two")
        .send()
        .await
        .unwrap();
    cluster_available(&rds, "orders").await;
    assert_eq!(behind(&plane, &rds, "reports").await, names(["one"]));

    let rename = rds
        .modify_db_instance()
        .db_instance_identifier("two")
        .new_db_instance_identifier("second")
        .apply_immediately(true);
    rename.send().await.unwrap();
    available(&rds, "second").await;
    let rename = rds
        .modify_db_cluster()
        .db_cluster_identifier("orders")
        .new_db_cluster_identifier("aside")
        .apply_immediately(true);
    rename.send().await.unwrap();
    cluster_available(&rds, "aside").await;
    let shown = find(&rds, "reports").await.unwrap();
    assert_eq!(shown.db_cluster_identifier(), Some("aside"));
    assert_eq!(shown.static_members(), ["one", "second"]);
    assert_eq!(
        behind(&plane, &rds, "others").await,
        names(["one", "three"])
    );

    create_cluster(&rds, "orders").await;
    let taken = create("reports", "READER").send().await;
    assert_eq!(code(taken), "DBClusterEndpointAlreadyExistsFault");
    let delete = rds.delete_db_cluster_endpoint();
    let deleted = delete
        .db_cluster_endpoint_identifier("reports")
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), Some("deleting"));
    create("reports", "READER").send().await.unwrap();
    assert_eq!(behind(&plane, &rds, "reports").await, names([]));
    let stranger = create("strange", "ANY").static_members("one").send().await;
    assert_eq!(code(stranger), "InvalidDBInstanceState");
    let cluster = cluster_available(&rds, "aside").await;
    assert_eq!(cluster.custom_endpoints().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_takes_a_while_to_come_and_to_go() {
    let (_, rds) = crate::support::local_with_aws_durations().await;
    create_cluster(&rds, "orders").await;
    create_member(&rds, "orders", "one").await;
    let create = rds
        .create_db_cluster_endpoint()
        .db_cluster_identifier("orders")
        .db_cluster_endpoint_identifier("reports")
        .endpoint_type("ANY");
    let created = create.send().await.unwrap();
    assert_eq!(created.status(), Some("creating"));
    let delete = || {
        rds.delete_db_cluster_endpoint()
            .db_cluster_endpoint_identifier("reports")
            .send()
    };
    assert_eq!(code(delete().await), "InvalidDBClusterEndpointStateFault");
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(
        find(&rds, "reports").await.unwrap().status(),
        Some("available")
    );
    delete().await.unwrap();
    assert_eq!(
        find(&rds, "reports").await.unwrap().status(),
        Some("deleting")
    );
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(find(&rds, "reports").await.is_none());
    assert_eq!(code(delete().await), "DBClusterEndpointNotFoundFault");
}
