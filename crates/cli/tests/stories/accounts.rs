//! The real binary restores a snapshot in other accounts and Regions, on a server that somebody else
//! wrote, and leaves neither a share nor a copy behind, whatever fails.

use serde_json::{Value, json};

use crate::common::moto::{Ended, Moto};

/// An account, and a Region.
type At = (&'static str, &'static str);

const ROLE: &str = "arn:aws:iam::123456789012:role/restorer";
/// Who has been given the snapshot by somebody else, before and after.
const PARTNER: &str = "999999999999";
const PLACES: [At; 4] = [
    ("222222222222", "us-east-1"),
    ("222222222222", "eu-west-1"),
    ("333333333333", "us-east-1"),
    ("333333333333", "eu-west-1"),
];

const HOME: At = ("", "us-east-1");

/// Makes calls in accounts and Regions; all of them go well.
fn calls(moto: &Moto, calls: &[(At, &str, Value)]) -> Vec<Value> {
    let calls: Vec<Value> = calls
        .iter()
        .map(
            |((account, region), operation, parameters)| match *account {
                "" => json!([operation, parameters]),
                account => json!([operation, parameters, { "account": account, "region": region }]),
            },
        )
        .collect();
    let answers = moto.boto3(&json!(calls));
    for (answer, call) in answers.iter().zip(&calls) {
        assert_eq!(answer["error"], Value::Null, "{call}: {answer}");
    }
    answers
}

/// Makes calls here.
fn at_home(moto: &Moto, asked: &[(&str, Value)]) -> Vec<Value> {
    let asked = asked.iter().cloned();
    let asked = asked.map(|(operation, parameters)| (HOME, operation, parameters));
    calls(moto, &asked.collect::<Vec<_>>())
}

/// Makes the same call in several places.
fn everywhere(moto: &Moto, places: &[At], operation: &str, parameters: &Value) -> Vec<Value> {
    let asked = places.iter().map(|at| (*at, operation, parameters.clone()));
    calls(moto, &asked.collect::<Vec<_>>())
}

