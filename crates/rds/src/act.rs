//! Calls that change a database.
//!
//! RDS's calls take names, and a name is never proof: between the look and the act somebody may
//! have renamed something. So whatever touches an existing database takes [`Identified`], and
//! [`Rds::identify`] is the one place that checks it, immediately before the call. What remains
//! is a gap of one call's length.
//!
//! A call that ends in [`Class::Unavailable`](crate::Class::Unavailable) may have been carried
//! out. It is not repeated here: look, and then decide.

use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDbClusterInputBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::types as sdk;

use crate::attributes::{self, Settings};
use crate::convert::tags_to_sdk;
use crate::database::{Database, Identified, Kind, Tags};
use crate::error::Error;
use crate::id::{DbIdentifier, SnapshotId};
use crate::rds::Rds;

const ADD_TAGS: &str = "AddTagsToResource";
const DELETE_CLUSTER: &str = "DeleteDBCluster";
const DELETE_INSTANCE: &str = "DeleteDBInstance";
const FAIL_OVER_CLUSTER: &str = "FailoverDBCluster";
const MODIFY_CLUSTER: &str = "ModifyDBCluster";
const MODIFY_INSTANCE: &str = "ModifyDBInstance";
const REBOOT_CLUSTER: &str = "RebootDBCluster";
const REBOOT_INSTANCE: &str = "RebootDBInstance";
const REMOVE_TAGS: &str = "RemoveTagsFromResource";

/// What stays of a deleted database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinalSnapshot {
    /// Nothing.
    Skip,
    /// A snapshot of this name, made before the database goes.
    Create(SnapshotId),
}

/// What becomes of the automated backups of a deleted database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomatedBackups {
    /// They stay for their retention period.
    Keep,
    /// They go at once.
    Delete,
}

impl Rds {
    /// Starts changing settings at once, together with every change that is pending.
    ///
    /// RDS may accept a change and fail it later: then the database is `available` as before,
    /// and only an [`Event`](crate::Event) says so.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for a setting that the request
    /// has no member for, and for the name: see [`Rds::rename`].
    pub async fn modify(&self, of: &Identified, settings: &Settings) -> Result<Database, Error> {
        let operation = modify_operation(of.kind);
        let names = ["DBInstanceIdentifier", "DBClusterIdentifier"];
        if names.iter().any(|name| settings.contains_key(*name)) {
            let message = "a rename is a call of its own".to_owned();
            return Err(Error::refused(operation, message));
        }
        let current = self.identify(operation, of).await?;
        let subject = current.subject();
        match of.kind {
            Kind::Instance => {
                let request = modify_instance_now(of);
                let request = attributes::fill(request, subject, settings, &current.settings)?;
                self.send_modify_instance(of, request).await
            }
            Kind::Cluster => {
                let request = modify_cluster_now(of);
                let request = attributes::fill(request, subject, settings, &current.settings)?;
                self.send_modify_cluster(of, request).await
            }
        }
    }

    /// Starts renaming a database, at once.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for the name it has, because
    /// RDS reboots an instance that is renamed to itself.
    pub async fn rename(&self, of: &Identified, to: &DbIdentifier) -> Result<Database, Error> {
        let operation = modify_operation(of.kind);
        if of.name == *to {
            let message = format!("{to} already has that name");
            return Err(Error::refused(operation, message));
        }
        self.identify(operation, of).await?;
        match of.kind {
            Kind::Instance => {
                let request = modify_instance_now(of).new_db_instance_identifier(to.as_str());
                self.send_modify_instance(of, request).await
            }
            Kind::Cluster => {
                let request = modify_cluster_now(of).new_db_cluster_identifier(to.as_str());
                self.send_modify_cluster(of, request).await
            }
        }
    }

