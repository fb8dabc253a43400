//! Making a snapshot reachable from elsewhere: sharing it with accounts, and copying it.

use crate::convert::tags_to_sdk;
use crate::database::{Kind, Tags};
use crate::error::Error;
use crate::id::{AccountId, Arn, SnapshotId};
use crate::rds::Rds;
use crate::snapshot::Snapshot;

const COPY: &str = "CopyDBSnapshot";
const COPY_OF_CLUSTER: &str = "CopyDBClusterSnapshot";
const DESCRIBE: &str = "DescribeDBSnapshotAttributes";
const DESCRIBE_OF_CLUSTER: &str = "DescribeDBClusterSnapshotAttributes";
const MODIFY: &str = "ModifyDBSnapshotAttribute";
const MODIFY_OF_CLUSTER: &str = "ModifyDBClusterSnapshotAttribute";

/// The attribute that says who may restore a snapshot.
const RESTORE: &str = "restore";

/// A copy of a snapshot that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySnapshot {
    /// What the snapshot is of.
    pub of: Kind,
    /// The snapshot, of whatever account and Region.
    pub source: Arn,
    /// What the copy is called.
    pub id: SnapshotId,
    /// The key that encrypts the copy; none for the snapshot's own, or for none.
    pub kms_key_id: Option<String>,
    /// The option group of the copy, where the snapshot's own is unknown there.
    pub option_group: Option<String>,
    /// The tags.
    pub tags: Tags,
}

impl Rds {
    /// Lists the accounts that a snapshot is shared with; `all` stands for everybody.
    ///
    /// # Errors
    /// Every class.
    pub async fn shared_with(&self, snapshot: &Snapshot) -> Result<Vec<String>, Error> {
        let id = snapshot.id.as_str();
        let values = match snapshot.of {
            Kind::Instance => {
                let request = self.client.describe_db_snapshot_attributes();
                let request = request.db_snapshot_identifier(id);
                let answer = self.read(DESCRIBE, || request.clone().send()).await?;
                let found = answer.db_snapshot_attributes_result();
                let attributes = found.map(|found| found.db_snapshot_attributes());
                let mut attributes = attributes.unwrap_or_default().iter();
                let restore = attributes.find(|found| found.attribute_name() == Some(RESTORE));
                restore.map(|found| found.attribute_values().to_vec())
            }
            Kind::Cluster => {
                let request = self.client.describe_db_cluster_snapshot_attributes();
                let request = request.db_cluster_snapshot_identifier(id);
                let answer = self.read(DESCRIBE_OF_CLUSTER, || request.clone().send());
                let answer = answer.await?;
                let found = answer.db_cluster_snapshot_attributes_result();
                let attributes = found.map(|found| found.db_cluster_snapshot_attributes());
                let mut attributes = attributes.unwrap_or_default().iter();
                let restore = attributes.find(|found| found.attribute_name() == Some(RESTORE));
                restore.map(|found| found.attribute_values().to_vec())
            }
        };
        Ok(values.unwrap_or_default())
    }

    /// Shares a snapshot with accounts, provided that it is still the one that was seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn share(&self, seen: &Snapshot, with: &[AccountId]) -> Result<(), Error> {
        self.modify_sharing(seen, with, &[]).await
    }

    /// Ends the sharing of a snapshot with accounts, provided that it is still the one that was
    /// seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn unshare(&self, seen: &Snapshot, with: &[AccountId]) -> Result<(), Error> {
        self.modify_sharing(seen, &[], with).await
    }

    async fn modify_sharing(
        &self,
        seen: &Snapshot,
        add: &[AccountId],
        remove: &[AccountId],
    ) -> Result<(), Error> {
        let texts = |accounts: &[AccountId]| {
            let texts = accounts.iter().map(|account| account.as_str().to_owned());
            (!accounts.is_empty()).then(|| texts.collect::<Vec<String>>())
        };
        match seen.of {
            Kind::Instance => {
                self.identify_snapshot(MODIFY, seen).await?;
                let request = self.client.modify_db_snapshot_attribute();
                let request = request
                    .db_snapshot_identifier(seen.id.as_str())
                    .attribute_name(RESTORE)
                    .set_values_to_add(texts(add))
                    .set_values_to_remove(texts(remove));
                self.act(MODIFY, || request.clone().send()).await?;
            }
            Kind::Cluster => {
                self.identify_snapshot(MODIFY_OF_CLUSTER, seen).await?;
                let request = self.client.modify_db_cluster_snapshot_attribute();
                let request = request
                    .db_cluster_snapshot_identifier(seen.id.as_str())
                    .attribute_name(RESTORE)
                    .set_values_to_add(texts(add))
                    .set_values_to_remove(texts(remove));
                self.act(MODIFY_OF_CLUSTER, || request.clone().send())
                    .await?;
            }
        }
        Ok(())
    }

    /// Starts copying a snapshot into this door's account and Region.
    ///
    /// # Errors
    /// Every class.
    pub async fn copy_snapshot(&self, copy: &CopySnapshot) -> Result<Snapshot, Error> {
        let key = copy.kms_key_id.clone();
        match copy.of {
            Kind::Instance => {
                let request = self.client.copy_db_snapshot();
                let request = request
                    .source_db_snapshot_identifier(copy.source.as_str())
                    .target_db_snapshot_identifier(copy.id.as_str())
                    .set_kms_key_id(key)
                    .set_option_group_name(copy.option_group.clone())
                    .set_tags(tags_to_sdk(&copy.tags));
                let answer = self.act(COPY, || request.clone().send()).await?;
                let made = answer.db_snapshot();
                let made = made.ok_or_else(|| Error::incomplete(COPY, "DBSnapshot"))?;
                Snapshot::of_instance(COPY, made)
            }
            Kind::Cluster => {
                let request = self.client.copy_db_cluster_snapshot();
                let request = request
                    .source_db_cluster_snapshot_identifier(copy.source.as_str())
                    .target_db_cluster_snapshot_identifier(copy.id.as_str())
                    .set_kms_key_id(key)
                    .set_tags(tags_to_sdk(&copy.tags));
                let answer = self.act(COPY_OF_CLUSTER, || request.clone().send()).await?;
                let made = answer.db_cluster_snapshot();
                let made =
                    made.ok_or_else(|| Error::incomplete(COPY_OF_CLUSTER, "DBClusterSnapshot"))?;
                Snapshot::of_cluster(COPY_OF_CLUSTER, made)
            }
        }
    }
}
