//! The blueprint: everything configurable about the target, captured before anything changes,
//! and which part of it is sent when.
//!
//! What a member of a request is called, and for which engines it exists, the attribute table of
//! [`trapheus_rds`] knows; what is sent to a database that is to become another one's double is
//! decided here.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trapheus_rds::{
    Attribute, Database, Family, Omit, Settings, Subject, Tags, Way, attribute, attributes,
};

use crate::input::MasterPassword;
use crate::marks;

/// Attributes that no request of ours copies: names move last and by themselves, as custom
/// endpoints do; members are made and compared each by itself; and the tags travel apart because
/// Trapheus's own are among them.
const APART: [&str; 5] = [
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "DBClusterMembers",
    "CustomEndpoints",
    "TagList",
];

/// The storage, in GiB.
const ALLOCATED_STORAGE: &str = "AllocatedStorage";

/// Off while the database is being made, so that a half-made one can be removed in every status;
/// Configure turns it on.
const DELETION_PROTECTION: &str = "DeletionProtection";

/// Attributes that RDS wants together or not at all.
const TOGETHER: [&[&str]; 3] = [
    &["MonitoringInterval", "MonitoringRoleArn"],
    &[
        "DatabaseInsightsMode",
        "PerformanceInsightsEnabled",
        "PerformanceInsightsKMSKeyId",
        "PerformanceInsightsRetentionPeriod",
    ],
    &[
        "StorageType",
        ALLOCATED_STORAGE,
        "Iops",
        "StorageThroughput",
    ],
];

/// Below this size, gp3 has a fixed performance that no request may name, in GiB.
const GP3_PROVISIONED_FROM_GIB: i64 = 400;
/// The same for Oracle.
const GP3_PROVISIONED_FROM_GIB_ORACLE: i64 = 200;

/// The version of the engine.
const ENGINE_VERSION: &str = "EngineVersion";

/// Everything configurable about a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blueprint {
    /// Which attributes it has.
    #[serde(default = "instance")]
    pub subject: Subject,
    /// The engine, in RDS's words: it decides what exists and who takes it.
    pub engine: String,
    /// The values of the attributes.
    pub settings: Settings,
    /// The user's tags.
    pub tags: Tags,
}

