//! The real binary, unchanged, against a server that somebody else wrote.
//!
//! moto is corrected where it is unlike the service model, and only there; what it lacks stays
//! lacking. Each test looks at the end with boto3, so that neither side is Trapheus's own.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod http;
    pub(crate) mod moto;
    pub(crate) mod patience;
    pub(crate) mod python;
    pub(crate) mod state_machine;
    pub(crate) mod trapheus;
}

#[path = "stories/accounts.rs"]
mod accounts;
#[path = "stories/alerts.rs"]
mod alerts;
#[path = "stories/step_functions.rs"]
mod step_functions;

use std::collections::BTreeMap;

use common::moto::{Ended, Moto};
use common::python;
use serde_json::{Value, json};

/// Calls that moto doesn't know, and the checks that need them.
const UNANSWERED: [&str; 2] = ["engine version offered", "quota"];

/// More looks than any status lasts here.
const LOOKS_MAX: usize = 8;

/// What is new about every database that was restored, whatever happens to its configuration.
const NEW_BY_NATURE: [&str; 3] = [
    "DbiResourceId",
    "InstanceCreateTime",
    "LatestRestorableTime",
];

/// Makes `orders`, with settings that are not the defaults, and `orders-snapshot` of it.
/// Returns its description.
fn orders(moto: &Moto) -> Value {
    let mut calls = vec![
        json!(["create_db_parameter_group", {
            "DBParameterGroupName": "orders-parameters",
            "DBParameterGroupFamily": "postgres15",
            "Description": "for a test",
        }]),
        json!(["create_db_instance", {
            "AllocatedStorage": 100,
            "BackupRetentionPeriod": 7,
            "CopyTagsToSnapshot": true,
            "DBInstanceClass": "db.m5.large",
            "DBInstanceIdentifier": "orders",
            "DBParameterGroupName": "orders-parameters",
            "DeletionProtection": true,
            "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
            "EnableIAMDatabaseAuthentication": true,
            "EnablePerformanceInsights": true,
            "Engine": "postgres",
            "EngineVersion": "15.4",
            "MasterUserPassword": "not-a-secret",
            "MasterUsername": "master",
            "MaxAllocatedStorage": 200,
            "MonitoringInterval": 60,
            "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
            "MultiAZ": true,
            "Port": moto.database_port,
            "PreferredMaintenanceWindow": "mon:01:00-mon:01:30",
            "PubliclyAccessible": false,
            "StorageType": "gp2",
            "Tags": [{ "Key": "team", "Value": "payments" }],
        }]),
    ];
    let look = json!(["describe_db_instances", { "DBInstanceIdentifier": "orders" }]);
    calls.extend(vec![look.clone(); LOOKS_MAX]);
    calls.push(json!(["create_db_snapshot", {
        "DBInstanceIdentifier": "orders",
        "DBSnapshotIdentifier": "orders-snapshot",
    }]));
    let look_at_snapshot = json!(["describe_db_snapshots", {}]);
    calls.extend(vec![look_at_snapshot; LOOKS_MAX]);
    calls.push(look);
    let mut answers = moto.boto3(&json!(calls));
    for answer in &answers {
        assert_eq!(answer["error"], Value::Null, "{answer}");
    }
    let mut last = answers.pop().expect("every call is answered");
    last["DBInstances"][0].take()
}

/// The restore went well: the result says so, and RDS shows the same.
fn assert_restored(moto: &Moto, original: &Value, ended: &Ended) {
    let Ended { code, result } = ended;
    assert_eq!(*code, Some(0), "{result:#}");
    assert_eq!(result["status"], "SUCCEEDED", "{result:#}");
    assert_eq!(result["error"], Value::Null);
    assert_eq!(result["leftOver"], json!([]));
    assert_eq!(result["fidelity"]["lost"], json!([]));
    assert_eq!(result["fidelity"]["kept"], result["fidelity"]["compared"]);
    assert_eq!(result["originalResourceId"], original["DbiResourceId"]);
    assert_eq!(
        result["endpoint"]["address"],
        original["Endpoint"]["Address"]
    );
    assert_eq!(result["endpoint"]["port"], original["Endpoint"]["Port"]);
    assert_eq!(moto.instances(), ["orders"]);
    let restored = moto.instance("orders");
    assert_eq!(restored["DbiResourceId"], result["restoredResourceId"]);
    assert_ne!(restored["DbiResourceId"], original["DbiResourceId"]);
    assert_eq!(configuration(&restored), configuration(original));
}