/// Makes a subnet group in each place's default VPC; returns the VPCs.
fn subnet_groups(moto: &Moto, places: &[(At, &str)]) -> Vec<String> {
    let only: Vec<At> = places.iter().map(|(place, _)| *place).collect();
    let found = everywhere(moto, &only, "ec2:describe_subnets", &json!({}));
    let mut creations = Vec::new();
    for ((place, name), found) in places.iter().zip(&found) {
        let subnets = found["Subnets"].as_array().expect("a list");
        let ids: Vec<&Value> = subnets.iter().map(|subnet| &subnet["SubnetId"]).collect();
        let members = json!({
            "DBSubnetGroupName": name, "DBSubnetGroupDescription": "for a test", "SubnetIds": ids,
        });
        creations.push((*place, "create_db_subnet_group", members));
    }
    calls(moto, &creations);
    let vpc = |found: &Value| {
        found["Subnets"][0]["VpcId"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    found.iter().map(vpc).collect()
}

/// A subnet group of the name that the source's has, in every place.
fn shop_everywhere(moto: &Moto) {
    let places: Vec<(At, &str)> = [HOME]
        .iter()
        .chain(&PLACES)
        .map(|at| (*at, "shop"))
        .collect();
    subnet_groups(moto, &places);
}

/// A key of the customer's.
fn key(moto: &Moto) -> String {
    let made = at_home(moto, &[("kms:create_key", json!({}))]);
    made[0]["KeyMetadata"]["Arn"]
        .as_str()
        .expect("a text")
        .to_owned()
}

/// Makes the instance `orders`, and its snapshot, which is shared with somebody already unless RDS
/// does not allow it.
fn orders(moto: &Moto, more: Value) {
    let mut create = json!({
        "AllocatedStorage": 100,
        "BackupRetentionPeriod": 0,
        "DBInstanceClass": "db.m5.large",
        "DBInstanceIdentifier": "orders",
        "DBSubnetGroupName": "shop",
        "Engine": "postgres",
        "EngineVersion": "15.4",
        "MasterUserPassword": "not-a-secret",
        "MasterUsername": "master",
        "MaxAllocatedStorage": 200,
        "Port": moto.database_port,
        "Tags": [{ "Key": "team", "Value": "payments" }],
    });
    let members = create.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    let snapshot = json!({
        "DBInstanceIdentifier": "orders", "DBSnapshotIdentifier": "orders-snapshot",
    });
    let look = ("describe_db_instances", json!({}));
    let look_at_snapshot = ("describe_db_snapshots", json!({}));
    at_home(
        moto,
        &[
            ("create_db_instance", create),
            look.clone(),
            look,
            ("create_db_snapshot", snapshot),
            look_at_snapshot.clone(),
            look_at_snapshot,
        ],
    );
}

fn share(moto: &Moto, with: &str) {
    at_home(
        moto,
        &[(
            "modify_db_snapshot_attribute",
            json!({
                "DBSnapshotIdentifier": "orders-snapshot",
                "AttributeName": "restore",
                "ValuesToAdd": [with],
            }),
        )],
    );
}

/// The instances in each place.
fn instances(moto: &Moto, places: &[At]) -> Vec<Vec<Value>> {
    let found = everywhere(moto, places, "describe_db_instances", &json!({}));
    let list = |found: Value| found["DBInstances"].as_array().expect("a list").clone();
    found.into_iter().map(list).collect()
}

fn start(moto: &Moto, input: &Value) -> Ended {
    let file = moto.file("input.json", &input.to_string());
    moto.trapheus(&["start", "--input", &file])
}

/// Only these have the snapshot, and nobody has a copy.
fn assert_clean(moto: &Moto, snapshot: &str, shared: &Value, what: &str) {
    let (of, list, attributes) = match snapshot {
        "orders-snapshot" => (
            "describe_db_snapshot",
            "DBSnapshot",
            "describe_db_snapshot_attributes",
        ),
        _ => (
            "describe_db_cluster_snapshot",
            "DBClusterSnapshot",
            "describe_db_cluster_snapshot_attributes",
        ),
    };
    let look = format!("{of}s");
    let manual = json!({ "SnapshotType": "manual" });
    let mut asked = vec![(
        HOME,
        attributes,
        json!({ format!("{list}Identifier"): snapshot }),
    )];
    let places = [HOME].into_iter().chain(PLACES);
    asked.extend(places.map(|place| (place, look.as_str(), manual.clone())));
    let found = calls(moto, &asked);
    let attributes = &found[0][format!("{list}AttributesResult")][format!("{list}Attributes")];
    assert_eq!(attributes[0]["AttributeValues"], *shared, "{what}");
    let names = found[1..].iter().map(|found| {
        let snapshots = found[format!("{list}s")].as_array().expect("a list");
        let name = |one: &Value| one[format!("{list}Identifier")].as_str().map(str::to_owned);
        snapshots.iter().filter_map(name).collect::<Vec<_>>()
    });
    let names: Vec<Vec<String>> = names.collect();
    assert_eq!(names[0], [snapshot], "{what}");
    assert!(names[1..].iter().all(Vec::is_empty), "{what}: {names:?}");
}

/// The Python tool's input, as its own tests write it.
fn input(identifier: &str, is_cluster: bool) -> Value {
    json!({
        "identifier": identifier,
        "task": "restore_rds_in_target_accounts",
        "isCluster": is_cluster,
        "targetAccountIds": "222222222222,333333333333",
        "targetRegions": "us-east-1, eu-west-1",
        "AutomationAssumeRole": ROLE,
    })
}

#[test]
fn an_instance_arrives_in_two_accounts_and_two_regions() {
    let moto = Moto::start(&[]);
    shop_everywhere(&moto);
    orders(&moto, json!({}));
    share(&moto, PARTNER);
    let mut input = input("orders", false);
    input["targets"] = json!([
        { "vpcSecurityGroupIds": ["sg-1"] },
        { "account": "333333333333", "region": "eu-west-1", "vpcSecurityGroupIds": ["sg-2"] },
    ]);
    let Ended { code, result } = start(&moto, &input);
    assert_eq!(code, Some(0), "{result:#}");
    assert_eq!(result["status"], "SUCCEEDED");
    assert_eq!(result["leftOver"], json!([]));
    let targets = result["targets"].as_array().expect("a list");
    let restored = instances(&moto, &PLACES);
    for (((account, region), target), restored) in PLACES.iter().zip(targets).zip(restored) {
        assert_eq!(
            (&target["account"], &target["region"]),
            (&json!(account), &json!(region))
        );
        assert_eq!(target["status"], "SUCCEEDED", "{target:#}");
        let [restored] = restored.as_slice() else {
            panic!("one instance is there: {restored:#?}")
        };
        assert_eq!(restored["DBInstanceIdentifier"], "orders");
        assert_eq!(restored["DbiResourceId"], target["restoredResourceId"]);
        assert_eq!(
            restored["Endpoint"]["Address"],
            target["endpoint"]["address"]
        );
        assert_eq!(restored["DBInstanceClass"], "db.m5.large");
        assert_eq!(restored["MaxAllocatedStorage"], 200);
        assert_eq!(restored["DBSubnetGroup"]["DBSubnetGroupName"], "shop");
        let expected = if (*account, *region) == PLACES[3] {
            "sg-2"
        } else {
            "sg-1"
        };
        assert_eq!(
            restored["VpcSecurityGroups"][0]["VpcSecurityGroupId"],
            expected
        );
        let tags = restored["TagList"].to_string();
        assert!(tags.contains("payments"), "{tags}");
    }
    assert_clean(&moto, "orders-snapshot", &json!([PARTNER]), "all is well");
    // Each target has a story of its own.
    let id = targets[0]["executionId"].as_str().expect("a text");
    let child = moto.trapheus(&["executions", "show", id]).result;
    assert_eq!(
        (&child["status"], &child["task"]),
        (&json!("SUCCEEDED"), &json!("db_restore"))
    );
    moto.stop();
}

#[test]
fn an_encrypted_cluster_arrives_in_two_accounts_and_two_regions() {
    let moto = Moto::start(&[]);
    let own_key = key(&moto);
    shop_everywhere(&moto);
    let member = |number: u8| {
        (
            "create_db_instance",
            json!({
                "DBClusterIdentifier": "shop",
                "DBInstanceIdentifier": format!("shop-{number}"),
                "DBInstanceClass": "db.r5.large",
                "Engine": "aurora-postgresql",
            }),
        )
    };
    let look = ("describe_db_clusters", json!({}));
    let look_at_members = ("describe_db_instances", json!({}));
    let look_at_snapshots = ("describe_db_cluster_snapshots", json!({}));
    at_home(
        &moto,
        &[
            (
                "create_db_cluster",
                json!({
                    "DBClusterIdentifier": "shop",
                    "DBSubnetGroupName": "shop",
                    "Engine": "aurora-postgresql",
                    "EngineVersion": "15.4",
                    "KmsKeyId": own_key,
                    "MasterUserPassword": "not-a-secret",
                    "MasterUsername": "master",
                    "Port": moto.database_port,
                    "StorageEncrypted": true,
                }),
            ),
            look.clone(),
            look,
            member(1),
            member(2),
            look_at_members.clone(),
            look_at_members,
            (
                "create_db_cluster_snapshot",
                json!({
                    "DBClusterIdentifier": "shop", "DBClusterSnapshotIdentifier": "shop-snapshot",
                }),
            ),
            look_at_snapshots.clone(),
            look_at_snapshots,
        ],
    );
    let Ended { code, result } = start(&moto, &input("shop", true));
    assert_eq!(code, Some(0), "{result:#}");
    assert_eq!(result["leftOver"], json!([]));
    let found = everywhere(&moto, &PLACES, "describe_db_clusters", &json!({}));
    for ((account, region), found) in PLACES.iter().zip(&found) {
        let cluster = &found["DBClusters"][0];
        assert_eq!(cluster["DBClusterIdentifier"], "shop");
        let own_key = format!("arn:aws:kms:{region}:{account}:key/aws-rds");
        assert_eq!(cluster["KmsKeyId"], own_key);
        assert_eq!(
            cluster["DBClusterMembers"].as_array().map(Vec::len),
            Some(2)
        );
    }
    assert_clean(&moto, "shop-snapshot", &json!([]), "all is well");
    moto.stop();
}

/// Every call that changes something fails once, for good: neither a share nor a copy stays. RDS's own
/// key and another Region make all the copies necessary that there can be.
#[test]
fn whatever_fails_nothing_is_left_behind() {
    let moto = Moto::start(&["--looks", "0"]);
    let share_key = key(&moto);
    let vpcs = subnet_groups(&moto, &[(HOME, "shop"), (PLACES[1], "shop-there")]);
    orders(
        &moto,
        json!({ "StorageEncrypted": true, "KmsKeyId": "alias/aws/rds" }),
    );
    let place = PLACES[1];
    let input = json!({
        "identifier": "orders",
        "task": "restore_rds_in_target_accounts",
        "targetAccountIds": place.0,
        "targetRegions": place.1,
        "vpcId": vpcs[1],
        "AutomationAssumeRole": "restorer",
        "shareKmsKeyId": share_key,
    });
    // The copy here, its sharing, the copy there, and the restore by an execution of its own.
    for number in 1..=4 {
        moto.fail(number, "InvalidParameterValue");
        let Ended { code, result } = start(&moto, &input);
        let what = format!("call {number}: {result:#}");
        assert_eq!(code, Some(1), "{what}");
        assert_eq!(result["status"], "FAILED", "{what}");
        assert_eq!(result["leftOver"], json!([]), "{what}");
        assert_eq!(result["targets"][0]["status"], "FAILED", "{what}");
        assert_clean(&moto, "orders-snapshot", &json!([]), &what);
        assert!(instances(&moto, &[place])[0].is_empty(), "{what}");
    }
    // An answer that never came is looked after, and nothing is done twice.
    moto.fail(1, "InternalFailure");
    let Ended { code, result } = start(&moto, &input);
    assert_eq!(code, Some(0), "{result:#}");
    assert_clean(&moto, "orders-snapshot", &json!([]), "after a lost answer");
    // The name is taken now: it is replaced as by any restore.
    let before = instances(&moto, &[place])[0][0]["DbiResourceId"].clone();
    let Ended { code, result } = start(&moto, &input);
    assert_eq!(code, Some(0), "{result:#}");
    assert_ne!(instances(&moto, &[place])[0][0]["DbiResourceId"], before);
    assert_clean(&moto, "orders-snapshot", &json!([]), "after a replacement");
    moto.stop();
}

#[test]
fn what_cannot_be_is_refused_before_anything_changes() {
    let moto = Moto::start(&["--looks", "0"]);
    subnet_groups(
        &moto,
        &[
            (HOME, "shop"),
            (PLACES[0], "shop"),
            (PLACES[2], "elsewhere"),
        ],
    );
    orders(&moto, json!({}));
    let before = moto.requests().len();
    let arguments = |role: &'static str, account: &'static str, region: &'static str| {
        let ended = moto.trapheus(&[
            "restore",
            "orders",
            "--target-role",
            role,
            "--target-account",
            account,
            "--target-region",
            region,
        ]);
        assert_eq!(ended.code, Some(2), "{:#}", ended.result);
        ended.result["error"]["message"].to_string()
    };
    for (role, account, region, why) in [
        ("stranger", "222222222222", "us-east-1", "can't be assumed"),
        ("guarded", "222222222222", "us-east-1", "external id"),
        ("restorer", "123456789012", "us-east-1", "db_restore"),
        ("restorer", "333333333333", "us-east-1", "there is no shop"),
    ] {
        let said = arguments(role, account, region);
        assert!(said.contains(why), "{said}");
    }
    let changing = |action: &String| !action.starts_with("Describe") && action != "AssumeRole";
    let changed: Vec<String> = moto
        .requests()
        .split_off(before)
        .into_iter()
        .filter(changing)
        .collect();
    assert_eq!(changed, [""; 0]);
    // With the external id, and by flags alone, it goes.
    let targets = moto.file("targets.json", r#"[{"externalId": "sesame"}]"#);
    let Ended { code, result } = moto.trapheus(&[
        "restore",
        "orders",
        "--target-role",
        "guarded",
        "--target-account",
        "222222222222",
        "--targets",
        &targets,
    ]);
    assert_eq!(code, Some(0), "{result:#}");
    assert_eq!(instances(&moto, &PLACES[..1])[0].len(), 1);
    moto.stop();
}