impl Blueprint {
    /// Captures a database as it is.
    pub fn of(database: &Database) -> Self {
        Self {
            subject: database.subject(),
            engine: database.engine.clone(),
            settings: database.settings.clone(),
            tags: marks::users(&database.tags),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &'static Attribute> {
        attributes(self.subject).iter()
    }

    /// Has RDS manage the master password or not, as was chosen.
    pub(crate) fn with_password(mut self, chosen: &MasterPassword) -> Self {
        if *chosen == MasterPassword::Managed {
            let managed = row(self.subject, "ManageMasterUserPassword").name;
            self.settings.insert(managed, Value::Bool(true));
        } else {
            for name in ["ManageMasterUserPassword", "MasterUserSecretKmsKeyId"] {
                self.settings.remove(name);
            }
        }
        self
    }

    /// Whether RDS manages the master password.
    pub(crate) fn has_managed_password(&self) -> bool {
        self.settings.get("ManageMasterUserPassword") == Some(&Value::Bool(true))
    }

    /// Whether the database is protected from deletion.
    pub(crate) fn is_protected(&self) -> bool {
        self.settings.get(DELETION_PROTECTION) == Some(&Value::Bool(true))
    }

    /// What the restore request sets, for data that needs so much storage, in GiB, and has been
    /// written by this version of the engine.
    pub fn for_restore(&self, way: Way, needed_gib: Option<u64>, written_by: &str) -> Settings {
        let mut settings = self.sent_by(way);
        if let Some(storage) = settings.get_mut(ALLOCATED_STORAGE) {
            // Storage never shrinks: larger data needs what it needs.
            *storage = storage
                .as_u64()
                .max(needed_gib)
                .map_or_else(|| storage.clone(), Value::from);
        }
        if let Some(asked) = settings.get_mut(ENGINE_VERSION)
            && version(asked.as_str().unwrap_or_default()) < version(written_by)
        {
            *asked = Value::from(written_by);
        }
        settings
    }

    /// What the request sets that makes it as a part of another database.
    pub fn for_create(&self) -> Settings {
        self.sent_by(match self.subject {
            Subject::Member => Way::CreateMember,
            Subject::Instance | Subject::Cluster => Way::CreateReplica,
        })
    }

    fn sent_by(&self, way: Way) -> Settings {
        let sent = |row: &&Attribute| {
            row.is_set_by(way, &self.engine)
                && is_copied(row)
                && self.why_not_sent(row).is_none()
                && row.name.as_str() != DELETION_PROTECTION
        };
        let rows = self.rows().filter(sent);
        rows.filter_map(|row| Some((row.name, self.settings.get(row.name.as_str())?.clone())))
            .collect()
    }

    /// What a modify still has to set on a restored database; empty when nothing.
    pub fn for_modify(&self, restored: &Database) -> Settings {
        let differs = |row: &&Attribute| {
            let asked = self.settings.get(row.name.as_str());
            asked.is_some()
                && asked != restored.settings.get(row.name.as_str())
                && self.can_modify(row, restored)
        };
        let mut names: Vec<&str> = self
            .rows()
            .filter(differs)
            .map(|row| row.name.as_str())
            .collect();
        for group in TOGETHER {
            if group.iter().any(|name| names.contains(name)) {
                names.extend(group);
            }
        }
        let rows = self.rows().filter(|row| names.contains(&row.name.as_str()));
        rows.filter(|row| self.can_modify(row, restored))
            .filter_map(|row| Some((row.name, self.settings.get(row.name.as_str())?.clone())))
            .collect()
    }

    fn can_modify(&self, row: &Attribute, restored: &Database) -> bool {
        row.is_set_by(Way::Modify, &self.engine)
            && is_copied(row)
            && self.why_not_sent(row).is_none()
            && self.why_not_reached(row, &restored.settings).is_none()
    }

    /// Why a restored database can't get the original's value any more, whatever is sent.
    pub(crate) fn why_not_reached(
        &self,
        row: &Attribute,
        restored: &Settings,
    ) -> Option<&'static str> {
        let name = row.name.as_str();
        let asked = self.settings.get(name)?;
        let found = restored.get(name)?;
        if name == ALLOCATED_STORAGE && found.as_i64() > asked.as_i64() {
            return Some(
                "the snapshot needs more storage than the original has, and storage never shrinks",
            );
        }
        if !row.omit.contains(&Omit::UnlessUpgrade) {
            return None;
        }
        let (asked, found) = (
            asked.as_str().unwrap_or_default(),
            found.as_str().unwrap_or_default(),
        );
        if is_other_major(&self.engine, asked, found) {
            return Some("the snapshot has another major version of the engine");
        }
        (version(found) > version(asked))
            .then_some("the snapshot has a newer version of the engine, and there is no way back")
    }