/// Everything that a restore has to keep: Trapheus's own tags are not the user's.
fn configuration(instance: &Value) -> Value {
    let mut configuration = instance.clone();
    let members = configuration
        .as_object_mut()
        .expect("an instance is an object");
    members.retain(|name, _| !NEW_BY_NATURE.contains(&name.as_str()));
    let tags = members["TagList"].as_array_mut().expect("tags are a list");
    tags.retain(|tag| {
        !tag["Key"]
            .as_str()
            .is_some_and(|key| key.starts_with("trapheus:"))
    });
    configuration
}

#[test]
fn the_corrections_of_moto_hold() {
    python::unittest("test_moto_rds", &[]);
    python::unittest("test_moto_clusters", &[]);
}

#[test]
fn swap_puts_the_data_back_and_keeps_everything_else() {
    restore_with("swap", "1");
}

#[test]
fn in_place_puts_the_data_back_and_keeps_everything_else() {
    restore_with("in_place", "1");
}

#[test]
fn what_takes_a_while_is_waited_for() {
    restore_with("swap", "7");
}

fn restore_with(strategy: &str, looks: &str) {
    let moto = Moto::start(&["--looks", looks]);
    let original = orders(&moto);
    let before = moto.requests().len();
    let ended = moto.trapheus(&["restore", "orders", "--strategy", strategy]);
    let received = moto.requests().split_off(before);
    assert_restored(&moto, &original, &ended);
    assert_eq!(ended.result["strategy"], strategy);
    assert_eq!(ended.result["snapshotIdentifier"], "orders-snapshot");
    assert_eq!(moto.snapshots(), ["orders-snapshot"]);
    assert_warned(&ended.result["warnings"]);
    assert_eq!(ended.result["apiCalls"], json!(counted(&received)));
    moto.stop();
}

fn counted(received: &[String]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for action in received {
        *counts.entry(action.as_str()).or_default() += 1;
    }
    counts
}

/// What couldn't be checked is said, check by check.
fn assert_warned(warnings: &Value) {
    let warnings: Vec<_> = warnings
        .as_array()
        .expect("a list")
        .iter()
        .map(Value::to_string)
        .collect();
    for check in UNANSWERED {
        assert!(
            warnings.iter().any(|warning| warning.contains(check)),
            "{check}: {warnings:?}"
        );
    }
}

#[test]
fn refresh_restores_from_the_snapshot_that_it_takes() {
    let moto = Moto::start(&[]);
    let original = orders(&moto);
    let ended = moto.trapheus(&["refresh", "orders"]);
    assert_restored(&moto, &original, &ended);
    let taken = ended.result["snapshotIdentifier"]
        .as_str()
        .expect("it names the snapshot");
    assert_ne!(taken, "orders-snapshot", "that name was taken");
    // The new one replaces the old one.
    assert_eq!(moto.snapshots(), [taken]);
    moto.stop();
}

#[test]
fn a_snapshot_is_available_when_it_is_said_to_be() {
    let moto = Moto::start(&[]);
    let original = orders(&moto);
    let delete = json!([["delete_db_snapshot", { "DBSnapshotIdentifier": "orders-snapshot" }]]);
    moto.boto3(&delete);
    let Ended { code, result } = moto.trapheus(&["snapshot", "orders"]);
    assert_eq!(
        (code, &result["status"]),
        (Some(0), &json!("SUCCEEDED")),
        "{result:#}"
    );
    assert_eq!(result["snapshotIdentifier"], "orders-snapshot");
    let look = json!(["describe_db_snapshots", { "DBSnapshotIdentifier": "orders-snapshot" }]);
    let seen = moto.boto3(&json!([look])).remove(0);
    assert_eq!(seen["DBSnapshots"][0]["Status"], "available");
    assert_eq!(
        seen["DBSnapshots"][0]["DbiResourceId"],
        original["DbiResourceId"]
    );
    assert_eq!(
        moto.instance("orders")["DbiResourceId"],
        original["DbiResourceId"]
    );
    moto.stop();
}

