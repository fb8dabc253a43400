//! Goal: the tables forget nothing and mistake nothing. Method: the service's own list of
//! members (`facts/`), requests as they reach the wire, and answers in which everything is set.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};
use trapheus_rds::{
    Attribute, AttributeClass, CreateMember, CreateReplica, Database, Error, Kind, Limits,
    PointInTimeSource, Rds, Restore, RestoreFrom, Settings, Subject, Tags, Way, attribute,
    attributes,
};

use crate::server::{
    ORDERS, ORDERS_CLUSTER, Reply, Request, Server, cluster, cluster_with, instance, instance_with,
    orders, orders_cluster,
};

static FACTS: LazyLock<Value> = LazyLock::new(|| {
    let facts = include_str!("../../facts/rds-config-attributes.json");
    serde_json::from_str(facts).unwrap()
});

/// What is known of one table from elsewhere.
struct Table {
    subject: Subject,
    /// Its list in the facts.
    facts: &'static str,
    rows: usize,
    /// The requests for it, and RDS's names of them.
    ways: &'static [(Way, &'static str)],
    /// Engines that together have every attribute.
    engines: &'static [&'static str],
    /// What the facts list as shown, and another operation shows.
    shown_elsewhere: &'static [&'static str],
    /// An answer in which everything is set.
    everything: &'static str,
}

static TABLES: [Table; 3] = [
    Table {
        subject: Subject::Instance,
        facts: "db_instance",
        rows: 83,
        ways: &[
            (Way::Restore, "RestoreDBInstanceFromDBSnapshot"),
            (Way::RestoreToPointInTime, "RestoreDBInstanceToPointInTime"),
            (Way::CreateReplica, "CreateDBInstanceReadReplica"),
            (Way::Modify, "ModifyDBInstance"),
        ],
        engines: &[
            "postgres",
            "mysql",
            "oracle-ee",
            "sqlserver-se",
            "db2-se",
            "custom-oracle-ee",
        ],
        shown_elsewhere: &["AutomatedBackupTags", "TenantDatabases"],
        everything: include_str!("everything-instance.xml"),
    },
    Table {
        subject: Subject::Cluster,
        facts: "db_cluster",
        rows: 68,
        ways: &[
            (Way::Restore, "RestoreDBClusterFromSnapshot"),
            (Way::RestoreToPointInTime, "RestoreDBClusterToPointInTime"),
            (Way::Modify, "ModifyDBCluster"),
        ],
        engines: &["aurora-mysql", "aurora-postgresql", "postgres"],
        shown_elsewhere: &["AutomatedBackupTags"],
        everything: include_str!("everything-cluster.xml"),
    },
    Table {
        subject: Subject::Member,
        facts: "db_cluster_member",
        rows: 23,
        ways: &[
            (Way::CreateMember, "CreateDBInstance"),
            (Way::Modify, "ModifyDBInstance"),
        ],
        engines: &["aurora-mysql"],
        shown_elsewhere: &["IsClusterWriter"],
        everything: include_str!("everything-member.xml"),
    },
];

/// Members that exist and are not ours to send: a replica's Database Insights are "not
/// supported", and a modify enables the HTTP endpoint of Serverless v1 only.
const NOT_OURS: [(&str, &str); 2] = [
    ("CreateDBInstanceReadReplica", "DatabaseInsightsMode"),
    ("ModifyDBCluster", "HttpEndpointEnabled"),
];

/// Names and tags have a place of their own in the requests.
const APART: [&str; 3] = ["DBInstanceIdentifier", "DBClusterIdentifier", "TagList"];

