//! Originals that differ from a plain database wherever they may.

use serde_json::{Map, Value, json};
use trapheus_rds::{Attribute, Subject, attributes};
use trapheus_testkit::{Element, Simulation};

use crate::facts::{self, Fact};
use crate::values::{self, Engine};

pub(crate) const ENGINES: [&str; 7] = [
    "postgres",
    "mysql",
    "mariadb",
    "oracle-se2",
    "oracle-ee-cdb",
    "sqlserver-ee",
    "db2-ae",
];

/// Attributes that exclude each other, so that one original can't have all of them: two originals
/// between them can.
pub(crate) const VARIANTS: [&[&str]; 2] = [
    &[
        "MultiAZ",
        "StorageThroughput",
        "DomainFqdn",
        "DomainOu",
        "DomainAuthSecretArn",
        "DomainDnsIps",
        "ManageMasterUserPassword",
        "MasterUserSecretKmsKeyId",
    ],
    &[
        "StorageType",
        "AvailabilityZone",
        "BackupTarget",
        "DedicatedLogVolume",
        "Domain",
        "DomainIAMRoleName",
        "MasterUserPassword",
    ],
];

/// What is set apart from the table: identity, and the password where RDS doesn't manage it.
const APART: [&str; 4] = [
    "DBInstanceIdentifier",
    "Engine",
    "MasterUserPassword",
    "MasterUserAuthenticationType",
];

/// Makes `plain`, which has nothing but defaults, and `orders`, which has none of them but of the
/// attributes that are excluded; returns how the plain one is shown.
pub(crate) async fn make(
    simulation: &Simulation,
    engine: &'static str,
    facts: &[Fact],
    excluded: &[&str],
) -> Element {
    let engine = offered(simulation, engine).await;
    let older = Map::from_iter([("EngineVersion".to_owned(), json!(engine.oldest_version))]);
    create(simulation, &engine, "plain", older).await;
    let plain = describe(simulation, "plain").await;
    groups(simulation, &engine).await;
    let asked = asked(&engine, "CreateDBInstanceMessage", facts, &plain, |fact| {
        let attribute = fact.attribute.as_str();
        let applies =
            |row: &Attribute| row.name.as_str() == attribute && row.applies_to(engine.name);
        attributes(Subject::Instance).iter().any(applies)
            && !excluded.contains(&attribute)
            && !APART.contains(&attribute)
    });
    create(simulation, &engine, "orders", asked).await;
    attach(simulation, &engine).await;
    plain
}

/// What only other calls give to an instance.
async fn attach(simulation: &Simulation, engine: &Engine) {
    let role = json!({
        "DBInstanceIdentifier": "orders", "FeatureName": "s3Import",
        "RoleArn": "arn:aws:iam::123456789012:role/import",
    });
    let added = simulation.ask("AddRoleToDBInstance", role).await;
    added.unwrap_or_else(|refusal| panic!("a role of {}: {refusal:?}", engine.name));
    let has = |attribute: &str| {
        let mut rows = attributes(Subject::Instance).iter();
        rows.any(|row| row.name.as_str() == attribute && row.applies_to(engine.name))
    };
    let arn = describe(simulation, "orders")
        .await
        .text_of("DBInstanceArn")
        .to_owned();
    if has("ActivityStreamStatus") {
        start_stream(simulation, &arn, engine.name.starts_with("oracle")).await;
        simulation.wait_until_available("orders").await;
    }
}

/// Starts an activity stream of a database.
pub(crate) async fn start_stream(simulation: &Simulation, arn: &str, has_native_fields: bool) {
    let mut members = json!({
        "ResourceArn": arn, "Mode": "async", "ApplyImmediately": true,
        "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/streams",
    });
    if has_native_fields {
        members["EngineNativeAuditFieldsIncluded"] = json!(true);
    }
    let started = simulation.ask("StartActivityStream", members).await;
    started.unwrap_or_else(|refusal| panic!("a stream of {arn}: {refusal:?}"));
}

