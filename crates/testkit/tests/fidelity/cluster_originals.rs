//! Original clusters that differ from a plain one wherever they may, in every member, too.

use serde_json::{Map, Value, json};
use trapheus_testkit::{Element, Simulation};

use crate::facts::{self, Fact};
use crate::originals::{asked, offered, start_stream};
use crate::values::{self, Engine};

/// The members of the original in the order of their making: the writer is not the first by name.
pub(crate) const MEMBERS: [&str; 3] = ["orders-2", "orders-1", "orders-3"];

/// A kind of cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flavour {
    pub(crate) name: &'static str,
    pub(crate) engine: &'static str,
    /// Its members are made one by one; those of a Multi-AZ DB cluster come and go with it.
    pub(crate) is_aurora: bool,
}

pub(crate) const FLAVOURS: [Flavour; 4] = [
    Flavour {
        name: "aurora-postgresql",
        engine: "aurora-postgresql",
        is_aurora: true,
    },
    Flavour {
        name: "aurora-mysql",
        engine: "aurora-mysql",
        is_aurora: true,
    },
    Flavour {
        name: "Multi-AZ postgres",
        engine: "postgres",
        is_aurora: false,
    },
    Flavour {
        name: "Multi-AZ mysql",
        engine: "mysql",
        is_aurora: false,
    },
];

impl Flavour {
    /// Whether the facts say that such clusters have an attribute.
    pub(crate) fn has(self, fact: &Fact) -> bool {
        match fact.clusters.as_str() {
            "Aurora MySQL" => self.engine == "aurora-mysql",
            "Aurora PostgreSQL express configuration" => self.engine == "aurora-postgresql",
            words if words.starts_with("Aurora and Multi-AZ") || words.contains("(and Aurora") => {
                true
            }
            words if words.starts_with("Multi-AZ") => !self.is_aurora,
            _of_aurora => self.is_aurora,
        }
    }
}

/// Why no original of ours has another value than by default.
pub(crate) fn why_not_varied(attribute: &str, flavour: Flavour) -> Option<&'static str> {
    Some(match attribute {
        "DBClusterIdentifier" | "DBInstanceIdentifier" => "is the name itself",
        "Engine" => "a snapshot is of one engine",
        "EngineVersion" => "one minor version known",
        "EngineMode" | "ScalingConfiguration" => "Serverless v1 has no engine here",
        "OptionGroupName" => "the default one, which can't be changed",
        "EnableGlobalWriteForwarding" | "GlobalClusterIdentifier" => {
            "a member of a global database is refused"
        }
        "ReplicationSourceIdentifier" | "ReadReplicaIdentifiers" => "of another Region's",
        "EnableLimitlessDatabase" | "ClusterScalabilityType" => "Limitless is refused",
        "RdsCustomClusterConfiguration" => "reserved by RDS",
        "VPCNetworkingEnabled" | "InternetAccessGatewayEnabled" => "no create request sets it",
        "DBSystemId" => "of RDS Custom",
        "AwsBackupRecoveryPointArn" => "bound to the original",
        "UpgradeRolloutOrder" => "an organization's policy",
        "HttpEndpointEnabled" => "by its own call",
        "CustomEndpoints" => "compared by themselves",
        "AssociatedRoles" => "of the cluster, and of Aurora only",
        "IsClusterWriter" => "see DBClusterMembers",
        "AutoMinorVersionUpgrade" if flavour.is_aurora => "of its members",
        _ => return None,
    })
}