impl Table {
    fn facts(&self) -> &'static [Value] {
        FACTS[self.facts].as_array().unwrap()
    }

    fn fact(&self, row: &Attribute) -> &'static Value {
        let named = |fact: &&Value| fact["attribute"] == row.name.as_str();
        let fact = self.facts().iter().find(named);
        fact.unwrap_or_else(|| panic!("{} is no attribute", row.name))
    }

    /// An engine whose request takes the attribute.
    fn engine(&self, way: Way, row: &Attribute) -> Option<&'static str> {
        let engines = self.engines.iter().copied();
        engines
            .into_iter()
            .find(|engine| row.is_set_by(way, engine))
    }

    /// Every row that a request has a member for, with the member's name.
    fn settable(&self, operation: &str) -> Vec<(&'static Attribute, String)> {
        let rows = attributes(self.subject).iter();
        let ours = rows.filter(|row| !NOT_OURS.contains(&(operation, row.name.as_str())));
        ours.filter_map(|row| Some((row, self.fact(row)[operation].as_str()?.to_owned())))
            .collect()
    }

    /// Sends a request with settings.
    async fn send(&self, way: Way, settings: Settings) -> (Server, Result<Database, Error>) {
        let server = any_database(self.subject);
        let rds = server.door(Limits::default());
        let result = self.send_to(&rds, way, settings).await;
        (server, result)
    }

    async fn send_to(&self, rds: &Rds, way: Way, settings: Settings) -> Result<Database, Error> {
        let identifier = "orders-new".parse().unwrap();
        let tags = Tags::new();
        let (kind, of) = match self.subject {
            Subject::Cluster => (Kind::Cluster, orders_cluster()),
            Subject::Instance | Subject::Member => (Kind::Instance, orders()),
        };
        let from = match way {
            Way::RestoreToPointInTime => RestoreFrom::PointInTime {
                source: PointInTimeSource::Retained(of.resource.clone()),
                at: None,
            },
            _ => RestoreFrom::Snapshot("nightly".parse().unwrap()),
        };
        match way {
            Way::Restore | Way::RestoreToPointInTime => {
                let request = Restore {
                    kind,
                    identifier,
                    from,
                    settings,
                    tags,
                };
                rds.restore(&request).await
            }
            Way::CreateMember => {
                let cluster = orders_cluster();
                let request = CreateMember {
                    identifier,
                    cluster,
                    settings,
                    tags,
                };
                rds.create_member(&request).await
            }
            Way::CreateReplica => {
                let request = CreateReplica {
                    identifier,
                    source: of,
                    settings,
                    tags,
                };
                rds.create_replica(&request).await
            }
            Way::Modify => rds.modify(&of, &settings).await,
        }
    }
}

/// A value of the form that the attribute has.
fn sample(row: &Attribute) -> Value {
    match row.name.as_str() {
        "AllocatedStorage"
        | "BackupRetentionPeriod"
        | "BacktrackWindow"
        | "Iops"
        | "MaxAllocatedStorage"
        | "MonitoringInterval"
        | "PerformanceInsightsRetentionPeriod"
        | "Port"
        | "PromotionTier"
        | "ResumeFullAutomationModeTime"
        | "StorageThroughput" => json!(60),
        "AutoMinorVersionUpgrade"
        | "CopyTagsToSnapshot"
        | "CustomerOwnedIpEnabled"
        | "DedicatedLogVolume"
        | "DeletionProtection"
        | "EnableGlobalWriteForwarding"
        | "EnableLimitlessDatabase"
        | "EnableLocalWriteForwarding"
        | "IAMDatabaseAuthenticationEnabled"
        | "InternetAccessGatewayEnabled"
        | "ManageMasterUserPassword"
        | "MultiAZ"
        | "MultiTenant"
        | "PerformanceInsightsEnabled"
        | "PubliclyAccessible"
        | "VPCNetworkingEnabled" => json!(true),
        "AvailabilityZones"
        | "DBSecurityGroups"
        | "DomainDnsIps"
        | "EnabledCloudwatchLogsExports"
        | "VpcSecurityGroupIds" => json!(["one", "two"]),
        "AssociatedRoles" => json!([" arn:aws:iam::123456789012:role/load"]),
        "AutomatedBackupTags" | "ProcessorFeatures" | "TagList" => json!({"coreCount": "4"}),
        "AdditionalStorageVolumes" => json!([{"VolumeName": "RDSDBDATA2", "IOPS": 3000}]),
        "ScalingConfiguration" => json!({"MinCapacity": 2, "AutoPause": true}),
        "ServerlessV2ScalingConfiguration" => json!({"MinCapacity": 0.5, "MaxCapacity": 8.0}),
        "RdsCustomClusterConfiguration" => json!({"ReplicaMode": "mounted"}),
        _ => json!("some-text"),
    }
}

fn any_database(subject: Subject) -> Server {
    Server::new(move |request| {
        let member = "<DBClusterIdentifier>orders</DBClusterIdentifier>";
        let orders = match subject {
            Subject::Member => instance_with("orders", ORDERS, "available", member),
            Subject::Instance | Subject::Cluster => instance("orders", ORDERS, "available"),
        };
        let clusters = cluster("orders", ORDERS_CLUSTER, "available");
        match request.action.as_str() {
            "DescribeDBInstances" => Reply::instances(&[orders]),
            "DescribeDBClusters" => Reply::clusters(&[clusters]),
            action if action.contains("Cluster") => Reply::result(action, clusters),
            action => Reply::result(action, orders),
        }
    })
}