pub(crate) async fn describe(simulation: &Simulation, name: &str) -> Element {
    let asked = json!({"DBInstanceIdentifier": name});
    let answer = simulation.ask("DescribeDBInstances", asked).await;
    let answer = answer.expect("the database exists");
    answer.find("DBInstance").expect("it is shown").clone()
}

pub(crate) async fn offered(simulation: &Simulation, name: &'static str) -> Engine {
    let asked = json!({"Engine": name});
    let answer = simulation.ask("DescribeDBEngineVersions", asked).await;
    let answer = answer.expect("the engine is offered");
    let versions = answer.find("DBEngineVersions").expect("it has versions");
    let oldest = versions.children.first().expect("it has a version");
    let major = oldest.text_of("MajorEngineVersion");
    let mut of_major = versions.children.iter().rev();
    let newest = of_major.find(|version| version.text_of("MajorEngineVersion") == major);
    let mut logs = oldest.values("ExportableLogTypes[]");
    logs.truncate(2);
    Engine {
        name,
        oldest_version: oldest.text_of("EngineVersion").to_owned(),
        version: newest.unwrap_or(oldest).text_of("EngineVersion").to_owned(),
        logs,
    }
}

/// The members of a create request for an original that has none of the defaults.
pub(crate) fn asked(
    engine: &Engine,
    request: &str,
    facts: &[Fact],
    plain: &Element,
    is_asked: impl Fn(&Fact) -> bool,
) -> Map<String, Value> {
    let types = facts::members(request);
    let mut asked = Map::new();
    for fact in facts.iter().filter(|fact| is_asked(fact)) {
        let Some(member) = fact.create.as_deref() else {
            continue;
        };
        let default = fact.path.as_ref().map(|path| plain.values(path));
        let default = default.unwrap_or_default();
        if let Some(value) = values::value(&fact.attribute, engine, types[member], &default) {
            asked.insert(member.to_owned(), value);
        }
    }
    asked
}

/// The groups that the original refers to.
pub(crate) async fn groups(simulation: &Simulation, engine: &Engine) {
    let version = json!({"Engine": engine.name, "EngineVersion": engine.version});
    let answer = simulation.ask("DescribeDBEngineVersions", version).await;
    let answer = answer.expect("the version is offered");
    let family = answer.find("DBParameterGroupFamily").expect("it has one");
    let subnets = ["subnet-0000000a", "subnet-0000000b"];
    let major = answer.find("MajorEngineVersion").expect("it has one");
    for (action, members) in [
        (
            "CreateDBParameterGroup",
            json!({
                "DBParameterGroupName": values::name("DBParameterGroupName"),
                "DBParameterGroupFamily": family.text, "Description": "its own",
            }),
        ),
        (
            "CreateOptionGroup",
            json!({
                "OptionGroupName": values::name("OptionGroupName"), "EngineName": engine.name,
                "MajorEngineVersion": major.text, "OptionGroupDescription": "its own",
            }),
        ),
        (
            "CreateDBSubnetGroup",
            json!({
                "DBSubnetGroupName": values::name("DBSubnetGroupName"),
                "DBSubnetGroupDescription": "its own", "SubnetIds": subnets,
            }),
        ),
    ] {
        let made = simulation.ask(action, members).await;
        made.unwrap_or_else(|refusal| panic!("{action}: {refusal:?}"));
    }
}

async fn create(simulation: &Simulation, engine: &Engine, name: &str, asked: Map<String, Value>) {
    let mut members = json!({
        "DBInstanceIdentifier": name, "Engine": engine.name, "EngineVersion": engine.version,
        "DBInstanceClass": "db.m5.large", "AllocatedStorage": 20, "StorageType": "gp3",
        "MasterUsername": "app",
    });
    let is_managed = asked.contains_key("ManageMasterUserPassword");
    let all = members.as_object_mut().expect("it is an object");
    all.extend(asked);
    if !is_managed {
        all.insert("MasterUserPassword".to_owned(), json!("secret-1234"));
    }
    let created = simulation.ask("CreateDBInstance", members).await;
    created.unwrap_or_else(|refusal| panic!("{name} of {}: {refusal:?}", engine.name));
    simulation.wait_until_available(name).await;
}