/// Makes `plain`, which has nothing but defaults, and `orders`, which has none of them; returns how
/// the plain cluster and its member are shown.
pub(crate) async fn make(simulation: &Simulation, flavour: Flavour) -> (Element, Element) {
    let engine = offered(simulation, flavour.engine).await;
    groups(simulation, &engine).await;
    let older = Map::from_iter([("EngineVersion".to_owned(), json!(engine.oldest_version))]);
    create(simulation, flavour, &engine, "plain", older).await;
    if flavour.is_aurora {
        create_member(simulation, &engine, "plain", "plain-instance-1", Map::new()).await;
    }
    let plain = describe(simulation, "plain").await;
    let plain_member = crate::originals::describe(simulation, "plain-instance-1").await;

    let facts = facts::of("db_cluster", "CreateDBCluster");
    let settings = asked(&engine, "CreateDBClusterMessage", &facts, &plain, |fact| {
        let attribute = fact.attribute.as_str();
        flavour.has(fact)
            && (attribute == "EngineVersion" || why_not_varied(attribute, flavour).is_none())
            && ![
                "MasterUserPassword",
                "MasterUserAuthenticationType",
                "AssociatedRoles",
            ]
            .contains(&attribute)
    });
    create(simulation, flavour, &engine, "orders", settings).await;
    if flavour.is_aurora {
        let facts = facts::of("db_cluster_member", "CreateDBInstance");
        for (tier, member) in MEMBERS.into_iter().enumerate() {
            let settings = asked(
                &engine,
                "CreateDBInstanceMessage",
                &facts,
                &plain_member,
                |fact| {
                    let attribute = fact.attribute.as_str();
                    ![
                        "DBInstanceIdentifier",
                        "DBClusterIdentifier",
                        "Engine",
                        "DBSubnetGroupName",
                    ]
                    .contains(&attribute)
                },
            );
            let mut settings = settings;
            settings.insert("PromotionTier".to_owned(), json!(3 + tier));
            if tier == 2 {
                settings.insert("DBInstanceClass".to_owned(), json!("db.serverless"));
            }
            create_member(simulation, &engine, "orders", member, settings).await;
        }
    }
    if flavour.is_aurora {
        attach(simulation).await;
    }
    (plain, plain_member)
}

/// What only other calls give to a cluster.
async fn attach(simulation: &Simulation) {
    let arn = describe(simulation, "orders")
        .await
        .text_of("DBClusterArn")
        .to_owned();
    let enabled = simulation
        .ask("EnableHttpEndpoint", json!({"ResourceArn": arn}))
        .await;
    enabled.expect("it can be enabled");
    let role = json!({
        "DBClusterIdentifier": "orders", "FeatureName": "s3Import",
        "RoleArn": "arn:aws:iam::123456789012:role/import",
    });
    let added = simulation.ask("AddRoleToDBCluster", role).await;
    added.expect("a role can be added");
    start_stream(simulation, &arn, false).await;
    wait_until_available(simulation, "orders").await;
    create_custom_endpoints(simulation).await;
}

/// The custom endpoints of the original.
async fn create_custom_endpoints(simulation: &Simulation) {
    for members in [
        json!({
            "DBClusterIdentifier": "orders", "DBClusterEndpointIdentifier": "orders-analytics",
            "EndpointType": "READER", "StaticMembers": ["orders-3"],
            "Tags": [{"Key": "for", "Value": "analysts"}],
        }),
        json!({
            "DBClusterIdentifier": "orders", "DBClusterEndpointIdentifier": "orders-rest",
            "EndpointType": "ANY", "ExcludedMembers": ["orders-1"],
        }),
    ] {
        let made = simulation.ask("CreateDBClusterEndpoint", members).await;
        made.expect("the custom endpoint can be made");
    }
    wait(
        simulation,
        "DescribeDBClusterEndpoints",
        json!({}),
        |answer| {
            let endpoints = answer.find("DBClusterEndpoints").expect("it lists them");
            endpoints
                .children
                .iter()
                .all(|endpoint| endpoint.text_of("Status") == "available")
        },
    )
    .await;
}

/// The custom endpoints as they are shown, without what is the cluster's own.
pub(crate) async fn custom_endpoints(simulation: &Simulation) -> Vec<String> {
    let answer = simulation
        .ask("DescribeDBClusterEndpoints", json!({}))
        .await;
    let answer = answer.expect("the endpoints are shown");
    let endpoints = answer.find("DBClusterEndpoints").expect("it lists them");
    let endpoints = endpoints.children.iter();
    let custom = endpoints.filter(|endpoint| endpoint.text_of("EndpointType") == "CUSTOM");
    custom
        .map(|endpoint| {
            let mut endpoint = endpoint.clone();
            endpoint
                .children
                .retain(|child| child.name != "DBClusterEndpointResourceIdentifier");
            endpoint.flat()
        })
        .collect()
}

