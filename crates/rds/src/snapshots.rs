//! Looks at snapshots and calls that make, tag and delete them.

use crate::convert::tags_to_sdk;
use crate::database::{Identified, Kind, Tags};
use crate::error::Error;
use crate::id::{CLUSTER_SNAPSHOT_ID_LENGTH_MAX, DbIdentifier, SnapshotId, SnapshotRef};
use crate::look::{PAGE_RECORDS, none_if_missing};
use crate::rds::Rds;
use crate::snapshot::Snapshot;

const ADD_TAGS: &str = "AddTagsToResource";
const CREATE: &str = "CreateDBSnapshot";
const CREATE_OF_CLUSTER: &str = "CreateDBClusterSnapshot";
const DELETE: &str = "DeleteDBSnapshot";
const DELETE_OF_CLUSTER: &str = "DeleteDBClusterSnapshot";
const DESCRIBE: &str = "DescribeDBSnapshots";
const DESCRIBE_OF_CLUSTERS: &str = "DescribeDBClusterSnapshots";

impl Rds {
    /// Looks a snapshot up.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`](crate::Class::NotFound), which is `None`.
    pub async fn snapshot(&self, of: Kind, id: &SnapshotRef) -> Result<Option<Snapshot>, Error> {
        let snapshots = match of {
            Kind::Instance => {
                let request = self.client.describe_db_snapshots();
                let request = request
                    .db_snapshot_identifier(id.as_str())
                    .set_include_shared(id.is_arn().then_some(true));
                let page = self.read(DESCRIBE, || request.clone().send()).await;
                none_if_missing(page)?.map(|page| of_instances(page.db_snapshots()))
            }
            Kind::Cluster => {
                let request = self.client.describe_db_cluster_snapshots();
                let request = request
                    .db_cluster_snapshot_identifier(id.as_str())
                    .set_include_shared(id.is_arn().then_some(true));
                let page = self.read(DESCRIBE_OF_CLUSTERS, || request.clone().send());
                none_if_missing(page.await)?.map(|page| of_clusters(page.db_cluster_snapshots()))
            }
        };
        let named =
            |snapshot: &Snapshot| snapshot.id == *id || snapshot.arn.as_str() == id.as_str();
        let snapshots = snapshots.transpose()?.unwrap_or_default();
        Ok(snapshots.into_iter().find(named))
    }

    /// Lists the snapshots of every kind that were made of a database of this name.
    ///
    /// # Errors
    /// Every class; a name without snapshots is an empty list.
    pub async fn snapshots_of(
        &self,
        of: Kind,
        source: &DbIdentifier,
    ) -> Result<Vec<Snapshot>, Error> {
        let snapshots = match of {
            Kind::Instance => {
                let request = self.client.describe_db_snapshots();
                let request = request.db_instance_identifier(source.as_str());
                let request = request.max_records(PAGE_RECORDS);
                let found = self.read_pages(
                    DESCRIBE,
                    |marker| request.clone().set_marker(marker).send(),
                    |page| (page.db_snapshots.unwrap_or_default(), page.marker),
                );
                none_if_missing(found.await)?.map(|found| of_instances(&found))
            }
            Kind::Cluster => {
                let request = self.client.describe_db_cluster_snapshots();
                let request = request.db_cluster_identifier(source.as_str());
                let request = request.max_records(PAGE_RECORDS);
                let found = self.read_pages(
                    DESCRIBE_OF_CLUSTERS,
                    |marker| request.clone().set_marker(marker).send(),
                    |page| (page.db_cluster_snapshots.unwrap_or_default(), page.marker),
                );
                none_if_missing(found.await)?.map(|found| of_clusters(&found))
            }
        };
        Ok(snapshots.transpose()?.unwrap_or_default())
    }