    /// Why RDS must not be sent a value although the original shows it.
    pub(crate) fn why_not_sent(&self, row: &Attribute) -> Option<&'static str> {
        let reasons = row.omit.iter();
        reasons
            .copied()
            .find_map(|omit| self.why_omitted(row, omit))
    }

    fn why_omitted(&self, row: &Attribute, omit: Omit) -> Option<&'static str> {
        let is_true = |name: &str| self.settings.get(name) == Some(&Value::Bool(true));
        let is_insights_advanced = self
            .settings
            .get("DatabaseInsightsMode")
            .is_some_and(|mode| mode == "advanced");
        let (is_omitted, why) = match omit {
            Omit::UnlessUpgrade => (false, ""),
            Omit::UnlessProvisioned => (
                !self.has_provisioned_storage(),
                "its storage has a fixed performance",
            ),
            Omit::UnlessGp3 => (
                self.settings
                    .get("StorageType")
                    .is_none_or(|of| of != "gp3"),
                "only gp3 has a throughput of its own",
            ),
            Omit::WithMultiAz => (
                is_true("MultiAZ"),
                "RDS chooses the zones of a Multi-AZ instance itself",
            ),
            Omit::OutsideOutposts => (!self.is_on_outposts(row), "it exists on Outposts only"),
            Omit::WithoutMonitoring => {
                let interval = self
                    .settings
                    .get("MonitoringInterval")
                    .and_then(Value::as_i64);
                (interval.unwrap_or(0) == 0, "Enhanced Monitoring is off")
            }
            Omit::WithoutPerformanceInsights => (
                !is_true("PerformanceInsightsEnabled"),
                "Performance Insights is off",
            ),
            Omit::WithoutSelfManagedDirectory => (
                !self.settings.contains_key("DomainAuthSecretArn"),
                "the directory is AWS's own",
            ),
            Omit::WithoutManagedPassword => (
                !is_true("ManageMasterUserPassword"),
                "RDS does not manage the master password",
            ),
            Omit::PerMember => (
                self.engine.starts_with("aurora") && !is_insights_advanced,
                "each member has its own",
            ),
            Omit::PerCluster => (is_insights_advanced, "the cluster sets it for its members"),
            Omit::WithoutInternetGateway => (
                !is_true("InternetAccessGatewayEnabled"),
                "the cluster is in a VPC",
            ),
            Omit::BoundToOriginal => (true, "it is bound to the original"),
            Omit::SetByRds => (true, "RDS sets it itself"),
        };
        is_omitted.then_some(why)
    }

    fn has_provisioned_storage(&self) -> bool {
        let storage = self
            .settings
            .get(ALLOCATED_STORAGE)
            .and_then(Value::as_i64)
            .unwrap_or(0);
        match self.settings.get("StorageType").and_then(Value::as_str) {
            Some("io1" | "io2") => true,
            Some("gp3") => match Family::of(&self.engine) {
                Family::SqlServer => true,
                Family::Oracle => storage >= GP3_PROVISIONED_FROM_GIB_ORACLE,
                Family::MySql
                | Family::MariaDb
                | Family::PostgreSql
                | Family::Db2
                | Family::Custom
                | Family::Other => storage >= GP3_PROVISIONED_FROM_GIB,
            },
            Some(_) | None => false,
        }
    }

    fn is_on_outposts(&self, row: &Attribute) -> bool {
        let value = self.settings.get(row.name.as_str());
        value.is_some_and(|value| *value != Value::Bool(false) && value.as_str() != Some("region"))
    }
}

/// Whether requests of ours copy the attribute at all.
pub(crate) fn is_copied(row: &Attribute) -> bool {
    !APART.contains(&row.name.as_str())
}

/// Plans of earlier versions are all of instances.
fn instance() -> Subject {
    Subject::Instance
}

/// The row of an attribute that this crate mentions by name.
pub(crate) fn row(subject: Subject, name: &str) -> &'static Attribute {
    let name = name.parse().expect("the attribute tables have the name");
    attribute(subject, name).expect("the subject has the attribute")
}

/// A version such as `15.4`, so that versions compare number by number; words count as nothing.
pub(crate) fn version(text: &str) -> Vec<u64> {
    let parts = text.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

/// Whether two versions differ in more than RDS calls a minor upgrade: in the first number for
/// PostgreSQL from 10 and for Oracle, in the first two elsewhere.
pub(crate) fn is_other_major(engine: &str, one: &str, other: &str) -> bool {
    let (one, other) = (version(one), version(other));
    let numbers = match Family::of(engine) {
        Family::PostgreSql if one.first() >= Some(&10) => 1,
        Family::Oracle => 1,
        Family::PostgreSql
        | Family::MySql
        | Family::MariaDb
        | Family::SqlServer
        | Family::Db2
        | Family::Custom
        | Family::Other => 2,
    };
    one.iter().take(numbers).ne(other.iter().take(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version("15.10") > version("15.9"));
        assert!(version("19.0.0.0.ru-2024-01") > version("19.0.0.0.ru-2023-10"));
        assert_eq!(version("8.0.36"), [8, 0, 36]);
    }

    #[test]
    fn what_is_major_depends_on_the_engine() {
        assert!(!is_other_major("postgres", "15.4", "15.10"));
        assert!(is_other_major("postgres", "14.9", "15.4"));
        assert!(is_other_major("mysql", "8.0.36", "8.4.0"));
        assert!(!is_other_major("mariadb", "10.11.4", "10.11.6"));
    }
}