fn has_member(request: &Request, member: &str) -> bool {
    let list = format!("{member}.");
    let mut names = request.parameters.keys();
    names.any(|name| name == member || name.starts_with(&list))
}

#[test]
fn the_tables_have_every_attribute_once_and_no_other() {
    for table in &TABLES {
        let facts = table.facts().iter();
        let facts: Vec<&str> = facts
            .map(|fact| fact["attribute"].as_str().unwrap())
            .collect();
        let names = attributes(table.subject)
            .iter()
            .map(|row| row.name.as_str());
        let names: Vec<&str> = names.collect();
        assert_eq!(names.len(), table.rows);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), table.rows);
        assert_eq!(names, facts);
    }
}

#[test]
fn the_tables_say_what_can_set_each_attribute() {
    for table in &TABLES {
        for row in attributes(table.subject) {
            let fact = table.fact(row);
            let class = match row.class {
                AttributeClass::Restore => "restore",
                AttributeClass::Create => "create",
                AttributeClass::RestoreOfSomeEngines => "restore-conditional",
                AttributeClass::Modify => "modify-only",
                AttributeClass::OtherApi(_) => "other-api",
                AttributeClass::NotRestorable => "not-restorable",
            };
            assert_eq!(fact["class"], class, "{}", row.name);
            for (way, operation) in table.ways {
                let is_ours = !NOT_OURS.contains(&(operation, row.name.as_str()));
                let has_member = fact[operation].is_string() && is_ours;
                let engine = table.engine(*way, row);
                assert_eq!(engine.is_some(), has_member, "{} by {operation}", row.name);
            }
            let elsewhere = table.shown_elsewhere.contains(&row.name.as_str());
            let shown = fact["describe"].is_object() && !elsewhere;
            assert_eq!(row.is_shown(), shown, "{} is shown", row.name);
            if let AttributeClass::OtherApi(call) = row.class {
                let told = fact["other_api"].as_str().unwrap();
                assert!(told.contains(call), "{} by {call}", row.name);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_setting_reaches_the_member_of_every_request() {
    for table in &TABLES {
        let server = any_database(table.subject);
        let rds = server.door(Limits::default());
        for (way, operation) in table.ways {
            for (row, member) in table.settable(operation) {
                if APART.contains(&row.name.as_str()) {
                    continue;
                }
                let settings = [(row.name, sample(row))].into();
                let result = table.send_to(&rds, *way, settings).await;
                result.unwrap_or_else(|error| panic!("{}: {error}", row.name));
                let request = server.last();
                assert_eq!(request.action, *operation);
                assert!(
                    has_member(&request, &member),
                    "{} is not in {request:?}",
                    row.name
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_form_is_refused_before_anything_is_sent() {
    for table in &TABLES {
        let server = any_database(table.subject);
        let rds = server.door(Limits::default());
        for (way, operation) in table.ways {
            for (row, _) in table.settable(operation) {
                if *way == Way::Modify && APART.contains(&row.name.as_str()) {
                    continue;
                }
                let settings = [(row.name, Value::Null)].into();
                let result = table.send_to(&rds, *way, settings).await;
                let message = result.unwrap_err().message;
                assert_eq!(message, format!("{} cannot be null", row.name));
            }
        }
        let mut actions = server.actions().into_iter();
        assert!(actions.all(|action| action.starts_with("Describe")));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_request_has_no_member_for_is_refused() {
    for (table, name) in [
        (&TABLES[0], "AvailabilityZone"),
        (&TABLES[0], "MasterUsername"),
        (&TABLES[0], "DBInstanceIdentifier"),
        (&TABLES[0], "BacktrackWindow"),
        (&TABLES[1], "DBClusterIdentifier"),
        (&TABLES[1], "HttpEndpointEnabled"),
        // A member has these from its cluster.
        (&TABLES[2], "Port"),
        (&TABLES[2], "DeletionProtection"),
    ] {
        let settings = [(name.parse().unwrap(), json!("some-text"))].into();
        let (_, result) = table.send(Way::Modify, settings).await;
        result.unwrap_err();
    }
}

/// Looks at a database on which everything is set that can be shown.
async fn everything(table: &'static Table) -> Settings {
    let server = Server::new(move |request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::instances(&[table.everything.to_owned()]),
        _ => Reply::clusters(&[table.everything.to_owned()]),
    });
    let kind = match table.subject {
        Subject::Cluster => Kind::Cluster,
        Subject::Instance | Subject::Member => Kind::Instance,
    };
    let rds = server.door(Limits::default());
    let found = rds.database(kind, &orders().name).await.unwrap();
    found.expect("it is there").settings
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_shown_is_captured() {
    for table in &TABLES {
        let settings = everything(table).await;
        for row in attributes(table.subject) {
            let is_captured = settings.contains_key(&row.name);
            assert_eq!(is_captured, row.is_shown(), "{}", row.name);
        }
        insta::assert_json_snapshot!(format!("{:?}_captured", table.subject), settings);
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_was_captured_can_be_sent_again() {
    for table in &TABLES {
        for (way, operation) in table.ways {
            let mut settings = everything(table).await;
            // The pause of the automation is shown as a time and set in minutes.
            let not_sent = |name: &str| {
                *way == Way::Modify && APART.contains(&name)
                    || name == "ResumeFullAutomationModeTime"
            };
            settings.retain(|name, _| {
                let row = attribute(table.subject, *name).expect("it was captured");
                table.engine(*way, row).is_some() && !not_sent(name.as_str())
            });
            let (server, result) = table.send(*way, settings).await;
            result.unwrap();
            let name = format!("{:?}_{operation}", table.subject);
            insta::assert_debug_snapshot!(name, server.last().parameters);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn log_exports_are_modified_by_the_difference() {
    let exports = "<EnabledCloudwatchLogsExports><member>upgrade</member>\
                   <member>postgresql</member></EnabledCloudwatchLogsExports>";
    let server = Server::new(move |request| {
        let orders = instance_with("orders", ORDERS, "available", exports);
        match request.action.as_str() {
            "DescribeDBInstances" => Reply::instances(&[orders]),
            action => Reply::result(action, orders),
        }
    });
    let name = "EnabledCloudwatchLogsExports".parse().unwrap();
    let asked = [(name, json!(["iam-db-auth-error", "postgresql"]))].into();
    server
        .door(Limits::default())
        .modify(&orders(), &asked)
        .await
        .unwrap();
    let request = server.last();
    let prefix = "CloudwatchLogsExportConfiguration";
    assert_eq!(
        request.list(&format!("{prefix}.EnableLogTypes")),
        ["iam-db-auth-error"]
    );
    assert_eq!(
        request.list(&format!("{prefix}.DisableLogTypes")),
        ["upgrade"]
    );
}

#[tokio::test(start_paused = true)]
async fn auroras_standard_storage_is_not_shown_and_captured_all_the_same() {
    for (engine, shown, captured) in [
        ("aurora-mysql", "", Some("aurora")),
        (
            "aurora-mysql",
            "<StorageType>aurora-iopt1</StorageType>",
            Some("aurora-iopt1"),
        ),
        ("mysql", "", None),
    ] {
        let members = format!("<Engine>{engine}</Engine>{shown}");
        let orders = cluster_with("orders", ORDERS_CLUSTER, "available", &members);
        let server = Server::new(move |_| Reply::clusters(std::slice::from_ref(&orders)));
        let rds = server.door(Limits::default());
        let seen = rds.cluster(&orders_cluster().name).await.unwrap().unwrap();
        let storage = seen.settings.get("StorageType").and_then(Value::as_str);
        assert_eq!(storage, captured, "{engine} {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_may_pause_is_told_when() {
    for (least, pauses) in [(0.0, true), (0.5, false)] {
        let capacity = json!({
            "MinCapacity": least, "MaxCapacity": 8.0, "SecondsUntilAutoPause": 600,
        });
        let name = "ServerlessV2ScalingConfiguration".parse().unwrap();
        let (server, result) = TABLES[1]
            .send(Way::Restore, [(name, capacity)].into())
            .await;
        result.unwrap();
        let member = "ServerlessV2ScalingConfiguration.SecondsUntilAutoPause";
        assert_eq!(has_member(&server.last(), member), pauses, "{least}");
    }
}

#[test]
fn settings_are_json_under_names_of_the_table() {
    let text = r#"{"Port":5433,"TagList":{"team":"billing"}}"#;
    let settings: Settings = serde_json::from_str(text).unwrap();
    assert_eq!(settings["Port"], 5433);
    assert_eq!(serde_json::to_string(&settings).unwrap(), text);
    let error = serde_json::from_str::<Settings>(r#"{"Prot":5433}"#).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`Prot` is no attribute of a database"),
        "{error}"
    );
}
