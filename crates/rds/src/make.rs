//! Calls that make a database. The new one's name must be free; a second attempt meets
//! [`Class::AlreadyExists`](crate::Class::AlreadyExists), perhaps because of the first.

use aws_sdk_rds::operation::create_db_instance::builders::CreateDbInstanceInputBuilder;
use aws_sdk_rds::operation::create_db_instance_read_replica::builders::CreateDbInstanceReadReplicaInputBuilder;
use aws_sdk_rds::operation::restore_db_cluster_from_snapshot::builders::RestoreDbClusterFromSnapshotInputBuilder;
use aws_sdk_rds::operation::restore_db_cluster_to_point_in_time::builders::RestoreDbClusterToPointInTimeInputBuilder;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDbInstanceFromDbSnapshotInputBuilder;
use aws_sdk_rds::operation::restore_db_instance_to_point_in_time::builders::RestoreDbInstanceToPointInTimeInputBuilder;
use jiff::Timestamp;

use crate::act::{read_cluster, read_instance};
use crate::attributes::{Settings, Subject, fill};
use crate::convert::{date_time, tags_to_sdk};
use crate::database::{Database, Identified, Kind, Tags};
use crate::error::Error;
use crate::id::{DbIdentifier, ResourceId, SnapshotRef};
use crate::rds::Rds;

const CREATE_MEMBER: &str = "CreateDBInstance";
const CREATE_REPLICA: &str = "CreateDBInstanceReadReplica";
const RESTORE_CLUSTER: &str = "RestoreDBClusterFromSnapshot";
const RESTORE_CLUSTER_TO_TIME: &str = "RestoreDBClusterToPointInTime";
const RESTORE_INSTANCE: &str = "RestoreDBInstanceFromDBSnapshot";
const RESTORE_INSTANCE_TO_TIME: &str = "RestoreDBInstanceToPointInTime";

/// A new database to be made from the data of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Restore {
    /// What is to be made; what it is made from is of the same kind.
    pub kind: Kind,
    /// Its name, which must be free.
    pub identifier: DbIdentifier,
    /// What it is made from.
    pub from: RestoreFrom,
    /// What the request sets beside name and tags; members that are not set get RDS's defaults,
    /// not the original's values.
    pub settings: Settings,
    /// All its tags: RDS copies none of the snapshot's when some are given.
    pub tags: Tags,
}

/// What a database is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreFrom {
    /// A snapshot.
    Snapshot(SnapshotRef),
    /// Backups and logs.
    PointInTime {
        /// Whose.
        source: PointInTimeSource,
        /// Until when; `None` is as late as they go.
        at: Option<Timestamp>,
    },
}

/// Whose backups and logs a database is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointInTimeSource {
    /// Those of a database that exists.
    Live(Identified),
    /// Those that stayed of a database that was deleted.
    Retained(ResourceId),
}

/// A new member of a cluster to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateMember {
    /// Its name, which must be free.
    pub identifier: DbIdentifier,
    /// The cluster, which must be `available`; its first member becomes the writer.
    pub cluster: Identified,
    /// What the request sets beside names and tags.
    pub settings: Settings,
    /// All its tags.
    pub tags: Tags,
}

/// A new read replica to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateReplica {
    /// Its name, which must be free.
    pub identifier: DbIdentifier,
    /// The instance that it replicates, or the Multi-AZ cluster.
    pub source: Identified,
    /// What the request sets beside names and tags.
    pub settings: Settings,
    /// All its tags.
    pub tags: Tags,
}

impl Rds {
    /// Starts making a database from a snapshot or to a point in time. A cluster is made without
    /// members, unless it is a Multi-AZ cluster.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for a setting that the request
    /// has no member for.
    pub async fn restore(&self, request: &Restore) -> Result<Database, Error> {
        match (&request.from, request.kind) {
            (RestoreFrom::Snapshot(snapshot), Kind::Instance) => {
                self.restore_instance(request, snapshot).await
            }
            (RestoreFrom::Snapshot(snapshot), Kind::Cluster) => {
                self.restore_cluster(request, snapshot).await
            }
            (RestoreFrom::PointInTime { source, at }, Kind::Instance) => {
                self.restore_instance_to_time(request, source, *at).await
            }
            (RestoreFrom::PointInTime { source, at }, Kind::Cluster) => {
                self.restore_cluster_to_time(request, source, *at).await
            }
        }
    }

    async fn restore_instance(
        &self,
        request: &Restore,
        snapshot: &SnapshotRef,
    ) -> Result<Database, Error> {
        let input = RestoreDbInstanceFromDbSnapshotInputBuilder::default();
        let input = fill(input, Subject::Instance, &request.settings, &NOTHING)?
            .db_instance_identifier(request.identifier.as_str())
            .db_snapshot_identifier(snapshot.as_str())
            .set_tags(tags_to_sdk(&request.tags));
        let send = || input.clone().send_with(&self.client);
        let answer = self.act(RESTORE_INSTANCE, send).await?;
        read_instance(RESTORE_INSTANCE, answer.db_instance())
    }