#[test]
fn a_kept_original_comes_back_by_rollback() {
    let moto = Moto::start(&[]);
    let original = orders(&moto);
    let kept = moto.trapheus(&["restore", "orders", "--keep-original", "1h"]);
    assert_eq!(kept.code, Some(0), "{:#}", kept.result);
    assert_eq!(
        kept.result["status"], "KEEPING_ORIGINAL",
        "{:#}",
        kept.result
    );
    assert_eq!(moto.instances(), ["orders", "orders-temp"]);
    assert_eq!(
        moto.instance("orders-temp")["DbiResourceId"],
        original["DbiResourceId"]
    );

    let back = moto.trapheus(&["rollback", "last"]);
    let restored = &kept.result["restoredResourceId"];
    assert_eq!(
        moto.instance("orders")["DbiResourceId"],
        original["DbiResourceId"]
    );
    assert_eq!(
        configuration(&moto.instance("orders")),
        configuration(&original)
    );
    // It has answered at the name, so its data is nobody's to delete: it is kept, and named.
    let others: Vec<_> = moto
        .instances()
        .into_iter()
        .filter(|name| name != "orders")
        .collect();
    let [aside] = others.as_slice() else {
        panic!("one database is aside: {others:?}")
    };
    assert_eq!(moto.instance(aside)["DbiResourceId"], *restored);
    assert!(
        back.result["leftOver"].to_string().contains(aside.as_str()),
        "{:#}",
        back.result
    );
    assert_eq!(back.code, Some(5), "{:#}", back.result);
    moto.stop();
}

#[test]
fn what_fails_in_verify_leaves_the_original_at_its_name() {
    let moto = Moto::start(&["--imposter", "orders-trapheus-new"]);
    let original = orders(&moto);
    let Ended { code, result } = moto.trapheus(&["restore", "orders"]);
    assert_eq!(
        (code, &result["status"]),
        (Some(1), &json!("FAILED")),
        "{result:#}"
    );
    assert_eq!(
        result["error"]["name"], "Trapheus.VerificationFailed",
        "{result:#}"
    );
    assert_eq!(result["leftOver"], json!([]));
    assert_eq!(moto.instances(), ["orders"]);
    assert_eq!(moto.snapshots(), ["orders-snapshot"]);
    let after = moto.instance("orders");
    assert_eq!(after["DbiResourceId"], original["DbiResourceId"]);
    assert_eq!(after["TagList"], original["TagList"]);
    assert_eq!(configuration(&after), configuration(&original));
    moto.stop();
}

#[test]
fn a_stranger_with_the_name_that_is_needed_stops_it_before_anything_changes() {
    let moto = Moto::start(&[]);
    let original = orders(&moto);
    let stranger = json!({
        "AllocatedStorage": 20,
        "DBInstanceClass": "db.t3.micro",
        "DBInstanceIdentifier": "orders-temp",
        "Engine": "postgres",
        "EngineVersion": "15.4",
        "MasterUserPassword": "not-a-secret",
        "MasterUsername": "master",
        "Port": moto.database_port,
    });
    moto.boto3(&json!([["create_db_instance", stranger]]));
    let before = (moto.instance("orders"), moto.instance("orders-temp"));
    let requests = moto.requests().len();
    let refused = moto.trapheus(&["restore", "orders"]);
    let received = moto.requests().split_off(requests);
    assert_eq!(refused.code, Some(2), "{:#}", refused.result);
    assert!(
        refused.result.to_string().contains("orders-temp"),
        "{:#}",
        refused.result
    );
    assert_only_looks(&received);
    assert_eq!(before.0["DbiResourceId"], original["DbiResourceId"]);
    assert_eq!(
        moto.instance("orders-temp")["DbiResourceId"],
        before.1["DbiResourceId"]
    );
    moto.stop();
}

#[test]
fn a_plan_says_what_could_not_be_checked_and_changes_nothing() {
    let moto = Moto::start(&[]);
    orders(&moto);
    let before = moto.requests().len();
    let Ended { code, result } = moto.trapheus(&["plan", "orders"]);
    assert_only_looks(&moto.requests().split_off(before));
    assert_eq!(code, Some(0), "{result:#}");
    let checks = result["checks"].as_array().expect("a plan has checks");
    for name in UNANSWERED {
        let found = checks
            .iter()
            .find(|check| check["name"].to_string().contains(name));
        let check = found.unwrap_or_else(|| panic!("no check {name}: {checks:#?}"));
        assert_eq!(check["verdict"], "warn", "{check}");
    }
    assert!(
        checks.iter().all(|check| check["verdict"] != "fail"),
        "{checks:#?}"
    );
    moto.stop();
}

fn assert_only_looks(received: &[String]) {
    let looks = |action: &String| action.starts_with("Describe") || action.starts_with("List");
    assert!(!received.is_empty());
    assert!(received.iter().all(looks), "{received:?}");
}

