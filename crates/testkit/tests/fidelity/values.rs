//! A value for every attribute that no database has by default.

use serde_json::{Value, json};

/// What the values of one database depend on.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    /// The oldest version that is offered: what the plain database has.
    pub(crate) oldest_version: String,
    /// The newest one of the same major version: what the original has.
    pub(crate) version: String,
    /// The logs that it can export.
    pub(crate) logs: Vec<String>,
}

impl Engine {
    fn is(&self, family: &str) -> bool {
        self.name.starts_with(family)
    }
}

/// A value of an attribute that differs from what a database has that was given none; `None` where
/// there is but one. `kind` is the member's type in the service model.
pub(crate) fn value(
    attribute: &str,
    engine: &Engine,
    kind: &str,
    default: &[String],
) -> Option<Value> {
    let default = default.first().map_or("", String::as_str);
    Some(match attribute {
        "EngineVersion" => json!(engine.version),
        "DBName" if engine.is("sqlserver") => return None,
        "MultiTenant" if !engine.name.ends_with("-cdb") => return None,
        "LicenseModel" => json!(license(engine, default)?),
        "DBInstanceClass" => json!("db.r6i.2xlarge"),
        "EngineLifecycleSupport" => json!("open-source-rds-extended-support-disabled"),
        "DBClusterInstanceClass" => json!("db.r6gd.xlarge"),
        "AllocatedStorage" => json!(500),
        "StorageType" if engine.is("aurora") => json!("aurora-iopt1"),
        // A plain Multi-AZ DB cluster has io1.
        "StorageType" if default == "io1" => json!("io2"),
        "StorageType" => json!("io1"),
        "ServerlessV2ScalingConfiguration" => json!({"MinCapacity": 1.5, "MaxCapacity": 16}),
        "BacktrackWindow" => json!(7200),
        "AvailabilityZones" => json!(["eu-west-1a", "eu-west-1b"]),
        "Iops" => json!(14_000),
        "StorageThroughput" => json!(600),
        "MaxAllocatedStorage" => json!(1000),
        "AdditionalStorageVolumes" => json!([
            {"VolumeName": "rdsdbdata2", "StorageType": "GP3", "AllocatedStorage": 300},
            {"VolumeName": "rdsdbdata3", "StorageType": "IO2", "AllocatedStorage": 400, "IOPS": 5000},
        ]),
        "Port" => json!(default.parse::<i64>().unwrap_or(3000) + 1111),
        "VpcSecurityGroupIds" => json!(["sg-0000000a", "sg-0000000b"]),
        "NetworkType" => json!("DUAL"),
        "AvailabilityZone" => json!(match default {
            "eu-west-1a" => "eu-west-1b",
            _ => "eu-west-1a",
        }),
        "BackupTarget" => json!("outposts"),
        "BackupRetentionPeriod" => json!(13),
        "PreferredBackupWindow" => json!("01:11-01:41"),
        "PreferredMaintenanceWindow" => json!("thu:02:22-thu:02:52"),
        "EnabledCloudwatchLogsExports" => json!(engine.logs),
        "MonitoringInterval" => json!(15),
        // The advanced mode needs Performance Insights.
        "DatabaseInsightsMode" if engine.is("db2") => return None,
        "DatabaseInsightsMode" => json!("advanced"),
        "PerformanceInsightsRetentionPeriod" => json!(465),
        "ProcessorFeatures" => json!([
            {"Name": "coreCount", "Value": "4"},
            {"Name": "threadsPerCore", "Value": "1"},
        ]),
        "CACertificateIdentifier" => json!("rds-ca-ecc384-g1"),
        "DomainFqdn" => json!("db.example.com"),
        "DomainOu" => json!("OU=Databases,DC=db,DC=example,DC=com"),
        "DomainDnsIps" => json!(["10.0.0.2", "10.0.0.3"]),
        "TagList" => json!([
            {"Key": "team", "Value": "shop & till"},
            {"Key": "cost center", "Value": ""},
        ]),
        "AutomatedBackupTags" => json!([
            {"ResourceType": "auto-backup", "Tags": [{"Key": "keep", "Value": "long"}]},
        ]),
        _ if attribute.ends_with("Arn") => json!(arn(attribute)),
        _ if attribute.to_lowercase().ends_with("kmskeyid") => {
            json!(format!(
                "arn:aws:kms:eu-west-1:123456789012:key/{}",
                attribute.to_lowercase()
            ))
        }
        _ => by_type(attribute, kind, default)?,
    })
}

/// Other than by default, by type alone: a switch is thrown, a number is one more, a name is new.
fn by_type(attribute: &str, kind: &str, default: &str) -> Option<Value> {
    match kind {
        "boolean" => Some(json!(default != "true")),
        "integer" => Some(json!(default.parse::<i64>().unwrap_or(0) + 1)),
        "string" => Some(json!(name(attribute))),
        _ if kind.ends_with(" string") => Some(json!([name(attribute)])),
        _ => None,
    }
}

/// A name that nothing has by default.
pub(crate) fn name(attribute: &str) -> String {
    let text = attribute.to_lowercase();
    // Oracle's names have eight characters at most.
    match attribute {
        "DBName" => "SHOP".to_owned(),
        "MasterUsername" => "keeper".to_owned(),
        _ => format!("the-{text}"),
    }
}

fn license(engine: &Engine, default: &str) -> Option<&'static str> {
    let two = match engine.name {
        "oracle-se2" | "oracle-se2-cdb" => ["license-included", "bring-your-own-license"],
        _ if engine.is("db2") => ["marketplace-license", "bring-your-own-license"],
        _ => return None,
    };
    two.into_iter().find(|license| *license != default)
}

fn arn(attribute: &str) -> String {
    match attribute {
        "MonitoringRoleArn" => "arn:aws:iam::123456789012:role/monitoring".to_owned(),
        "DomainAuthSecretArn" => {
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:directory-AbCdEf".to_owned()
        }
        _ => format!(
            "arn:aws:cloudhsm:eu-west-1:123456789012:hapg-{}",
            attribute.to_lowercase()
        ),
    }
}