    /// Starts rebooting a database.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for an Aurora cluster: its
    /// members are rebooted one by one.
    pub async fn reboot(&self, of: &Identified) -> Result<Database, Error> {
        match of.kind {
            Kind::Instance => {
                self.identify(REBOOT_INSTANCE, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.reboot_db_instance();
                let request = request.db_instance_identifier(of.name.as_str());
                let answer = self.act(REBOOT_INSTANCE, || request.clone().send()).await?;
                read_instance(REBOOT_INSTANCE, answer.db_instance())
            }
            Kind::Cluster => {
                let current = self.identify(REBOOT_CLUSTER, of).await?;
                if !current.is_multi_az_cluster() {
                    let message = format!("{}: members of Aurora are rebooted one by one", of.name);
                    return Err(Error::refused(REBOOT_CLUSTER, message));
                }
                let _changing = self.shared.changing(of);
                let request = self.client.reboot_db_cluster();
                let request = request.db_cluster_identifier(of.name.as_str());
                let answer = self.act(REBOOT_CLUSTER, || request.clone().send()).await?;
                read_cluster(REBOOT_CLUSTER, answer.db_cluster())
            }
        }
    }

    /// Starts deleting a database. RDS's own default deletes its automated backups with it, so
    /// what becomes of them is always said. An Aurora cluster must have no members any more;
    /// those have no backups and no final snapshot of their own.
    ///
    /// # Errors
    /// Every class.
    pub async fn delete(
        &self,
        of: &Identified,
        final_snapshot: &FinalSnapshot,
        backups: AutomatedBackups,
    ) -> Result<Database, Error> {
        let snapshot = match final_snapshot {
            FinalSnapshot::Skip => None,
            FinalSnapshot::Create(id) => Some(id.as_str().to_owned()),
        };
        let deletes_backups = backups == AutomatedBackups::Delete;
        match of.kind {
            Kind::Instance => {
                let current = self.identify(DELETE_INSTANCE, of).await?;
                let has_backups = current.cluster.is_none();
                let _changing = self.shared.changing(of);
                let request = self.client.delete_db_instance();
                let request = request
                    .db_instance_identifier(of.name.as_str())
                    .set_delete_automated_backups(has_backups.then_some(deletes_backups))
                    .skip_final_snapshot(snapshot.is_none())
                    .set_final_db_snapshot_identifier(snapshot);
                let answer = self.act(DELETE_INSTANCE, || request.clone().send()).await?;
                read_instance(DELETE_INSTANCE, answer.db_instance())
            }
            Kind::Cluster => {
                self.identify(DELETE_CLUSTER, of).await?;
                let _changing = self.shared.changing(of);
                let request = self.client.delete_db_cluster();
                let request = request
                    .db_cluster_identifier(of.name.as_str())
                    .delete_automated_backups(deletes_backups)
                    .skip_final_snapshot(snapshot.is_none())
                    .set_final_db_snapshot_identifier(snapshot);
                let answer = self.act(DELETE_CLUSTER, || request.clone().send()).await?;
                read_cluster(DELETE_CLUSTER, answer.db_cluster())
            }
        }
    }

    /// Starts making another member of a cluster its writer.
    ///
    /// # Errors
    /// Every class.
    pub async fn failover(&self, of: &Identified, to: &DbIdentifier) -> Result<Database, Error> {
        self.identify(FAIL_OVER_CLUSTER, of).await?;
        let _changing = self.shared.changing(of);
        let request = self.client.failover_db_cluster();
        let request = request
            .db_cluster_identifier(of.name.as_str())
            .target_db_instance_identifier(to.as_str());
        let answer = self
            .act(FAIL_OVER_CLUSTER, || request.clone().send())
            .await?;
        read_cluster(FAIL_OVER_CLUSTER, answer.db_cluster())
    }

    /// Adds tags to a database; those with the same keys are replaced.
    ///
    /// # Errors
    /// Every class.
    pub async fn add_tags(&self, of: &Identified, tags: &Tags) -> Result<(), Error> {
        let database = self.identify(ADD_TAGS, of).await?;
        let _changing = self.shared.changing(of);
        self.send_add_tags(database.arn.as_str(), tags).await
    }

    /// Removes tags from a database; keys that it has not are passed over.
    ///
    /// # Errors
    /// Every class.
    pub async fn remove_tags(&self, of: &Identified, keys: &[&str]) -> Result<(), Error> {
        let database = self.identify(REMOVE_TAGS, of).await?;
        let _changing = self.shared.changing(of);
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let request = self.client.remove_tags_from_resource();
        let request = request.resource_name(database.arn.as_str());
        let request = request.set_tag_keys(Some(keys));
        self.act(REMOVE_TAGS, || request.clone().send()).await?;
        Ok(())
    }

    pub(crate) async fn send_add_tags(&self, arn: &str, tags: &Tags) -> Result<(), Error> {
        let request = self.client.add_tags_to_resource();
        let request = request.resource_name(arn).set_tags(tags_to_sdk(tags));
        self.act(ADD_TAGS, || request.clone().send()).await?;
        Ok(())
    }

    async fn send_modify_instance(
        &self,
        of: &Identified,
        request: ModifyDbInstanceInputBuilder,
    ) -> Result<Database, Error> {
        let _changing = self.shared.changing(of);
        let send = || request.clone().send_with(&self.client);
        let answer = self.act(MODIFY_INSTANCE, send).await?;
        read_instance(MODIFY_INSTANCE, answer.db_instance())
    }

    async fn send_modify_cluster(
        &self,
        of: &Identified,
        request: ModifyDbClusterInputBuilder,
    ) -> Result<Database, Error> {
        let _changing = self.shared.changing(of);
        let send = || request.clone().send_with(&self.client);
        let answer = self.act(MODIFY_CLUSTER, send).await?;
        read_cluster(MODIFY_CLUSTER, answer.db_cluster())
    }

    /// Reads the database that has the name now, and refuses unless it is the one meant.
    pub(crate) async fn identify(
        &self,
        operation: &'static str,
        of: &Identified,
    ) -> Result<Database, Error> {
        let name = of.name.as_str();
        let Some(database) = self.database(of.kind, &of.name).await? else {
            let code = match of.kind {
                Kind::Instance => "DBInstanceNotFound",
                Kind::Cluster => "DBClusterNotFoundFault",
            };
            return Err(Error::not_found(operation, code, name));
        };
        if database.resource_id == of.resource {
            return Ok(database);
        }
        let found = &database.resource_id;
        Err(Error::mismatch(operation, name, &of.resource, found))
    }
}

fn modify_operation(kind: Kind) -> &'static str {
    match kind {
        Kind::Instance => MODIFY_INSTANCE,
        Kind::Cluster => MODIFY_CLUSTER,
    }
}

/// Begins a modify request that does not wait for the maintenance window.
fn modify_instance_now(of: &Identified) -> ModifyDbInstanceInputBuilder {
    ModifyDbInstanceInputBuilder::default()
        .db_instance_identifier(of.name.as_str())
        .apply_immediately(true)
}

/// The same for a cluster.
fn modify_cluster_now(of: &Identified) -> ModifyDbClusterInputBuilder {
    ModifyDbClusterInputBuilder::default()
        .db_cluster_identifier(of.name.as_str())
        .apply_immediately(true)
}

pub(crate) fn read_instance(
    operation: &'static str,
    instance: Option<&sdk::DbInstance>,
) -> Result<Database, Error> {
    let instance = instance.ok_or_else(|| Error::incomplete(operation, "DBInstance"))?;
    Database::from_instance(operation, instance)
}

pub(crate) fn read_cluster(
    operation: &'static str,
    cluster: Option<&sdk::DbCluster>,
) -> Result<Database, Error> {
    let cluster = cluster.ok_or_else(|| Error::incomplete(operation, "DBCluster"))?;
    Database::from_cluster(operation, cluster)
}
