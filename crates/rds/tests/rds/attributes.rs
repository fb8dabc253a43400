//! Goal: the table forgets nothing and mistakes nothing. Method: the service's own list of
//! members (`facts/`), requests as they reach the wire, and an answer in which everything is set.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trapheus_rds::{
    Attribute, AttributeClass, AttributeName, Kind, Limits, Restore, RestoreFrom, Settings,
    Subject, Tags, Way, attribute, attributes,
};

use crate::server::{ORDERS, Reply, Request, Server, instance, instance_with, orders};

fn facts() -> Vec<Value> {
    let facts: Value =
        serde_json::from_str(include_str!("../../facts/rds-config-attributes.json")).unwrap();
    facts["db_instance"].as_array().unwrap().clone()
}

fn fact(row: &Attribute) -> Value {
    let named = |fact: &Value| fact["attribute"] == row.name.as_str();
    facts()
        .into_iter()
        .find(named)
        .unwrap_or_else(|| panic!("{} is no attribute", row.name))
}

/// The row of an instance's attribute.
fn row(name: &AttributeName) -> &'static Attribute {
    attribute(Subject::Instance, *name).expect("an instance has it")
}

/// An engine that has the attribute and whose restore request takes it where any does.
fn engine_for(row: &Attribute) -> &'static str {
    let engines = [
        "postgres",
        "mysql",
        "oracle-ee",
        "sqlserver-se",
        "db2-se",
        "custom-oracle-ee",
    ];
    let takes_it = |engine: &&&str| row.is_set_by(Way::Restore, engine);
    let has_it = |engine: &&&str| row.applies_to(engine);
    engines
        .iter()
        .find(takes_it)
        .or_else(|| engines.iter().find(has_it))
        .expect("some engine has it")
}

/// A value of the form that the attribute has.
fn sample(row: &Attribute) -> Value {
    match row.name.as_str() {
        "AllocatedStorage"
        | "Iops"
        | "StorageThroughput"
        | "MaxAllocatedStorage"
        | "Port"
        | "BackupRetentionPeriod"
        | "MonitoringInterval"
        | "PerformanceInsightsRetentionPeriod"
        | "ResumeFullAutomationModeTime" => json!(60),
        "ManageMasterUserPassword"
        | "DedicatedLogVolume"
        | "PubliclyAccessible"
        | "CustomerOwnedIpEnabled"
        | "MultiAZ"
        | "AutoMinorVersionUpgrade"
        | "CopyTagsToSnapshot"
        | "DeletionProtection"
        | "IAMDatabaseAuthenticationEnabled"
        | "PerformanceInsightsEnabled"
        | "MultiTenant" => json!(true),
        "VpcSecurityGroupIds"
        | "DBSecurityGroups"
        | "EnabledCloudwatchLogsExports"
        | "DomainDnsIps" => json!(["one", "two"]),
        "ProcessorFeatures" | "TagList" | "AutomatedBackupTags" => json!({"coreCount": "4"}),
        "AdditionalStorageVolumes" => json!([{"VolumeName": "RDSDBDATA2", "IOPS": 3000}]),
        _ => json!("some-text"),
    }
}

fn any_instance() -> Server {
    Server::new(|request| match request.action.as_str() {
        "DescribeDBInstances" => Reply::instances(&[instance("orders", ORDERS, "available")]),
        action => Reply::result(action, instance("orders", ORDERS, "modifying")),
    })
}

async fn restore_with(settings: Settings) -> Request {
    let server = any_instance();
    let request = Restore {
        kind: Kind::Instance,
        identifier: "orders-new".parse().unwrap(),
        from: RestoreFrom::Snapshot("nightly".parse().unwrap()),
        settings,
        tags: Tags::new(),
    };
    server
        .door(Limits::default())
        .restore(&request)
        .await
        .unwrap();
    server.last()
}

async fn modify_with(settings: Settings) -> Request {
    let server = any_instance();
    server
        .door(Limits::default())
        .modify(&orders(), &settings)
        .await
        .unwrap();
    server.last()
}

fn has_member(request: &Request, member: &str) -> bool {
    let list = format!("{member}.");
    request
        .parameters
        .keys()
        .any(|name| name == member || name.starts_with(&list))
}

#[test]
fn the_table_has_every_attribute_once_and_no_other() {
    let facts: Vec<String> = facts()
        .iter()
        .map(|fact| fact["attribute"].as_str().unwrap().to_owned())
        .collect();
    let table: Vec<&str> = attributes(Subject::Instance)
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(table.len(), 83);
    assert_eq!(table.iter().collect::<BTreeSet<_>>().len(), 83);
    assert_eq!(table, facts);
}