#[test]
fn the_input_of_the_python_tool_is_valid_as_it_stands() {
    let moto = Moto::start(&[]);
    let original = orders(&moto);
    let document = json!({ "identifier": "orders", "task": "db_restore", "isCluster": false });
    let file = moto.file("input.json", &document.to_string());
    let ended = moto.trapheus(&["start", "--input", &file]);
    assert_restored(&moto, &original, &ended);
    moto.stop();
}

/// Makes the cluster `shop` of two, whose writer is not its first member by name, with settings
/// that are not the defaults, and `shop-snapshot` of it. Returns what is to be kept.
fn shop(moto: &Moto) -> Value {
    let mut calls = vec![json!(["create_db_cluster", {
        "BackupRetentionPeriod": 7,
        "CopyTagsToSnapshot": true,
        "DBClusterIdentifier": "shop",
        "DatabaseName": "shop",
        "DeletionProtection": true,
        "EnableCloudwatchLogsExports": ["postgresql"],
        "Engine": "aurora-postgresql",
        "EngineVersion": "15.4",
        "MasterUserPassword": "not-a-secret",
        "MasterUsername": "master",
        "Port": moto.database_port,
        "PreferredMaintenanceWindow": "mon:01:00-mon:01:30",
        "Tags": [{ "Key": "team", "Value": "payments" }],
    }])];
    calls.extend(vec![json!(["describe_db_clusters", {}]); LOOKS_MAX]);
    for (member, tier) in [("shop-2", 1), ("shop-1", 5)] {
        calls.push(json!(["create_db_instance", {
            "DBClusterIdentifier": "shop",
            "DBInstanceClass": "db.r5.large",
            "DBInstanceIdentifier": member,
            "Engine": "aurora-postgresql",
            "PreferredMaintenanceWindow": "tue:01:00-tue:01:30",
            "PromotionTier": tier,
        }]));
        calls.extend(vec![json!(["describe_db_instances", {}]); LOOKS_MAX]);
    }
    calls.push(json!(["create_db_cluster_snapshot", {
        "DBClusterIdentifier": "shop",
        "DBClusterSnapshotIdentifier": "shop-snapshot",
    }]));
    calls.extend(vec![
        json!(["describe_db_cluster_snapshots", {}]);
        LOOKS_MAX
    ]);
    for answer in moto.boto3(&json!(calls)) {
        assert_eq!(answer["error"], Value::Null, "{answer}");
    }
    cluster(moto)
}

/// What a restore of the only cluster has to keep, of it and of its members.
fn cluster(moto: &Moto) -> Value {
    let calls = json!([["describe_db_clusters", {}], ["describe_db_instances", {}]]);
    let answers = moto.boto3(&calls);
    let clusters = answers[0]["DBClusters"].as_array().expect("a list");
    let [cluster] = &clusters[..] else {
        panic!("one cluster is there: {clusters:#?}")
    };
    let mut cluster = configuration(cluster);
    let members = cluster.as_object_mut().expect("a cluster is an object");
    for name in [
        "ClusterCreateTime",
        "DbClusterResourceId",
        "EarliestRestorableTime",
        "HostedZoneId",
    ] {
        members.remove(name);
    }
    let by_name = |list: &mut Value| {
        let list = list.as_array_mut().expect("a list");
        list.sort_by_key(|item| item["DBInstanceIdentifier"].to_string());
    };
    by_name(&mut cluster["DBClusterMembers"]);
    let instances = answers[1]["DBInstances"].as_array().expect("a list");
    let mut instances: Value = instances.iter().map(configuration).collect();
    by_name(&mut instances);
    json!({"cluster": cluster, "members": instances})
}

#[test]
fn a_cluster_comes_back_with_its_members() {
    for strategy in ["swap", "in_place"] {
        let moto = Moto::start(&[]);
        let original = shop(&moto);
        let Ended { code, result } = moto.trapheus(&["restore", "shop", "--strategy", strategy]);
        assert_eq!(code, Some(0), "{result:#}");
        assert_eq!(result["kind"], "cluster");
        assert_eq!(result["leftOver"], json!([]));
        assert_eq!(result["fidelity"]["lost"], json!([]));
        assert_eq!(result["fidelity"]["kept"], result["fidelity"]["compared"]);
        assert_ne!(result["restoredResourceId"], result["originalResourceId"]);
        assert_eq!(cluster(&moto), original);
        assert_eq!(moto.instances(), ["shop-1", "shop-2"]);
        // moto has no custom endpoints, so nobody knows of any.
        assert!(result["warnings"].to_string().contains("custom endpoints"));
        moto.stop();
    }
}
