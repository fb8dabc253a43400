//! What belongs to a database and is set by calls of its own: IAM roles, the HTTP endpoint,
//! activity streams, and the replication of its backups into another Region.

use aws_sdk_rds::types::{ActivityStreamMode, AuditPolicyState};

use crate::convert::{tags_from_sdk, tags_to_sdk};
use crate::database::{Identified, Kind, Role, Tags};
use crate::error::Error;
use crate::id::Arn;
use crate::look::none_if_missing;
use crate::rds::Rds;

const ADD_CLUSTER_ROLE: &str = "AddRoleToDBCluster";
const ADD_INSTANCE_ROLE: &str = "AddRoleToDBInstance";
const DESCRIBE_BACKUPS: &str = "DescribeDBInstanceAutomatedBackups";
const ENABLE_HTTP_ENDPOINT: &str = "EnableHttpEndpoint";
const MODIFY_STREAM: &str = "ModifyActivityStream";
const REMOVE_CLUSTER_ROLE: &str = "RemoveRoleFromDBCluster";
const REMOVE_INSTANCE_ROLE: &str = "RemoveRoleFromDBInstance";
const REPLICATE_BACKUPS: &str = "StartDBInstanceAutomatedBackupsReplication";
const START_STREAM: &str = "StartActivityStream";

/// A stream of everything that is done in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityStream {
    /// `sync` or `async`.
    pub mode: String,
    /// The key that encrypts it.
    pub kms_key_id: String,
    /// Whether the engine's own fields are in it; only of Oracle and SQL Server.
    pub native_audit_fields: Option<bool>,
}

/// Whether the audit policy of an activity stream can be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditPolicy {
    /// It can't.
    Locked,
    /// It can.
    Unlocked,
}

/// A copy of an instance's automated backups, in another Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReplication {
    /// The other Region.
    pub region: String,
    /// How long backups stay there, in days.
    pub retention_days: Option<i32>,
    /// The key there that encrypts them.
    pub kms_key_id: Option<String>,
    /// Their tags.
    pub tags: Tags,
}