    async fn restore_cluster(
        &self,
        request: &Restore,
        snapshot: &SnapshotRef,
    ) -> Result<Database, Error> {
        let input = RestoreDbClusterFromSnapshotInputBuilder::default();
        let input = fill(input, Subject::Cluster, &request.settings, &NOTHING)?
            .db_cluster_identifier(request.identifier.as_str())
            .snapshot_identifier(snapshot.as_str())
            .set_tags(tags_to_sdk(&request.tags));
        let send = || input.clone().send_with(&self.client);
        let answer = self.act(RESTORE_CLUSTER, send).await?;
        read_cluster(RESTORE_CLUSTER, answer.db_cluster())
    }

    async fn restore_instance_to_time(
        &self,
        request: &Restore,
        source: &PointInTimeSource,
        at: Option<Timestamp>,
    ) -> Result<Database, Error> {
        let input = RestoreDbInstanceToPointInTimeInputBuilder::default();
        let input = fill(input, Subject::Instance, &request.settings, &NOTHING)?
            .target_db_instance_identifier(request.identifier.as_str())
            .set_tags(tags_to_sdk(&request.tags));
        let input = match source {
            PointInTimeSource::Live(of) => {
                self.identify(RESTORE_INSTANCE_TO_TIME, of).await?;
                input.source_db_instance_identifier(of.name.as_str())
            }
            PointInTimeSource::Retained(of) => input.source_dbi_resource_id(of.as_str()),
        };
        let input = match at {
            Some(at) => input.restore_time(date_time(at)),
            None => input.use_latest_restorable_time(true),
        };
        let send = || input.clone().send_with(&self.client);
        let answer = self.act(RESTORE_INSTANCE_TO_TIME, send).await?;
        read_instance(RESTORE_INSTANCE_TO_TIME, answer.db_instance())
    }

    async fn restore_cluster_to_time(
        &self,
        request: &Restore,
        source: &PointInTimeSource,
        at: Option<Timestamp>,
    ) -> Result<Database, Error> {
        let input = RestoreDbClusterToPointInTimeInputBuilder::default();
        let input = fill(input, Subject::Cluster, &request.settings, &NOTHING)?
            .db_cluster_identifier(request.identifier.as_str())
            .set_tags(tags_to_sdk(&request.tags));
        let input = match source {
            PointInTimeSource::Live(of) => {
                self.identify(RESTORE_CLUSTER_TO_TIME, of).await?;
                input.source_db_cluster_identifier(of.name.as_str())
            }
            PointInTimeSource::Retained(of) => input.source_db_cluster_resource_id(of.as_str()),
        };
        let input = match at {
            Some(at) => input.restore_to_time(date_time(at)),
            None => input.use_latest_restorable_time(true),
        };
        let send = || input.clone().send_with(&self.client);
        let answer = self.act(RESTORE_CLUSTER_TO_TIME, send).await?;
        read_cluster(RESTORE_CLUSTER_TO_TIME, answer.db_cluster())
    }

    /// Starts making a member of a cluster.
    ///
    /// # Errors
    /// Every class; [`Class::WrongStateNow`](crate::Class::WrongStateNow) while the cluster is
    /// not `available`.
    pub async fn create_member(&self, request: &CreateMember) -> Result<Database, Error> {
        let input = CreateDbInstanceInputBuilder::default();
        let input = fill(input, Subject::Member, &request.settings, &NOTHING)?
            .db_instance_identifier(request.identifier.as_str())
            .db_cluster_identifier(request.cluster.name.as_str())
            .set_tags(tags_to_sdk(&request.tags));
        self.identify(CREATE_MEMBER, &request.cluster).await?;
        let _changing = self.shared.changing(&request.cluster);
        let send = || input.clone().send_with(&self.client);
        let answer = self.act(CREATE_MEMBER, send).await?;
        read_instance(CREATE_MEMBER, answer.db_instance())
    }

    /// Starts making a read replica, in the same Region.
    ///
    /// # Errors
    /// Every class.
    pub async fn create_replica(&self, request: &CreateReplica) -> Result<Database, Error> {
        let input = CreateDbInstanceReadReplicaInputBuilder::default();
        let input = fill(input, Subject::Instance, &request.settings, &NOTHING)?
            .db_instance_identifier(request.identifier.as_str())
            .set_tags(tags_to_sdk(&request.tags));
        let source = &request.source;
        let input = match source.kind {
            Kind::Instance => input.source_db_instance_identifier(source.name.as_str()),
            Kind::Cluster => input.source_db_cluster_identifier(source.name.as_str()),
        };
        self.identify(CREATE_REPLICA, source).await?;
        let _changing = self.shared.changing(source);
        let send = || input.clone().send_with(&self.client);
        let answer = self.act(CREATE_REPLICA, send).await?;
        read_instance(CREATE_REPLICA, answer.db_instance())
    }
}

/// The settings of what does not exist yet.
static NOTHING: Settings = Settings::new();
