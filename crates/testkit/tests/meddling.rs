//! What others do to a cluster while an execution is at work on it, or keeps its original.

use std::time::Duration;

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::Simulation;

/// A cluster with a writer and a reader, and its snapshot.
async fn cluster() -> Simulation {
    let simulation = Simulation::new(1).await;
    let create = json!({
        "DBClusterIdentifier": "orders", "Engine": "aurora-postgresql",
        "MasterUsername": "app", "MasterUserPassword": "a-long-password",
    });
    ask(&simulation, "CreateDBCluster", create).await;
    settle().await;
    add_member(&simulation, "orders-1", "orders").await;
    add_member(&simulation, "orders-2", "orders").await;
    let snapshot = json!({
        "DBClusterIdentifier": "orders", "DBClusterSnapshotIdentifier": "orders-snapshot",
    });
    ask(&simulation, "CreateDBClusterSnapshot", snapshot).await;
    settle().await;
    simulation
}

/// Longer than anything takes that was begun before.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3600)).await;
}

async fn ask(simulation: &Simulation, action: &str, members: Value) {
    let answer = simulation.ask(action, members).await;
    answer.unwrap_or_else(|refusal| panic!("{action}: {refusal:?}"));
}

async fn add_member(simulation: &Simulation, name: &str, cluster: &str) {
    let member = json!({
        "DBInstanceIdentifier": name, "DBClusterIdentifier": cluster,
        "Engine": "aurora-postgresql", "DBInstanceClass": "db.r6g.large",
    });
    ask(simulation, "CreateDBInstance", member).await;
    simulation.wait_until_available(name).await;
}

fn input() -> Value {
    json!({"identifier": "orders", "task": "db_restore"})
}

fn keeping() -> Value {
    json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"})
}