pub(crate) async fn describe(simulation: &Simulation, name: &str) -> Element {
    let asked = json!({"DBClusterIdentifier": name});
    let answer = simulation.ask("DescribeDBClusters", asked).await;
    let answer = answer.expect("the cluster exists");
    answer.find("DBCluster").expect("it is shown").clone()
}

/// Makes a snapshot of a cluster and waits for it.
pub(crate) async fn create_snapshot(simulation: &Simulation, of: &str) {
    let id = format!("{of}-snapshot");
    let asked = json!({"DBClusterIdentifier": of, "DBClusterSnapshotIdentifier": id});
    let made = simulation.ask("CreateDBClusterSnapshot", asked).await;
    made.expect("the snapshot can be made");
    let asked = json!({"DBClusterSnapshotIdentifier": id});
    wait(
        simulation,
        "DescribeDBClusterSnapshots",
        asked,
        is_available,
    )
    .await;
    wait_until_available(simulation, of).await;
}

async fn create(
    simulation: &Simulation,
    flavour: Flavour,
    engine: &Engine,
    name: &str,
    asked: Map<String, Value>,
) {
    let mut members = json!({
        "DBClusterIdentifier": name, "Engine": engine.name, "EngineVersion": engine.version,
        "MasterUsername": "app",
    });
    let all = members.as_object_mut().expect("it is an object");
    if !flavour.is_aurora {
        for (member, value) in [
            ("DBClusterInstanceClass", json!("db.m6gd.large")),
            ("AllocatedStorage", json!(100)),
            ("StorageType", json!("io1")),
            ("Iops", json!(1000)),
        ] {
            all.insert(member.to_owned(), value);
        }
    }
    all.extend(asked);
    if !all.contains_key("ManageMasterUserPassword") {
        all.insert("MasterUserPassword".to_owned(), json!("secret-1234"));
    }
    let created = simulation.ask("CreateDBCluster", members).await;
    created.unwrap_or_else(|refusal| panic!("{name} as {}: {refusal:?}", flavour.name));
    wait_until_available(simulation, name).await;
}

async fn create_member(
    simulation: &Simulation,
    engine: &Engine,
    cluster: &str,
    name: &str,
    asked: Map<String, Value>,
) {
    let mut members = json!({
        "DBInstanceIdentifier": name, "DBClusterIdentifier": cluster, "Engine": engine.name,
        "DBInstanceClass": "db.r5.large",
    });
    members
        .as_object_mut()
        .expect("it is an object")
        .extend(asked);
    let created = simulation.ask("CreateDBInstance", members).await;
    created.unwrap_or_else(|refusal| panic!("{name} of {}: {refusal:?}", engine.name));
    simulation.wait_until_available(name).await;
}

/// The groups that the original and its members refer to.
async fn groups(simulation: &Simulation, engine: &Engine) {
    crate::originals::groups(simulation, engine).await;
    let version = json!({"Engine": engine.name, "EngineVersion": engine.version});
    let answer = simulation.ask("DescribeDBEngineVersions", version).await;
    let answer = answer.expect("the version is offered");
    let family = answer.find("DBParameterGroupFamily").expect("it has one");
    let group = json!({
        "DBClusterParameterGroupName": values::name("DBClusterParameterGroupName"),
        "DBParameterGroupFamily": family.text, "Description": "its own",
    });
    let made = simulation.ask("CreateDBClusterParameterGroup", group).await;
    made.expect("the group can be made");
}

async fn wait_until_available(simulation: &Simulation, name: &str) {
    let asked = json!({"DBClusterIdentifier": name});
    wait(simulation, "DescribeDBClusters", asked, is_available).await;
}

fn is_available(answer: &Element) -> bool {
    answer
        .find("Status")
        .is_some_and(|status| status.text == "available")
}

async fn wait(
    simulation: &Simulation,
    action: &str,
    asked: Value,
    is_so: impl Fn(&Element) -> bool,
) {
    for _ in 0..10_000 {
        let answer = simulation.ask(action, asked.clone()).await;
        if is_so(&answer.expect("what is waited for exists")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    panic!("{action} of {asked} never shows it");
}