impl Rds {
    /// Starts giving a database a role that it may take.
    ///
    /// # Errors
    /// Every class.
    pub async fn add_role(&self, of: &Identified, role: &Role) -> Result<(), Error> {
        match of.kind {
            Kind::Instance => {
                self.identify(ADD_INSTANCE_ROLE, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.add_role_to_db_instance();
                let request = request
                    .db_instance_identifier(of.name.as_str())
                    .role_arn(&role.arn)
                    .set_feature_name(feature(role));
                self.act(ADD_INSTANCE_ROLE, || request.clone().send())
                    .await?;
            }
            Kind::Cluster => {
                self.identify(ADD_CLUSTER_ROLE, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.add_role_to_db_cluster();
                let request = request
                    .db_cluster_identifier(of.name.as_str())
                    .role_arn(&role.arn)
                    .set_feature_name(feature(role));
                self.act(ADD_CLUSTER_ROLE, || request.clone().send())
                    .await?;
            }
        }
        Ok(())
    }

    /// Starts taking a role away from a database.
    ///
    /// # Errors
    /// Every class.
    pub async fn remove_role(&self, of: &Identified, role: &Role) -> Result<(), Error> {
        match of.kind {
            Kind::Instance => {
                self.identify(REMOVE_INSTANCE_ROLE, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.remove_role_from_db_instance();
                let request = request
                    .db_instance_identifier(of.name.as_str())
                    .role_arn(&role.arn)
                    .set_feature_name(feature(role));
                self.act(REMOVE_INSTANCE_ROLE, || request.clone().send())
                    .await?;
            }
            Kind::Cluster => {
                self.identify(REMOVE_CLUSTER_ROLE, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.remove_role_from_db_cluster();
                let request = request
                    .db_cluster_identifier(of.name.as_str())
                    .role_arn(&role.arn)
                    .set_feature_name(feature(role));
                self.act(REMOVE_CLUSTER_ROLE, || request.clone().send())
                    .await?;
            }
        }
        Ok(())
    }

    /// Lets SQL be sent to an Aurora cluster over HTTP.
    ///
    /// # Errors
    /// Every class.
    pub async fn enable_http_endpoint(&self, of: &Identified) -> Result<(), Error> {
        let database = self.identify(ENABLE_HTTP_ENDPOINT, of).await?;
        let _changing = self.shared.changing(of);
        let request = self.client.enable_http_endpoint();
        let request = request.resource_arn(database.arn.as_str());
        self.act(ENABLE_HTTP_ENDPOINT, || request.clone().send())
            .await?;
        Ok(())
    }

    /// Starts an activity stream, at once.
    ///
    /// # Errors
    /// Every class.
    pub async fn start_activity_stream(
        &self,
        of: &Identified,
        stream: &ActivityStream,
    ) -> Result<(), Error> {
        let database = self.identify(START_STREAM, of).await?;
        let _changing = self.shared.changing(of);
        let request = self.client.start_activity_stream();
        let request = request
            .resource_arn(database.arn.as_str())
            .mode(ActivityStreamMode::from(stream.mode.as_str()))
            .kms_key_id(&stream.kms_key_id)
            .set_engine_native_audit_fields_included(stream.native_audit_fields)
            .apply_immediately(true);
        self.act(START_STREAM, || request.clone().send()).await?;
        Ok(())
    }

    /// Locks or unlocks the audit policy of an instance's activity stream.
    ///
    /// # Errors
    /// Every class.
    pub async fn set_audit_policy(
        &self,
        of: &Identified,
        policy: AuditPolicy,
    ) -> Result<(), Error> {
        let database = self.identify(MODIFY_STREAM, of).await?;
        let _changing = self.shared.changing(of);
        let request = self.client.modify_activity_stream();
        let request = request
            .resource_arn(database.arn.as_str())
            .audit_policy_state(match policy {
                AuditPolicy::Locked => AuditPolicyState::LockedPolicy,
                AuditPolicy::Unlocked => AuditPolicyState::UnlockedPolicy,
            });
        self.act(MODIFY_STREAM, || request.clone().send()).await?;
        Ok(())
    }

    /// Reads a copy of automated backups, in the Region that its ARN names.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`](crate::Class::NotFound), which is `None`.
    pub async fn backup_replication(
        &self,
        replica: &Arn,
    ) -> Result<Option<BackupReplication>, Error> {
        let there = self.in_region(replica.region());
        let request = there.client.describe_db_instance_automated_backups();
        let request = request.db_instance_automated_backups_arn(replica.as_str());
        let page = there.read(DESCRIBE_BACKUPS, || request.clone().send());
        let backups = none_if_missing(page.await)?
            .and_then(|page| page.db_instance_automated_backups)
            .unwrap_or_default();
        let found = backups
            .iter()
            .find(|backup| backup.db_instance_automated_backups_arn() == Some(replica.as_str()));
        Ok(found.map(|backup| BackupReplication {
            region: replica.region().to_owned(),
            retention_days: backup.backup_retention_period,
            kms_key_id: backup.kms_key_id.clone(),
            tags: tags_from_sdk(backup.tag_list()),
        }))
    }

    /// Starts copying an instance's automated backups into another Region.
    ///
    /// # Errors
    /// Every class.
    pub async fn start_backup_replication(
        &self,
        of: &Identified,
        to: &BackupReplication,
    ) -> Result<(), Error> {
        let database = self.identify(REPLICATE_BACKUPS, of).await?;
        let _changing = self.shared.changing(of);
        let there = self.in_region(&to.region);
        let request = there
            .client
            .start_db_instance_automated_backups_replication();
        let request = request
            .source_db_instance_arn(database.arn.as_str())
            .set_backup_retention_period(to.retention_days)
            .set_kms_key_id(to.kms_key_id.clone())
            .set_tags(tags_to_sdk(&to.tags));
        there
            .act(REPLICATE_BACKUPS, || request.clone().send())
            .await?;
        Ok(())
    }
}

/// The feature that a role serves; a cluster's may serve none in particular.
fn feature(role: &Role) -> Option<String> {
    (!role.feature.is_empty()).then(|| role.feature.clone())
}