    /// Starts making a snapshot.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for a name that is too long
    /// for a cluster's snapshot.
    pub async fn create_snapshot(
        &self,
        of: &Identified,
        id: &SnapshotId,
        tags: &Tags,
    ) -> Result<Snapshot, Error> {
        match of.kind {
            Kind::Instance => {
                self.identify(CREATE, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.create_db_snapshot();
                let request = request
                    .db_instance_identifier(of.name.as_str())
                    .db_snapshot_identifier(id.as_str())
                    .set_tags(tags_to_sdk(tags));
                let answer = self.act(CREATE, || request.clone().send()).await?;
                let snapshot = answer.db_snapshot();
                let snapshot = snapshot.ok_or_else(|| Error::incomplete(CREATE, "DBSnapshot"))?;
                Snapshot::of_instance(CREATE, snapshot)
            }
            Kind::Cluster => {
                let operation = CREATE_OF_CLUSTER;
                if id.as_str().len() > CLUSTER_SNAPSHOT_ID_LENGTH_MAX {
                    let message = format!(
                        "{id}: the name of a cluster's snapshot has \
                         {CLUSTER_SNAPSHOT_ID_LENGTH_MAX} characters at most"
                    );
                    return Err(Error::refused(operation, message));
                }
                self.identify(operation, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.create_db_cluster_snapshot();
                let request = request
                    .db_cluster_identifier(of.name.as_str())
                    .db_cluster_snapshot_identifier(id.as_str())
                    .set_tags(tags_to_sdk(tags));
                let answer = self.act(operation, || request.clone().send()).await?;
                let snapshot = answer.db_cluster_snapshot();
                let snapshot =
                    snapshot.ok_or_else(|| Error::incomplete(operation, "DBClusterSnapshot"))?;
                Snapshot::of_cluster(operation, snapshot)
            }
        }
    }

    /// Deletes a snapshot, provided that it is still the one that was seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn delete_snapshot(&self, seen: &Snapshot) -> Result<(), Error> {
        match seen.of {
            Kind::Instance => {
                self.identify_snapshot(DELETE, seen).await?;
                let request = self.client.delete_db_snapshot();
                let request = request.db_snapshot_identifier(seen.id.as_str());
                self.act(DELETE, || request.clone().send()).await?;
            }
            Kind::Cluster => {
                self.identify_snapshot(DELETE_OF_CLUSTER, seen).await?;
                let request = self.client.delete_db_cluster_snapshot();
                let request = request.db_cluster_snapshot_identifier(seen.id.as_str());
                self.act(DELETE_OF_CLUSTER, || request.clone().send())
                    .await?;
            }
        }
        Ok(())
    }

    /// Adds tags to a snapshot, provided that it is still the one that was seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn add_snapshot_tags(&self, seen: &Snapshot, tags: &Tags) -> Result<(), Error> {
        self.identify_snapshot(ADD_TAGS, seen).await?;
        self.send_add_tags(seen.arn.as_str(), tags).await
    }

    /// Reads the snapshot that has the name now, and refuses unless it is the one seen. Snapshots
    /// have no identity of their own; their source and the time of their making stand for it.
    pub(crate) async fn identify_snapshot(
        &self,
        operation: &'static str,
        seen: &Snapshot,
    ) -> Result<(), Error> {
        let Some(found) = self.snapshot(seen.of, &seen.id).await? else {
            let code = match seen.of {
                Kind::Instance => "DBSnapshotNotFound",
                Kind::Cluster => "DBClusterSnapshotNotFoundFault",
            };
            return Err(Error::not_found(operation, code, seen.id.as_str()));
        };
        let is_same_time = seen.created_at.is_none() || seen.created_at == found.created_at;
        if is_same_time && seen.source_resource == found.source_resource && seen.arn == found.arn {
            return Ok(());
        }
        let identity = |snapshot: &Snapshot| match (&snapshot.source_resource, snapshot.created_at)
        {
            (Some(source), Some(at)) => format!("the snapshot of {source} made at {at}"),
            (_, _) => format!("a snapshot of {}", snapshot.source),
        };
        Err(Error::mismatch(
            operation,
            seen.id.as_str(),
            identity(seen),
            identity(&found),
        ))
    }
}

fn of_instances(found: &[aws_sdk_rds::types::DbSnapshot]) -> Result<Vec<Snapshot>, Error> {
    let found = found.iter();
    found
        .map(|snapshot| Snapshot::of_instance(DESCRIBE, snapshot))
        .collect()
}

fn of_clusters(found: &[aws_sdk_rds::types::DbClusterSnapshot]) -> Result<Vec<Snapshot>, Error> {
    let found = found.iter();
    found
        .map(|snapshot| Snapshot::of_cluster(DESCRIBE_OF_CLUSTERS, snapshot))
        .collect()
}
