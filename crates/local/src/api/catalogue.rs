//! What RDS offers: engines, versions, classes, certificates and quotas.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{clusters, instances, paging, snapshots};
use crate::catalogue::Product;
use crate::describe::CERTIFICATE_VALID_TILL;
use crate::subnets;

/// The classes that can be ordered. Any other class is taken as well: local servers are all of one size.
const CLASSES: [&str; 6] = [
    "db.t3.micro",
    "db.t3.medium",
    "db.t4g.micro",
    "db.m6g.large",
    "db.r6g.large",
    "db.r6g.2xlarge",
];

const CERTIFICATES: [&str; 3] = ["rds-ca-ecc384-g1", "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1"];

pub(super) fn account_attributes(context: &Context<'_>) -> Answer {
    let state = &*context.state;
    let gib: i64 = state
        .instances
        .values()
        .filter_map(|instance| instance.number("AllocatedStorage"))
        .sum();
    let quotas = [
        (
            "DBInstances",
            state.instances.len() as i64,
            instances::INSTANCES_MAX as i64,
        ),
        (
            "ManualSnapshots",
            state.snapshots.len() as i64,
            snapshots::SNAPSHOTS_MAX as i64,
        ),
        ("AllocatedStorage", gib, 100_000),
        ("DBParameterGroups", state.parameter_groups.len() as i64, 50),
        ("DBSubnetGroups", state.subnet_groups.len() as i64, 50),
        ("OptionGroups", state.option_groups.len() as i64, 20),
        (
            "DBClusters",
            state.clusters.len() as i64,
            clusters::CLUSTERS_MAX as i64,
        ),
    ];
    let quotas: Value = quotas
        .iter()
        .map(|(name, used, max)| json!({"AccountQuotaName": name, "Used": used, "Max": max}))
        .collect();
    Ok(Map::from_iter([("AccountQuotas".to_owned(), quotas)]))
}

const FILTERS: [&str; 5] = [
    "db-parameter-group-family",
    "engine",
    "engine-mode",
    "engine-version",
    "status",
];

pub(super) fn engine_versions(context: &mut Context<'_>, input: &Input) -> Answer {
    let mut records = Vec::new();
    for product in context.catalogue.products() {
        let versions = context.catalogue.versions(product.engine);
        let newest = versions.last();
        for version in versions {
            let is_asked = input
                .text("Engine")
                .is_none_or(|engine| engine == product.engine)
                && input.text("EngineVersion").is_none_or(|asked| {
                    asked == version || asked == product.major_version(version)
                })
                && input
                    .text("DBParameterGroupFamily")
                    .is_none_or(|family| family == product.family(version))
                && (!input.flag("DefaultOnly") || newest == Some(version));
            if is_asked {
                records.push((
                    format!("{} {version}", product.engine),
                    engine_version(product, version, versions),
                ));
            }
        }
    }
    let records =
        paging::filtered(
            input,
            records,
            &FILTERS,
            |(_, shown), filter, value| match filter {
                "engine" => shown["Engine"] == value,
                "engine-version" => shown["EngineVersion"] == value,
                "db-parameter-group-family" => shown["DBParameterGroupFamily"] == value,
                "status" => value == "available",
                _ => false,
            },
        )?;
    let mut records = records;
    records.sort_by(|(one, _), (other, _)| one.cmp(other));
    paging::page(input, "DBEngineVersions", records)
}

pub(super) fn orderable(context: &mut Context<'_>, input: &Input) -> Answer {
    let engine = input.required("Engine")?;
    let product = context.product(engine)?;
    let zones: Value = subnets::ZONES
        .iter()
        .map(|zone| json!({"Name": format!("{}{zone}", context.scope.region)}))
        .collect();
    let mut records = Vec::new();
    for version in context.catalogue.versions(engine) {
        for class in CLASSES {
            let is_asked = input
                .text("EngineVersion")
                .is_none_or(|asked| asked == version)
                && input
                    .text("DBInstanceClass")
                    .is_none_or(|asked| asked == class);
            if !is_asked {
                continue;
            }
            for license in product.licenses {
                records.push((
                    format!("{version} {class} {license}"),
                    option(product, version, class, license, &zones),
                ));
            }
        }
    }
    paging::page(input, "OrderableDBInstanceOptions", records)
}

