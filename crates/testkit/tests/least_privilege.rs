//! The roles of the stack on AWS allow nothing that nobody asks for. That they allow whatever a task
//! asks for, every simulation sees by itself.

use std::collections::BTreeSet;

use aws_sdk_rds::types::EngineFamily;
use serde_json::{Value, json};
use trapheus_testkit::{Moment, Simulation, policies};

/// What a role allows and no restore of this file asks for, with the reason.
const BESIDES: [(&str, &str, &str); 33] = [
    ("Configure", "AddRoleToDBCluster", "a cluster with roles"),
    ("Configure", "AddRoleToDBInstance", "an instance with roles"),
    (
        "Configure",
        "AddTagsToResource",
        "another master password; marks of replicas",
    ),
    (
        "Configure",
        "CreateDBInstanceReadReplica",
        "an instance with replicas",
    ),
    (
        "Configure",
        "DescribeDBInstanceAutomatedBackups",
        "backups elsewhere",
    ),
    (
        "Configure",
        "EnableHttpEndpoint",
        "a cluster with the Data API",
    ),
    (
        "Configure",
        "FailoverDBCluster",
        "a writer that RDS has chosen otherwise",
    ),
    ("Configure", "ModifyActivityStream", "an audit policy"),
    (
        "Configure",
        "RebootDBCluster",
        "parameters of a Multi-AZ cluster",
    ),
    (
        "Configure",
        "RebootDBInstance",
        "parameters that wait for it",
    ),
    ("Configure", "StartActivityStream", "an activity stream"),
    (
        "Configure",
        "StartDBInstanceAutomatedBackupsReplication",
        "backups elsewhere",
    ),
    (
        "Plan",
        "DescribeDBClusterParameterGroups",
        "parameter groups of the original",
    ),
    (
        "Plan",
        "DescribeDBClusterSnapshotAttributes",
        "other accounts",
    ),
    (
        "Plan",
        "DescribeDBParameterGroups",
        "parameter groups of the original",
    ),
    ("Plan", "DescribeDBSnapshotAttributes", "other accounts"),
    (
        "Plan",
        "DescribeOptionGroups",
        "option groups of the original",
    ),
    ("Prepare", "AddTagsToResource", "SQL of the input"),
    ("Prepare", "DescribeDBClusters", "SQL of the input"),
    ("Prepare", "DescribeDBInstances", "SQL of the input"),
    (
        "Promote",
        "FailoverDBCluster",
        "a writer that RDS has chosen otherwise",
    ),
    (
        "Restore",
        "AddTagsToResource",
        "RDS, for what is made with marks",
    ),
    ("Restore", "DescribeEvents", "what RDS gave up on"),
    (
        "Restore",
        "RestoreDBClusterToPointInTime",
        "a point in time",
    ),
    (
        "Restore",
        "RestoreDBInstanceToPointInTime",
        "a point in time",
    ),
    ("Retire", "AddTagsToResource", "RDS, for the final snapshot"),
    (
        "Retire",
        "CreateDBClusterSnapshot",
        "RDS, for the final snapshot",
    ),
    ("Retire", "CreateDBSnapshot", "RDS, for the final snapshot"),
    (
        "Retire",
        "DescribeDBClusterSnapshots",
        "a final snapshot of a cluster",
    ),
    (
        "RollBack",
        "DeregisterDBProxyTargets",
        "proxies that were led away",
    ),
    (
        "RollBack",
        "RegisterDBProxyTargets",
        "proxies that were led away",
    ),
    (
        "Snapshot",
        "AddTagsToResource",
        "people told of a long execution",
    ),
    (
        "Verify",
        "AddTagsToResource",
        "people told of a long execution",
    ),
];

/// The tasks of restores in other accounts and Regions, of which a simulation has none.
const ABROAD: [&str; 3] = ["Share", "RestoreThere", "Unshare"];

fn restore() -> Value {
    json!({"identifier": "orders", "task": "db_restore"})
}

fn with(input: Value, more: Value) -> Value {
    let mut input = input;
    for (key, value) in more.as_object().expect("it is an object") {
        input[key] = value.clone();
    }
    input
}

/// Everything that an Aurora cluster with custom endpoints goes through.
async fn cluster() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_cluster("orders").await;
    simulation
        .create_cluster_snapshot("orders", "orders-snapshot")
        .await;
    everything(&simulation).await;
    simulation
}

/// Everything that an instance with a proxy goes through.
async fn instance() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let client = simulation.client();
    let proxy = client.create_db_proxy().db_proxy_name("front");
    let proxy = proxy
        .engine_family(EngineFamily::Postgresql)
        .role_arn("arn:aws:iam::123456789012:role/proxy")
        .vpc_subnet_ids("subnet-1");
    proxy.send().await.expect("a proxy can be made");
    let register = client.register_db_proxy_targets().db_proxy_name("front");
    let register = register.db_instance_identifiers("orders");
    register.send().await.expect("it can lead to the database");
    everything(&simulation).await;
    simulation
}

async fn everything(simulation: &Simulation) {
    let refresh = json!({"identifier": "orders", "task": "create_snapshot"});
    let last = json!({"finalSnapshot": true});
    simulation.run(with(refresh, last)).await;
    let late = json!({"restoreTime": "latest"});
    simulation.run(with(restore(), late)).await;
    for (task, strategy) in [
        ("${Verify}", "swap"),
        ("${Restore}", "in_place"),
        ("${Promote}", "swap"),
    ] {
        let input = with(restore(), json!({"strategy": strategy}));
        simulation.run_failing(input, task, Moment::After).await;
    }
    let keeping = with(restore(), json!({"keepOriginal": "24h"}));
    let kept = simulation.run_until_kept(keeping.clone()).await;
    simulation.abort(&kept.id);
    let back = simulation.rollback_input(&kept, "orders");
    simulation.run(back).await;
    for becomes in ["delete", "release"] {
        let kept = simulation.run_until_kept(keeping.clone()).await;
        simulation.abort(&kept.id);
        let again = json!({"keptOriginal": becomes});
        simulation.run(with(restore(), again)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_allows_nothing_that_nobody_asks_for() {
    let mut asked = cluster().await.asked();
    asked.extend(instance().await.asked());
    let besides = BESIDES.map(|(task, action, _)| (task.to_owned(), action.to_owned()));
    let besides = BTreeSet::from(besides);
    let allowed: BTreeSet<(String, String)> = policies::tasks()
        .filter(|task| !ABROAD.contains(task))
        .flat_map(|task| {
            let actions = policies::allowed_actions(task).into_iter();
            actions.map(move |action| (task.to_owned(), action))
        })
        .collect();
    let needless: Vec<_> = allowed.difference(&asked).collect();
    let listed: Vec<_> = besides.iter().collect();
    assert_eq!(needless, listed);
}