async fn resource_id(simulation: &Simulation, cluster: &str) -> Option<String> {
    let describe = simulation.client().describe_db_clusters();
    let found = describe.db_cluster_identifier(cluster).send().await.ok()?;
    let id = found.db_clusters()[0].db_cluster_resource_id();
    id.map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn a_kept_cluster_without_members_is_not_swapped_back() {
    let simulation = cluster().await;
    let kept = simulation.run_until_kept(keeping()).await;
    let serving = resource_id(&simulation, "orders").await;
    for name in ["orders-2-temp", "orders-1-temp"] {
        let delete = json!({"DBInstanceIdentifier": name});
        ask(&simulation, "DeleteDBInstance", delete).await;
    }
    settle().await;
    let run = simulation
        .run(simulation.rollback_input(&kept, "orders"))
        .await;
    assert_eq!(run.summary.status, SummaryStatus::Failed);
    let message = run.summary.error.expect("it says why").message;
    assert!(message.contains("without any member"), "{message}");
    assert_eq!(resource_id(&simulation, "orders").await, serving);
    assert!(resource_id(&simulation, "orders-temp").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_member_that_the_plan_does_not_know_keeps_its_cluster() {
    let simulation = cluster().await;
    let kept = simulation.run_until_kept(keeping()).await;
    add_member(&simulation, "somebodys", "orders-temp").await;
    let run = simulation.resume(&kept.id).await;
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    assert!(run.summary.left_over[0].contains("somebodys"));
    let describe = simulation.client().describe_db_instances();
    let found = describe.db_instance_identifier("somebodys").send().await;
    assert_eq!(found.expect("it is there").db_instances().len(), 1);
}

/// RDS says so only when the members are gone.
#[tokio::test(start_paused = true)]
async fn a_final_snapshot_whose_name_is_taken_costs_the_original_no_member() {
    let simulation = cluster().await;
    let mut input = keeping();
    input["finalSnapshot"] = json!("orders-last");
    let kept = simulation.run_until_kept(input.clone()).await;
    simulation
        .create_cluster_snapshot("orders", "orders-last")
        .await;
    let run = simulation.resume(&kept.id).await;
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    let left_over = &run.summary.left_over[0];
    assert!(left_over.contains("orders-last"), "{left_over}");
    let members = simulation.world().await.clusters["orders-temp"]
        .members
        .len();
    assert_eq!(members, 2);
    // Where it is taken before anything changes, nothing does.
    input["keptOriginal"] = json!("delete");
    let world = simulation.world().await;
    let refused = simulation.run(input).await;
    assert_eq!(refused.summary.exit_code(), 2, "{:#?}", refused.summary);
    assert_eq!(simulation.world().await, world);
}

#[tokio::test(start_paused = true)]
async fn a_custom_endpoint_with_a_member_made_by_auto_scaling() {
    let simulation = cluster().await;
    let scaled = "application-autoscaling-1";
    add_member(&simulation, scaled, "orders").await;
    let endpoint = json!({
        "DBClusterIdentifier": "orders", "DBClusterEndpointIdentifier": "orders-some",
        "EndpointType": "READER", "StaticMembers": ["orders-2", scaled],
    });
    ask(&simulation, "CreateDBClusterEndpoint", endpoint).await;
    settle().await;
    let run = simulation.run(input()).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    let warnings = run.summary.warnings.join("\n");
    assert!(warnings.contains("orders-some"), "{warnings}");
    let describe = simulation.client().describe_db_cluster_endpoints();
    let found = describe.db_cluster_endpoint_identifier("orders-some");
    let found = found.send().await.expect("they can be seen");
    assert_eq!(
        found.db_cluster_endpoints()[0].static_members(),
        ["orders-2"]
    );
}

/// Renames the original that has been moved aside, and makes another cluster with its name.
async fn takes_its_name(simulation: &Simulation) {
    let rename = json!({
        "DBClusterIdentifier": "orders-temp", "NewDBClusterIdentifier": "mine",
        "ApplyImmediately": "true",
    });
    if simulation.ask("ModifyDBCluster", rename).await.is_err() {
        return;
    }
    simulation.wait_until_cluster_available("mine").await;
    let create = json!({
        "DBClusterIdentifier": "orders-temp", "Engine": "aurora-postgresql",
        "MasterUsername": "app", "MasterUserPassword": "a-long-password",
    });
    ask(simulation, "CreateDBCluster", create).await;
    simulation.wait_until_cluster_available("orders-temp").await;
    add_member(simulation, "innocent", "orders-temp").await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_gets_the_originals_name_keeps_its_members() {
    let mut taken = 0;
    for change in 1.. {
        let simulation = cluster().await;
        let run = simulation.interfere_in_change(input(), change, takes_its_name);
        if run.await.is_none() {
            break;
        }
        settle().await;
        if resource_id(&simulation, "orders-temp").await.is_none() {
            continue;
        }
        taken += 1;
        let world = simulation.world().await;
        assert!(world.names().contains(&"innocent"), "change {change}");
        let members = &world.clusters["orders-temp"].members;
        assert!(members.contains_key("innocent"), "change {change}");
    }
    assert!(taken > 3, "the name was taken at {taken} changes only");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_takes_from_a_cluster_that_serves_is_left_over() {
    let simulation = Simulation::new(1).await;
    simulation.create_cluster("orders").await;
    simulation
        .create_cluster_snapshot("orders", "orders-snapshot")
        .await;
    let original = resource_id(&simulation, "orders").await;
    simulation.arm(json!({
        "action": "CreateDBClusterEndpoint",
        "when": {"DBClusterEndpointIdentifier": "orders-analytics"},
        "effect": {"error": {"code": "DBClusterEndpointAlreadyExistsFault", "status": 400}}
    }));
    let person = async {
        while [None, original.clone()].contains(&resource_id(&simulation, "orders").await) {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        let delete = json!({"DBInstanceIdentifier": "orders-1"});
        ask(&simulation, "DeleteDBInstance", delete).await;
    };
    let (run, ()) = tokio::join!(simulation.run(input()), person);
    assert_eq!(run.summary.exit_code(), 5, "{:#?}", run.summary);
    assert_eq!(
        run.summary.left_over,
        [
            "orders-1 of the restored database is not there",
            "the custom endpoint orders-analytics is not there",
        ]
    );
    assert!(!run.states().contains(&"RollBack"));
    let world = simulation.world().await;
    assert_eq!(world.names(), ["orders-2", "orders-3"]);
    assert_ne!(
        Some(&world.clusters["orders"].resource_id),
        original.as_ref()
    );
}