pub(super) fn certificates(context: &mut Context<'_>, input: &Input) -> Answer {
    let asked = input.text("CertificateIdentifier");
    let found: Vec<_> = CERTIFICATES
        .iter()
        .filter(|name| asked.is_none_or(|asked| asked == **name))
        .collect();
    if let (Some(asked), true) = (asked, found.is_empty()) {
        return Err(ApiError::new(
            "CertificateNotFound",
            format!("Certificate {asked} not found."),
        ));
    }
    let records = found.into_iter().map(|name| {
        let shown = json!({
            "CertificateIdentifier": name,
            "CertificateType": "CA",
            "ValidFrom": "2021-05-24T21:59:00Z",
            "ValidTill": CERTIFICATE_VALID_TILL,
            "CertificateArn": format!("arn:aws:rds:{}::cert:{name}", context.scope.region),
            "CustomerOverride": false,
        });
        ((*name).to_owned(), shown)
    });
    let mut page = paging::page(input, "Certificates", records.collect())?;
    page.insert(
        "DefaultCertificateForNewLaunches".to_owned(),
        json!("rds-ca-rsa2048-g1"),
    );
    Ok(page)
}

/// Local RDS maintains nothing, so nothing is ever pending.
pub(super) fn pending_maintenance(context: &mut Context<'_>, input: &Input) -> Answer {
    if let Some(arn) = input.text("ResourceIdentifier")
        && context.instance(arn).is_err()
    {
        return Err(ApiError::new(
            "ResourceNotFoundFault",
            format!("{arn} not found."),
        ));
    }
    paging::page(input, "PendingMaintenanceActions", Vec::new())
}

fn engine_version(product: &Product, version: &str, versions: &[String]) -> Value {
    let newer = versions
        .iter()
        .skip_while(|other| *other != version)
        .skip(1);
    let targets = newer.map(|target| {
        json!({
            "Engine": product.engine,
            "EngineVersion": target,
            "Description": format!("{} {target}", product.description),
            "AutoUpgrade": false,
            "IsMajorVersionUpgrade": product.major_version(target) != product.major_version(version),
        })
    });
    json!({
        "Engine": product.engine,
        "MajorEngineVersion": product.major_version(version),
        "EngineVersion": version,
        "DBParameterGroupFamily": product.family(version),
        "DBEngineDescription": product.description,
        "DBEngineVersionDescription": format!("{} {version}", product.description),
        "ValidUpgradeTarget": targets.collect::<Vec<_>>(),
        "ExportableLogTypes": product.log_types,
        "SupportsLogExportsToCloudwatchLogs": true,
        "SupportsReadReplica": false,
        "SupportedFeatureNames": [],
        "Status": "available",
        "SupportsCertificateRotationWithoutRestart": true,
        "SupportedCACertificateIdentifiers": CERTIFICATES,
    })
}

fn option(product: &Product, version: &str, class: &str, license: &str, zones: &Value) -> Value {
    json!({
        "Engine": product.engine,
        "EngineVersion": version,
        "DBInstanceClass": class,
        "LicenseModel": license,
        "AvailabilityZones": zones,
        "MultiAZCapable": true,
        "ReadReplicaCapable": false,
        "Vpc": true,
        "SupportsStorageEncryption": true,
        "StorageType": "gp3",
        "SupportsIops": true,
        "SupportsEnhancedMonitoring": true,
        "SupportsIAMDatabaseAuthentication": true,
        "SupportsPerformanceInsights": true,
        "MinStorageSize": 20,
        "MaxStorageSize": 65_536,
    })
}
