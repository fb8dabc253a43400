//! Automated backups: what a restore to a point in time is made from, also after the database
//! itself has been deleted.

use aws_sdk_rds::types::{Filter, RestoreWindow};

use crate::convert::{self, tags_from_sdk, timestamp};
use crate::database::{Kind, Tags, Window};
use crate::error::Error;
use crate::id::{DbIdentifier, ResourceId};
use crate::look::PAGE_RECORDS;
use crate::rds::Rds;

const DESCRIBE_BACKUPS: &str = "DescribeDBInstanceAutomatedBackups";
const DESCRIBE_CLUSTER_BACKUPS: &str = "DescribeDBClusterAutomatedBackups";

/// The automated backups of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutomatedBackup {
    /// What the database is, or was, called.
    pub identifier: DbIdentifier,
    /// Its identity.
    pub resource_id: ResourceId,
    /// `active` while the database exists, then `retained`.
    pub status: String,
    /// The instants that they can restore; none before the first backup.
    pub window: Option<Window>,
    /// The engine.
    pub engine: String,
    /// The engine's version.
    pub engine_version: String,
    /// The storage that a restored database needs, in GiB.
    pub allocated_storage_gib: Option<u64>,
    /// The backups' own tags.
    pub tags: Tags,
}

impl Rds {
    /// Lists the automated backups of all databases that had this name last: of the living one,
    /// and of deleted ones whose backups stayed.
    ///
    /// # Errors
    /// Every class.
    pub async fn automated_backups_of(
        &self,
        kind: Kind,
        id: &DbIdentifier,
    ) -> Result<Vec<AutomatedBackup>, Error> {
        let filter = |name: &str| Filter::builder().name(name).values(id.as_str()).build();
        let mut found = match kind {
            Kind::Instance => self.instance_backups(filter("db-instance-id")).await?,
            Kind::Cluster => self.cluster_backups(filter("db-cluster-id")).await?,
        };
        // A server may filter more loosely than asked.
        found.retain(|backup| backup.identifier == *id);
        Ok(found)
    }

    async fn instance_backups(&self, filter: Filter) -> Result<Vec<AutomatedBackup>, Error> {
        let request = self.client.describe_db_instance_automated_backups();
        let request = request.filters(filter).max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE_BACKUPS,
            |marker| request.clone().set_marker(marker).send(),
            |page| {
                (
                    page.db_instance_automated_backups.unwrap_or_default(),
                    page.marker,
                )
            },
        );
        let read = |backup: &aws_sdk_rds::types::DbInstanceAutomatedBackup| {
            Some(AutomatedBackup {
                identifier: convert::parse(backup.db_instance_identifier())?,
                resource_id: convert::parse(backup.dbi_resource_id())?,
                status: backup.status().unwrap_or_default().to_owned(),
                window: backup.restore_window().and_then(window),
                engine: backup.engine().unwrap_or_default().to_owned(),
                engine_version: backup.engine_version().unwrap_or_default().to_owned(),
                allocated_storage_gib: backup.allocated_storage().and_then(gib),
                tags: tags_from_sdk(backup.tag_list()),
            })
        };
        Ok(found.await?.iter().filter_map(read).collect())
    }

    async fn cluster_backups(&self, filter: Filter) -> Result<Vec<AutomatedBackup>, Error> {
        let request = self.client.describe_db_cluster_automated_backups();
        let request = request.filters(filter).max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE_CLUSTER_BACKUPS,
            |marker| request.clone().set_marker(marker).send(),
            |page| {
                (
                    page.db_cluster_automated_backups.unwrap_or_default(),
                    page.marker,
                )
            },
        );
        let read = |backup: &aws_sdk_rds::types::DbClusterAutomatedBackup| {
            Some(AutomatedBackup {
                identifier: convert::parse(backup.db_cluster_identifier())?,
                resource_id: convert::parse(backup.db_cluster_resource_id())?,
                status: backup.status().unwrap_or_default().to_owned(),
                window: backup.restore_window().and_then(window),
                engine: backup.engine().unwrap_or_default().to_owned(),
                engine_version: backup.engine_version().unwrap_or_default().to_owned(),
                allocated_storage_gib: backup.allocated_storage().and_then(gib),
                tags: tags_from_sdk(backup.tag_list()),
            })
        };
        Ok(found.await?.iter().filter_map(read).collect())
    }
}

fn window(window: &RestoreWindow) -> Option<Window> {
    Some(Window {
        earliest: timestamp(window.earliest_time()),
        latest: timestamp(window.latest_time())?,
    })
}

fn gib(storage: i32) -> Option<u64> {
    u64::try_from(storage).ok()
}