#[test]
fn the_table_says_what_can_set_each_attribute() {
    for row in attributes(Subject::Instance) {
        let fact = fact(row);
        let class = match row.class {
            AttributeClass::Restore => "restore",
            AttributeClass::Create => "create",
            AttributeClass::RestoreOfSomeEngines => "restore-conditional",
            AttributeClass::Modify => "modify-only",
            AttributeClass::OtherApi(_) => "other-api",
            AttributeClass::NotRestorable => "not-restorable",
        };
        assert_eq!(fact["class"], class, "{}", row.name);
        let engine = engine_for(row);
        let restore = fact["RestoreDBInstanceFromDBSnapshot"].is_string();
        let modify = fact["ModifyDBInstance"].is_string();
        assert_eq!(
            row.is_set_by(Way::Restore, engine),
            restore,
            "{} at restore",
            row.name
        );
        assert_eq!(
            row.is_set_by(Way::Modify, engine),
            modify,
            "{} by modify",
            row.name
        );
        let not_shown = ["AutomatedBackupTags", "TenantDatabases"];
        let shown = fact["describe"].is_object() && !not_shown.contains(&row.name.as_str());
        assert_eq!(row.is_shown(), shown, "{} is shown", row.name);
        if let AttributeClass::OtherApi(call) = row.class {
            assert!(
                fact["other_api"].as_str().unwrap().contains(call),
                "{} by {call}",
                row.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_setting_reaches_the_member_of_the_restore_request() {
    for row in attributes(Subject::Instance) {
        let fact = fact(row);
        let Some(member) = fact["RestoreDBInstanceFromDBSnapshot"].as_str() else {
            continue;
        };
        // Name and tags have a place of their own in the request.
        if matches!(row.name.as_str(), "DBInstanceIdentifier" | "TagList") {
            continue;
        }
        let request = restore_with([(row.name, sample(row))].into()).await;
        assert!(
            has_member(&request, member),
            "{} is not in {request:?}",
            row.name
        );
        assert_eq!(request.get("DBInstanceIdentifier"), "orders-new");
    }
}

#[tokio::test(start_paused = true)]
async fn every_setting_reaches_the_member_of_the_modify_request() {
    for row in attributes(Subject::Instance) {
        let fact = fact(row);
        let Some(member) = fact["ModifyDBInstance"].as_str() else {
            continue;
        };
        if row.name.as_str() == "DBInstanceIdentifier" {
            continue;
        }
        let request = modify_with([(row.name, sample(row))].into()).await;
        assert!(
            has_member(&request, member),
            "{} is not in {request:?}",
            row.name
        );
        assert_eq!(request.get("ApplyImmediately"), "true");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_form_is_refused_before_anything_is_sent() {
    for row in attributes(Subject::Instance)
        .iter()
        .filter(|row| row.is_set_by(Way::Modify, engine_for(row)))
    {
        if row.name.as_str() == "DBInstanceIdentifier" {
            continue;
        }
        let server = any_instance();
        let rds = server.door(Limits::default());
        let error = rds
            .modify(&orders(), &[(row.name, Value::Null)].into())
            .await;
        let message = error.unwrap_err().message;
        assert_eq!(message, format!("{} cannot be null", row.name));
        assert_eq!(server.actions(), ["DescribeDBInstances"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_request_has_no_member_for_is_refused() {
    let rds = any_instance().door(Limits::default());
    for name in ["AvailabilityZone", "MasterUsername", "DBInstanceIdentifier"] {
        let settings = [(name.parse().unwrap(), json!("some-text"))].into();
        rds.modify(&orders(), &settings).await.unwrap_err();
    }
}

/// An instance on which everything is set that DescribeDBInstances can show.
const EVERYTHING: &str = include_str!("everything.xml");

async fn everything() -> Settings {
    let server = Server::new(|_| Reply::instances(&[EVERYTHING.to_owned()]));
    let instance = server
        .door(Limits::default())
        .instance(&orders().name)
        .await
        .unwrap();
    instance.expect("it is there").settings
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_shown_is_captured() {
    let settings = everything().await;
    for row in attributes(Subject::Instance) {
        assert_eq!(
            settings.contains_key(&row.name),
            row.is_shown(),
            "{}",
            row.name
        );
    }
    insta::assert_json_snapshot!(settings);
}

#[tokio::test(start_paused = true)]
async fn everything_that_was_captured_can_be_sent_again() {
    let settings = everything().await;
    let takes = |row: &Attribute| row.is_set_by(Way::Restore, engine_for(row));
    let at_restore: Settings = settings
        .clone()
        .into_iter()
        .filter(|(name, _)| takes(row(name)))
        .collect();
    let request = restore_with(at_restore).await;
    insta::assert_debug_snapshot!("restore_request", request.parameters);

    // The pause of the automation is shown as a time and set in minutes.
    let not_sent = ["DBInstanceIdentifier", "ResumeFullAutomationModeTime"];
    let takes = |row: &Attribute| {
        row.is_set_by(Way::Modify, engine_for(row)) && !not_sent.contains(&row.name.as_str())
    };
    let by_modify: Settings = settings
        .into_iter()
        .filter(|(name, _)| takes(row(name)))
        .collect();
    let request = modify_with(by_modify).await;
    insta::assert_debug_snapshot!("modify_request", request.parameters);
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

#[test]
fn engines_differ_in_what_a_restore_request_takes() {
    let row = |name: &str| row(&name.parse().unwrap());
    assert!(!row("DBName").is_set_by(Way::Restore, "postgres"));
    assert!(row("DBName").is_set_by(Way::Restore, "oracle-se2"));
    assert!(row("ManageMasterUserPassword").is_set_by(Way::Restore, "oracle-ee"));
    assert!(!row("ManageMasterUserPassword").is_set_by(Way::Restore, "mysql"));
    assert!(row("ManageMasterUserPassword").is_set_by(Way::Modify, "mysql"));
    for name in [
        "AllocatedStorage",
        "StorageType",
        "Iops",
        "StorageThroughput",
        "MultiAZ",
    ] {
        assert!(row(name).is_set_by(Way::Restore, "postgres"), "{name}");
        assert!(!row(name).is_set_by(Way::Restore, "sqlserver-ex"), "{name}");
        assert!(row(name).is_set_by(Way::Modify, "sqlserver-ex"), "{name}");
    }
    assert!(!row("OptionGroupName").applies_to("custom-oracle-ee"));
    assert!(row("Port").applies_to("an-engine-of-the-future"));
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
